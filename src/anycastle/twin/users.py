"""What users get from a set of PoPs: shares under a round trip, quantiles by region, by the catchments that BGP gives.

Theory of operation. Nodes of one row of a compiled graph and of one place always land and fare alike: they are one
*cell*, with their weight. For a set of PoPs, the sweep says where each cell lands; its weight then goes to the ten
round trips of its place and that PoP, in a histogram of milliseconds by region. Beside it stands what would be claimed
if everyone landed at the nearest PoP, as maps of circles have it; BGP does not know distance.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.kernels.lane_vectors import LANES
from anycastle.twin.deployment import Configuration
from anycastle.twin.possible import tie_ensemble
from anycastle.twin.routes import Routes
from anycastle.twin.rtt import HIGH, LEVELS, LOW, RoundTrips
from anycastle.twin.sweep import WITHHELD, Compiled, Lanes, Table

UNDER_MS: Final = (30, 50, 100)
"""Round trips that a user notices: 100 ms feels instant (Nielsen, Usability Engineering, 1993); 30 and 50 are what
operators aim at."""
RTT_MS_MAX: Final = 1000
"""A longer round trip counts as this long."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure; and the same if every path were as good as the best tenth's, or as bad as the worst's."""

    value: float
    best: float
    worst: float


@dataclass(frozen=True, slots=True)
class Fare:
    """What some users get. Quantiles and mean are of those that have a route; NaN where nobody has."""

    users: float
    """Share of all weight that is looked at, 0 to 1."""
    under: tuple[Estimate, ...]
    """Share of these users with a round trip below each of `UNDER_MS`."""
    p50_ms: Estimate
    p95_ms: Estimate
    mean_ms: Estimate
    no_route: float
    """Share of these users."""


@dataclass(frozen=True, slots=True)
class Served:
    """What one set of PoPs gives."""

    pops: tuple[str, ...]
    shares: tuple[float, ...]
    """Of all located users, by PoP of the deployment; 0 for one that is not in the set."""
    all: Fare
    by_region: tuple[tuple[str, Fare], ...]
    nearest: Fare
    """What would be claimed if everyone landed at the nearest PoP of the set."""


