"""The files of a fleet folder, read within bounds."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from anycastle.io.config.findings import FindingKind, Findings, Place, did_you_mean
from anycastle.io.config.limits import FILE_BYTES_MAX, FILES_MAX, FOLDER_DEPTH_MAX

FLEET_FILE: Final = "fleet.yaml"
POPS: Final = "pops"
SERVICES: Final = "services"
_SUFFIX: Final = ".yaml"


@dataclass(frozen=True, slots=True)
class File:
    """A file's name, as findings show it, and its octets."""

    name: str
    octets: bytes


@dataclass(frozen=True, slots=True)
class Folder:
    """What was read. `complete` tells whether every file that is there could be read."""

    fleet: File | None
    pops: tuple[File, ...]
    services: tuple[File, ...]


def read_folder(path: Path, findings: Findings) -> Folder:
    """Read `fleet.yaml`, `pops/**.yaml` and `services/**.yaml`; what cannot be read becomes a finding."""
    names = _entries(path, findings)
    _misplaced(path, names, findings)
    fleet = None
    if FLEET_FILE in names:
        fleet = _read(path / FLEET_FILE, findings)
    elif names is not _UNREADABLE:
        findings.add(FindingKind.MISSING_FILE, _whole(path / FLEET_FILE), "", "the fleet's own file is missing")
    folders = []
    for name, what in ((POPS, "PoP"), (SERVICES, "service")):
        paths = list(_yaml_files(path / name, findings)) if name in names else []
        if not paths and names is not _UNREADABLE:
            message = f"no {what} is described: {name}/*.yaml holds one each"
            findings.add(FindingKind.MISSING_FILE, _whole(path / name), "", message)
        if len(paths) > FILES_MAX:
            message = f"{len(paths)} files; at most {FILES_MAX} are read"
            findings.add(FindingKind.TOO_LARGE, _whole(path / name), "", message)
        files = (_read(each, findings) for each in paths[:FILES_MAX])
        folders.append(tuple(file for file in files if file is not None))
    return Folder(fleet, folders[0], folders[1])


_UNREADABLE: Final[tuple[str, ...]] = ("",)


def _shown(path: Path) -> str:
    """Give a path as text that prints on one line, whatever octets its name has."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "?" for character in text)


def _whole(path: Path) -> Place:
    """Give the place of a folder or file as such: no line of it is meant."""
    return Place(_shown(path), 0, 0)


def _entries(path: Path, findings: Findings) -> tuple[str, ...]:
    try:
        return tuple(sorted(entry.name for entry in path.iterdir()))
    except OSError as error:
        message = f"the folder cannot be read: {error.strerror}"
        findings.add(FindingKind.UNREADABLE, _whole(path), "", message)
        return _UNREADABLE


def _ignored(name: str) -> bool:
    """Tell hidden files and what editors leave behind."""
    return name.startswith((".", "#")) or name.endswith("~")


def _misplaced(path: Path, names: tuple[str, ...], findings: Findings) -> None:
    for name in names:
        if _ignored(name) or name in (FLEET_FILE, POPS, SERVICES):
            continue
        if name.endswith((".yaml", ".yml")):
            message = f"this file is not read; a fleet is {FLEET_FILE}, {POPS}/*.yaml and {SERVICES}/*.yaml"
            findings.add(FindingKind.MISPLACED_FILE, _whole(path / name), "", message)
        elif (path / name).is_dir() and name.lower().rstrip("s") in ("pop", "service"):
            message = f"this folder is not read{did_you_mean(name, (POPS, SERVICES))}"
            findings.add(FindingKind.MISPLACED_FILE, _whole(path / name), "", message)


def _yaml_files(path: Path, findings: Findings, above: tuple[tuple[int, int], ...] = ()) -> Iterator[Path]:
    """Give the YAML files of a folder and of those within it, links followed, in the order of their names."""
    try:
        status = path.stat()
    except OSError as error:
        findings.add(FindingKind.UNREADABLE, _whole(path), "", f"cannot be read: {error.strerror}")
        return
    if not stat.S_ISDIR(status.st_mode):
        findings.add(FindingKind.UNREADABLE, _whole(path), "", "a folder is needed here")
        return
    identity = (status.st_dev, status.st_ino)
    if identity in above:
        findings.add(FindingKind.UNREADABLE, _whole(path), "", "this link leads back to a folder above it")
        return
    if len(above) > FOLDER_DEPTH_MAX:
        message = f"folders nested deeper than {FOLDER_DEPTH_MAX}"
        findings.add(FindingKind.TOO_LARGE, _whole(path), "", message)
        return
    for name in _entries(path, findings):
        if _ignored(name):
            continue
        each = path / name
        if name.endswith(_SUFFIX):
            yield each
        elif name.endswith(".yml"):
            message = f"this file is not read; rename it to {_shown(Path(name[:-4]))}{_SUFFIX}"
            findings.add(FindingKind.MISPLACED_FILE, _whole(each), "", message)
        elif each.is_dir():
            yield from _yaml_files(each, findings, (*above, identity))


def _read(path: Path, findings: Findings) -> File | None:
    name = _shown(path)
    try:
        # Without O_NONBLOCK, opening a pipe would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        findings.add(FindingKind.UNREADABLE, Place(name, 0, 0), "", f"cannot be read: {error.strerror}")
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        findings.add(FindingKind.UNREADABLE, Place(name, 0, 0), "", "not a regular file")
        return None
    with os.fdopen(descriptor, "rb") as stream:
        try:
            octets = stream.read(FILE_BYTES_MAX + 1)
        except OSError as error:
            findings.add(FindingKind.UNREADABLE, Place(name, 0, 0), "", f"cannot be read: {error.strerror}")
            return None
    if len(octets) > FILE_BYTES_MAX:
        findings.add(FindingKind.TOO_LARGE, Place(name, 0, 0), "", f"larger than {FILE_BYTES_MAX} octets")
        return None
    return File(name, octets)
