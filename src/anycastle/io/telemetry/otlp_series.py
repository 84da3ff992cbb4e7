"""What a point of OTLP's metrics adds to its series, so that each measurement counts once.

Theory of operation. A series is what one sender tells of one metric with one set of attributes: resource, scope, name,
unit, kind and attributes together. Of a cumulative series the last counts are kept, and what they grew by is given; a
start later than before, or a fall, is a reset. A series that began before this collector did is only noted when it is
first seen: how much of it was before is not known. A delta is known by its start and its end: one that was taken comes
again where its answer was lost, and adds nothing. The last `DELTAS_KEPT` of a series are remembered, since several
connections of one sender may bring them in another order.

Where there is no room for a new series, the one that was silent for the longest is let go, if it was silent for
`SILENT_S`; a cumulative one that comes back is then only noted again, and so is any other that began before.
Source: OpenTelemetry metrics data model, "Timeseries model", "Resets and gaps", "Exponential histogram: perfect
subsetting".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2s
from math import exp2, isfinite
from typing import Any, Final

import msgspec

from anycastle.base.ports import Timestamp

SERIES_MAX: Final = 20_000
"""Series whose last counts, or last deltas, are kept."""

SILENT_S: Final = 3600.0
"""After which a series may be let go; senders tell each minute by default."""

DELTAS_KEPT: Final = 16
"""Of one series: a quarter of an hour of senders that tell each minute."""

BUCKETS_MAX: Final = 320
"""Of a histogram: twice what SDKs make of an exponential one by default."""

COUNT_MAX: Final = 2.0**63
_SCALES: Final = range(-9, 21)
"""Scales of which a bucket's bound is a number; SDKs use -10 to 20, and at -10 a bucket spans all numbers."""

_EXPONENT_MAX: Final = 1000.0
_DELTA, _CUMULATIVE = 1, 2


class Refused(Exception):
    """A point, span or record that cannot be counted."""


class Counts(msgspec.Struct, frozen=True):
    """What a point counts. Buckets without a count are left out."""

    number: float
    buckets: Mapping[int, float] = {}
    """Index -> number of times. Of an exponential histogram bucket i is above base^i and up to base^(i+1)."""
    zero: float = 0.0
    """Of an exponential histogram: times of as good as nothing."""
    grid: str = ""
    """A digest of the bounds of explicit buckets; '' where there are none."""
    scale: int | None = None
    """Of an exponential histogram: base is 2 to the power of 2^-scale."""


class Series(msgspec.Struct):
    """What is known of a series."""

    start: int
    time: int
    heard: float
    counts: Counts | None = None
    """The last ones of a cumulative series."""
    deltas: list[tuple[int, int]] = []
    """The last ones of a delta series, by start and end."""


@dataclass(slots=True)
class SeriesKeeper:
    """Knows what was counted of each series."""

    since: Timestamp
    """What cumulative series say of before is not counted."""
    known: dict[str, Series] = field(default_factory=dict)
    """The one that was silent for the longest comes first."""

    def added(self, key: str, temporality: int, point: Any, counts: Counts, now: Timestamp) -> Counts | None:
        """Give what a point adds; None for one that came before. Raises `Refused`."""
        if temporality not in (_DELTA, _CUMULATIVE):
            raise Refused("its temporality is not told")
        start, time = point.start_time_unix_nano, point.time_unix_nano
        before = self.known.get(key)
        if before is None:
            self._make_room(now)
        if temporality == _DELTA:
            return self._delta(key, before or Series(start, time, now), (start, time), counts, now)
        if before is not None and time <= before.time:
            return None
        self._hear(key, Series(start, time, now, counts))
        if before is None or before.counts is None:
            return counts if start / 1e9 >= self.since else Counts(0.0)
        if start > before.start or counts.number < before.counts.number:
            return counts  # the sender began anew
        return _growth(before.counts, counts)

    def _delta(self, key: str, series: Series, span: tuple[int, int], counts: Counts, now: Timestamp) -> Counts | None:
        is_known = span[1] != 0 and span in series.deltas  # one without an end cannot be told from another
        series.deltas = series.deltas if is_known else [*series.deltas[1 - DELTAS_KEPT :], span]
        series.heard = now
        self._hear(key, series)
        return None if is_known else counts

    def _hear(self, key: str, series: Series) -> None:
        self.known.pop(key, None)
        self.known[key] = series

    def _make_room(self, now: Timestamp) -> None:
        if len(self.known) < SERIES_MAX:
            return
        oldest = next(iter(self.known))
        if now - self.known[oldest].heard < SILENT_S:
            raise Refused(f"more than {SERIES_MAX} series")
        if self.known.pop(oldest).counts is not None:
            self.since = now


