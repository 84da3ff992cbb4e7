"""The agent's figures for Prometheus, read from its state when they are scraped; nothing is counted on the way."""

from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

STANCES = ("announce", "steer", "withdraw")
TEXT = "text/plain; version=0.0.4; charset=utf-8"


class AgentCollector(Collector):
    """Turns the agent's status (`daemons.agent.status`) and its counters into metric families."""

    def __init__(self, status: "StatusSource") -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """Give every family, as things stand now."""
        status = self._status()
        pop = status["pop"]
        yield _gauge("ready", "1 while nothing keeps the agent from being ready", ["pop"], [((pop,), status["ready"])])
        yield from _service_families(pop, status["services"])
        for which in ("wanted", "exported"):
            text = f"Announcements {which}, each a prefix to an upstream"
            yield _gauge(f"announcements_{which}", text, ["pop"], [((pop,), len(status[which]))])
        sessions = [((pop, s["upstream"], s["neighbour"]), s["state"] == "established") for s in status["sessions"]]
        labels = ["pop", "upstream", "neighbour"]
        yield _gauge("session_established", "1 while a BGP session is established", labels, sessions)
        yield _counter("checks", "Answers of checks", ["pop", "outcome"], _outcomes(pop, status["answers"]))
        dropped = [((pop,), status["events_dropped"])]
        yield _counter("events_dropped", "Events that the log could not take in time", ["pop"], dropped)


StatusSource = Any
"""() -> the agent's status with `answers` and `events_dropped` beside it."""


def _service_families(pop: str, services: list[dict[str, Any]]) -> Iterator[Metric]:
    stances = [((pop, s["name"], stance), s["stance"] == stance) for s in services for stance in STANCES]
    yield _gauge(
        "service_stance", "1 for what the PoP means to do with a service", ["pop", "service", "stance"], stances
    )
    labels = ["pop", "service"]
    permits = [((pop, s["name"]), s["permit"] == "held") for s in services]
    yield _gauge("withdraw_permit_held", "1 while the PoP may withdraw the service of its own", labels, permits)
    suppressed = [((pop, s["name"]), s["suppressed"]) for s in services]
    yield _gauge("service_suppressed", "1 while flapping holds a service back", labels, suppressed)
    draining = [((pop, s["name"]), s["drain"] is not None) for s in services]
    yield _gauge("service_draining", "1 while a service is drained", labels, draining)
    checks = [((pop, s["name"], c["name"]), c) for s in services for c in s["checks"]]
    labels = ["pop", "service", "check"]
    healthy = [(key, check["verdict"] == "healthy") for key, check in checks]
    yield _gauge("check_healthy", "1 while a check's verdict is healthy", labels, healthy)
    late = [(key, check["late"]) for key, check in checks]
    yield _counter("check_late", "Times at which a check was due and not asked", labels, late)


def _outcomes(pop: str, answers: dict[str, int]) -> list[tuple[tuple[str, ...], float]]:
    return [((pop, outcome), answers.get(outcome, 0)) for outcome in ("pass", "fail", "unknown")]


def _gauge(name: str, text: str, labels: list[str], rows: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    family = GaugeMetricFamily(f"anycastle_{name}", text, labels=labels)
    for key, value in rows:
        family.add_metric(key, float(value))
    return family


def _counter(name: str, text: str, labels: list[str], rows: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    family = CounterMetricFamily(f"anycastle_{name}", text, labels=labels)
    for key, value in rows:
        family.add_metric(key, float(value))
    return family


class AgentMetrics:
    """Renders the families in the format that the scraper accepts."""

    def __init__(self, status: StatusSource) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(AgentCollector(status))

    def render(self, accept: str) -> tuple[str, bytes]:
        """Give the content type and the text: OpenMetrics where `accept` names it."""
        if "application/openmetrics-text" in accept:
            return openmetrics.CONTENT_TYPE_LATEST, openmetrics.generate_latest(self._registry)  # type: ignore[no-untyped-call]
        return TEXT, generate_latest(self._registry)
