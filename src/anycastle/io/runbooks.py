"""Runbooks as files, and the log of their runs."""

import os
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Final

from anycastle.base.errors import MisuseError, ParseError, WorldError
from anycastle.base.ports import Timestamp
from anycastle.io.event_log import EventLog
from anycastle.io.whole_file import read_whole
from anycastle.model.event import Event, RunbookStepped
from anycastle.response.runbook.document import TEXT_MAX, Runbook, parse_runbook
from anycastle.response.runbook.progress import Progress, runs_of

KIND: Final = "runbook_stepped"
PLACE: Final = "runbook"
"""In the column of PoPs."""


def shipped() -> dict[str, str]:
    """Give the runbooks that come with the program: name -> text."""
    folder = files("anycastle.response.runbook").joinpath("shipped")
    found = [each for each in folder.iterdir() if each.name.endswith(".md")]
    return {
        each.name.removesuffix(".md"): each.read_text("utf-8") for each in sorted(found, key=lambda each: each.name)
    }


def names(folder: Path | None) -> dict[str, str]:
    """Give name -> where it is: the shipped ones, and those of a folder, which take the place of shipped ones."""
    found = dict.fromkeys(shipped(), "shipped")
    for path in sorted(folder.glob("*.md")) if folder else ():
        found[path.stem] = str(path)
    return dict(sorted(found.items()))


def load(name: str, folder: Path | None) -> Runbook:
    """Read a runbook by its name, or a file by its path. Raises `ParseError`, `MisuseError`, `WorldError`."""
    if name.endswith(".md"):
        path = Path(name).resolve()
        return replace(read(path), name=str(path))  # so that a run finds the file again, from wherever it is resumed
    place = names(folder).get(name)
    if place is None:
        raise MisuseError(f"there is no runbook {name!r}; there are {', '.join(names(folder))}")
    if place == "shipped":
        return parse_runbook(shipped()[name], f"{name}.md", name)
    return read(Path(place))


def read(path: Path) -> Runbook:
    """Read a file. Raises `ParseError`, `WorldError`."""
    octets = read_whole(path, TEXT_MAX)
    try:
        text = octets.decode()
    except UnicodeDecodeError as error:
        raise ParseError(f"{path}:1:1: text: octet {error.start} is not UTF-8") from error
    return parse_runbook(text, str(path), path.stem)


def default_log() -> Path:
    """Give where runs are written: the system's place for root, the user's own else."""
    if os.geteuid() == 0:
        return Path("/var/lib/anycastle/runbooks/runs.db")
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(base) / "anycastle/runbooks/runs.db"


class RunLog:
    """The event log that runs are written to; each event is on disk when `write` returns."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise WorldError(f"{path.parent} cannot be made: {error.strerror}", retryable=False) from error
        self._log = EventLog(path)

    def close(self) -> None:
        """Let go of the file."""
        self._log.close()

    def write(self, at: Timestamp, event: RunbookStepped) -> None:
        """Add an event. Raises `WorldError`."""
        self._log.append([Event(at, PLACE, event)])

    def runs(self) -> dict[str, Progress]:
        """Give all runs, the oldest first."""
        bodies = (stored.event() for stored in self._log.read(kind=KIND))
        return runs_of(each.body for each in bodies if each is not None and isinstance(each.body, RunbookStepped))
