"""Symptoms in what probes see: of real servers on the loopback, of the real trace engine, of ways round the Earth."""

import asyncio
import json
import re
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from anycastle.base.ports import Timestamp
from anycastle.io.probe.attempt import attempt
from anycastle.model.check import Outcome
from anycastle.model.prefix import parse_address
from anycastle.probe.kinds.http import HTTPAsk
from anycastle.probe.kinds.traceroute import TraceAsk
from anycastle.probe.result import Phase, ProbeResult
from anycastle.probe.site import SiteRule
from anycastle.probe.target import ProbeTarget
from anycastle.response.symptoms.symptom import State
from tests.unit.io.checks.conftest import no_descriptor_leaks, serve
from tests.unit.probe.kinds.test_traceroute import traced
from tests.unit.response.symptoms.rig import START, agent, answer, case_of, home, judged, vantage_points

__all__ = ["no_descriptor_leaks", "serve"]


def http_server(pop: str, body: str):  # type: ignore[no-untyped-def]
    def answer_once(connection: socket.socket) -> None:
        connection.recv(4096)
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nX-Served-By: {pop}\r\nConnection: close\r\n\r\n"
        connection.sendall((head + body).encode())

    return answer_once


def reset_server(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def probed(port: int, number: int = 0) -> ProbeResult:
    ask = HTTPAsk(tls=False, body_contains="version 7", site_header="x-served-by")
    target = ProbeTarget("www", "127.0.0.1", port, ask, site=SiteRule(re.compile(r"^([a-z]{3})")))
    return asyncio.run(attempt(target, vantage_points()[number][1]))


@pytest.mark.mission("O6")
def test_7_one_pop_has_the_old_content(serve, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    fresh, old = http_server("ams1", "version 7"), http_server("iad1", "version 6")
    probes = [probed(serve(fresh), n) for n in range(3)] + [probed(serve(old), n) for n in range(5, 8)]
    told = judged(case_of(tmp_path, probes=probes))["stale-caches"]
    assert told.state is State.LIKELY
    assert told.evidence[0].startswith("iad: body: status 200, but 'version 7' is not in the 9 octets")


def test_7_all_have_it_then_it_is_the_origin(serve, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    probes = [probed(serve(http_server(pop, "version 6")), n) for n, pop in enumerate(("ams1", "iad1"))]
    told = judged(case_of(tmp_path, probes=probes))["stale-caches"]
    assert (told.state, told.against) == (
        State.POSSIBLE, ("all PoPs that were asked are wrong: look at the origin",)
    )  # fmt: skip


@pytest.mark.mission("O6")
def test_3_sessions_are_reset_where_clients_change_their_pop(serve, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    before, after = serve(http_server("ams1", "version 7")), serve(http_server("iad1", "version 7"))
    probes = [probed(before), probed(before), probed(serve(reset_server)), probed(after)]
    assert [each.failure.kind.value for each in probes if each.failure] == ["reset"]
    told = judged(case_of(tmp_path, probes=probes))["sessions-reset"]
    assert told.state is State.LIKELY
    assert any("went from ams to iad" in each for each in told.evidence)


def test_3_resets_of_clients_that_stay_are_the_services_own(serve, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    before = serve(http_server("ams1", "version 7"))
    told = judged(case_of(tmp_path, probes=[probed(before), probed(serve(reset_server)), probed(before)]))
    assert told["sessions-reset"].state is State.POSSIBLE
    assert told["sessions-reset"].against


@pytest.mark.mission("O6")
def test_14_two_equal_paths_by_the_source_port(tmp_path: Path) -> None:
    _, who = vantage_points()[0]
    ways = {0: ["a", "b1", "c", "t"], 1: ["a", "b2", "c", "t"]}

    def trace(number: int, way: list[str | None]) -> ProbeResult:
        seen = traced(list(way), TraceAsk(), seed=number)
        return ProbeResult(
            who, "dns", "traceroute", Timestamp(START + number), 0.0, parse_address("192.0.2.53"), 40_000 + number,
            (Phase("answer", 10.0),), None, seen, "ams", "ams",
        )  # fmt: skip

    told = judged(case_of(tmp_path, probes=[trace(n, ways[n % 2]) for n in range(6)]))["misleading-traces"]
    assert told.state is State.LIKELY
    assert "2 ways, over hop 2 (b1, b2)" in told.evidence[0]
    same = judged(case_of(tmp_path, probes=[trace(n, ["a", None if n % 2 else "b1", "c", "t"]) for n in range(6)]))
    assert same["misleading-traces"].state is State.NOT_SEEN  # silence is no other way
    none = judged(case_of(tmp_path, probes=[answer(who, START, "ams")]))
    assert none["misleading-traces"].state is State.NOT_ENOUGH


def asked(until_s: int, at_s: int, moved: str | None):  # type: ignore[no-untyped-def]
    """Give probes whose European networks land at another PoP from a time on."""
    return [
        answer(who, START + at, moved if moved and region == "europe" and at >= at_s else home(region))
        for at in range(0, until_s, 10)
        for region, who in vantage_points()
    ]


@pytest.mark.mission("O6")
def test_1_and_13_europe_is_sent_over_the_ocean(tmp_path: Path) -> None:
    told = judged(case_of(tmp_path, probes=asked(600, 300, "iad")))
    assert told["latency-up"].state is State.POSSIBLE  # one region, and nothing that says why
    assert "from europe: median" in told["latency-up"].evidence[0]
    assert "5 networks" in told["latency-up"].evidence[0]
    assert told["asymmetry"].state is State.LIKELY
    assert "is answered by iad in north-america" in told["asymmetry"].evidence[0]
    calm = judged(case_of(tmp_path, probes=asked(600, 300, None)))
    assert (calm["latency-up"].state, calm["asymmetry"].state) == (State.NOT_SEEN, State.NOT_SEEN)


def test_1_our_own_withdrawal_speaks_against_it(tmp_path: Path) -> None:
    made = agent("ams")
    made.answers["dns"] = Outcome.FAIL
    made.run(60)
    told = judged(case_of(tmp_path, probes=asked(120, 60, "iad"), events=made.events()))["latency-up"]
    assert told.state is State.POSSIBLE
    assert told.against[0].startswith("our own change of routes at that time: ams: ")


@pytest.mark.mission("O6")
def test_8_regions_that_nobody_asks_from(tmp_path: Path) -> None:
    probes = [each for each in asked(60, 0, None) if "asia" not in each.vantage.name]
    told = judged(case_of(tmp_path, probes=probes))["blind-spots"]
    assert told.evidence == ("asia: 0 networks ask from there; 5 are the fewest",)
    assert judged(case_of(tmp_path, probes=asked(60, 0, None)))["blind-spots"].state is State.NOT_SEEN
    bare = judged(case_of(tmp_path, probes=probes, with_fleet=False))["blind-spots"]
    assert (bare.state, bare.missing) == (State.NOT_ENOUGH, ("the fleet's files",))
    unprobed = judged(case_of(tmp_path))["blind-spots"]
    assert (unprobed.state, unprobed.missing) == (State.NOT_ENOUGH, ("probes' results",)), "not given is not none"


def matrix(path: Path, **pops: list[float]) -> Path:
    """Write what Prometheus answers to a range query (its documentation of `/api/v1/query_range`)."""
    result = [
        {"metric": {"pop": pop}, "values": [[START + 15 * n, f"{value:g}"] for n, value in enumerate(values)]}
        for pop, values in pops.items()
    ]
    path.write_text(json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}))
    return path


@pytest.mark.mission("O6")
def test_6_busy_processors_and_a_storm(tmp_path: Path) -> None:
    cpu = matrix(tmp_path / "cpu.json", ams=[0.3] * 8 + [0.97] * 3, iad=[0.3] * 11)
    storm = matrix(tmp_path / "packets.json", ams=[1e5] * 8 + [9e5] * 3, iad=[1e5] * 11)
    calm = matrix(tmp_path / "calm.json", ams=[1e5] * 11, iad=[1e5] * 11)
    told = judged(case_of(tmp_path, telemetry=[("cpu", cpu), ("packets", storm)]))["edge-cpu"]
    assert told.state is State.LIKELY
    assert told.evidence == ("ams: cpu at 97%", "ams: 9.0 times its usual traffic")
    own = judged(case_of(tmp_path, telemetry=[("cpu", cpu), ("packets", calm)]))["edge-cpu"]
    assert (own.state, own.against) == (State.POSSIBLE, ("traffic is as usual: the load is the service's own",))
    half = judged(case_of(tmp_path, telemetry=[("cpu", cpu)]))["edge-cpu"]
    assert half.missing == ("telemetry of PoPs: packets or requests",)


@pytest.mark.mission("O6")
def test_17_caches_that_forget_too_soon_and_caches_that_are_cold(tmp_path: Path) -> None:
    ratio = matrix(tmp_path / "hits.json", ams=[0.95] * 8 + [0.5] * 3)
    origin = matrix(tmp_path / "origin.json", ams=[100] * 8 + [900] * 3)
    telemetry = [("hit_ratio", ratio), ("origin_requests", origin)]
    told = judged(case_of(tmp_path, telemetry=telemetry))["short-lives"]
    assert told.state is State.LIKELY
    made = agent("iad")
    made.carry_out(made.engine.drain(["dns"], "ada", "line cards", made.now, soak_s=1.0, wait_s=1.0))
    made.run(30)
    cold = judged(case_of(tmp_path, telemetry=telemetry, events=made.events()))["short-lives"]
    assert (cold.state, cold.against) == (State.POSSIBLE, ("clients moved after a drain of iad: caches are cold",))


def test_telemetry_of_a_wrong_kind_is_refused(tmp_path: Path) -> None:
    from anycastle.base.errors import ParseError
    from anycastle.io.evidence import Read, read_telemetry

    path = matrix(tmp_path / "x.json", ams=[1.0])
    with pytest.raises(ParseError, match="'cpus' is none of"):
        read_telemetry("cpus", path, Read())
    path.write_text('{"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": []}]}}')
    with pytest.raises(ParseError, match="no label 'pop'"):
        read_telemetry("cpu", path, Read())


def test_probes_of_ours_that_failed_are_no_evidence(tmp_path: Path) -> None:
    from anycastle.probe.result import Failure, FailureKind

    _, who = vantage_points()[0]
    ours = replace(answer(who, time.time(), None), failure=Failure(FailureKind.OURS, "answer", "no descriptor"))
    assert case_of(tmp_path, probes=[ours]).probes == ()
