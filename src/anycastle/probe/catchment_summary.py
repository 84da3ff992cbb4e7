"""Catchments in figures: shares of PoPs, round-trip times and distances, each with an interval that knows of ASes.

One vantage point counts once, however often it asked: by the PoP that it reached last, and the middle of its times.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.kernels.intervals import (
    Interval,
    effective_number,
    numbered,
    quantile_intervals,
    ratio_interval,
    weighted_quantiles,
)
from anycastle.model.distance import great_circle_km
from anycastle.model.pop import Location
from anycastle.probe.catchments import Reach

QUANTILES: Final = (0.5, 0.95)
"""What is told of times and distances."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A value and how far it can be trusted; no interval where there are too few networks to tell."""

    value: float
    by_network: Interval | None
    """95 %, ASes drawn again: the one to believe."""
    naive: Interval | None
    """95 %, as if every vantage point stood for itself: for comparison only."""


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Quantiles of one thing over vantage points."""

    figures: tuple[Figure, ...]
    """As `QUANTILES`."""
    vantage_points: int
    networks: int
    effective: float
    """Networks of equal size that would say as much (Kish)."""


@dataclass(frozen=True, slots=True)
class Share:
    """A PoP's part of the vantage points."""

    pop: str
    vantage_points: int
    networks: int
    share: Figure
    rtt_ms: Quantiles | None
    distance_km: Quantiles | None


@dataclass(frozen=True, slots=True)
class Summary:
    """All of it."""

    vantage_points: int
    """That reached a PoP."""
    unanswered: int
    """That reached none at all."""
    networks: int
    moved: int
    """That reached another PoP than before, at least once."""
    unauthorised: Mapping[str, int]
    """Vantage points by a PoP that should not answer."""
    pops: tuple[Share, ...]
    """The largest first."""
    rtt_ms: Quantiles | None
    distance_km: Quantiles | None
    """To the PoP that answered."""
    extra_km: Quantiles | None
    """How much farther that is than the nearest PoP that anybody reached."""
    nearest: Figure | None
    """Part of the vantage points that reached the nearest one, or one that is at most `NEAR_KM` farther."""


NEAR_KM: Final = 100.0
"""Farther than the nearest PoP by less than this counts as the nearest: a round trip of one millisecond in fibre."""


def summarize(
    reached: Sequence[Reach],
    sites: Mapping[str, Location],
    allows: Callable[[str], bool],
    randomness: np.random.Generator,
) -> Summary:
    """Give the figures of what was reached; distances where both places are known (`sites` has the PoPs')."""
    answered = [reach for reach in reached if reach.pop]
    found = {reach.pop for reach in answered}
    places = {pop: sites[pop] for pop in sorted(found & sites.keys())}
    distances = [_distance_km(reach, places) for reach in answered]
    extras = [
        None if distance is None else distance - _nearest_km(reach, places)
        for reach, distance in zip(answered, distances, strict=True)
    ]
    unauthorised = {pop: sum(reach.pop == pop for reach in answered) for pop in sorted(found) if not allows(pop)}
    near = [(reach, extra <= NEAR_KM) for reach, extra in zip(answered, extras, strict=True) if extra is not None]
    return Summary(
        len(answered),
        len(reached) - len(answered),
        len({reach.vantage.network for reach in answered}),
        sum(reach.moves > 0 for reach in answered),
        unauthorised,
        tuple(
            _share(pop, answered, distances, randomness)
            for pop in sorted(found, key=lambda pop: (-sum(reach.pop == pop for reach in answered), pop))
        ),
        _quantiles(answered, [reach.rtt_ms for reach in answered], randomness),
        _quantiles(answered, distances, randomness),
        _quantiles(answered, extras, randomness),
        _part([reach for reach, _ in near], [is_near for _, is_near in near], randomness) if near else None,
    )


def _share(
    pop: str, answered: Sequence[Reach], distances: Sequence[float | None], randomness: np.random.Generator
) -> Share:
    mine = [at for at, reach in enumerate(answered) if reach.pop == pop]
    own = [answered[at] for at in mine]
    return Share(
        pop,
        len(own),
        len({reach.vantage.network for reach in own}),
        _part(answered, [reach.pop == pop for reach in answered], randomness),
        _quantiles(own, [reach.rtt_ms for reach in own], randomness),
        _quantiles(own, [distances[at] for at in mine], randomness),
    )


def _part(reached: Sequence[Reach], holds: Sequence[bool], randomness: np.random.Generator) -> Figure:
    """Give the part of the vantage points of which something holds."""
    true = np.array(holds, np.float64)
    own = np.ones(len(true))
    network = numbered([reach.vantage.network for reach in reached])
    numerators, denominators = np.bincount(network, true), np.bincount(network, own).astype(np.float64)
    return Figure(
        float(true.mean()),
        ratio_interval(numerators.astype(np.float64), denominators, randomness),
        ratio_interval(true, own, randomness),
    )


def _quantiles(
    reached: Sequence[Reach], values: Sequence[float | None], randomness: np.random.Generator
) -> Quantiles | None:
    rows = [(reach, value) for reach, value in zip(reached, values, strict=True) if value is not None]
    if not rows:
        return None
    value = np.array([each for _, each in rows], np.float64)
    own = np.ones(len(value))
    network = numbered([reach.vantage.network for reach, _ in rows])
    by_network = quantile_intervals(value, own, network, QUANTILES, randomness)
    naive = quantile_intervals(value, own, np.arange(len(value)), QUANTILES, randomness)
    told: NDArray[np.float64] = weighted_quantiles(value, own, QUANTILES)
    return Quantiles(
        tuple(Figure(float(told[at]), by_network[at], naive[at]) for at in range(len(QUANTILES))),
        len(value),
        int(network.max()) + 1,
        effective_number(np.bincount(network).astype(np.float64)),
    )


def _distance_km(reach: Reach, places: Mapping[str, Location]) -> float | None:
    place, pop = reach.vantage.location, places.get(reach.pop)
    return None if place is None or pop is None else great_circle_km(place, pop)


def _nearest_km(reach: Reach, places: Mapping[str, Location]) -> float:
    place = reach.vantage.location
    assert place is not None
    return min(great_circle_km(place, pop) for pop in places.values())
