"""What a lab leaves behind for those who look back: the agents' events, the clients' queries, the fleet as files.

All three in the forms that production has: an event log, a prober's results, a fleet folder. So timelines, diagnoses
and postmortems can be tried on a failure that really happened.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from anycastle.base.errors import WorldError
from anycastle.base.ports import Timestamp
from anycastle.io.event_log import EventLog
from anycastle.io.probe.result_json import line
from anycastle.lab.client import TIMEOUT_S, Query, Tally
from anycastle.lab.topology import Node, NodeKind, Topology
from anycastle.model.event import Event
from anycastle.model.vantage_point import VantagePoint
from anycastle.probe.kinds.dns import DNSSeen
from anycastle.probe.result import Failure, FailureKind, Phase, ProbeResult


def write_evidence(
    folder: Path, topology: Topology, events: Iterable[Event], tallies: Mapping[str, Tally], wall_ahead_s: float
) -> None:
    """Write `events.db`, `results.ndjson` and `fleet/`. `wall_ahead_s`: wall time less the clock of queries.

    Raises `WorldError` where the folder cannot be written, or holds evidence already.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise WorldError(f"{folder} is not empty", retryable=False)
        _write_fleet(folder / "fleet", topology)
        results = [each for name, tally in tallies.items() for each in _results(topology, name, tally, wall_ahead_s)]
        results.sort(key=lambda each: each.at)
        lines = (line(each, f"lab-{number}") for number, each in enumerate(results))
        (folder / "results.ndjson").write_bytes(b"".join(lines))
    except OSError as error:
        raise WorldError(f"{folder} cannot be written: {error.strerror}", retryable=False) from error
    with EventLog(folder / "events.db") as log:
        log.append(events)


def _results(topology: Topology, name: str, tally: Tally, wall_ahead_s: float) -> Iterable[ProbeResult]:
    node = topology.node(name)
    vantage = VantagePoint(name, node.asn, node.location)
    for query in tally.queries:
        yield _result(topology, vantage, query, wall_ahead_s)


def _result(topology: Topology, vantage: VantagePoint, query: Query, wall_ahead_s: float) -> ProbeResult:
    lost = query.answered_at is None
    took_ms = 1000.0 * (TIMEOUT_S if query.answered_at is None else query.answered_at - query.sent_at)
    failure = Failure(FailureKind.TIMEOUT, "answer", f"no answer in {TIMEOUT_S:g} s") if lost else None
    pop = query.answered_by or ""
    seen = DNSSeen("NOERROR", (pop,), authoritative=True, truncated=False, nsid="", octets=0, identity=pop)
    service = topology.services[0]
    return ProbeResult(
        vantage, service.name, "dns", Timestamp(query.sent_at + wall_ahead_s), 0.0, service.address, None,
        (Phase("answer", took_ms),), failure,
        None if lost else seen, pop, pop,
    )  # fmt: skip


def _write_fleet(folder: Path, topology: Topology) -> None:
    pops = topology.of_kind(NodeKind.POP)
    regions = ", ".join(dict.fromkeys(pop.region for pop in pops))
    files = {"fleet.yaml": f"name: {topology.name}\nasn: {topology.asn}\nregions: [{regions}]\n"}
    files |= {f"pops/{pop.name}.yaml": _pop(topology, pop) for pop in pops}
    timers = topology.timers
    for service in topology.services:
        files[f"services/{service.name}.yaml"] = (
            f"name: {service.name}\nprefixes: [{service.prefix}]\naddresses: [{service.address}]\npops: all\n"
            f"floor: {{pops: {service.floor.pops}}}\n"
            f"checks: [{{name: dns, interval: {timers.check_interval_s}s, timeout: {timers.check_timeout_s}s, "
            f"rise: {timers.rise}, fall: {timers.fall}, "
            f"dns: {{address: {service.address}, name: example.}}}}]\n"
        )
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _pop(topology: Topology, pop: Node) -> str:
    place = f"{{latitude: {pop.location.latitude}, longitude: {pop.location.longitude}}}"
    lines = [
        f"name: {pop.name}", f"city: {pop.city}", f"location: {place}", f"region: {pop.region}",
        f"router: {{driver: embedded, router_id: {topology.router_id(pop.name)}}}", "upstreams:",
    ]  # fmt: skip
    for number, link in enumerate(topology.links_of(pop.name), 1):
        far = topology.node(link.second if link.first == pop.name else link.first)
        lines.append(
            f"  - {{name: {far.name}, kind: transit, asn: {far.asn}, neighbours: [{{address: 192.0.2.{number}}}]}}"
        )
    return "\n".join(lines) + "\n"
