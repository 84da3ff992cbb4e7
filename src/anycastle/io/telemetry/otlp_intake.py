"""What OTLP's messages count as. Each point, span and record has a `pop`, of its own or of its resource.

A batch comes again where its answer was lost: points are known by their series (`otlp_series`), spans by their ids.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple

from anycastle.base.ports import Timestamp
from anycastle.io.telemetry.otlp import Outcome
from anycastle.io.telemetry.otlp_series import Counts, Refused, SeriesKeeper, counts_of, key_of, times_of
from anycastle.io.telemetry.telemetry_file import OTLPMeaning
from anycastle.slo.indicators.m08_scrubbed import Unit
from anycastle.slo.telemetry.intake import CACHE_HITS, CLIENT_ERRORS, EDGE_LATENCY, Intake
from anycastle.wire.access.record import Handling

SPANS_KEPT: Final = 50_000
"""Ids of spans that are remembered: a sender that saw no answer sends a batch again."""

PLACES_MAX: Final = 2_000
"""PoPs and regions that senders may name: each takes room in every cell."""

PLACE_CHARACTERS_MAX: Final = 100

_ID_OCTETS_MAX: Final = 32
"""Of a trace or a span: 16 and 8, and half as many again as JSON's reader takes them."""

_WHY_MAX: Final = 5
_WHY_CHARACTERS_MAX: Final = 300
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
_HANDLINGS: Final = tuple(each.value for each in Handling)


class _Added(NamedTuple):
    """What a point adds, where and when."""

    pop: str
    region: str
    network: str
    at: Timestamp
    counts: Counts
    bounds: list[float]
    """Of the buckets of an explicit histogram."""


_Count = Callable[[_Added, Timestamp], None]


