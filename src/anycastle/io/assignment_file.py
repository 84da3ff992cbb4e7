"""The assignment that an agent lives by, on its disk: one JSON file, written whole."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from anycastle.base.errors import ParseError, WorldError
from anycastle.base.ports import Timestamp
from anycastle.io.assignment_json import decode, digest
from anycastle.io.durable import rename_durably, write_durably
from anycastle.model.fleet import Fleet

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a controller told a PoP to live by."""

    fleet: Fleet
    digest: str
    taken: Timestamp
    """When the agent took it."""


class AssignmentFile:
    """Loads and saves an assignment."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> Assignment | None:
        """Give the saved assignment, or None where none was ever saved. Raises `WorldError` for one that is damaged.

        A damaged file stops the agent: its fleet files may say something that no rollout has come to.
        """
        try:
            octets = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WorldError(f"{self.path} cannot be read: {error.strerror}", retryable=False) from error
        try:
            return _assignment(octets)
        except (msgspec.DecodeError, ParseError) as error:
            hint = "`anycastle agent forget-assignment` makes the fleet files count until a controller assigns anew"
            raise WorldError(f"{self.path} is damaged: {error}; {hint}", retryable=False) from error

    def save(self, octets: bytes, taken: Timestamp) -> None:
        """Put an assignment's octets on disk. Raises `WorldError`; what was there before then stands."""
        stored = _Stored(VERSION, digest(octets), taken, msgspec.Raw(octets))
        write_durably(self.path, msgspec.json.encode(stored))

    def forget(self) -> Path:
        """Set the assignment aside, damaged or not, and give where it is now. Raises `WorldError`.

        It is kept, so that who forgot the wrong one can put it back. One that was set aside before is replaced.
        """
        aside = self.path.with_name(f"{self.path.stem}-forgotten{self.path.suffix}")
        rename_durably(self.path, aside)
        return aside


def _assignment(octets: bytes) -> Assignment:
    stored = msgspec.json.decode(octets, type=_Stored)
    if stored.version != VERSION:
        raise ParseError(f"it is of version {stored.version}; this release reads version {VERSION}")
    assignment = bytes(stored.assignment)
    if digest(assignment) != stored.digest:
        raise ParseError("its octets are not those that were written")
    return Assignment(decode(assignment), stored.digest, Timestamp(stored.taken))


class _Stored(msgspec.Struct):
    version: int
    digest: str
    taken: float
    assignment: msgspec.Raw
