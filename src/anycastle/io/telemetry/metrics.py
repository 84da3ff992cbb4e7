"""The collector's own figures, and its indicators, for Prometheus."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from anycastle.io.metrics import counter, gauge
from anycastle.io.telemetry.line_source import LineSource
from anycastle.io.telemetry.readings_json import families
from anycastle.io.telemetry.source import Source
from anycastle.slo.reading import Reading
from anycastle.slo.telemetry.promised import Key

WINDOW_S: Final = 3600.0
"""Of the indicators that are shown."""


class TelemetryCollector(Collector):
    """Turns sources and readings into metric families when they are scraped."""

    def __init__(
        self,
        sources: Callable[[], Iterable[Source]],
        trouble: Callable[[], Mapping[str, str]],
        taken: Callable[[], Mapping[str, int]],
        lost: Callable[[], Mapping[str, float]],
        readings: Callable[[float], list[Reading]],
        totals: Callable[[], list[tuple[Key, float, float]]],
        traffic: Callable[[float], Mapping[str, tuple[float, float]]],
    ) -> None:
        self._sources = sources
        self._trouble = trouble
        self._taken = taken
        self._lost = lost
        self._readings = readings
        self._totals = totals
        self._traffic = traffic

    def collect(self) -> Iterator[Metric]:
        """Give every family, as things stand now."""
        sources, trouble = list(self._sources()), self._trouble()
        yield gauge("telemetry_source_up", "1 while a source can be read", ["source"],
                    [((each.name,), each.name not in trouble) for each in sources])  # fmt: skip
        yield counter("telemetry_entries", "Lines and readings of a source, by what became of them",
                      ["source", "outcome"],
                      [((each.name, name), getattr(each.counts, name))
                       for each in sources for name in ("counted", "passed_over", "damaged")])  # fmt: skip
        logs = [each for each in sources if isinstance(each, LineSource)]
        yield counter("telemetry_log_events", "What befell a log: rotated, truncated, gaps, lines too long",
                      ["source", "event"],
                      [((each.name, name), getattr(each.tail.counts, name))
                       for each in logs for name in ("rotated", "truncated", "gaps", "too_long")])  # fmt: skip
        yield counter("telemetry_otlp_parts", "Points, spans and records of OTLP, by what became of them", ["outcome"],
                      [((name,), number) for name, number in sorted(self._taken().items())])  # fmt: skip
        yield gauge("telemetry_left_out", "What is counted nowhere: dated before all cells, or beyond a cell's room",
                    ["what"], [((name,), number) for name, number in sorted(self._lost().items())])  # fmt: skip
        yield from families(self._readings(WINDOW_S))
        labels, totals = ["service", "objective", "region"], self._totals()
        yield counter("slo_events", "Events of an objective", labels, [(key, events) for key, events, _ in totals])
        yield counter("slo_good_events", "Good ones among them", labels, [(key, good) for key, _, good in totals])
        traffic = sorted(self._traffic(WINDOW_S).items())
        yield gauge("traffic_offered", "What filters were offered over the last hour: sums, of all PoPs", ["unit"],
                    [((unit,), offered) for unit, (offered, _) in traffic])  # fmt: skip
        yield gauge("traffic_scrubbed", "What of it they dropped as an attack", ["unit"],
                    [((unit,), scrubbed) for unit, (_, scrubbed) in traffic])  # fmt: skip
