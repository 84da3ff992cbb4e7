"""What every source is to the daemon: asked again and again, with a place that is kept, and a trouble that is told."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, Protocol

from anycastle.base.ports import Now

DAMAGED_KEPT: Final = 20
"""Damaged lines whose places are remembered."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """A line that could not be read, and where it stands."""

    where: str
    why: str


@dataclass(slots=True)
class SourceCounts:
    """What a source brought."""

    counted: int = 0
    passed_over: int = 0
    """Read well, and of nothing that counts."""
    damaged: int = 0
    latest_damaged: deque[Damaged] = field(default_factory=lambda: deque(maxlen=DAMAGED_KEPT))

    def damage(self, where: str, why: str) -> None:
        """Note a damaged line."""
        self.damaged += 1
        self.latest_damaged.append(Damaged(where, why))


class Source(Protocol):
    """Something that is read."""

    name: str
    every_s: float
    """From one look to the next, where the last one brought nothing more."""
    counts: SourceCounts

    async def poll(self, now: Now) -> bool:
        """Count what is new; tell whether more is there at once. Raises `WorldError`."""
        ...

    def place(self) -> bytes:
        """Give how far all that is counted goes. Called between two counts, never in the middle of one."""
        ...

    def restore(self, place: bytes) -> None:
        """Go on from a place. Raises `msgspec.DecodeError` for what is none."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
