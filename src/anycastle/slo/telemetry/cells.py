"""Measurements by time: cells of equal length, each of what happened in it, so that any window is a sum of cells."""

from collections.abc import Iterable
from math import floor
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.slo.telemetry.measurements import Measurements

CELL_S: Final = 60.0
KEEP_S: Final = 25 * 3600.0
"""A day, and an hour for logs that come late."""

CELLS_MAX: Final = 50_000

AHEAD_S: Final = 300.0
"""What is dated further in the future than this has a broken clock, and is counted as of now."""


class Cells:
    """What was counted, by time. Raises `MisuseError` for lengths that make no sense."""

    def __init__(self, cell_s: float = CELL_S, keep_s: float = KEEP_S) -> None:
        if not 1 <= cell_s <= keep_s or keep_s / cell_s > CELLS_MAX:
            raise MisuseError(f"cells of {cell_s:g} s for {keep_s:g} s: from 1 s on, and {CELLS_MAX} at most")
        self.cell_s = cell_s
        self.keep_s = keep_s
        self.cells: dict[int, Measurements] = {}
        self.dirty: set[int] = set()
        """Those that changed since they were last written."""
        self.too_old = 0
        """What came when its cell was forgotten."""

    def at(self, at: Timestamp, now: Timestamp) -> Measurements | None:
        """Give the cell of a time, to count in it; None for one that is forgotten."""
        if at > now + AHEAD_S:
            at = now
        number = floor(at / self.cell_s)
        if at < now - self.keep_s:
            self.too_old += 1
            return None
        self.dirty.add(number)
        return self.cells.setdefault(number, Measurements())

    def forget(self, now: Timestamp) -> tuple[int, ...]:
        """Let go of what is older than is kept; give the numbers of those cells."""
        first = floor((now - self.keep_s) / self.cell_s)
        gone = tuple(number for number in self.cells if number < first)
        for number in gone:
            del self.cells[number]
            self.dirty.discard(number)
        return gone

    def over(self, now: Timestamp, window_s: float) -> Measurements:
        """Give the sum of the cells that lie in a window up to now, the first one whole."""
        first = floor((now - window_s) / self.cell_s)
        return summed(cell for number, cell in sorted(self.cells.items()) if number >= first)


def summed(parts: Iterable[Measurements]) -> Measurements:
    """Give the sum of spans, PoPs or processes."""
    whole = Measurements()
    for part in parts:
        whole.merge(part)
    return whole
