"""The agent's figures for Prometheus, read from its state when they are scraped; nothing is counted on the way."""

from collections.abc import Iterator
from typing import Any

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from anycastle.io.metrics import MetricsPage, counter, gauge

STANCES = ("announce", "steer", "withdraw")


class AgentCollector(Collector):
    """Turns the agent's status (`daemons.agent.status`) and its counters into metric families."""

    def __init__(self, status: "StatusSource") -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """Give every family, as things stand now."""
        status = self._status()
        pop = status["pop"]
        yield gauge("ready", "1 while nothing keeps the agent from being ready", ["pop"], [((pop,), status["ready"])])
        yield from _service_families(pop, status["services"])
        for which in ("wanted", "exported"):
            text = f"Announcements {which}, each a prefix to an upstream"
            yield gauge(f"announcements_{which}", text, ["pop"], [((pop,), len(status[which]))])
        sessions = [((pop, s["upstream"], s["neighbour"]), s["state"] == "established") for s in status["sessions"]]
        labels = ["pop", "upstream", "neighbour"]
        yield gauge("session_established", "1 while a BGP session is established", labels, sessions)
        yield counter("checks", "Answers of checks", ["pop", "outcome"], _outcomes(pop, status["answers"]))
        yield from _controller_families(pop, status.get("controller"))
        dropped = [((pop,), status["events_dropped"])]
        yield counter("events_dropped", "Events that the log could not take in time", ["pop"], dropped)


StatusSource = Any
"""() -> the agent's status with `answers` and `events_dropped` beside it."""


def _controller_families(pop: str, link: dict[str, Any] | None) -> Iterator[Metric]:
    """Give how it stands with controllers; nothing where none is configured."""
    told = [] if link is None else [((pop,), link["connected"])]
    yield gauge("controller_connected", "1 while the agent has a session with a controller", ["pop"], told)
    terms = [] if link is None else [((pop,), link["term"])]
    yield gauge("controller_term", "The highest term of a controller that was ever met", ["pop"], terms)
    skew = [] if link is None or link["skew"] is None else [((pop,), link["skew"]["offset_s"])]
    yield gauge("controller_clock_offset_seconds", "The controller's clock minus the agent's", ["pop"], skew)


def _service_families(pop: str, services: list[dict[str, Any]]) -> Iterator[Metric]:
    stances = [((pop, s["name"], stance), s["stance"] == stance) for s in services for stance in STANCES]
    yield gauge(
        "service_stance", "1 for what the PoP means to do with a service", ["pop", "service", "stance"], stances
    )
    labels = ["pop", "service"]
    permits = [((pop, s["name"]), s["permit"] == "held") for s in services]
    yield gauge("withdraw_permit_held", "1 while the PoP may withdraw the service of its own", labels, permits)
    suppressed = [((pop, s["name"]), s["suppressed"]) for s in services]
    yield gauge("service_suppressed", "1 while flapping holds a service back", labels, suppressed)
    draining = [((pop, s["name"]), s["drain"] is not None) for s in services]
    yield gauge("service_draining", "1 while a service is drained", labels, draining)
    checks = [((pop, s["name"], c["name"]), c) for s in services for c in s["checks"]]
    labels = ["pop", "service", "check"]
    healthy = [(key, check["verdict"] == "healthy") for key, check in checks]
    yield gauge("check_healthy", "1 while a check's verdict is healthy", labels, healthy)
    late = [(key, check["late"]) for key, check in checks]
    yield counter("check_late", "Times at which a check was due and not asked", labels, late)


def _outcomes(pop: str, answers: dict[str, int]) -> list[tuple[tuple[str, ...], float]]:
    return [((pop, outcome), answers.get(outcome, 0)) for outcome in ("pass", "fail", "unknown")]


class AgentMetrics(MetricsPage):
    """The page of an agent."""

    def __init__(self, status: StatusSource) -> None:
        super().__init__(AgentCollector(status))
