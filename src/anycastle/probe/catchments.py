"""Catchments: per vantage point and target which PoP answers, since when, and which one did before.

A fold over sightings in the order of their time. A sighting without a PoP changes nobody's catchment: silence is loss,
not a move. What each vantage point reached is kept in full (answers per PoP, times, losses), so that a summary can be
made of any part of them. Memory is bounded by `VANTAGE_POINTS_MAX` and, of each, by `TIMES_MAX`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median_low
from typing import Final, NamedTuple

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.model.vantage_point import VantagePoint
from anycastle.probe.sighting import Sighting

VANTAGE_POINTS_MAX: Final = 200_000
"""Vantage points with a target each: RIPE Atlas has some 13,000 probes."""

TIMES_MAX: Final = 10_000
"""Round-trip times kept of a vantage point: five weeks of one every five minutes. Later ones replace the oldest."""


class Move(NamedTuple):
    """A vantage point that reached another PoP than before."""

    at: Timestamp
    before: str
    now: str


@dataclass(slots=True)
class Reach:
    """What one vantage point reached at one target."""

    vantage: VantagePoint
    target: str
    pop: str = ""
    """The one that answered last; empty while none did."""
    since: Timestamp | None = None
    """When it was first seen to answer, after any other."""
    before: str = ""
    """The one that answered before; empty where there was none."""
    moves: int = 0
    last_move: Move | None = None
    answers: Counter[str] = field(default_factory=Counter)
    """Answers by PoP."""
    unknown: int = 0
    """Answers by a server whose name told no PoP."""
    lost: int = 0
    times_ms: list[float] = field(default_factory=list)
    """Of the PoP that answers now, since it does."""

    @property
    def rtt_ms(self) -> float | None:
        """Give the middle round-trip time to the PoP that answers now; a time that was measured, no mean of two."""
        return median_low(self.times_ms) if self.times_ms else None

    def see(self, sighting: Sighting) -> Move | None:
        """Take a sighting that is later than all before. Gives the move, where it is one."""
        if sighting.error:
            self.lost += 1
            return None
        if not sighting.pop:
            self.unknown += 1
            return None
        move = None
        if sighting.pop != self.pop:
            if self.pop:
                move = self.last_move = Move(sighting.at, self.pop, sighting.pop)
                self.moves += 1
            self.pop, self.before, self.since = sighting.pop, self.pop, sighting.at
            self.times_ms = []
        self.answers[sighting.pop] += 1
        if sighting.rtt_ms is not None:
            self.times_ms.append(sighting.rtt_ms)
            del self.times_ms[:-TIMES_MAX]
        return move


Catchments = Mapping[tuple[str, str], Reach]
"""What each vantage point reached, by its name and the target."""


def fold(sightings: Iterable[Sighting]) -> Catchments:
    """Give what all vantage points reached. Raises `MisuseError` beyond `VANTAGE_POINTS_MAX`."""
    reached: dict[tuple[str, str], Reach] = {}
    for sighting in sorted(sightings, key=lambda each: each.at):
        key = (sighting.vantage.name, sighting.target)
        reach = reached.get(key)
        if reach is None:
            if len(reached) >= VANTAGE_POINTS_MAX:
                raise MisuseError(f"more than {VANTAGE_POINTS_MAX:,} vantage points and targets")
            reach = reached[key] = Reach(sighting.vantage, sighting.target)
        reach.see(sighting)
    return reached
