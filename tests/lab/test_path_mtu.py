"""A narrow link between two routers: they tell of it, or a filter drops what they tell (a black hole)."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from anycastle.io.probe.attempt import attempt
from anycastle.lab.netns import Namespace, end, join, program
from anycastle.model.vantage_point import VantagePoint
from anycastle.probe.kinds.large_body import LargeBodyAsk, LargeBodySeen
from anycastle.probe.kinds.mtu import Limit, MTUAsk, MTUSeen, Told
from anycastle.probe.result import FailureKind, ProbeResult
from anycastle.probe.target import Ask, ProbeTarget

NARROW = 1400
HOST = {4: "10.96.2.2", 6: "2001:db8:96:2::2"}
NEAR_ROUTER = {4: "10.96.0.2", 6: "2001:db8:96:0::2"}
MUTE = """table inet hole {
  chain c {
    type filter hook output priority 0;
    icmp type destination-unreachable icmp code frag-needed drop
    icmpv6 type packet-too-big drop
  }
}
"""
"""What over-careful filters do to routers, and anycast to the errors that reach another PoP."""


@dataclass
class Narrow:
    """here - near = far - server; the link of the routers carries 1,400 octets, all others 1,500."""

    here: Namespace
    near: Namespace
    far: Namespace
    server: Namespace

    def probe(self, version: int, ask: Ask, port: int = 0, timeout_s: float = 20.0) -> ProbeResult:
        target = ProbeTarget("t", HOST[version], port, ask, timeout_s=timeout_s)
        return self.here.call(lambda: asyncio.run(attempt(target, VantagePoint("here"))))

    @contextmanager
    def mute(self) -> Iterator[None]:
        """Have no router tell."""
        self.forget()
        for router in (self.near, self.far):
            router.run("nft", "-f", "-", text=MUTE)
        try:
            yield
        finally:
            for router in (self.near, self.far):
                router.run("nft", "delete", "table", "inet", "hole")

    def forget(self) -> None:
        """Have both ends forget the MTUs that they were told of."""
        for each in (self.here, self.server):
            for family in ("-4", "-6"):
                each.run("ip", family, "route", "flush", "cache")


def _wire(one: Namespace, other: Namespace, number: int, names: tuple[str, str], mtu: int = 1500) -> None:
    join(one, names[0], other, names[1])
    for place, (namespace, interface) in enumerate(((one, names[0]), (other, names[1])), 1):
        namespace.batch(
            f"link set {interface} mtu {mtu}",
            f"addr add 10.96.{number}.{place}/24 dev {interface}",
            f"addr add 2001:db8:96:{number}::{place}/64 dev {interface} nodad",
            f"link set {interface} up",
        )


def _nginx(server: Namespace, folder: Path) -> "subprocess.Popen[bytes]":
    (folder / "small").write_bytes(b"s" * 1_000)
    (folder / "large").write_bytes(b"l" * 200_000)
    folder.chmod(0o755)
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; user root; pid {folder}/pid; error_log {folder}/log;\n"
        f"events {{}} http {{ access_log off; server {{ listen 80; listen [::]:80; root {folder}; }} }}\n"
    )
    return server.spawn(program("nginx"), "-c", str(folder / "nginx.conf"), "-e", str(folder / "log"), log=folder / "o")


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Narrow]:
    with ExitStack() as stack:
        found = Narrow(*(Namespace(f"anyc-mtu-{name}") for name in ("here", "near", "far", "server")))
        for each in (found.here, found.near, found.far, found.server):
            each.remove()
            each.make()
            stack.callback(each.remove)
            each.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        _wire(found.here, found.near, 0, ("near", "here"))
        _wire(found.near, found.far, 1, ("far", "near"), NARROW)
        _wire(found.far, found.server, 2, ("server", "far"))
        found.here.batch("route add default via 10.96.0.2", "route add default via 2001:db8:96:0::2")
        found.near.batch("route add 10.96.2.0/24 via 10.96.1.2", "route add 2001:db8:96:2::/64 via 2001:db8:96:1::2")
        found.far.batch("route add 10.96.0.0/24 via 10.96.1.1", "route add 2001:db8:96:0::/64 via 2001:db8:96:1::1")
        found.server.batch("route add default via 10.96.2.1", "route add default via 2001:db8:96:2::1")
        stack.callback(end, _nginx(found.server, tmp_path_factory.mktemp("nginx")))
        deadline = time.monotonic() + 20
        while any(found.probe(version, MTUAsk(1280), timeout_s=1).failure for version in HOST):
            assert time.monotonic() < deadline
        yield found


@pytest.mark.mission("I3")
@pytest.mark.rfc("1191", "4")
@pytest.mark.rfc("8201", "4")
@pytest.mark.parametrize("version", [4, 6])
def test_routers_that_tell_of_a_narrow_link_are_heard(narrow: Narrow, version: int) -> None:
    narrow.forget()
    result = narrow.probe(version, MTUAsk())
    seen = result.seen
    assert isinstance(seen, MTUSeen), result
    assert result.failure is None, result
    assert (seen.mtu_octets, seen.at_most_octets, seen.limit) == (NARROW, NARROW, Limit.TOLD)
    assert seen.told == (Told(NEAR_ROUTER[version].replace(":0::", "::"), NARROW),)
    again = narrow.probe(version, MTUAsk())  # the kernel has learnt by now; the probe asks the path all the same
    assert isinstance(again.seen, MTUSeen)
    assert (again.seen.mtu_octets, again.seen.limit) == (NARROW, Limit.TOLD)
    wanting = narrow.probe(version, MTUAsk(octets_min=1500))
    assert wanting.failure is not None
    assert wanting.failure.kind is FailureKind.CONTENT


@pytest.mark.mission("I3")
@pytest.mark.parametrize("version", [4, 6])
def test_a_black_hole_is_found_to_the_octet(narrow: Narrow, version: int) -> None:
    with narrow.mute():
        result = narrow.probe(version, MTUAsk())
    seen = result.seen
    assert isinstance(seen, MTUSeen), result
    assert (seen.mtu_octets, seen.at_most_octets, seen.limit, seen.told) == (NARROW, NARROW, Limit.SILENCE, ())
    assert result.failure is not None
    assert (result.failure.kind, result.failure.words) == (
        FailureKind.BLACK_HOLE, "packets of up to 1400 octets pass, larger ones vanish and no router says so",
    )  # fmt: skip


def test_beyond_our_own_interface_nothing_is_sent(narrow: Narrow) -> None:
    with narrow.mute():
        result = narrow.probe(4, MTUAsk(9000, octets_min=9000))
    seen = result.seen
    assert isinstance(seen, MTUSeen), result
    assert (seen.mtu_octets, seen.limit) == (NARROW, Limit.SILENCE)


def test_without_a_route_it_is_unreachable(narrow: Narrow) -> None:
    narrow.near.batch("route replace unreachable 10.96.2.0/24")
    try:
        result = narrow.probe(4, MTUAsk())
    finally:
        narrow.near.batch("route del unreachable 10.96.2.0/24", "route add 10.96.2.0/24 via 10.96.1.2")
    assert result.failure is not None, result
    assert (result.failure.kind, result.failure.phase) == (FailureKind.UNREACHABLE, "small")


LARGE = LargeBodyAsk("/large", "/small", tls=False, stall_s=1.0)


@pytest.mark.mission("I3")
@pytest.mark.parametrize("version", [4, 6])
def test_1_kb_and_200_kb_come_where_the_server_is_told_of_the_narrow_link(narrow: Narrow, version: int) -> None:
    narrow.forget()
    result = narrow.probe(version, LARGE, 80)
    assert result.failure is None, result
    assert isinstance(result.seen, LargeBodySeen)
    assert (result.seen.small_octets, result.seen.large_octets, result.seen.whole) == (1_000, 200_000, True)
    assert [phase.name for phase in result.phases] == ["small", "large"]


@pytest.mark.mission("I3")
@pytest.mark.parametrize(("version", "segment_octets"), [(4, 536), (6, 1220)])
def test_1_kb_comes_and_200_kb_do_not_where_nobody_tells(narrow: Narrow, version: int, segment_octets: int) -> None:
    with narrow.mute():
        result = narrow.probe(version, LARGE, 80)
    seen = result.seen
    assert isinstance(seen, LargeBodySeen), result
    assert (seen.small_octets, seen.whole, seen.clamped_octets) == (1_000, False, 200_000)
    assert seen.segment_octets > NARROW - 60
    assert seen.clamped_segment_octets == segment_octets - 12  # the option of timestamps takes 12 (RFC 7323 §3.2)
    assert seen.large_octets < 200_000
    assert result.failure is not None
    assert (result.failure.kind, result.failure.phase) == (FailureKind.BLACK_HOLE, "large")
    assert [phase.name for phase in result.phases] == ["small", "large", "clamped"]


def test_a_server_that_stops_is_no_black_hole(narrow: Narrow) -> None:
    """Nothing passes any more once the small body has come: small segments do not help."""
    narrow.near.run(
        "nft", "-f", "-",
        text="table inet stop {\nchain c {\ntype filter hook forward priority 0;\n"
        "tcp sport 80 meta length > 1380 drop\ntcp sport 80 meta length 500-700 drop\n}\n}\n",
    )  # fmt: skip
    try:
        result = narrow.probe(4, LARGE, 80)
    finally:
        narrow.near.run("nft", "delete", "table", "inet", "stop")
    assert result.failure is not None, result
    assert (result.failure.kind, result.failure.phase) == (FailureKind.TIMEOUT, "clamped")
