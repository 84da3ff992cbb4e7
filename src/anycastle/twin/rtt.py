"""Round trips between networks and PoPs: modelled from distance, or measured.

Theory of operation. A *place* is where networks are: a country, as the centres of its cities, or a point. The distance
between a place's centre and a PoP is the great circle's, with the spread of people around the centre added in the mean
square. A round trip over a distance is no number but a distribution: access, detours and queues differ by network. So
each place and PoP has ten values, each standing for a tenth of the users there, and every figure made of them is a
share of users or a quantile over users.

The model gives round trips of a path that a network *takes*; which PoP that leads to is the twin's to say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.kernels.intervals import weighted_quantiles

EARTH_RADIUS_KM: Final = 6371.0
FIBRE_KM_PER_MS: Final = 100.0
"""Of ground covered in a millisecond of round trip: light in fibre goes 200 km a millisecond, there and back."""
LEVELS: Final = (0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95)
"""Middles of the ten tenths of users."""
LOW, HIGH = 0, len(LEVELS) - 1
"""Places in `LEVELS` of the best and the worst tenth: a figure over all tenths always lies between theirs."""


@dataclass(frozen=True, slots=True)
class Inflation:
    """Quantiles of a round trip over a distance: `access_ms + detour * distance / FIBRE_KM_PER_MS`."""

    level: tuple[float, ...]
    access_ms: tuple[float, ...]
    detour: tuple[float, ...]
    source: str

    def __post_init__(self) -> None:
        if len({len(self.level), len(self.access_ms), len(self.detour)}) != 1 or list(self.level) != sorted(self.level):
            raise MisuseError("an inflation model has as many access times and detours as levels, and these ascend")

    def at(self, distance_km: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the round trip in milliseconds at each of `LEVELS`, float64[..., level]; it never falls with the level.

        Beyond the model's first and last level, that level's values stand.
        """
        access = np.interp(LEVELS, self.level, self.access_ms)
        detour = np.interp(LEVELS, self.level, self.detour)
        rtt_ms = access + detour * distance_km[..., None] / FIBRE_KM_PER_MS
        ascending: NDArray[np.float64] = np.maximum.accumulate(rtt_ms, axis=-1)
        return ascending


