"""Routers that dial our station over real sockets."""

import asyncio
from collections.abc import Awaitable, Callable

from anycastle.io.clock import now
from anycastle.io.feeds.bmp import BMPFeed
from anycastle.io.feeds.fact_queue import FactQueue
from anycastle.watch.engine import WatchEngine
from anycastle.watch.fact import Fact, OwnChange, PeerDown, PeerUp, RouteSeen
from anycastle.watch.intent import Intent
from anycastle.watch.silence import SilenceWatch
from anycastle.wire.bmp.codec import encode_bmp
from anycastle.wire.bmp.message import BMPMessage
from tests.unit.watch.scene import OURS, OWN, watched
from tests.unit.watch.test_bmp import INITIATION, OUT, UP, monitored

WAIT_S = 20.0


class Station:
    def __init__(self) -> None:
        self.queue = FactQueue()
        table = WatchEngine(Intent((watched(),), frozenset({OWN}))).table
        self.feed = BMPFeed(("127.0.0.1", 0), table, self.queue, SilenceWatch(), now, {"127.0.0.1": "fra1"})
        self.facts: list[Fact] = []
        self.routers: list[asyncio.StreamWriter] = []

    async def heard(self, condition: Callable[[list[Fact]], object]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not condition(self.facts):
                self.facts += await self.queue.batch(0.05)

    async def dial(self, octets: bytes) -> asyncio.StreamWriter:
        async with asyncio.timeout(WAIT_S):
            while self.feed.port == 0:
                await asyncio.sleep(0.01)
        _, writer = await asyncio.open_connection("127.0.0.1", self.feed.port)
        self.routers.append(writer)
        writer.write(octets)
        return writer


def stream(*messages: BMPMessage) -> bytes:
    return b"".join(map(encode_bmp, messages))


def serve(scenario: Callable[[Station], Awaitable[None]]) -> Station:
    async def run() -> Station:
        station = Station()
        serving = asyncio.create_task(station.feed.run())
        try:
            await scenario(station)
        finally:
            for writer in station.routers:
                writer.close()
            async with asyncio.timeout(WAIT_S):
                while station.feed.connected:
                    await asyncio.sleep(0.01)
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
        return station

    return asyncio.run(run())


def test_a_router_dials_tells_and_goes() -> None:
    async def scenario(station: Station) -> None:
        told = (INITIATION, UP, monitored(str(OURS), 64601, 64500), monitored(str(OURS), 64500, peer=OUT))
        writer = await station.dial(stream(*told))
        await station.heard(lambda facts: len(facts) >= 3)
        assert station.feed.connected
        writer.close()
        await station.heard(lambda facts: isinstance(facts[-1], PeerDown))

    station = serve(scenario)
    assert [type(fact) for fact in station.facts] == [PeerUp, RouteSeen, OwnChange, PeerDown]
    assert station.facts[2].pop == "fra1"
    assert (station.feed.connected, station.feed.connections, station.feed.messages) == (False, 1, 4)
    assert station.feed.trouble == "edge1: the BMP connection ended"


def test_the_trouble_is_over_when_the_router_is_back() -> None:
    async def scenario(station: Station) -> None:
        (await station.dial(stream(INITIATION, UP))).close()
        async with asyncio.timeout(WAIT_S):
            while not station.feed.trouble:
                await asyncio.sleep(0.01)
            await station.dial(stream(INITIATION, UP))
            while station.feed.trouble:
                await asyncio.sleep(0.01)
        assert station.feed.connected

    serve(scenario)


def test_who_speaks_no_bmp_is_left_and_others_go_on() -> None:
    async def scenario(station: Station) -> None:
        good = await station.dial(stream(INITIATION, UP))
        await station.dial(b"GET / HTTP/1.1\r\n\r\n")
        async with asyncio.timeout(WAIT_S):
            while "no BMP" not in station.feed.trouble:
                await asyncio.sleep(0.01)
        good.write(stream(monitored(str(OURS), 64601, 64500)))
        await station.heard(lambda facts: any(isinstance(fact, RouteSeen) for fact in facts))

    station = serve(scenario)
    assert station.feed.connections == 2


def test_a_router_that_dials_again_replaces_its_earlier_connection() -> None:
    async def scenario(station: Station) -> None:
        told = stream(INITIATION, UP, monitored(str(OURS), 64601, 64500))
        await station.dial(told)
        await station.heard(lambda facts: len(facts) == 2)
        await station.dial(told)
        await station.heard(lambda facts: len(facts) == 5)

    kinds = [type(fact) for fact in serve(scenario).facts]
    assert kinds[:5] == [PeerUp, RouteSeen, PeerDown, PeerUp, RouteSeen]


def test_a_feed_that_is_told_to_end_ends_though_routers_stay() -> None:
    async def run() -> None:
        station = Station()
        serving = asyncio.create_task(station.feed.run())
        writer = await station.dial(stream(INITIATION, UP))
        await station.heard(lambda facts: len(facts) == 1)
        serving.cancel()
        async with asyncio.timeout(WAIT_S):
            await asyncio.gather(serving, return_exceptions=True)
        assert not station.feed.connected
        writer.close()

    asyncio.run(run())
