"""A fleet folder on its way into a real store, by the local socket's commands."""

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from anycastle.daemons import controller_socket
from anycastle.daemons.controller_socket import ControllerSocket
from anycastle.io.store import sql_store
from anycastle.io.stored_folders import StoredFolders, checked_revision, files_in
from tests.unit.daemons.test_leadership import World, led

EXAMPLE = Path(__file__).parents[3] / "src/anycastle/io/config/example"


def uploading(tmp_path: Path, body: Callable[[World, ControllerSocket, Path], Awaitable[None]]) -> None:
    folder = tmp_path / "fleet"
    shutil.copytree(EXAMPLE, folder)

    async def asked(w: World) -> None:
        await body(w, ControllerSocket(tmp_path, w.daemon, w.store, "ctl:9479"), folder)

    led(tmp_path, asked)


def edit(folder: Path, number: int) -> None:
    """Change a file without changing what it means."""
    file = min(folder.glob("pops/*.yaml"))
    file.write_text(f"{file.read_text()}# {number}\n")


@pytest.mark.mission("C3")
def test_what_is_kept_is_what_was_read_though_it_is_edited_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_and_edited(folder: Path) -> dict[str, bytes]:
        files = files_in(folder)
        edit(folder, 1)
        return files

    async def body(w: World, asked: ControllerSocket, folder: Path) -> None:
        as_it_was = await checked_revision(files_in(folder))
        monkeypatch.setattr(controller_socket, "files_in", read_and_edited)
        revision = await asked._upload(folder, "ann")
        assert revision == as_it_was
        assert await checked_revision(await w.store.folder(revision)) == revision

    uploading(tmp_path, body)


@pytest.mark.mission("C3")
def test_old_folders_are_forgotten_and_what_is_desired_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_store, "FOLDERS_KEPT", 2)

    async def body(w: World, asked: ControllerSocket, folder: Path) -> None:
        w.daemon._folders = StoredFolders(w.store)
        adopted = {"command": "adopt", "owner": "ann", "folder": str(folder), "reason": "begin"}
        desired = (await asked.answer(adopted))["revision"]
        for number in range(3):
            edit(folder, number)
            last = await asked._upload(folder, "ann")
        assert {note.revision for note in await w.store.folders(10)} == {desired, last}

    uploading(tmp_path, body)
