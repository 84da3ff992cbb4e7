"""What a vantage point saw of a target over time: which PoP answered from when on, and by which way packets went.

Of many answers that say the same, the first and the last are told: a *turn* is a time in which nothing changed. So the
catchments of any moment can be told from little, and what is between two moments is what moved. Memory is bounded by
`TURNS_MAX` and `PATHS_MAX` for each vantage point and target; the oldest go first.
"""

from dataclasses import dataclass, field
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.probe.sighting import Sighting

TURNS_MAX: Final = 100
"""Of one vantage point that moves every ten minutes: most of a day."""

PATHS_MAX: Final = 12
HOPS_MAX: Final = 64
"""Hops that are kept of a path: traceroute asks 30."""


@dataclass(slots=True)
class Turn:
    """One PoP answered, from a first time to a last."""

    pop: str
    first: Timestamp
    last: Timestamp
    rtt_ms: float | None
    """The shortest round trip of it: what the way itself takes."""


@dataclass(slots=True)
class Way:
    """The routers that answered were the same, from a first time to a last. A hop that kept silent is empty."""

    hops: tuple[str, ...]
    rtts_ms: tuple[float | None, ...]
    """Of the last time; None where a hop kept silent."""
    reached: bool
    first: Timestamp
    last: Timestamp


@dataclass(slots=True)
class Course:
    """What one vantage point saw of one target."""

    turns: list[Turn] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    lost: int = 0
    """Probes without an answer since one came last."""
    answers_until: Timestamp | None = None
    ways_until: Timestamp | None = None

    def see(self, sighting: Sighting) -> bool:
        """Take an answer; tell whether it is a new one. What comes late, or twice, is none."""
        if self.answers_until is not None and sighting.at <= self.answers_until:
            return False
        self.answers_until = sighting.at
        if sighting.error:
            self.lost += 1
            return True
        self.lost = 0
        if not sighting.pop:
            return True
        turn = self.turns[-1] if self.turns else None
        if turn is None or turn.pop != sighting.pop:
            self.turns.append(Turn(sighting.pop, sighting.at, sighting.at, sighting.rtt_ms))
            del self.turns[:-TURNS_MAX]
            return True
        turn.last = sighting.at
        turn.rtt_ms = min((each for each in (turn.rtt_ms, sighting.rtt_ms) if each is not None), default=None)
        return True

    def trace(self, at: Timestamp, hops: tuple[str, ...], rtts_ms: tuple[float | None, ...], *, reached: bool) -> bool:
        """Take a traceroute; tell whether it is a new one. Who kept silent this time may be whoever spoke before."""
        if self.ways_until is not None and at <= self.ways_until:
            return False
        self.ways_until = at
        hops, rtts_ms = hops[:HOPS_MAX], rtts_ms[:HOPS_MAX]
        way = self.ways[-1] if self.ways else None
        if way is None or not _same(way, hops, reached=reached):
            self.ways.append(Way(hops, rtts_ms, reached, at, at))
            del self.ways[:-PATHS_MAX]
            return True
        way.hops = tuple(new or old for new, old in zip(hops, way.hops, strict=True))
        way.last, way.rtts_ms = at, rtts_ms
        return True


def _same(way: Way, hops: tuple[str, ...], *, reached: bool) -> bool:
    """Tell whether no hop that spoke both times is another."""
    return (
        way.reached == reached
        and len(way.hops) == len(hops)
        and all(not old or not new or old == new for old, new in zip(way.hops, hops, strict=True))
    )
