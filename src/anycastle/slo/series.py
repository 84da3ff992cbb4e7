"""Good and bad events over time, so that the sum over any span ending now costs two searches.

Events arrive in cells (a minute, say), in the order of time. Sums run from the beginning; a span is the difference of
two. What is older than `keep_s` is forgotten in bulk, when as much again has gathered, so that adding is cheap.
"""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final, NamedTuple

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp

CELLS_MAX: Final = 200_000
"""Cells kept of one scope: four months of minutes."""


class Events(NamedTuple):
    """Weights of events."""

    good: float = 0.0
    total: float = 0.0
    """All that count: good and bad ones, those excluded not among them."""
    allowed: float = 0.0
    """Bad ones within the allowance for convergence: they spend budget and page nobody."""
    excluded: float = 0.0
    """Of planned maintenance, where the objective leaves it out."""

    @property
    def bad(self) -> float:
        """Give what spends budget."""
        return self.total - self.good

    @property
    def alarming(self) -> float:
        """Give what counts for burn rates."""
        return max(0.0, self.bad - self.allowed)

    def plus(self, other: "Events") -> "Events":
        """Give the sum."""
        return Events(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True)
class Cell:
    """Events of a span that ended at a time."""

    at: Timestamp
    events: Events


class Series:
    """Cells of one objective and scope."""

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._at: list[float] = []
        self._sums: list[Events] = [Events()]

    def add(self, at: Timestamp, events: Events) -> None:
        """Add a cell that ended later than all before. Raises `MisuseError` for an earlier one, or a negative count."""
        if self._at and at <= self._at[-1]:
            raise MisuseError(f"a cell ended at {at}, and one at {self._at[-1]} is there already")
        if not 0 <= events.good <= events.total or not 0 <= events.allowed <= events.bad or events.excluded < 0:
            raise MisuseError(f"{events} cannot be: good ones are part of all, allowed ones of the bad")
        self._at.append(at)
        self._sums.append(self._sums[-1].plus(events))
        self._forget()

    def _forget(self) -> None:
        old = bisect_right(self._at, self._at[-1] - self._keep_s)
        if len(self._at) > CELLS_MAX:
            old = max(old, len(self._at) - CELLS_MAX // 2)
        elif old <= len(self._at) // 2:
            return
        before = self._sums[old]
        self._at = self._at[old:]
        self._sums = [Events(*(x - y for x, y in zip(each, before, strict=True))) for each in self._sums[old:]]

    def over(self, now: Timestamp, span_s: float) -> Events:
        """Give the events of cells that ended after `now - span_s` and not after `now`."""
        first, last = bisect_right(self._at, now - span_s), bisect_right(self._at, now)
        end, begin = self._sums[last], self._sums[first]
        # Sums of weights that are no whole numbers may differ in their last digits.
        good, total, allowed, excluded = (max(0.0, x - y) for x, y in zip(end, begin, strict=True))
        return Events(min(good, total), total, min(allowed, max(0.0, total - good)), excluded)

    def cells_in(self, now: Timestamp, span_s: float) -> int:
        """Give how many cells ended in the span."""
        return bisect_right(self._at, now) - bisect_right(self._at, now - span_s)

    @property
    def last_at(self) -> Timestamp | None:
        """Give when the last cell ended."""
        return Timestamp(self._at[-1]) if self._at else None