def key_of(resource: Any, scope: Any, metric: Any, kind: str, point: Any) -> str:
    """Give what a series is known by, as a digest: names and attributes may be long."""
    digest = blake2s(digest_size=16)
    head = (scope.name, scope.version, metric.name, metric.unit, kind)
    for part in (repr(head).encode(), *(_octets(each) for each in (resource.attributes, point.attributes))):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _octets(attributes: Iterable[Any]) -> bytes:
    return b"".join(sorted(each.SerializeToString(deterministic=True) for each in attributes))


def counts_of(kind: str, point: Any) -> Counts:
    """Read a point's counts. Raises `Refused` for what is no count."""
    if kind == "sum":
        return Counts(_count(point.as_int if point.WhichOneof("value") == "as_int" else point.as_double))
    if kind == "histogram":
        return _explicit(point)
    return _exponential(point)


def _explicit(point: Any) -> Counts:
    bounds, numbers = list(point.explicit_bounds), list(map(_count, point.bucket_counts))
    if len(numbers) not in (0, len(bounds) + 1):
        raise Refused("a histogram whose bounds do not fit its buckets")
    _require_few(numbers)
    if any(not isfinite(each) for each in bounds) or bounds != sorted(set(bounds)):
        raise Refused("a histogram whose bounds do not rise")
    if not bounds:
        return Counts(_count(point.count))  # one bucket of all times tells none
    grid = blake2s(repr(bounds).encode(), digest_size=8).hexdigest()
    return Counts(_count(point.count), _filled(enumerate(numbers)), grid=grid)


def _exponential(point: Any) -> Counts:
    numbers = list(map(_count, point.positive.bucket_counts))
    if any(point.negative.bucket_counts):
        raise Refused("times below zero")
    _require_few(numbers)
    if point.scale not in _SCALES:
        raise Refused(f"a scale of {point.scale}; known are {_SCALES[0]} to {_SCALES[-1]}")
    buckets = _filled(enumerate(numbers, point.positive.offset))
    return Counts(_count(point.count), buckets, _count(point.zero_count), scale=point.scale)


def _filled(numbers: Iterable[tuple[int, float]]) -> dict[int, float]:
    return {index: number for index, number in numbers if number}


def _require_few(numbers: list[float]) -> None:
    if len(numbers) > BUCKETS_MAX:
        raise Refused(f"a histogram of more than {BUCKETS_MAX} buckets")


def _count(value: float) -> float:
    if not 0 <= value <= COUNT_MAX:  # nor NaN
        raise Refused("a count below zero, or beyond all counts")
    return float(value)


def _growth(before: Counts, after: Counts) -> Counts:
    """Give what counts grew by. Of explicit buckets whose bounds changed only the number is known."""
    number = after.number - before.number
    if (before.scale is None) != (after.scale is None) or before.grid != after.grid:
        return Counts(number)
    if before.scale is not None and after.scale is not None:
        scale = min(before.scale, after.scale)
        before, after = _coarser(before, scale), _coarser(after, scale)
    buckets = {index: max(0.0, each - before.buckets.get(index, 0.0)) for index, each in after.buckets.items()}
    zero = max(0.0, after.zero - before.zero)
    return Counts(number, _filled(buckets.items()), zero, after.grid, after.scale)


def _coarser(counts: Counts, scale: int) -> Counts:
    """Give the counts of an exponential histogram at a smaller scale: each step puts two buckets together."""
    assert counts.scale is not None
    steps = counts.scale - scale
    buckets: dict[int, float] = {}
    for index, number in counts.buckets.items():
        buckets[index >> steps] = buckets.get(index >> steps, 0.0) + number
    return Counts(counts.number, buckets, counts.zero, scale=scale)


def times_of(counts: Counts, bounds: list[float]) -> list[tuple[float, float]]:
    """Give (value, number) of a histogram's buckets: the middle of each; of the last, open one its lower bound.

    `bounds` are those of the point that the counts were read of. Raises `Refused` for values that are no times.
    """
    if counts.number and not counts.buckets and not counts.zero:
        raise Refused("a histogram without buckets, or with others than before, tells no times")
    if counts.scale is not None:
        found = [(_middle(index, counts.scale), number) for index, number in counts.buckets.items()]
        return [(0.0, counts.zero), *found] if counts.zero else found
    if counts.buckets and bounds[0] < 0:
        raise Refused("times below zero")
    edges = [0.0, *bounds]
    return [
        ((edges[index] + edges[min(index + 1, len(bounds))]) / 2, number) for index, number in counts.buckets.items()
    ]


def _middle(index: int, scale: int) -> float:
    """Give the value that is as far from a bucket's bounds, relative to them, as a value can be."""
    exponent = (index + 1) * exp2(-scale)
    if abs(exponent) > _EXPONENT_MAX:
        raise Refused("a bucket beyond all times")
    return 2 * exp2(exponent) / (exp2(exp2(-scale)) + 1)
