"""Fleet folders of the controller's store as fleets, each read once by a process of its own."""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.fleet_loader import load_fleet_apart
from anycastle.io.store.port import Store
from anycastle.model.fleet import Fleet
from anycastle.rollout.mitigation import active_in, base_of, mitigated

FILES_MAX: Final = 100_000
"""Files of one folder: a thousand PoPs and fifty thousand services are half of it."""


class StoredFolders:
    """Gives the fleets of revisions that are stored."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def fleet(self, revision: str) -> Fleet | None:
        """Give the fleet of a revision; None where it is not stored.

        Raises `WorldError` where it cannot be read, `MisuseError` where its files do not approve of its mitigations.
        """
        try:
            files = await self._store.folder(base_of(revision))
        except KeyError:
            return None
        try:
            fleet = await fleet_of(files)
        except MisuseError as error:
            raise WorldError(f"revision {revision}: {error}", retryable=False) from error
        return mitigated(fleet, active_in(revision))


async def fleet_of(files: Mapping[str, bytes]) -> Fleet:
    """Give the fleet of a folder's files. Raises `MisuseError` with every finding."""
    with tempfile.TemporaryDirectory(prefix="anycastle-fleet.") as name:
        return await _loaded(Path(name), files)


async def checked_revision(files: Mapping[str, bytes]) -> str:
    """Give the revision of a folder's files. Raises `MisuseError` with every finding where they cannot be used."""
    from anycastle.io.folder_revision import folder_revision

    with tempfile.TemporaryDirectory(prefix="anycastle-fleet.") as name:
        await _loaded(Path(name), files)
        return (await asyncio.to_thread(folder_revision, Path(name))).digest


async def _loaded(folder: Path, files: Mapping[str, bytes]) -> Fleet:
    await asyncio.to_thread(_write, folder, files)
    try:
        return await load_fleet_apart(folder)
    except MisuseError as error:
        raise MisuseError(str(error).replace(f"{folder}/", "").replace(str(folder), "the folder")) from error


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for path, octets in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(octets)


def files_in(folder: Path) -> dict[str, bytes]:
    """Give the files of a fleet folder by their paths within it. Raises `WorldError`."""
    from anycastle.io.config.findings import Findings
    from anycastle.io.config.folder import read_folder

    read = read_folder(folder, Findings())
    files = [*([read.fleet] if read.fleet else []), *read.pops, *read.services]
    if not files:
        raise WorldError(f"{folder}: no fleet folder is there", retryable=False)
    return {str(Path(file.name).relative_to(folder)): file.octets for file in files[:FILES_MAX]}
