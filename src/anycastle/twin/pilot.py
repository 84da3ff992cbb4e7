"""What a pilot did: round trips before and after, the difference with honest intervals, and whether it was foretold.

Theory of operation. Users of one network share its paths, so a thousand measurements from one AS are no thousand
facts. Intervals come from the *cluster bootstrap*: whole clusters (ASes, or regions where no AS is told) are drawn
again and again with all their rows, and each draw gives a difference; its percentiles are the interval (Efron 1979;
Field and Welsh 2007). A cluster that was measured before and after is drawn once for both, so what never changes
cancels out. Only clusters measured both times are compared: others would be a change of who was asked.

A difference is *proven* where its interval leaves out 0; a prediction *agrees* where it lies inside. With fewer than
`CLUSTERS_MIN` clusters nothing is said: percentiles of so few draws mean nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.kernels.intervals import weighted_quantiles

CLUSTERS_MIN: Final = 20
"""With fewer, the bootstrap's intervals are too narrow to be honest (Cameron, Gelbach and Miller 2008: under 30)."""
DRAWS: Final = 2000
COVERAGE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Measurements:
    """Round trips, one a row."""

    cluster: tuple[str, ...]
    region: tuple[str, ...]
    rtt_ms: NDArray[np.float64]
    weight: NDArray[np.float64]
    """Users or samples that each row stands for."""


@dataclass(frozen=True, slots=True)
class Difference:
    """After less before, in milliseconds: below 0 is faster."""

    figure: str
    """`mean`, `p50` or `p95`."""
    before_ms: float
    after_ms: float
    low_ms: float
    high_ms: float
    """Ends of the interval of `after_ms - before_ms`."""

    @property
    def change_ms(self) -> float:
        """Give the difference itself."""
        return self.after_ms - self.before_ms

    @property
    def proven(self) -> bool:
        """Tell whether the interval leaves out 0."""
        return self.low_ms > 0 or self.high_ms < 0


@dataclass(frozen=True, slots=True)
class Part:
    """All users, or those of one region."""

    name: str
    clusters: int
    differences: tuple[Difference, ...]
    """Empty where there are too few clusters to say anything."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A prediction held against what was measured."""

    predicted_ms: float
    difference: Difference | None

    @property
    def word(self) -> str:
        """Give `agrees`, `agrees, and cannot be told from no change`, `does not agree`, or `too few to say`."""
        if self.difference is None:
            return "too few to say"
        if not self.difference.low_ms <= self.predicted_ms <= self.difference.high_ms:
            return "does not agree"
        return "agrees" if self.difference.proven else "agrees, and cannot be told from no change"


@dataclass(frozen=True, slots=True)
class Pilot:
    """The report."""

    parts: tuple[Part, ...]
    """All first, then by region."""
    only_before: int
    only_after: int
    """Clusters that were measured once, and left out."""


def compare(before: Measurements, after: Measurements, randomness: np.random.Generator, draws: int = DRAWS) -> Pilot:
    """Compare two sets of measurements. Raises `MisuseError` where they have no cluster in common."""
    common = sorted(set(before.cluster) & set(after.cluster))
    if not common:
        raise MisuseError("no AS or region was measured both before and after")
    region_of = dict(zip(before.cluster, before.region, strict=True))
    parts = [_part("all", common, before, after, randomness, draws)]
    names = sorted({region_of[each] for each in common})
    if names != [""] and names != common:
        for name in names:
            mine = [each for each in common if region_of[each] == name]
            parts.append(_part(name or "no region", mine, before, after, randomness, draws))
    return Pilot(tuple(parts), len(set(before.cluster) - set(common)), len(set(after.cluster) - set(common)))


def judge(pilot: Pilot, predicted_ms: float, figure: str = "mean") -> Verdict:
    """Hold a predicted change (below 0: faster) against the pilot's, over all users."""
    found = next((each for each in pilot.parts[0].differences if each.figure == figure), None)
    return Verdict(predicted_ms, found)


def _part(
    name: str,
    clusters: Sequence[str],
    before: Measurements,
    after: Measurements,
    randomness: np.random.Generator,
    draws: int,
) -> Part:
    if len(clusters) < CLUSTERS_MIN:
        return Part(name, len(clusters), ())
    sides = [_Side.of(each, clusters) for each in (before, after)]
    drawn = randomness.multinomial(len(clusters), np.full(len(clusters), 1 / len(clusters)), size=draws)
    tail = 100 * (1 - COVERAGE) / 2
    changes = np.array([sides[1].figures(counts) - sides[0].figures(counts) for counts in drawn.astype(np.float64)])
    low, high = np.percentile(changes, [tail, 100 - tail], axis=0)
    once = np.ones(len(clusters))
    was, now = sides[0].figures(once), sides[1].figures(once)
    rows = zip(("mean", "p50", "p95"), was.tolist(), now.tolist(), low.tolist(), high.tolist(), strict=True)
    return Part(name, len(clusters), tuple(Difference(*row) for row in rows))


@dataclass(frozen=True, slots=True)
class _Side:
    """One set of measurements, sorted by round trip, with each row's cluster as a number."""

    cluster: NDArray[np.int64]
    rtt_ms: NDArray[np.float64]
    weight: NDArray[np.float64]

    @staticmethod
    def of(measurements: Measurements, clusters: Sequence[str]) -> "_Side":
        number = {name: at for at, name in enumerate(clusters)}
        cluster = np.array([number.get(name, -1) for name in measurements.cluster], np.int64)
        order = np.argsort(measurements.rtt_ms, kind="stable")
        order = order[cluster[order] >= 0]
        return _Side(cluster[order], measurements.rtt_ms[order], measurements.weight[order])

    def figures(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give mean, median and 95th percentile where each cluster counts so often, float64[3]."""
        weight = self.weight * counts[self.cluster]
        mean = (weight * self.rtt_ms).sum() / weight.sum()
        return np.array([mean, *weighted_quantiles(self.rtt_ms, weight, (0.5, 0.95))])
