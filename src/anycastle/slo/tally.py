"""Good and bad events, by who shares fate: what every ratio is computed of, and what can be merged."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from anycastle.kernels.intervals import ratio_interval, wilson
from anycastle.slo.reading import GLOBAL, Reading, state_of


@dataclass(slots=True)
class Tally:
    """Weights of good and of all events, by cluster (an AS, a client network, an upstream); and what was left out."""

    good: dict[str, float] = field(default_factory=dict)
    total: dict[str, float] = field(default_factory=dict)
    excluded: dict[str, float] = field(default_factory=dict)
    """By reason, in events."""
    events: float = 0.0
    """Events, whatever their weight: what minimum counts are about."""

    def add(self, cluster: str, *, good: bool, weight: float = 1.0, events: float = 1.0) -> None:
        """Count events that are alike."""
        self.total[cluster] = self.total.get(cluster, 0.0) + weight
        self.good[cluster] = self.good.get(cluster, 0.0) + (weight if good else 0.0)
        self.events += events

    def exclude(self, reason: str, events: float = 1.0) -> None:
        """Leave events out, and say so."""
        self.excluded[reason] = self.excluded.get(reason, 0.0) + events

    def merge(self, other: "Tally") -> None:
        """Add all that another counted."""
        for mine, theirs in ((self.good, other.good), (self.total, other.total), (self.excluded, other.excluded)):
            for key, value in theirs.items():
                mine[key] = mine.get(key, 0.0) + value
        self.events += other.events

    @property
    def ratio(self) -> float | None:
        """Give the good part of the weight; None of none."""
        total = sum(self.total.values())
        return sum(self.good.values()) / total if total > 0 else None


def merged(tallies: Iterable[Tally]) -> Tally:
    """Give one that has counted all."""
    whole = Tally()
    for each in tallies:
        whole.merge(each)
    return whole


def ratio_reading(
    indicator: str,
    scope: str,
    tally: Tally,
    minimum: float,
    randomness: np.random.Generator,
    *,
    bad: bool = False,
    clustered: bool = True,
    note: str = "",
) -> Reading:
    """Give a ratio as a reading; of the bad part with `bad`. Not `clustered`: each event stands for itself (Wilson)."""
    names = sorted(tally.total)
    total = np.array([tally.total[name] for name in names], np.float64)
    part = np.array([tally.good[name] for name in names], np.float64)
    part = total - part if bad else part
    ratio = tally.ratio
    value = None if ratio is None else 1 - ratio if bad else ratio
    if value is None:
        interval = None
    elif clustered:
        interval = ratio_interval(part, total, randomness)
    else:
        interval = wilson(value * tally.events, tally.events)
    return Reading(
        indicator,
        scope,
        state_of(tally.events, minimum),
        value,
        interval,
        tally.events,
        minimum,
        dict(tally.excluded),
        note,
    )


def by_scope(tallies: Mapping[str, Tally]) -> dict[str, Tally]:
    """Give the tallies of regions, and the global one that is merged of them."""
    return {**tallies, GLOBAL: merged(tallies.values())}
