"""The two clocks and the randomness that engines are given, and never fetch."""

from typing import NamedTuple, NewType, Protocol

Instant = NewType("Instant", float)
"""Monotonic time in seconds. Only differences mean anything; it never goes back."""

Timestamp = NewType("Timestamp", float)
"""Wall time in seconds since 1970-01-01 UTC, for people and logs. It may jump; no deadline is made from it."""

FAR_FUTURE = Instant(float("inf"))


class Now(NamedTuple):
    """Both clocks, read together: deadlines come from `monotonic`, dates and expiries from `wall`."""

    monotonic: Instant
    wall: Timestamp


class Randomness(Protocol):
    """The part of `random.Random` that engines use; a seeded one makes a run repeatable."""

    def random(self) -> float:
        """Give a number in [0, 1)."""
        ...

    def uniform(self, a: float, b: float) -> float:
        """Give a number in [a, b]."""
        ...


def after(now: Instant, seconds: float) -> Instant:
    """Give the instant `seconds` after `now`."""
    return Instant(now + seconds)
