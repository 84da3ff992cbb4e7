"""What came in -> counted in its cell. One method a source; nothing here knows where a line was read."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from anycastle.base.ports import Timestamp
from anycastle.model.event import ConvergenceMeasured
from anycastle.slo.indicators import m02_convergence as m02
from anycastle.slo.indicators import m03_routing_success as m03
from anycastle.slo.indicators import m05_client_errors as m05
from anycastle.slo.indicators import m06_session_disruption as m06
from anycastle.slo.indicators import m07_cache_hits as m07
from anycastle.slo.indicators import m08_scrubbed as m08
from anycastle.slo.indicators import m09_check_fidelity as m09
from anycastle.slo.indicators import m10_policy_compliance as m10
from anycastle.slo.telemetry.cells import Cells
from anycastle.slo.telemetry.fidelity import Fidelity, Served
from anycastle.slo.telemetry.measurements import CACHE_OCTETS, Measurements
from anycastle.slo.telemetry.networks import Networks
from anycastle.slo.telemetry.promised import ALL, Promised
from anycastle.slo.telemetry.sessions import EndedSession, ForeignFlow
from anycastle.wire.access.record import AccessRecord, Handling, RequestRecord, SessionRecord

CATCHMENTS_MAX: Final = 20_000
"""Vantage points and targets whose PoP is remembered."""

_BESIDE: Final = frozenset({"resolve", "identity"})
"""Phases that are no part of M1: the name's own lookup, and the second question, which asks who answered."""

_PATHS: Final = frozenset({"traceroute", "mtu", "large_body", "session"})
"""Kinds that take as long as they look at the path, and are no request of a client's: neither M1 nor M3 counts them."""

_CACHE: Final[Mapping[Handling, m07.Cache]] = {each: m07.Cache(each.value) for each in Handling}

CLIENT_ERRORS, CACHE_HITS, SESSIONS = m05.INDICATOR.name, m07.INDICATOR.name, m06.INDICATOR.name
CHECK_FIDELITY = m09.INDICATOR.name
EDGE_LATENCY, ROUTING_SUCCESS = "edge_latency", m03.INDICATOR.name


@dataclass(frozen=True, slots=True)
class LogSource:
    """What an access log is counted as. A request that passes three servers is in three logs, and is one."""

    pop: str
    region: str
    counts: frozenset[str]
    """Indicators' names: `client_errors`, `cache_hits`, `session_disruption`."""
    service: str = ""
    """Whose objectives its lines count for; '' for none."""


@dataclass(frozen=True, slots=True)
class ProbeSeen:
    """A probe's result, as a prober wrote it."""

    at: Timestamp
    vantage: str
    network: str
    region: str
    target: str
    kind: str
    total_ms: float
    failure: str
    """'' where it is right; else the kind of failure."""
    pop: str
    address: str = ""
    """Whom it asked; '' where the name was not resolved."""