@dataclass(slots=True)
class Users:
    """Weighted users on a compiled deployment, with their round trips."""

    compiled: Compiled
    trips: RoundTrips
    located: float
    """Share of the weight whose place is known: all other figures are of it."""
    item: NDArray[np.int32]
    """int32[cell]."""
    place: NDArray[np.int32]
    weight: NDArray[np.float64]
    """float64[cell]; they add up to 1."""
    everywhere: Configuration
    """How each group announces when it does."""
    _bins: NDArray[np.int16] = field(init=False)
    _mean_ms: NDArray[np.float64] = field(init=False)
    """float64[place, pop]."""

    def __post_init__(self) -> None:
        self._bins = np.minimum(self.trips.ms, RTT_MS_MAX).astype(np.int16)
        self._mean_ms = self.trips.ms.mean(axis=2, dtype=np.float64)

    @staticmethod
    def of(
        compiled: Compiled,
        trips: RoundTrips,
        weights: NDArray[np.float64] | None = None,
        everywhere: Configuration | None = None,
    ) -> "Users":
        """Bring them together. `weights` is float64[node], all alike by default; `everywhere` is how each group
        announces when its PoP does, of which prepends are followed; plainly by default.

        Raises `MisuseError` where no weight has a known place, or the round trips are of other PoPs.
        """
        if trips.ms.shape[1] != len(compiled.wiring.deployment.pops):
            raise MisuseError(f"round trips to {trips.ms.shape[1]} PoPs for {len(compiled.wiring.deployment.pops)}")
        weight = np.ones(len(compiled.graph)) if weights is None else weights
        there = np.flatnonzero((trips.place_of >= 0) & (weight > 0))
        if not len(there):
            raise MisuseError("no AS with a weight has a known place")
        places = len(trips.ms)
        cell, of_cell = np.unique(
            compiled.compact.item_of[there].astype(np.int64) * places + trips.place_of[there], return_inverse=True
        )
        summed = np.bincount(of_cell, weight[there])
        return Users(
            compiled,
            trips,
            float(summed.sum() / weight.sum()),
            (cell // places).astype(np.int32),
            (cell % places).astype(np.int32),
            summed / summed.sum(),
            everywhere or compiled.wiring.deployment.everywhere(),
        )

    def landed(self, sets: Sequence[frozenset[str]]) -> Iterator[NDArray[np.float64]]:
        """Give, for each set of PoPs, the weight of each place that lands at each PoP, float64[place, pop + 1].

        The last column has no route. Raises `MisuseError` for a PoP that is not there.
        """
        table = self._table(sets)
        for start in range(0, len(sets), LANES):
            yield from self._landed(self.compiled.run(table[start : start + LANES]))

    def tie_means_ms(self, pops: frozenset[str], randomness: np.random.Generator) -> NDArray[np.float64]:
        """Give the mean round trip in 64 ways in which it could turn out, float64[way].

        Each way has an order of its own among neighbours that are equal by the rules (`twin/possible.py`).
        """
        deployment = self.compiled.wiring.deployment
        configuration = deployment.without(*(set(deployment.pops) - pops), base=self.everywhere)
        lanes = tie_ensemble(self.compiled, configuration, randomness)
        return np.array([self.mean_ms(landed) for landed in self._landed(lanes)])

    def _landed(self, lanes: Lanes) -> Iterator[NDArray[np.float64]]:
        deployment = self.compiled.wiring.deployment
        pops, of_group = len(deployment.pops), deployment.pop_of_group()
        pop_of = np.full(int(np.iinfo(lanes.group.dtype).max) + 1, pops, np.int64)
        pop_of[: len(of_group)] = of_group
        for row in np.ascontiguousarray(lanes.group[:, : lanes.count].T):
            yield self._sum(pop_of[row][self.item], pops + 1)

    def routes(self, pops: frozenset[str]) -> Routes:
        """Give the routes of all nodes with a set of PoPs."""
        return self.compiled.run(self._table([pops]), keep_keys=True).routes(0)

    def _table(self, sets: Sequence[frozenset[str]]) -> Table:
        """Give the rows of the sets: prepends of each group, or that it is silent."""
        deployment = self.compiled.wiring.deployment
        unknown = sorted(frozenset().union(*sets) - set(deployment.pops))
        if unknown:
            raise MisuseError(f"no PoP {', '.join(unknown)}; there are: {', '.join(deployment.pops)}")
        announced = self.everywhere.announced
        how = [
            (group.pop, announced[group.name].prepend if group.name in announced else WITHHELD)
            for group in deployment.groups
        ]
        rows = [[prepend if pop in each else WITHHELD for pop, prepend in how] for each in sets]
        return np.array(rows, np.int16).reshape(-1, len(how))

    def landed_nearest(self, pops: frozenset[str]) -> NDArray[np.float64]:
        """Give the same if everyone landed at the PoP with the least median round trip, float64[place, pop + 1]."""
        names = self.compiled.wiring.deployment.pops
        chosen = np.array([at for at, name in enumerate(names) if name in pops])
        median = self.trips.ms[:, chosen, len(LEVELS) // 2 - 1 : len(LEVELS) // 2 + 1].mean(axis=2)
        return self._sum(chosen[median.argmin(axis=1)][self.place], len(names) + 1)

    def _sum(self, pop: NDArray[np.int64], columns: int) -> NDArray[np.float64]:
        flat = np.bincount(self.place * np.int64(columns) + pop, self.weight, len(self.trips.ms) * columns)
        return flat.astype(np.float64, copy=False).reshape(len(self.trips.ms), columns)

    def mean_ms(self, landed: NDArray[np.float64]) -> float:
        """Give the mean round trip of those that have a route: the same as of `fare`, in a tenth of the time."""
        routed = landed[:, :-1]
        total = float(routed.sum())
        return float((routed * self._mean_ms).sum()) / total if total else float("nan")

    def fare(self, landed: NDArray[np.float64], region: int | None = None) -> Fare:
        """Give what the users get, those of one region or all."""
        place, pop = np.nonzero(landed)
        if region is not None:
            mine = self.trips.region_of[place] == region
            place, pop = place[mine], pop[mine]
        weight = landed[place, pop]
        users, routed = float(weight.sum()), pop < landed.shape[1] - 1
        bins = self._bins[place[routed], pop[routed]]
        spread = np.repeat(weight[routed] / len(LEVELS), len(LEVELS))
        histograms = (
            _histogram(bins.ravel(), spread),
            *(_histogram(bins[:, level], weight[routed]) for level in (LOW, HIGH)),
        )
        exact = self.trips.ms[place[routed], pop[routed]].astype(np.float64)
        means = [_mean(each, weight[routed]) for each in (exact.mean(axis=1), exact[:, LOW], exact[:, HIGH])]
        under = [Estimate(*(_share(each[:limit], users) for each in histograms)) for limit in UNDER_MS]
        p50, p95 = (Estimate(*(_quantile(each, level) for each in histograms)) for level in (0.5, 0.95))
        lost = float(weight[~routed].sum())
        return Fare(users, tuple(under), p50, p95, Estimate(*means), lost / users if users else 0.0)

    def served(self, pops: frozenset[str], landed: NDArray[np.float64]) -> Served:
        """Give all that a set of PoPs gives; `landed` is what `landed` said of it."""
        names = self.compiled.wiring.deployment.pops
        regions = ((name, self.fare(landed, at)) for at, name in enumerate(self.trips.region))
        return Served(
            tuple(name for name in names if name in pops),
            tuple(landed.sum(axis=0)[:-1].tolist()),
            self.fare(landed),
            tuple((name, fare) for name, fare in regions if fare.users > 0),
            self.fare(self.landed_nearest(pops)),
        )


def _histogram(bins: NDArray[np.int16], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the weight of each millisecond, float64[RTT_MS_MAX + 1]."""
    return np.bincount(bins, weights, RTT_MS_MAX + 1).astype(np.float64, copy=False)


def _share(part: NDArray[np.float64], whole: float) -> float:
    return min(1.0, float(part.sum()) / whole) if whole else 0.0


def _mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    total = float(weights.sum())
    return float((values * weights).sum()) / total if total else float("nan")


def _quantile(histogram: NDArray[np.float64], level: float) -> float:
    """Give the quantile, between the ends of the millisecond in which it falls."""
    reached = np.cumsum(histogram)
    if not reached[-1]:
        return float("nan")
    wanted = level * reached[-1]
    at = int(np.searchsorted(reached, wanted * (1 - 1e-12)))
    before = reached[at - 1] if at else 0.0
    return at + float((wanted - before) / histogram[at])
