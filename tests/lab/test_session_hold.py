"""Sessions held through what happens to routes and PoPs: a move, a move into silence, a server that goes."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from anycastle.io.probe.attempt import attempt
from anycastle.lab.netns import end
from anycastle.model.vantage_point import VantagePoint
from anycastle.probe.kinds.session import End, SessionAsk, SessionSeen
from anycastle.probe.result import FailureKind, ProbeResult
from anycastle.probe.site import parse_site_rule
from anycastle.probe.target import ProbeTarget
from tests.lab.two_pops import ANYCAST, ANYCAST_6, Network, two_pops

DEADLINE_S = 30.0
ASK = SessionAsk("dns", hold_s=25.0, every_s=0.3, answer_timeout_s=1.5)
HOSTS = pytest.mark.parametrize("host", [ANYCAST, ANYCAST_6])


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with two_pops("anyc-sh", tmp_path) as found:
        found.lead_to("ams")
        for _ in found.pops:  # both serve before a session begins at fra
            deadline = time.monotonic() + DEADLINE_S
            ask = SessionAsk("dns", hold_s=0.1, every_s=0.1)
            while any(_held(found, host, ask).failure for host in (ANYCAST, ANYCAST_6)):
                assert time.monotonic() < deadline
            found.lead_to("fra")
        yield found


def _held(network: Network, host: str, ask: SessionAsk) -> ProbeResult:
    target = ProbeTarget("t", host, 53, ask, timeout_s=60, site=parse_site_rule("(fra|ams)", {"fra", "ams"}))
    return network.here.call(lambda: asyncio.run(attempt(target, VantagePoint("here"))))


def through(network: Network, host: str, event: Callable[[], None], ask: SessionAsk = ASK) -> ProbeResult:
    """Hold a session; once it is open and has been answered, let something happen."""
    results: list[ProbeResult] = []
    session = threading.Thread(target=lambda: results.append(_held(network, host, ask)))
    session.start()
    deadline = time.monotonic() + DEADLINE_S
    while not _answered(network, host):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    event()
    session.join(DEADLINE_S)
    return results[0]


def _answered(network: Network, host: str) -> bool:
    """Tell whether octets have come back on a session to the host, as the kernel counts them."""
    shown = network.here.run("ss", "-Htni", "state", "established", "dst", f"[{host}]" if ":" in host else host)
    return "bytes_received" in shown


def life(result: ProbeResult) -> SessionSeen:
    assert isinstance(result.seen, SessionSeen), result
    return result.seen


@HOSTS
@pytest.mark.mission("I3", "M6")
def test_a_route_that_moves_resets_the_session_and_the_result_says_so(network: Network, host: str) -> None:
    result = through(network, host, lambda: network.lead_to("ams"))
    seen = life(result)
    assert (seen.end, seen.first, seen.last, seen.now) == (End.RESET, "fra", "fra", "ams")
    assert seen.answers >= 1
    assert 0 < seen.lived_s < ASK.hold_s
    assert result.failure is not None
    assert (result.failure.kind, result.failure.phase) == (FailureKind.RESET, "session")
    assert result.failure.words.startswith("the session was reset after ")
    assert result.failure.words.endswith(": fra before, ams now")
    assert result.pop == "ams"
    assert [phase.name for phase in result.phases] == ["connect", "session", "again"]


@HOSTS
@pytest.mark.mission("I3", "M6")
def test_a_pop_that_drops_what_it_does_not_know_leaves_the_session_silent(network: Network, host: str) -> None:
    network.pops["ams"].run(
        "nft", "-f", "-",
        text="table inet t {\nchain c {\ntype filter hook output priority 0\ntcp flags & rst == rst drop\n}\n}\n",
    )  # fmt: skip
    seen = life(result := through(network, host, lambda: network.lead_to("ams")))
    assert (seen.end, seen.last, seen.now) == (End.SILENCE, "fra", "ams")
    assert result.failure is not None
    assert result.failure.kind is FailureKind.TIMEOUT
    assert result.failure.words.endswith(": fra before, ams now")


def test_a_server_that_goes_is_no_move(network: Network) -> None:
    def restart() -> None:
        end(network.servers["fra"])

    seen = life(result := through(network, ANYCAST, restart))
    assert seen.end in (End.CLOSED, End.RESET)
    assert (seen.last, seen.now) == ("fra", "")
    assert "connection refused" in seen.trouble
    assert result.failure is not None
    assert result.failure.kind is FailureKind.RESET
    assert "before" not in result.failure.words


@HOSTS
def test_a_route_that_stays_holds_the_session(network: Network, host: str) -> None:
    result = _held(network, host, SessionAsk("dns", hold_s=1.0, every_s=0.1, answer_timeout_s=1.0))
    seen = life(result)
    assert result.failure is None, result
    assert (seen.end, seen.first, seen.last, seen.now, result.pop) == (End.HELD, "fra", "fra", "", "fra")
    assert seen.answers > 3
    assert seen.rtt_ms_min is not None
    assert 0 < seen.rtt_ms_min <= seen.rtt_ms_max
    assert [phase.name for phase in result.phases] == ["connect", "session"]


def test_a_path_that_heals_in_time_costs_no_session(network: Network) -> None:
    def there_and_back() -> None:
        fra = network.pops["fra"]
        fra.run("nft", "-f", "-", text="table inet t {\nchain c {\ntype filter hook input priority 0\ndrop\n}\n}\n")
        time.sleep(0.5)
        fra.run("nft", "delete", "table", "inet", "t")

    ask = SessionAsk("dns", hold_s=4.0, every_s=0.3, answer_timeout_s=3.0)
    seen = life(through(network, ANYCAST, there_and_back, ask))
    assert (seen.end, seen.last) == (End.HELD, "fra")
    assert seen.rtt_ms_max > 150  # TCP sent again