ATLAS_2015: Final = Inflation(
    level=(0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95),
    access_ms=(0.0, 1.5, 4.7, 14.2, 21.5, 42.6, 55.8),
    detour=(1.81, 1.82, 1.94, 2.00, 2.23, 2.51, 2.80),
    source="RIPE Atlas, 2015-03-21: 123 probes in 60 ASes, least round trip to the anycast site that answered",
)
"""Quantile regression over 4 to 9,700 km, every AS counted once (docs/design/twin.md). Checked elsewhere: of 37 ASes
in Korea, Taiwan, Hong Kong and Singapore, seen from Sydney in 2022, the median is 180 ms, and the model's 178 ms."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where networks can be. A place has one centre or several, each with its part of the people."""

    name: tuple[str, ...]
    region: tuple[str, ...]
    """Of each place."""
    place: NDArray[np.int32]
    """int32[centre]."""
    point: NDArray[np.float64]
    """float64[centre, 2]: latitude and longitude in degrees."""
    people: NDArray[np.float64]
    """float64[centre], in any unit."""
    spread_km: NDArray[np.float64]
    """float64[centre]: how far people are from it, in the mean square."""

    def joined(self, other: "Places") -> "Places":
        """Give both; the places of `other` are counted on."""
        return Places(
            self.name + other.name,
            self.region + other.region,
            np.concatenate([self.place, other.place + np.int32(len(self.name))]),
            np.concatenate([self.point, other.point]),
            np.concatenate([self.people, other.people]),
            np.concatenate([self.spread_km, other.spread_km]),
        )

    @staticmethod
    def of_points(name: Sequence[str], region: Sequence[str], point: NDArray[np.float64]) -> "Places":
        """Give places that are points."""
        count = len(name)
        return Places(
            tuple(name), tuple(region), np.arange(count, dtype=np.int32), point.reshape(-1, 2), np.ones(count),
            np.zeros(count),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RoundTrips:
    """The round trip of each place to each PoP; a network with measurements of its own is a place of its own."""

    place_of: NDArray[np.int32]
    """int32[node]: its place; -1 where it is not known."""
    region: tuple[str, ...]
    """All regions, sorted."""
    region_of: NDArray[np.int32]
    """int32[place]."""
    ms: NDArray[np.float32]
    """float32[place, pop, level]."""
    measured: NDArray[np.bool_]
    """bool[place, pop]."""
    source: str


def great_circle_km(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the distances over the ground (haversine), float64[a, b]; points are float64[n, 2], degrees."""
    one, other = np.radians(a)[:, None, :], np.radians(b)[None, :, :]
    half = np.sin((other - one) / 2) ** 2
    chord = half[..., 0] + np.cos(one[..., 0]) * np.cos(other[..., 0]) * half[..., 1]
    distance: NDArray[np.float64] = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(1.0, chord)))
    return distance


def modelled(places: Places, pops: NDArray[np.float64], model: Inflation = ATLAS_2015) -> NDArray[np.float32]:
    """Give the round trips of all places, float32[place, pop, level], in milliseconds. `pops` is float64[pop, 2]."""
    apart = np.hypot(great_circle_km(places.point, pops), places.spread_km[:, None])
    of_centre = model.at(apart)
    ms = np.empty((len(places.name), len(pops), len(LEVELS)), np.float32)
    centres = np.bincount(places.place, minlength=len(places.name))
    alone = centres[places.place] == 1
    ms[places.place[alone]] = of_centre[alone]
    for place in np.flatnonzero(centres > 1):  # the country's distribution is the mixture of its centres'
        mine = places.place == place
        weights = np.repeat(places.people[mine] / len(LEVELS), len(LEVELS))
        for pop in range(len(pops)):
            ms[place, pop] = weighted_quantiles(of_centre[mine, pop].ravel(), weights, LEVELS)
    return ms


def round_trips(
    place_of: NDArray[np.int32],
    places: Places,
    pops: NDArray[np.float64],
    measured: Mapping[tuple[int, int], Sequence[float]] | None = None,
    model: Inflation = ATLAS_2015,
) -> RoundTrips:
    """Give the round trips of all nodes. `place_of` is int32[node], -1 where a node's place is not known.

    `measured` are milliseconds by (node, PoP), one or several: they stand in place of the model for that pair. A node
    that has only measurements is known by those, and by the model nowhere: its other PoPs are taken to be as far as
    the farthest that was measured. Raises `MisuseError` for a round trip that is none.
    """
    ms, of = modelled(places, pops, model), place_of.copy()
    regions = [*places.region]
    rows, known = list[NDArray[np.float32]](), list[NDArray[np.bool_]]()
    by_node: dict[int, dict[int, Sequence[float]]] = {}
    for (node, pop), values in (measured or {}).items():
        if not len(values) or not all(0 < value < float("inf") for value in values):
            raise MisuseError(f"round trips are above 0 ms, and at least one: {values}")
        by_node.setdefault(node, {})[pop] = values
    for node, of_pop in sorted(by_node.items()):
        row, told = np.full((len(pops), len(LEVELS)), np.nan, np.float32), np.zeros(len(pops), np.bool_)
        if place_of[node] >= 0:
            row[:] = ms[place_of[node]]
        for pop, values in of_pop.items():
            row[pop] = np.quantile(np.asarray(values, np.float64), LEVELS)
            told[pop] = True
        row[np.isnan(row)] = np.nanmax(row)
        regions.append(places.region[place_of[node]] if place_of[node] >= 0 else "unknown")
        of[node] = len(places.name) + len(rows)
        rows.append(row)
        known.append(told)
    names = tuple(sorted(set(regions)))
    return RoundTrips(
        of,
        names,
        np.array([names.index(region) for region in regions], np.int32),
        np.concatenate([ms, np.array(rows, np.float32).reshape(-1, len(pops), len(LEVELS))]),
        np.concatenate(
            [np.zeros((len(ms), len(pops)), np.bool_), np.array(known, np.bool_).reshape(-1, len(pops))]
        ),
        model.source,
    )  # fmt: skip
