"""Metric families for Prometheus, built when they are scraped, and rendered in the format that the scraper accepts."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

TEXT = "text/plain; version=0.0.4; charset=utf-8"

Rows = Iterable[tuple[tuple[str, ...], float]]
"""Label values -> value."""


def gauge(name: str, text: str, labels: list[str], rows: Rows) -> Metric:
    """Give a gauge family."""
    family = GaugeMetricFamily(f"anycastle_{name}", text, labels=labels)
    for key, value in rows:
        family.add_metric(key, float(value))
    return family


def counter(name: str, text: str, labels: list[str], rows: Rows) -> Metric:
    """Give a counter family."""
    family = CounterMetricFamily(f"anycastle_{name}", text, labels=labels)
    for key, value in rows:
        family.add_metric(key, float(value))
    return family


class MetricsPage:
    """Renders a collector's families."""

    def __init__(self, collector: Collector) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(collector)

    def render(self, accept: str) -> tuple[str, bytes]:
        """Give the content type and the text: OpenMetrics where `accept` names it."""
        if "application/openmetrics-text" in accept:
            return openmetrics.CONTENT_TYPE_LATEST, openmetrics.generate_latest(self._registry)  # type: ignore[no-untyped-call]
        return TEXT, generate_latest(self._registry)
