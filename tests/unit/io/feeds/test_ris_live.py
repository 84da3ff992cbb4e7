"""The RIS Live client against a server of ours that misbehaves: drops, garbage, silence, floods."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from anycastle.io.clock import now
from anycastle.io.feeds.fact_queue import FactQueue
from anycastle.io.feeds.ris_live import RISLiveFeed
from anycastle.watch.fact import Fact, FeedGap, FeedSilence, PeerDown, RouteGone, RouteSeen
from anycastle.watch.silence import SilenceWatch
from anycastle.watch.table import WatchedTable
from anycastle.wire.ris_live import FRAME_BYTES_MAX
from tests.unit.watch.scene import OURS, OURS_6, watched

Handler = Callable[[ServerConnection, int], Awaitable[None]]
PATIENCE_S = 20.0


def message(prefix: str = "192.0.2.0/24", **more: Any) -> str:
    data = {
        "timestamp": 1_700_000_000.5,
        "peer": "203.0.113.1",
        "peer_asn": "3333",
        "host": "rrc00.ripe.net",
        "type": "UPDATE",
        "path": [3333, 64496, 64500],
        "announcements": [{"next_hop": "203.0.113.1", "prefixes": [prefix]}],
    }
    return json.dumps({"type": "ris_message", "data": data | more})


class Run:
    """A feed under test, with all that it gave."""

    def __init__(self, address: str, silent_max_s: float, limit: int) -> None:
        self.queue = FactQueue(limit)
        self.silence = SilenceWatch(feed_limit_s=0.2)
        table = WatchedTable([watched(), watched(OURS_6)])
        self.feed = RISLiveFeed(
            table, self.queue, self.silence, now, random.Random(1), address=address, silent_max_s=silent_max_s,
            back_off_first_s=0.01,
        )  # fmt: skip
        self.facts: list[Fact] = []

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not done():
                self.facts += await self.queue.batch(0.02)


def converse(handler: Handler, done: Callable[[Run], bool], *, silent_max_s: float = 10.0, limit: int = 10_000) -> Run:
    """Run a feed against a server until `done`."""
    served = 0

    async def accept(connection: ServerConnection) -> None:
        nonlocal served
        served += 1
        await handler(connection, served)

    async def play() -> Run:
        async with serve(accept, "127.0.0.1", 0, max_size=None) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            run = Run(f"ws://127.0.0.1:{port}/v1/ws/?client=test", silent_max_s, limit)
            task = asyncio.create_task(run.feed.run())
            try:
                await run.until(lambda: done(run))
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            return run

    return asyncio.run(play())


def routes(run: Run) -> list[RouteSeen]:
    return [fact for fact in run.facts if isinstance(fact, RouteSeen)]


def gaps(run: Run) -> list[FeedGap]:
    return [fact for fact in run.facts if isinstance(fact, FeedGap)]


@pytest.mark.mission("I2", "C6")
def test_it_subscribes_to_each_prefix_with_all_around_it_and_reads() -> None:
    asked: list[dict[str, Any]] = []

    async def handler(connection: ServerConnection, number: int) -> None:
        asked.extend([json.loads(await connection.recv()) for _ in range(2)])
        await connection.send(message())
        await connection.send(message("198.51.100.0/24"))
        await connection.send(message(type="RIS_PEER_STATE", state="down", announcements=[]))
        await connection.send(message(announcements=[], withdrawals=["192.0.2.0/24", "2001:db8:53:0::/48"]))
        await connection.wait_closed()

    run = converse(handler, lambda run: len(run.facts) >= 4)
    assert [each["data"]["prefix"] for each in asked] == ["192.0.2.0/24", "2001:db8:53::/48"]
    assert all(each["data"]["moreSpecific"] and each["data"]["lessSpecific"] for each in asked)
    assert [type(fact) for fact in run.facts] == [RouteSeen, PeerDown, RouteGone, RouteGone]
    assert (run.feed.reader.messages, run.feed.reader.concerned) == (4, 2)


@pytest.mark.mission("I2")
def test_a_prefix_that_comes_while_it_still_subscribes_is_asked_for_too() -> None:
    asked: list[str] = []
    reading = asyncio.Event()
    long = [str(number) + "x" * 1_000_000 for number in range(48)]  # more than fits between two that do not read
    steps = [long, [*long, "192.0.2.0/24"]]
    watching: list[asyncio.Task[None]] = []

    async def handler(connection: ServerConnection, number: int) -> None:
        await reading.wait()
        async for frame in connection:
            asked.append(json.loads(frame)["data"]["prefix"])  # noqa: PERF401

    def done(run: Run) -> bool:
        if steps and run.feed.connected is bool(watching):
            watching.append(asyncio.ensure_future(run.feed.watch(steps.pop(0))))
            if not steps:
                reading.set()
        return len(asked) > len(long)

    converse(handler, done)
    assert sorted(asked) == sorted([*long, "192.0.2.0/24"])


@pytest.mark.mission("I2")
def test_a_connection_that_is_dropped_is_made_anew_and_the_gap_is_told() -> None:
    async def handler(connection: ServerConnection, number: int) -> None:
        await connection.recv()
        await connection.recv()
        await connection.send(message())
        if number < 3:
            connection.transport.close()  # without a word of WebSocket's
        await connection.wait_closed()

    run = converse(handler, lambda run: len(routes(run)) >= 3)
    assert len(gaps(run)) == 2
    assert all(gap.feed == "ris-live" and gap.seconds > 0 and gap.reason for gap in gaps(run))
    assert run.feed.connections == 3


@pytest.mark.mission("I2")
def test_garbage_is_counted_and_what_follows_is_read() -> None:
    bad = [
        "",
        "{",
        "[]",
        '{"type": 5}',
        '{"type":"ris_message","data":{"timestamp":"x"}}',
        message(timestamp=1e300),
        message(peer_asn="99999999999"),
        message(path=[-1]),
        message(path=[[[1]]]),
        message(community=[[1, 70000]]),
        message("192.0.2.1/24"),
        "[" * 100_000,
    ]

    async def handler(connection: ServerConnection, number: int) -> None:
        for text in bad:
            await connection.send(text)
        await connection.send(b"\xff\xfe")
        await connection.send('{"type":"ris_error","data":{"message":"no such prefix"}}')
        await connection.send(message())
        await connection.wait_closed()

    run = converse(handler, lambda run: bool(routes(run)))
    assert run.feed.reader.garbage == len(bad) + 1
    assert run.feed.reader.errors == ["no such prefix"]
    assert run.feed.connections == 1


def test_a_prefix_that_is_none_does_not_take_the_message_with_it() -> None:
    async def handler(connection: ServerConnection, number: int) -> None:
        both = [{"next_hop": "", "prefixes": ["nonsense", "192.0.2.0/24"]}]
        await connection.send(message(announcements=both))
        await connection.wait_closed()

    run = converse(handler, lambda run: bool(routes(run)))
    assert (routes(run)[0].prefix, run.feed.reader.garbage) == (OURS, 1)


def test_a_frame_beyond_any_size_ends_the_connection_and_not_the_feed() -> None:
    async def handler(connection: ServerConnection, number: int) -> None:
        if number == 1:
            await connection.send("x" * (FRAME_BYTES_MAX + 1))
        else:
            await connection.send(message())
        await connection.wait_closed()

    run = converse(handler, lambda run: bool(routes(run)))
    assert run.feed.connections == 2


@pytest.mark.mission("I2")
def test_a_server_that_falls_silent_is_left() -> None:
    async def handler(connection: ServerConnection, number: int) -> None:
        if number > 1:
            await connection.send(message())
        await connection.wait_closed()

    run = converse(handler, lambda run: bool(routes(run)), silent_max_s=0.2)
    assert run.feed.connections >= 2
    assert not run.feed.trouble, "it is connected again"
    silent = [fact for fact in run.facts if isinstance(fact, FeedSilence)]
    assert not [fact for fact in silent if fact.silent], "silence is told by whoever checks, not by the feed"


def test_a_calm_server_that_answers_pings_is_kept() -> None:
    pings = 0

    async def handler(connection: ServerConnection, number: int) -> None:
        nonlocal pings
        async for frame in connection:
            if json.loads(frame)["type"] == "ping":
                pings += 1
                await connection.send('{"type":"pong","data":null}')

    run = converse(handler, lambda run: pings >= 5, silent_max_s=2.0)
    assert (run.feed.connections, run.facts) == (1, [])


@pytest.mark.mission("I2")
def test_what_does_not_fit_the_queue_is_counted() -> None:
    async def handler(connection: ServerConnection, number: int) -> None:
        for _ in range(50):
            await connection.send(message(withdrawals=["2001:db8:53::/48"]))
        await connection.wait_closed()

    run = converse(handler, lambda run: run.feed.reader.messages >= 50, limit=1)
    assert run.queue.dropped + len(run.facts) + len(run.queue) == 100
    assert run.queue.dropped >= 50


def test_a_message_from_the_future_does_not_move_the_clock() -> None:
    async def handler(connection: ServerConnection, number: int) -> None:
        await connection.send(message(timestamp=9e9))
        await connection.wait_closed()

    run = converse(handler, lambda run: bool(routes(run)))
    assert routes(run)[0].at <= now().wall
    assert run.feed.ahead == 1


def test_a_server_that_is_not_there_is_tried_again() -> None:
    async def play() -> Run:
        run = Run("ws://127.0.0.1:9/", 1.0, 10)
        task = asyncio.create_task(run.feed.run())
        await run.until(lambda: bool(run.feed.trouble))
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return run

    run = asyncio.run(play())
    assert (run.feed.connections, run.feed.connected) == (0, False)
    assert run.feed.trouble
