"""Paris traceroute through real routers: two equal paths, a router that keeps silent, one that refuses."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from anycastle.io.probe.attempt import attempt
from anycastle.lab.netns import Namespace, join
from anycastle.model.vantage_point import VantagePoint
from anycastle.probe.kinds.traceroute import TraceAsk, TraceSeen
from anycastle.probe.result import FailureKind, ProbeResult
from anycastle.probe.target import ProbeTarget

TARGET = {4: "10.97.9.1", 6: "2001:db8:97:9::1"}
FIRST = {4: "10.97.0.2", 6: "2001:db8:97::2"}
VIA = {4: {"10.97.1.2", "10.97.2.2"}, 6: {"2001:db8:97:1::2", "2001:db8:97:2::2"}}
UNLIMITED = (
    "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0", "net.ipv4.icmp_msgs_per_sec=100000",
    "net.ipv4.icmp_msgs_burst=10000",
)  # fmt: skip
BALANCER = (
    # Addresses, protocol and ports, as balancers of the Internet look at them. Not policy 1: a veth hands on the hash
    # that the sender's socket drew, and each socket would have a path of its own, whatever its ports.
    "net.ipv4.fib_multipath_hash_policy=3", "net.ipv4.fib_multipath_hash_fields=0x37",
    "net.ipv6.fib_multipath_hash_policy=3", "net.ipv6.fib_multipath_hash_fields=0x37",
)  # fmt: skip


@dataclass
class Paths:
    """here - first - (up | down) - far, where the target's address is."""

    here: Namespace
    first: Namespace
    up: Namespace
    down: Namespace
    far: Namespace

    def trace(
        self, version: int, ask: TraceAsk, timeout_s: float = 20.0, source_port: int = 0, port: int = 33434
    ) -> ProbeResult:
        target = ProbeTarget("t", TARGET[version], port, ask, timeout_s=timeout_s, source_port=source_port)
        return self.here.call(lambda: asyncio.run(attempt(target, VantagePoint("here"))))


def _wire(one: Namespace, other: Namespace, number: int, name: str, other_name: str) -> None:
    join(one, name, other, other_name)
    for end, (namespace, interface) in enumerate(((one, name), (other, other_name)), 1):
        namespace.batch(
            f"addr add 10.97.{number}.{end}/24 dev {interface}",
            f"addr add 2001:db8:97:{number}::{end}/64 dev {interface} nodad",
            f"link set {interface} up",
        )


@pytest.fixture(scope="module")
def paths() -> Iterator[Paths]:
    names = ("here", "first", "up", "down", "far")
    with ExitStack() as stack:
        found = Paths(*(Namespace(f"anyc-tr-{name}") for name in names))
        for each in (found.here, found.first, found.up, found.down, found.far):
            each.remove()
            each.make()
            stack.callback(each.remove)
            each.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", *UNLIMITED, *BALANCER)
        _wire(found.here, found.first, 0, "first", "here")
        _wire(found.first, found.up, 1, "upper", "first")
        _wire(found.first, found.down, 2, "lower", "first")
        _wire(found.up, found.far, 3, "far", "upper")
        _wire(found.down, found.far, 4, "far", "lower")
        found.far.batch(f"addr add {TARGET[4]}/32 dev lo", f"addr add {TARGET[6]}/128 dev lo nodad")
        found.here.batch("route add default via 10.97.0.2", "route add default via 2001:db8:97:0::2")
        found.first.batch(
            "route add 10.97.9.0/24 nexthop via 10.97.1.2 nexthop via 10.97.2.2",
            "route add 2001:db8:97:9::/64 nexthop via 2001:db8:97:1::2 nexthop via 2001:db8:97:2::2",
        )
        for number, router in ((3, found.up), (4, found.down)):
            router.batch(
                f"route add 10.97.9.0/24 via 10.97.{number}.2",
                f"route add 2001:db8:97:9::/64 via 2001:db8:97:{number}::2",
                f"route add 10.97.0.0/24 via 10.97.{number - 2}.1",
                f"route add 2001:db8:97:0::/64 via 2001:db8:97:{number - 2}::1",
            )
        found.far.batch(
            "route add 10.97.0.0/24 via 10.97.3.1", "route add 2001:db8:97:0::/64 via 2001:db8:97:3::1",
        )  # fmt: skip
        for version in (4, 6):
            _settled(found, version)
        yield found


def _settled(paths: Paths, version: int) -> None:
    """Return once neighbours know each other: IPv6 looks for duplicates of link-local addresses first."""
    deadline = time.monotonic() + 20
    while len(_whole(paths, version)) < 2:
        assert time.monotonic() < deadline


def _whole(paths: Paths, version: int) -> set[str]:
    """Give the middle routers of traces in which every hop answered every time."""
    results = [paths.trace(version, TraceAsk(hop_timeout_s=0.3)) for _ in range(8)]
    whole = [hops(each) for each in results if each.failure is None and all(hops(each))]
    return {middle for each in whole if len(each) == 3 for middle in each[1]}


