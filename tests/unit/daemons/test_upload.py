"""A fleet folder on its way into a real store, by the local socket's commands."""

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from anycastle.daemons import controller_process
from anycastle.daemons.controller_process import ControllerProcess, ControllerSettings
from anycastle.io.link.files import CredentialFiles
from anycastle.io.store import sql_store
from anycastle.io.stored_folders import checked_revision, files_in
from tests.unit.daemons.test_leadership import World, led

EXAMPLE = Path(__file__).parents[3] / "src/anycastle/io/config/example"


def uploading(tmp_path: Path, body: Callable[[World, ControllerProcess, Path], Awaitable[None]]) -> None:
    folder = tmp_path / "fleet"
    shutil.copytree(EXAMPLE, folder)
    nowhere = CredentialFiles(tmp_path / "a", tmp_path / "b", tmp_path / "c")
    settings = ControllerSettings("", ("127.0.0.1", 0), "ctl:9479", nowhere, tmp_path / "run")

    async def process(w: World) -> None:
        made = ControllerProcess(settings)
        made._store, made._daemon = w.store, w.daemon
        await body(w, made, folder)

    led(tmp_path, process)


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

    async def body(w: World, process: ControllerProcess, folder: Path) -> None:
        as_it_was = await checked_revision(files_in(folder))
        monkeypatch.setattr(controller_process, "files_in", read_and_edited)
        revision = await process._upload(folder, "ann")
        assert revision == as_it_was
        assert await checked_revision(await w.store.folder(revision)) == revision

    uploading(tmp_path, body)


@pytest.mark.mission("C3")
def test_old_folders_are_forgotten_and_what_is_desired_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_store, "FOLDERS_KEPT", 2)

    async def body(w: World, process: ControllerProcess, folder: Path) -> None:
        w.daemon._folders = controller_process.StoredFolders(w.store)
        adopted = {"command": "adopt", "owner": "ann", "folder": str(folder), "reason": "begin"}
        desired = (await process._asked(adopted))["revision"]
        for number in range(3):
            edit(folder, number)
            last = await process._upload(folder, "ann")
        assert {note.revision for note in await w.store.folders(10)} == {desired, last}

    uploading(tmp_path, body)
