"""What OTLP's messages count as. Each point, span and record has a `pop`, of its own or of its resource.

Sums and histograms come as what was added (delta) or as what there is in all (cumulative). Of the latter the last
value is kept for each stream, and what it grew by is counted; a start that is later than before is a reset. A stream
that began before this collector did is only noted when it is first seen: how much of it was before is not known.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import exp2
from typing import Any, Final, NamedTuple

import msgspec

from anycastle.base.ports import Timestamp
from anycastle.io.telemetry.otlp import Outcome
from anycastle.io.telemetry.telemetry_file import OTLPMeaning
from anycastle.slo.indicators.m08_scrubbed import Unit
from anycastle.slo.telemetry.intake import CLIENT_ERRORS, EDGE_LATENCY, Intake

STREAMS_MAX: Final = 20_000
"""Cumulative streams whose last value is kept."""

SPANS_KEPT: Final = 50_000
"""Ids of spans that are remembered: a sender that saw no answer sends a batch again."""

_DELTA, _CUMULATIVE = 1, 2
_SPAN_KINDS: Final[Mapping[int, str]] = {2: "server", 3: "client"}
_STATUS: Final = ("http.response.status_code", "http.status_code")
_UNITS: Final[Mapping[str, tuple[Unit, float]]] = {
    "By": (Unit.BITS, 8.0),
    "bit": (Unit.BITS, 1.0),
    "{packet}": (Unit.PACKETS, 1.0),
    "{request}": (Unit.REQUESTS, 1.0),
}
_MILLISECONDS: Final[Mapping[str, float]] = {"s": 1000.0, "ms": 1.0, "us": 0.001, "ns": 1e-6}
_ACTIONS: Final = ("passed", "dropped", "overflowed")


class _Refused(Exception):
    """A point, span or record that cannot be counted."""


class Stream(msgspec.Struct):
    """The last value of a cumulative stream."""

    start: int
    time: int
    values: tuple[float, ...]


class _Point(NamedTuple):
    """What a point adds."""

    attributes: Mapping[str, Any]
    pop: str
    at: Timestamp
    number: float
    buckets: tuple[tuple[float, float], ...]
    """(value in the metric's unit, number of times): the middles of a histogram's buckets."""


@dataclass(slots=True)
class OTLPIntake:
    """Counts OTLP's messages."""

    intake: Intake
    meaning: OTLPMeaning
    region: str
    began: Timestamp
    """When this collector first began: what streams say of before is not counted."""
    streams: dict[str, Stream] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    """By what became of it: `counted`, `ignored`, `rejected`."""
    _spans: OrderedDict[bytes, None] = field(default_factory=OrderedDict)

    def take(self, path: str, message: Any, now: Timestamp) -> Outcome:
        """Count a request's parts; those without a PoP, or with values that make no sense, are refused."""
        parts = {"/v1/metrics": self._metrics, "/v1/traces": self._traces, "/v1/logs": self._logs}[path]
        rejected, reasons = 0, dict[str, None]()
        for refused in parts(message, now):
            rejected += 1
            if len(reasons) < 5:
                reasons[refused] = None
        self.note("rejected", rejected)
        return Outcome(rejected, "; ".join(reasons))

    def note(self, what: str, number: int = 1) -> None:
        """Count what became of a part."""
        self.taken[what] = self.taken.get(what, 0) + number

    # -- metrics ------------------------------------------------------------------------------------------------------

    def _metrics(self, message: Any, now: Timestamp) -> Iterator[str]:
        for resource in message.resource_metrics:
            around = _attributes(resource.resource.attributes)
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    kind = metric.WhichOneof("data")
                    points = getattr(metric, kind).data_points if kind else ()
                    meaning = self.meaning.metrics.get(metric.name)
                    if meaning is None:
                        self.note("ignored", len(points))
                        continue
                    for point in points:
                        try:
                            self._point(meaning, metric, kind, point, {**around, **_attributes(point.attributes)}, now)
                        except _Refused as refused:
                            yield f"{metric.name}: {refused}"

    def _point(
        self, meaning: str, metric: Any, kind: str, point: Any, attributes: Mapping[str, Any], now: Timestamp
    ) -> None:
        added = self._added(metric, kind, point, attributes, now)
        if added is None:
            return
        region = str(attributes.get("region") or self.region)
        if meaning == CLIENT_ERRORS:
            status = _status(attributes)
            self.intake.requests(region, self._network(attributes, added.pop), status, added.number, added.at, now)
        elif meaning == EDGE_LATENCY:
            factor = _MILLISECONDS.get(metric.unit)
            if factor is None or not kind.endswith("histogram"):
                raise _Refused("times are a histogram of s, ms, us or ns")
            for value, number in added.buckets:
                network = self._network(attributes, added.pop)
                self.intake.times(region, network, value * factor, number, added.at, now)
        elif meaning == "cache_hits":
            try:
                how = str(attributes.get("cache.status") or "")
                self.intake.cached(added.pop, region, how, added.number, added.at, now)
            except ValueError as error:
                raise _Refused("cache.status is hit, stale, collapsed, miss or pass") from error
        else:
            self._scrubbed(metric.unit, attributes, added, now)
        self.note("counted")

    def _scrubbed(self, unit: str, attributes: Mapping[str, Any], added: _Point, now: Timestamp) -> None:
        action = attributes.get("action")
        if action not in _ACTIONS or unit not in _UNITS:
            raise _Refused(f"action is {', '.join(_ACTIONS)}, and the unit one of {', '.join(_UNITS)}")
        kind, factor = _UNITS[unit]
        amounts = tuple(added.number * factor if each == action else 0.0 for each in _ACTIONS)
        self.intake.scrubbed(added.pop, kind, (amounts[0], amounts[1], amounts[2]), added.at, now)

    def _added(
        self, metric: Any, kind: str, point: Any, attributes: Mapping[str, Any], now: Timestamp
    ) -> _Point | None:
        """Give what a point adds to what is known; None for nothing."""
        pop = _pop(attributes)
        if kind not in ("sum", "histogram", "exponential_histogram"):
            raise _Refused(f"a {kind or 'point without data'} cannot be counted: a sum or a histogram can")
        data = getattr(metric, kind)
        if kind == "sum" and not data.is_monotonic:
            raise _Refused("a sum that may fall is no count")
        values = _values(kind, point)
        if any(not each >= 0 for each in values):
            raise _Refused("a count below zero")
        if data.aggregation_temporality == _CUMULATIVE:
            values = self._grown(f"{metric.name} {sorted(attributes.items())}", point, values)
        elif data.aggregation_temporality != _DELTA:
            raise _Refused("its temporality is not told")
        if not any(values):
            return None
        at = Timestamp(point.time_unix_nano / 1e9) if point.time_unix_nano else now
        return _Point(attributes, pop, at, values[0], tuple(zip(_middles(kind, point), values[1:], strict=True)))

    def _grown(self, key: str, point: Any, values: tuple[float, ...]) -> tuple[float, ...]:
        known = self.streams.get(key)
        start, time = point.start_time_unix_nano, point.time_unix_nano
        if known is None and len(self.streams) >= STREAMS_MAX:
            raise _Refused(f"more than {STREAMS_MAX} streams")
        if known is not None and time <= known.time:
            return (0.0,) * len(values)  # it was sent again
        self.streams[key] = Stream(start, time, values)
        if known is None:
            return values if start / 1e9 >= self.began else (0.0,) * len(values)
        if start > known.start or values[0] < known.values[0] or len(values) != len(known.values):
            return values  # the sender began anew
        return tuple(max(0.0, new - old) for new, old in zip(values, known.values, strict=True))

    # -- traces and logs ----------------------------------------------------------------------------------------------

    def _traces(self, message: Any, now: Timestamp) -> Iterator[str]:
        for resource in message.resource_spans:
            around = _attributes(resource.resource.attributes)
            for scope in resource.scope_spans:
                for span in scope.spans:
                    try:
                        self._span(span, {**around, **_attributes(span.attributes)}, now)
                    except _Refused as refused:
                        yield str(refused)

    def _span(self, span: Any, attributes: Mapping[str, Any], now: Timestamp) -> None:
        meaning = self.meaning.spans.get(_SPAN_KINDS.get(span.kind, ""))
        if meaning is None:
            self.note("ignored")
            return
        pop = _pop(attributes)
        if not span.end_time_unix_nano >= span.start_time_unix_nano > 0:
            raise _Refused("a span ends before it begins")
        if self._is_known(span.trace_id + span.span_id):
            return
        at = Timestamp(span.end_time_unix_nano / 1e9)
        seconds = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
        region, network = str(attributes.get("region") or self.region), self._network(attributes, pop)
        if meaning == EDGE_LATENCY:
            self.intake.times(region, network, seconds * 1000, 1.0, at, now)
        else:
            self.intake.requests(region, network, _status(attributes), 1.0, at, now)
        self.note("counted")

    def _is_known(self, key: bytes) -> bool:
        if key in self._spans:
            return True
        self._spans[key] = None
        if len(self._spans) > SPANS_KEPT:
            self._spans.popitem(last=False)
        return False

    def _logs(self, message: Any, now: Timestamp) -> Iterator[str]:
        for resource in message.resource_logs:
            around = _attributes(resource.resource.attributes)
            for scope in resource.scope_logs:
                for record in scope.log_records:
                    attributes = {**around, **_attributes(record.attributes)}
                    if not self.meaning.logs or not any(each in attributes for each in _STATUS):
                        self.note("ignored")
                        continue
                    try:
                        pop, status = _pop(attributes), _status(attributes)
                    except _Refused as refused:
                        yield str(refused)
                        continue
                    nanoseconds = record.time_unix_nano or record.observed_time_unix_nano
                    at = Timestamp(nanoseconds / 1e9) if nanoseconds else now
                    region = str(attributes.get("region") or self.region)
                    self.intake.requests(region, self._network(attributes, pop), status, 1.0, at, now)
                    self.note("counted")

    def _network(self, attributes: Mapping[str, Any], pop: str) -> str:
        """Give what shares fate: the client's network where it is told, else the PoP."""
        client = attributes.get("client.address")
        return self.intake.networks.of(str(client)).network if client else pop


def _pop(attributes: Mapping[str, Any]) -> str:
    pop = attributes.get("pop")
    if not isinstance(pop, str) or not pop:
        raise _Refused("no attribute `pop`, of its own or of its resource")
    return pop


def _status(attributes: Mapping[str, Any]) -> int:
    """Give the status of a response; 0 where an error came instead."""
    for name in _STATUS:
        value = attributes.get(name)
        if isinstance(value, int) and 100 <= value <= 599:
            return value
    if attributes.get("error.type"):
        return 0
    raise _Refused(f"neither {_STATUS[0]} nor error.type")


def _attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    found = {}
    for pair in pairs:
        kind = pair.value.WhichOneof("value")
        if kind in ("string_value", "bool_value", "int_value", "double_value"):
            found[pair.key] = getattr(pair.value, kind)
    return found


def _values(kind: str, point: Any) -> tuple[float, ...]:
    """Give the count, and for histograms the numbers of their buckets."""
    if kind == "sum":
        return (float(point.as_int if point.WhichOneof("value") == "as_int" else point.as_double),)
    if kind == "histogram":
        if len(point.bucket_counts) not in (0, len(point.explicit_bounds) + 1):
            raise _Refused("a histogram whose bounds do not fit its buckets")
        return (float(point.count), *map(float, point.bucket_counts))
    parts = (*point.negative.bucket_counts, point.zero_count, *point.positive.bucket_counts)
    if any(point.negative.bucket_counts):
        raise _Refused("times below zero")
    return (float(point.count), *map(float, parts))


def _middles(kind: str, point: Any) -> tuple[float, ...]:
    """Give the value that stands for each bucket: the middle of its bounds; of the last, open one its lower bound."""
    if kind == "sum":
        return ()
    if kind == "histogram":
        bounds = list(point.explicit_bounds)
        if not point.bucket_counts:
            return ()
        lower = [0.0, *bounds]
        return (*((low + high) / 2 for low, high in zip(lower, bounds, strict=False)), lower[-1])
    base = exp2(exp2(-point.scale))
    positive = (
        2 * base ** (point.positive.offset + index + 1) / (base + 1)
        for index in range(len(point.positive.bucket_counts))
    )
    return (*(0.0 for _ in point.negative.bucket_counts), 0.0, *positive)