def hops(result: ProbeResult) -> list[tuple[str, ...]]:
    assert isinstance(result.seen, TraceSeen), result
    return [hop.addresses for hop in result.seen.hops]


@pytest.mark.mission("I3")
@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("protocol", ["udp", "icmp", "tcp"])
def test_all_probes_of_a_trace_take_one_of_two_equal_paths(paths: Paths, version: int, protocol: str) -> None:
    middles = set()
    for _ in range(24):
        result = paths.trace(version, TraceAsk(protocol, tries=5))
        assert result.failure is None, result
        found = hops(result)
        assert found[0] == (FIRST[version],)
        assert found[2] == (TARGET[version],)
        assert len(found) == 3
        # A classic traceroute shows both here, in a trace alone.
        assert len(found[1]) == 1, "probes of one trace took two paths"
        middles |= set(found[1])
        assert all(rtt_ms is not None for hop in result.seen.hops for rtt_ms in hop.rtts_ms)
    if protocol != "icmp":
        assert middles == VIA[version]  # another source port each time: both paths are seen over time
    else:
        assert middles <= VIA[version]


@pytest.mark.rfc("9293", "3.5")
@pytest.mark.parametrize("version", [4, 6])
def test_a_server_that_accepts_is_reached_and_no_connection_is_left_of_it(paths: Paths, version: int) -> None:
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    with paths.far.call(lambda: socket.create_server((TARGET[version], 443), family=family)) as server:
        server.settimeout(0.5)
        result = paths.trace(version, TraceAsk("tcp"), port=443)
        assert result.failure is None, result
        assert hops(result)[0] == (FIRST[version],)
        assert hops(result)[2] == (TARGET[version],)
        assert result.local_port is not None
        with pytest.raises(TimeoutError):
            server.accept()


def test_where_only_a_service_passes_tcp_is_the_way_to_see_the_path(paths: Paths) -> None:
    rule = "add table inet t\nadd chain inet t c { type filter hook input priority 0; }\n"
    for what in ("tcp dport != 443", "udp dport 1-65535"):
        rule += f"add rule inet t c ip daddr 10.97.9.1 {what} drop\n"
    paths.far.run("nft", "-f", "-", text=rule)
    try:
        over_udp = paths.trace(4, TraceAsk(hop_timeout_s=0.2))
        over_tcp = paths.trace(4, TraceAsk("tcp"), port=443)
    finally:
        paths.far.run("nft", "delete", "table", "inet", "t")
    assert over_udp.failure is not None
    assert over_udp.failure.kind is FailureKind.TIMEOUT
    assert over_tcp.failure is None, over_tcp
    assert hops(over_tcp)[2] == (TARGET[4],)


def test_one_source_port_keeps_to_one_path(paths: Paths) -> None:
    middles = {hops(paths.trace(4, TraceAsk(), source_port=40_000))[1] for _ in range(8)}
    assert len(middles) == 1


@pytest.mark.rfc("792", "time exceeded")
def test_a_silent_router_is_a_gap_and_the_target_is_reached_all_the_same(paths: Paths) -> None:
    rule = "add table inet t\nadd chain inet t c { type filter hook output priority 0; }\n"
    rule += "add rule inet t c icmp type time-exceeded drop\n"
    for router in (paths.up, paths.down):
        router.run("nft", "-f", "-", text=rule)
    try:
        result = paths.trace(4, TraceAsk(hop_timeout_s=0.3))
    finally:
        for router in (paths.up, paths.down):
            router.run("nft", "delete", "table", "inet", "t")
    assert result.failure is None, result
    assert hops(result) == [(FIRST[4],), (), (TARGET[4],)]
    assert result.seen.hops[1].rtts_ms == (None, None, None)


def test_a_router_that_refuses_ends_the_trace_with_its_reason(paths: Paths) -> None:
    for router in (paths.up, paths.down):
        router.batch("route replace prohibit 10.97.9.0/24")
    try:
        result = paths.trace(4, TraceAsk())
    finally:
        for number, router in ((3, paths.up), (4, paths.down)):
            router.batch("route del prohibit 10.97.9.0/24", f"route add 10.97.9.0/24 via 10.97.{number}.2")
    assert result.failure is not None
    assert result.failure.kind is FailureKind.UNREACHABLE
    assert "administratively prohibited" in result.failure.words
    assert set(hops(result)[-1]) < VIA[4]  # Linux tells it once a second, whatever is set: some tries stay silent


def test_silence_behind_a_router_ends_after_some_hops(paths: Paths) -> None:
    for router in (paths.up, paths.down):
        router.batch("route replace blackhole 10.97.9.0/24")
    try:
        result = paths.trace(4, TraceAsk(hop_timeout_s=0.2))
    finally:
        for number, router in ((3, paths.up), (4, paths.down)):
            router.batch("route del blackhole 10.97.9.0/24", f"route add 10.97.9.0/24 via 10.97.{number}.2")
    assert result.failure is not None
    assert result.failure.kind is FailureKind.TIMEOUT
    assert "nothing answered beyond hop " in result.failure.words
    assert not result.seen.reached