@dataclass(slots=True)
class Intake:
    """Counts what comes in, in cells."""

    cells: Cells
    networks: Networks
    site_of: dict[str, str] = field(default_factory=dict)
    """Vantage point and target -> the PoP that answered last."""
    fidelity: Fidelity = field(default_factory=Fidelity)
    promised: Promised = field(default_factory=Promised)

    def access(self, source: LogSource, record: AccessRecord, now: Timestamp) -> None:
        """Count a line of an access log."""
        if isinstance(record, SessionRecord):
            self._session(source, record, now)
        else:
            self._request(source, record, now)

    def _request(self, source: LogSource, record: RequestRecord, now: Timestamp) -> None:
        cell = self.cells.at(record.at, now)
        if cell is None:
            return
        place = self.networks.of(record.client)
        region = place.region or source.region
        if CLIENT_ERRORS in source.counts:
            status = 499 if record.client_left and record.status in (0, 499) else record.status
            self._errors(cell, region, place.network, status, 1.0, record.duration_s or 0.0)
            for tally in self.promised.of(source.service, CLIENT_ERRORS, region):
                m05.count(tally, m05.Requests(ALL, status, 1.0, record.duration_s or 0.0))
        if CACHE_HITS in source.counts and record.handling is not None:
            how = _CACHE[record.handling]
            m07.count(cell.tally(CACHE_HITS, region), source.pop, how)
            m07.count(cell.tally(CACHE_OCTETS, region), source.pop, how, float(record.octets))
            for tally in self.promised.of(source.service, CACHE_HITS, region):
                m07.count(tally, ALL, how)

    def _errors(
        self, cell: Measurements, region: str, network: str, status: int, number: float, seconds: float
    ) -> None:
        tally = cell.tally(CLIENT_ERRORS, region)
        m05.count(tally, m05.Requests(cell.network(CLIENT_ERRORS, region, network), status, number, seconds))

    def _session(self, source: LogSource, record: SessionRecord, now: Timestamp) -> None:
        ended_at = Timestamp(record.began_at + record.duration_s)
        cell = self.cells.at(ended_at, now) if SESSIONS in source.counts else None
        if cell is None:
            return
        place = self.networks.of(record.client)
        session = EndedSession(
            record.client, record.client_port, place.network, place.region or source.region,
            record.began_at, ended_at, record.orderly,
        )  # fmt: skip
        cell.add_to(cell.ended, session, "sessions")

    def foreign_flow(self, client: str, port: int, region: str, now: Timestamp) -> None:
        """Count a flow in its middle that a PoP does not own."""
        cell = self.cells.at(now, now)
        if cell is not None:
            place = self.networks.of(client)
            flow = ForeignFlow(client, port, place.network, place.region or region, now)
            cell.add_to(cell.foreign, flow, "flows")

    def scrubbed(
        self, pop: str, unit: m08.Unit, amounts: tuple[float, float, float], at: Timestamp, now: Timestamp
    ) -> None:
        """Count what a filter passed, dropped as an attack, and dropped for want of room, since it was last asked."""
        cell = self.cells.at(at, now)
        if cell is not None:
            cell.add_scrubbed(pop, unit, *amounts)

    def probe(self, seen: ProbeSeen, now: Timestamp) -> None:
        """Count a probe's result: M1 and M3; a PoP that is another than before is a change of the catchment."""
        if seen.kind in _PATHS:
            return
        cell = self.cells.at(seen.at, now)
        if cell is None or seen.failure == "ours":
            return
        if not seen.failure:
            cell.add_time(seen.region, seen.network, seen.total_ms)
        each = m03.Round(
            cell.network(ROUTING_SUCCESS, seen.region, seen.network), seen.region,
            None if seen.failure and seen.failure not in ("content", "site") else seen.total_ms,
            seen.pop, content_right=not seen.failure,
        )  # fmt: skip
        # Whether the site may answer was judged by the prober, whose file lists those that may.
        m03.count(cell.tally(ROUTING_SUCCESS, seen.region), each, lambda _site: True)
        self._promised(seen, each)
        self._sighted(cell, seen)
        if seen.pop and not seen.failure:
            self.fidelity.answered(seen.pop, seen.target, seen.at)

    def _promised(self, seen: ProbeSeen, each: m03.Round) -> None:
        service = self.promised.service_of(seen.address) if self.promised.objectives else ""
        if not service:
            return
        for tally in self.promised.of(service, ROUTING_SUCCESS, seen.region):
            m03.count(tally, replace(each, network=ALL), lambda _site: True)
        if not seen.failure:
            self.promised.answered(service, seen.region, seen.total_ms)

    def settle(self, served: Served, now: Timestamp) -> None:
        """Count what checks of a PoP said in slots of which by now all is told (M9)."""
        for slot in self.fidelity.settled(served, now):
            cell = self.cells.at(slot.at, now)
            if cell is None:
                continue
            tally = cell.tally(CHECK_FIDELITY, slot.served.region)
            if slot.said_up is None:
                tally.exclude("the verdict changed, or is not known")
            else:
                m09.count(tally, f"{slot.served.key} {slot.check}", said_up=slot.said_up, was_up=True)

    def _sighted(self, cell: Measurements, seen: ProbeSeen) -> None:
        key = f"{seen.vantage} {seen.target} {seen.kind}"
        before = self.site_of.get(key)
        if not seen.pop or (before is None and len(self.site_of) >= CATCHMENTS_MAX):
            return
        self.site_of[key] = seen.pop
        if before is not None and before != seen.pop:
            cell.shifts.setdefault(seen.network, []).append(seen.at)

    def converged(self, measured: ConvergenceMeasured, at: Timestamp, now: Timestamp) -> None:
        """Count the peers that followed a change of ours."""
        cell = self.cells.at(at, now)
        if cell is not None:
            for seconds in measured.converged_s:
                cell.add_to(cell.courses, m02.Course(seconds, converged=True), "courses")
            for seconds in measured.censored_s:
                cell.add_to(cell.courses, m02.Course(seconds, converged=False), "courses")

    def visible(self, prefix: str, able: float, seeing: float, now: Timestamp) -> None:
        """Note how many of the ASes that could see a prefix do."""
        cell = self.cells.at(now, now)
        if cell is not None:
            cell.views[prefix] = {"able": able, "seeing": seeing, "at": now}

    def toggled(self, upstream: str, instruction: str, verdict: m10.Verdict, at: Timestamp, now: Timestamp) -> None:
        """Note what toggles of an instruction say of an upstream; `at`: when the last of them was."""
        cell = self.cells.at(now, now)
        if cell is not None:
            cell.judge(upstream, instruction, verdict.value, at)

    def events(
        self, indicator: str, pop: str, region: str, good: float, total: float, at: Timestamp, now: Timestamp
    ) -> None:
        """Count good and all events that somebody else has counted, of a PoP."""
        cell = self.cells.at(at, now)
        if cell is not None and 0 <= good <= total and total > 0:
            tally = cell.tally(indicator, region)
            tally.add(pop, good=True, weight=good, events=good)
            tally.add(pop, good=False, weight=total - good, events=total - good)

    def requests(self, region: str, network: str, status: int, number: float, at: Timestamp, now: Timestamp) -> None:
        """Count requests that are alike, told by a server's own metrics."""
        cell = self.cells.at(at, now)
        if cell is not None:
            self._errors(cell, region, network, status, number, m05.LEFT_S)

    def cached(self, pop: str, region: str, how: str, number: float, at: Timestamp, now: Timestamp) -> None:
        """Count requests by how a cache handled them. Raises ValueError for a word that RFC 9211 does not know."""
        cache = m07.Cache(how)
        cell = self.cells.at(at, now)
        if cell is not None:
            m07.count(cell.tally(CACHE_HITS, region), pop, cache, number)

    def times(
        self, region: str, network: str, milliseconds: float, number: float, at: Timestamp, now: Timestamp
    ) -> None:
        """Count times that are alike, as clients measured them."""
        cell = self.cells.at(at, now)
        if cell is not None and number > 0:
            cell.add_time(region, network, milliseconds, number)


def probe_of(value: Mapping[str, Any], regions: Mapping[str, str]) -> ProbeSeen | None:
    """Read a prober's line, as an object; None for what is none. `regions` has the region of a network, where told."""
    vantage, at, phases, failure = (value.get(each) for each in ("vantage_point", "at", "phases", "failure"))
    sound = isinstance(vantage, str) and isinstance(at, int | float) and isinstance(phases, dict)
    if not sound or not isinstance(failure, dict | None):
        return None
    assert isinstance(at, int | float)
    assert isinstance(phases, dict)
    asn = value.get("asn")
    network = f"AS{asn}" if isinstance(asn, int) else str(vantage)
    if not all(isinstance(each, int | float) and each >= 0 for each in phases.values()):
        return None
    times = [each for name, each in phases.items() if name not in _BESIDE]
    return ProbeSeen(
        Timestamp(float(at)), str(vantage), network, regions.get(network) or str(value.get("country") or ""),
        str(value.get("target") or ""), str(value.get("kind") or ""), float(sum(times)),
        str(failure.get("kind") or "timeout") if failure else "", str(value.get("pop") or ""),
        str(value.get("address") or ""),
    )  # fmt: skip
