"""A prober's figures for Prometheus: `/metrics` of all its targets, and the page of one probe on demand."""

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Any

from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from anycastle.io.metrics import counter, gauge
from anycastle.probe.kinds.dns import DNSSeen
from anycastle.probe.kinds.http import HTTPSeen
from anycastle.probe.kinds.mtu import MTUSeen
from anycastle.probe.kinds.session import SessionSeen
from anycastle.probe.kinds.tls import TLSSeen
from anycastle.probe.result import ProbeResult
from anycastle.probe.schedule import Counts
from anycastle.probe.tally import BOUNDS_MS, Tally

Tallies = Callable[[], Mapping[tuple[str, str], Tally]]
"""() -> (target, kind) -> what became of its probes."""


class ProberCollector(Collector):
    """Turns tallies and counts into metric families when they are scraped."""

    def __init__(self, tallies: Tallies, counts: Callable[[], Counts], status: Callable[[], Mapping[str, Any]]) -> None:
        self._tallies = tallies
        self._counts = counts
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """Give every family, as things stand now."""
        tallies = self._tallies()
        yield counter(
            "probe_results", "Probes by outcome: ok, or the kind of failure", ["target", "kind", "outcome"],
            [((*key, outcome), count) for key, tally in tallies.items() for outcome, count in tally.outcomes.items()],
        )  # fmt: skip
        yield counter(
            "probe_answers", "Answers by PoP; empty where the server did not tell", ["target", "kind", "pop"],
            [((*key, pop), count) for key, tally in tallies.items() for pop, count in tally.pops.items()],
        )  # fmt: skip
        yield _durations(tallies)
        yield counter(
            "probe_phase_seconds", "Time of probes that were right, by phase", ["target", "kind", "phase"],
            [((*key, name), ms / 1000) for key, tally in tallies.items() for name, ms in tally.phases_ms.items()],
        )  # fmt: skip
        yield from self._schedule()

    def _schedule(self) -> Iterator[Metric]:
        counts, status = self._counts(), self._status()
        rounds = {
            "begun": counts.begun, "missed": counts.missed, "skipped": counts.skipped, "crowded": counts.crowded
        }  # fmt: skip
        yield counter("prober_rounds", "Rounds of targets by what became of them", ["outcome"],
                      [((name,), count) for name, count in rounds.items()])  # fmt: skip
        yield counter("prober_late", "Probes that began more than 20 ms after their time", [], [((), counts.late)])
        yield gauge("prober_under_way", "Probes that are under way", [], [((), status["under_way"])])
        yield gauge("prober_spool_waiting", "Results that the collector has not", [], [((), status["waiting"])])
        yield gauge("prober_spool_bytes", "Octets of the spool", [], [((), status["octets"])])
        yield counter("prober_results_lost", "Results let go before anybody had them", ["where"],
                      [(("spool",), status["lost"]), (("queue",), status["dropped"])])  # fmt: skip


def _durations(tallies: Mapping[tuple[str, str], Tally]) -> Metric:
    family = HistogramMetricFamily(
        "anycastle_probe_duration_seconds", "Time of probes that were right", labels=["target", "kind"]
    )
    bounds = [*(f"{bound / 1000:g}" for bound in BOUNDS_MS), "+Inf"]
    for key, tally in tallies.items():
        family.add_metric(key, list(zip(bounds, accumulate(tally.buckets), strict=True)), tally.sum_ms / 1000)
    return family


class ResultCollector(Collector):
    """One result. The first two families have the names that blackbox exporters give them, so that rules fit."""

    def __init__(self, result: ProbeResult) -> None:
        self._result = result

    def collect(self) -> Iterator[Metric]:
        """Give every family."""
        result = self._result
        yield _plain("probe_success", "1 where the probe is right", result.failure is None)
        yield _plain("probe_duration_seconds", "Time of all phases", result.duration_ms / 1000)
        rows = [((phase.name,), phase.duration_ms / 1000) for phase in result.phases]
        yield gauge("probe_phase_duration_seconds", "Time of each phase", ["phase"], rows)
        if result.failure is not None:
            labels = (result.failure.kind.value, result.failure.phase)
            yield gauge("probe_failure", "Why, and in which phase", ["kind", "phase"], [(labels, 1)])
        if result.seen is not None:
            yield gauge("probe_site", "Who answered", ["pop", "server"], [((result.pop, result.server), 1)])
        yield from self._of_kind()

    def _of_kind(self) -> Iterator[Metric]:
        match self._result.seen:
            case TLSSeen() as tls:
                yield gauge("probe_certificate_days", "Days that the certificate is valid", [], [((), tls.days_left)])
            case HTTPSeen() as http:
                yield gauge("probe_http_status", "Status of the response", [], [((), http.status)])
                if http.days_left is not None:
                    days = [((), http.days_left)]
                    yield gauge("probe_certificate_days", "Days that the certificate is valid", [], days)
            case DNSSeen() as dns:
                yield gauge("probe_dns_answers", "Records of the answer", [], [((), len(dns.answers))])
            case MTUSeen(mtu_octets=int(octets)):
                yield gauge("probe_path_mtu_bytes", "The largest packet that passes", [], [((), octets)])
            case SessionSeen() as session:
                yield gauge("probe_session_seconds", "How long the session lived", [], [((), session.lived_s)])
            case _:
                pass


def _plain(name: str, text: str, value: float) -> Metric:
    family = Metric(name, text, "gauge")
    family.add_sample(name, {}, float(value))
    return family
