"""A router, which is our own speaker, tells the watch its routes over real sockets."""

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from anycastle.base.errors import WorldError
from anycastle.io.clock import now
from anycastle.io.feeds.bgp import BGPFeed
from anycastle.io.feeds.fact_queue import FactQueue
from anycastle.io.speaker.config import NeighbourConfig, SpeakerConfig
from anycastle.io.speaker.speaker import Speaker
from anycastle.model.asn import ASN
from anycastle.model.prefix import Family, parse_prefix
from anycastle.model.watch import WatchSession
from anycastle.rib.policy import NeighbourPolicy, NetworkPolicy, Relationship
from anycastle.rib.route import Route
from anycastle.session.config import RestartConfig, SessionConfig
from anycastle.watch.engine import WatchEngine
from anycastle.watch.fact import Fact, PeerDown, PeerUp, RouteGone, RouteSeen, TableSize
from anycastle.watch.intent import Intent
from anycastle.watch.silence import SilenceWatch
from anycastle.wire.bgp.as_path import ASPath
from anycastle.wire.bgp.attributes import Origin, PathAttributes
from tests.unit.watch.scene import OURS, OURS_6, OWN, watched

WAIT_S = 20.0
HERE, THERE = IPv4Address("127.0.3.1"), IPv4Address("127.0.3.2")
ROUTER = ASN(64601)


class Rig:
    """The feed, and a router that it is to dial or that dials it."""

    def __init__(self, port: int, **told: object) -> None:
        session = WatchSession(THERE, ROUTER, port, passive=True, hold_time_s=9, **told)  # type: ignore[arg-type]
        self.silence, self.queue, self.facts = SilenceWatch(), FactQueue(), list[Fact]()
        self.engine = WatchEngine(Intent((watched(),), frozenset({OWN})))
        self.feed = BGPFeed((HERE, 0), [session], OWN, self.engine.table, self.queue, self.silence, now)
        self.router: Speaker | None = None

    async def begin(self) -> Speaker:
        async with asyncio.timeout(WAIT_S):
            while not self.feed._sockets.listening:
                await asyncio.sleep(0.01)
        session = SessionConfig(
            ROUTER, OWN, THERE, "watch", (Family.IPV4, Family.IPV6), connect_retry_s=0.2, idle_hold_s=0.1,
            graceful_restart=RestartConfig(),
        )  # fmt: skip
        policy = NeighbourPolicy("watch", OWN, Relationship.CUSTOMER)
        neighbour = NeighbourConfig("watch", HERE, session, self.feed.port, THERE, policy=policy)
        self.router = Speaker(SpeakerConfig((neighbour,), (), NetworkPolicy(ROUTER), keep_received=True))
        await self.router.start()
        return self.router

    async def heard(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not condition():
                self.facts += await self.queue.batch(0.02)

    def of(self, kind: type[Fact]) -> list[Fact]:
        return [fact for fact in self.facts if isinstance(fact, kind)]


def routes(**paths: tuple[int, ...]) -> list[Route]:
    prefixes = {"ours": OURS, "other": parse_prefix("203.0.113.0/24"), "more": parse_prefix("203.0.114.0/24")}
    return [
        Route(prefixes[name], PathAttributes(origin=Origin.IGP, as_path=ASPath.sequence(*path)))
        for name, path in paths.items()
    ]


def serve(rig: Rig, scenario: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        serving = asyncio.create_task(rig.feed.run())
        try:
            await scenario()
        finally:
            if rig.router is not None:
                await rig.router.stop("done")
            serving.cancel()
            (end,) = await asyncio.gather(serving, return_exceptions=True)
            assert isinstance(end, asyncio.CancelledError), end

    asyncio.run(run())


@pytest.mark.mission("C6", "I2")
def test_a_router_tells_its_routes_and_is_told_none() -> None:
    rig = Rig(1)

    async def scenario() -> None:
        router = await rig.begin()
        router.originate(routes(ours=(64496, OWN), other=(64496,)))
        await rig.heard(lambda: rig.of(RouteSeen) and len(rig.of(TableSize)) == 2)
        (state,) = rig.feed.sessions()
        assert (state["state"], state["routes"]) == ("established", {"ipv4": 2, "ipv6": 0})
        assert rig.feed.connected
        assert not rig.feed.trouble
        assert router.received("watch") == (), "a watch announces nothing"
        router.originate(routes(other=(64496,)))
        await rig.heard(lambda: rig.of(RouteGone))
        assert {peer for _, peer, _ in rig.silence.silences(now().wall)} == {None, rig.of(RouteSeen)[0].peer}  # type: ignore[union-attr]

    serve(rig, scenario)


@pytest.mark.rfc("4724", "4.2")
def test_a_router_that_comes_back_is_heard_anew_and_withdraws_nothing_meanwhile() -> None:
    rig = Rig(1)

    async def scenario() -> None:
        router = await rig.begin()
        router.originate(routes(ours=(64496, OWN)))
        await rig.heard(lambda: rig.of(RouteSeen))
        await router.stop("restarting", withdraw=False)
        await rig.heard(lambda: rig.of(PeerDown))
        assert "AS64601 127.0.3.2: " in rig.feed.trouble
        router = await rig.begin()
        router.originate(routes(ours=(64496, OWN)))
        await rig.heard(lambda: len(rig.of(RouteSeen)) > 1)
        assert len(rig.of(PeerUp)) == 2
        assert rig.of(RouteGone) == []

    serve(rig, scenario)


def test_a_router_that_tells_too_much_is_cut_off() -> None:
    rig = Rig(1, max_prefixes=2)

    async def scenario() -> None:
        router = await rig.begin()
        router.originate(routes(ours=(64496, OWN), other=(64496,), more=(64497,)))
        await rig.heard(lambda: rig.of(PeerDown))
        assert "its limit is 2" in rig.feed.trouble

    serve(rig, scenario)


def test_other_prefixes_are_heard_by_asking_again() -> None:
    rig = Rig(1)

    async def scenario() -> None:
        router = await rig.begin()
        router.originate(routes(ours=(64496, OWN), other=(64496, OWN)))
        await rig.heard(lambda: rig.of(TableSize))
        other = watched(parse_prefix("203.0.113.0/24"))
        rig.engine.table.replace((other, watched(OURS_6)))
        rig.feed.ask_again()
        await rig.heard(lambda: any(fact.prefix == other.prefix for fact in rig.of(RouteSeen)))  # type: ignore[union-attr]

    serve(rig, scenario)


def test_a_password_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match=r"the password of 127\.0\.3\.2 cannot be read from .*missing"):
        Rig(1, password_file=str(tmp_path / "missing"))