@dataclass(slots=True)
class OTLPIntake:
    """Counts OTLP's messages."""

    intake: Intake
    meaning: OTLPMeaning
    region: str
    series: SeriesKeeper
    taken: dict[str, int] = field(default_factory=dict)
    """By what became of it: `counted`, `ignored`, `repeated`, `rejected`."""
    places: set[str] = field(default_factory=set)
    _spans: OrderedDict[bytes, None] = field(default_factory=OrderedDict)

    def take(self, path: str, message: Any, now: Timestamp) -> Outcome:
        """Count a request's parts; those without a PoP, or with values that make no sense, are refused."""
        parts = {"/v1/metrics": self._metrics, "/v1/traces": self._traces, "/v1/logs": self._logs}[path]
        rejected, reasons = 0, dict[str, None]()
        for refused in parts(message, now):
            rejected += 1
            if len(reasons) < _WHY_MAX:
                reasons[refused[-_WHY_CHARACTERS_MAX:]] = None
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
                        key = key_of(resource.resource, scope.scope, metric, kind, point)
                        try:
                            self._point(meaning, metric, point, {**around, **_attributes(point.attributes)}, key, now)
                        except Refused as refused:
                            yield f"{metric.name}: {refused}"

    def _point(
        self, meaning: str, metric: Any, point: Any, attributes: Mapping[str, Any], key: str, now: Timestamp
    ) -> None:
        """Count a point. What its attributes lack is found before it is one of its series."""
        kind = metric.WhichOneof("data")
        if kind not in ("sum", "histogram", "exponential_histogram"):
            raise Refused(f"a {kind} cannot be counted: a sum or a histogram can")
        data = getattr(metric, kind)
        if kind == "sum" and not data.is_monotonic:
            raise Refused("a sum that may fall is no count")
        pop, region = self._place_of(attributes)
        count = self._meant(meaning, metric.unit, kind, attributes)
        counts = self.series.added(key, data.aggregation_temporality, point, counts_of(kind, point), now)
        if counts is None:
            self.note("repeated")
            return
        if counts.number:
            at = Timestamp(point.time_unix_nano / 1e9) if point.time_unix_nano else now
            bounds = list(point.explicit_bounds) if kind == "histogram" else []
            count(_Added(pop, region, self._network(attributes, pop), at, counts, bounds), now)
        self.note("counted")

    def _meant(self, meaning: str, unit: str, kind: str, attributes: Mapping[str, Any]) -> _Count:
        """Give what counts a point. Raises `Refused` where unit, kind or attributes cannot be what is meant."""
        if meaning == CLIENT_ERRORS:
            return partial(self._requests, _status(attributes))
        if meaning == EDGE_LATENCY:
            if unit not in _MILLISECONDS or not kind.endswith("histogram"):
                raise Refused(f"times are a histogram of {', '.join(_MILLISECONDS)}")
            return partial(self._times, _MILLISECONDS[unit])
        if meaning == CACHE_HITS:
            how = attributes.get("cache.status")
            if how not in _HANDLINGS:
                raise Refused(f"cache.status is {', '.join(_HANDLINGS)}")
            return partial(self._cached, str(how))
        action = attributes.get("action")
        if action not in _ACTIONS or unit not in _UNITS:
            raise Refused(f"action is {', '.join(_ACTIONS)}, and the unit one of {', '.join(_UNITS)}")
        return partial(self._scrubbed, str(action), *_UNITS[unit])

    def _requests(self, status: int, added: _Added, now: Timestamp) -> None:
        self.intake.requests(added.region, added.network, status, added.counts.number, added.at, now)

    def _times(self, factor: float, added: _Added, now: Timestamp) -> None:
        for value, number in times_of(added.counts, added.bounds):
            self.intake.times(added.region, added.network, value * factor, number, added.at, now)

    def _cached(self, how: str, added: _Added, now: Timestamp) -> None:
        self.intake.cached(added.pop, added.region, how, added.counts.number, added.at, now)

    def _scrubbed(self, action: str, unit: Unit, factor: float, added: _Added, now: Timestamp) -> None:
        amounts = [added.counts.number * factor if each == action else 0.0 for each in _ACTIONS]
        self.intake.scrubbed(added.pop, unit, (amounts[0], amounts[1], amounts[2]), added.at, now)

    # -- traces and logs ----------------------------------------------------------------------------------------------

    def _traces(self, message: Any, now: Timestamp) -> Iterator[str]:
        for resource in message.resource_spans:
            around = _attributes(resource.resource.attributes)
            for scope in resource.scope_spans:
                for span in scope.spans:
                    try:
                        self._span(span, {**around, **_attributes(span.attributes)}, now)
                    except Refused as refused:
                        yield str(refused)

    def _span(self, span: Any, attributes: Mapping[str, Any], now: Timestamp) -> None:
        meaning = self.meaning.spans.get(_SPAN_KINDS.get(span.kind, ""))
        if meaning is None:
            self.note("ignored")
            return
        pop, region = self._place_of(attributes)
        if not span.end_time_unix_nano >= span.start_time_unix_nano > 0:
            raise Refused("a span ends before it begins")
        if not (0 < len(span.trace_id) <= _ID_OCTETS_MAX and 0 < len(span.span_id) <= _ID_OCTETS_MAX):
            raise Refused("a span without its ids")
        status = 0 if meaning == EDGE_LATENCY else _status(attributes)
        if self._is_known(span.trace_id + span.span_id):
            self.note("repeated")
            return
        at = Timestamp(span.end_time_unix_nano / 1e9)
        seconds = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
        network = self._network(attributes, pop)
        if meaning == EDGE_LATENCY:
            self.intake.times(region, network, seconds * 1000, 1.0, at, now)
        else:
            self.intake.requests(region, network, status, 1.0, at, now)
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
                        (pop, region), status = self._place_of(attributes), _status(attributes)
                    except Refused as refused:
                        yield str(refused)
                        continue
                    nanoseconds = record.time_unix_nano or record.observed_time_unix_nano
                    at = Timestamp(nanoseconds / 1e9) if nanoseconds else now
                    self.intake.requests(region, self._network(attributes, pop), status, 1.0, at, now)
                    self.note("counted")

    def _place_of(self, attributes: Mapping[str, Any]) -> tuple[str, str]:
        """Give the PoP and the region. Raises `Refused` without a PoP, or where there are too many of both."""
        pop, region = attributes.get("pop"), str(attributes.get("region") or self.region)
        if not isinstance(pop, str) or not pop:
            raise Refused("no attribute `pop`, of its own or of its resource")
        for place in (pop, region):
            if place not in self.places:
                if len(place) > PLACE_CHARACTERS_MAX or len(self.places) >= PLACES_MAX:
                    raise Refused(f"more than {PLACES_MAX} PoPs and regions, or a name of {len(place)} characters")
                self.places.add(place)
        return pop, region

    def _network(self, attributes: Mapping[str, Any], pop: str) -> str:
        """Give what shares fate: the client's network where it is told, else the PoP."""
        client = attributes.get("client.address")
        return self.intake.networks.of(str(client)).network if client else pop


def _status(attributes: Mapping[str, Any]) -> int:
    """Give the status of a response; 0 where an error came instead."""
    for name in _STATUS:
        value = attributes.get(name)
        if isinstance(value, int) and 100 <= value <= 599:
            return value
    if attributes.get("error.type"):
        return 0
    raise Refused(f"neither {_STATUS[0]} nor error.type")


def _attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    found = {}
    for pair in pairs:
        kind = pair.value.WhichOneof("value")
        if kind in ("string_value", "bool_value", "int_value", "double_value"):
            found[pair.key] = getattr(pair.value, kind)
    return found
