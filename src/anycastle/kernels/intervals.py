"""How far a figure can be trusted: intervals of shares and quantiles, that know which measurements share fate.

Theory of operation. Vantage points within one AS share its routes, so a hundred of them are not a hundred opinions.
Taken as independent they give an interval that is far too narrow. So whole ASes are drawn again, with replacement, and
the figure is computed of each draw (the cluster bootstrap); the middle `level` of those figures is the interval. With
few clusters this is too narrow still (Cameron, Gelbach and Miller 2008, who set the mark between 5 and 30): below
`CLUSTERS_MIN` no interval is given, since a narrow one would say what is not known.

A share of independent trials has Wilson's interval (1927), which holds near 0 and 1, where the normal one does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

LEVEL: Final = 0.95
"""Of every interval that names no other."""

RESAMPLES: Final = 2000
"""Draws of a bootstrap: the ends of an interval of 95 % then stand on fifty draws each."""

CLUSTERS_MIN: Final = 8
"""Clusters below which no interval is given."""

_CHUNK: Final = 1 << 22
"""Weights that are drawn at once, which bounds the memory."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure's two ends, both within it."""

    low: float
    high: float


def wilson(successes: float, trials: float, level: float = LEVEL) -> Interval | None:
    """Give the interval of a share of independent trials; None of no trial."""
    if trials <= 0:
        return None
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share = successes / trials
    middle = share + z * z / (2 * trials)
    half = z * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return Interval(max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale))


def weighted_quantiles(
    values: NDArray[np.float64], weights: NDArray[np.float64], levels: Sequence[float]
) -> NDArray[np.float64]:
    """Give the least value at which at least each share of the weight is reached, float64[level]."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    at = np.searchsorted(reached, np.asarray(levels) * reached[-1] * (1 - 1e-12), "left")
    quantiles: NDArray[np.float64] = values[order][np.minimum(at, len(values) - 1)]
    return quantiles


def quantile_intervals(
    values: NDArray[np.float64],
    weights: NDArray[np.float64],
    cluster: NDArray[np.int64],
    levels: Sequence[float],
    randomness: np.random.Generator,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> tuple[Interval | None, ...]:
    """Give each quantile's interval by the cluster bootstrap; None with fewer than `CLUSTERS_MIN` clusters.

    `values`, `weights` and `cluster` are [row]; `cluster` counts from 0. Costs `resamples` sums over all rows.
    """
    clusters = int(cluster.max()) + 1 if len(cluster) else 0
    if clusters < CLUSTERS_MIN:
        return (None,) * len(levels)
    order = np.argsort(values, kind="stable")
    values, weights, cluster = values[order], weights[order], cluster[order]
    wanted = np.asarray(levels)
    found = np.empty((resamples, len(levels)))
    step = max(1, _CHUNK // len(values))
    for first in range(0, resamples, step):
        draws = _draws(clusters, min(step, resamples - first), randomness)
        reached = np.cumsum(draws[:, cluster] * weights, axis=1)
        for row, sums in enumerate(reached):
            at = np.searchsorted(sums, wanted * sums[-1] * (1 - 1e-12), "left")
            found[first + row] = values[np.minimum(at, len(values) - 1)]
    return tuple(_middle(found[:, column], level) for column in range(len(levels)))


def ratio_interval(
    numerators: NDArray[np.float64],
    denominators: NDArray[np.float64],
    randomness: np.random.Generator,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> Interval | None:
    """Give the interval of sum over sum, one row a cluster; None with fewer than `CLUSTERS_MIN` clusters.

    Where no cluster differs from another (all good, say) the draws do not either; then the share's own interval
    (`wilson`), over as many trials as there are clusters, is given: an AS counts as one opinion.
    """
    clusters = len(denominators)
    total = float(denominators.sum())
    if clusters < CLUSTERS_MIN or total <= 0:
        return None
    shares = np.divide(numerators, denominators, out=np.zeros(clusters), where=denominators > 0)
    if np.ptp(shares[denominators > 0]) == 0:
        return wilson(float(shares[denominators > 0][0]) * clusters, clusters, level)
    found = np.empty(resamples)
    step = max(1, _CHUNK // clusters)
    for first in range(0, resamples, step):
        draws = _draws(clusters, min(step, resamples - first), randomness)
        below = draws @ denominators
        found[first : first + len(draws)] = np.divide(
            draws @ numerators, below, out=np.full(len(draws), np.nan), where=below > 0
        )
    return _middle(found[np.isfinite(found)], level)


def effective_number(weights: NDArray[np.float64]) -> float:
    """Give how many rows of equal weight would say as much (Kish 1965): the squared sum over the sum of squares."""
    squares = float(np.square(weights).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def numbered(names: Sequence[str]) -> NDArray[np.int64]:
    """Give each name's number, int64[row]; numbers count from 0 in the order of first sight."""
    place: dict[str, int] = {}
    return np.array([place.setdefault(name, len(place)) for name in names], np.int64)


def _draws(clusters: int, times: int, randomness: np.random.Generator) -> NDArray[np.float64]:
    """Give how often each cluster is drawn, float64[time, cluster]."""
    return randomness.multinomial(clusters, np.full(clusters, 1 / clusters), times).astype(np.float64)


def _middle(found: NDArray[np.float64], level: float) -> Interval:
    low, high = np.quantile(found, ((1 - level) / 2, (1 + level) / 2))
    return Interval(float(low), float(high))
