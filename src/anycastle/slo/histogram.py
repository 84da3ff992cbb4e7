"""Histograms that can be merged, whose quantiles have a stated relative error. Percentiles are never averaged.

Theory of operation (Masson, Rim and Lee 2019, DDSketch). A value above `LEAST` falls into the bucket
`ceil(log(value) / log(gamma))` with `gamma = (1 + e) / (1 - e)`; the bucket's middle (in the relative sense) is within
`e` of every value in it. So a quantile is within `e` of a value that has that rank, whatever was merged in which order,
and merging is adding. Counts may be weights: a user counts for one, wherever the probe stands that speaks for him.
Buckets are bounded by `BUCKETS_MAX`, since values are: from a microsecond to three hours there are some 1,200.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil, exp, isfinite, log
from typing import Final

from anycastle.base.errors import MisuseError

RELATIVE_ERROR: Final = 0.01
"""Of every quantile."""

LEAST: Final = 1e-3
"""Values up to this are one bucket: a microsecond, where they are milliseconds."""

GREATEST: Final = 1e8
"""Values beyond count as this."""

_LOG_GAMMA: Final = log((1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR))
_MIDDLE: Final = 1 - RELATIVE_ERROR
"""Of a bucket, as a part of its upper end: `2 / (1 + gamma)`."""
_ZERO: Final = ceil(log(LEAST) / _LOG_GAMMA)
BUCKETS_MAX: Final = ceil(log(GREATEST) / _LOG_GAMMA) - _ZERO + 1


@dataclass(slots=True)
class Histogram:
    """Weights by bucket."""

    weights: dict[int, float] = field(default_factory=dict)

    def add(self, value: float, weight: float = 1.0) -> None:
        """Count a value. Raises `MisuseError` for what is no number from 0 on, and for a weight below 0."""
        if not value >= 0 or not isfinite(value) or not weight >= 0 or not isfinite(weight):
            raise MisuseError(f"a histogram counts finite values from 0 on, not {value} of weight {weight}")
        if weight:
            bucket = bucket_of(value)
            self.weights[bucket] = self.weights.get(bucket, 0.0) + weight

    def merge(self, other: "Histogram") -> None:
        """Add all that another counted."""
        for bucket, weight in other.weights.items():
            self.weights[bucket] = self.weights.get(bucket, 0.0) + weight

    @property
    def total(self) -> float:
        """Give the weight of all."""
        return sum(self.weights.values())

    def quantile(self, level: float) -> float | None:
        """Give a value within `RELATIVE_ERROR` of the least one at which `level` of the weight is reached; or None."""
        wanted = level * self.total * (1 - 1e-12)
        reached = 0.0
        found = None
        for bucket in sorted(self.weights):
            found, reached = bucket, reached + self.weights[bucket]
            if reached >= wanted:
                break
        return None if found is None else middle_of(found)

    def at_most(self, bound: float) -> float:
        """Give the weight of values up to a bound; those in the bound's own bucket count as within it.

        So a value is misjudged only where it lies within twice the relative error above the bound.
        """
        last = bucket_of(bound)
        return sum(weight for bucket, weight in self.weights.items() if bucket <= last)


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """Give one that has counted all."""
    whole = Histogram()
    for each in histograms:
        whole.merge(each)
    return whole


def bucket_of(value: float) -> int:
    """Give the bucket of a value."""
    return _ZERO if value <= LEAST else min(ceil(log(value) / _LOG_GAMMA), _ZERO + BUCKETS_MAX - 1)


def middle_of(bucket: int) -> float:
    """Give the value that is within `RELATIVE_ERROR` of all in a bucket; 0 for the first one."""
    return 0.0 if bucket <= _ZERO else exp(bucket * _LOG_GAMMA) * _MIDDLE


def plain(histogram: Histogram) -> Mapping[str, float]:
    """Give a histogram for JSON."""
    return {str(bucket): weight for bucket, weight in sorted(histogram.weights.items())}
