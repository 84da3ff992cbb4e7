"""Feeds from this machine: MRT to its end without a drop, and an agent's log as it grows."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from anycastle.base.ports import Timestamp
from anycastle.io.clock import now
from anycastle.io.config import load_fleet
from anycastle.io.event_log import EventLog
from anycastle.io.feeds.fact_queue import FactQueue
from anycastle.io.feeds.live_files import MRTFeed, OwnChangeFeed
from anycastle.model.event import AnnouncementsApplied, Event
from anycastle.watch.fact import Fact, OwnAction, OwnChange, RouteSeen
from anycastle.watch.silence import SilenceWatch
from anycastle.watch.table import WatchedTable
from tests.unit.io.config.folders import SMALL, write
from tests.unit.io.feeds.test_replay import update
from tests.unit.watch.scene import OURS, watched

PATIENCE_S = 20.0


def run(feed: MRTFeed | OwnChangeFeed, queue: FactQueue, done: Callable[[list[Fact]], bool]) -> list[Fact]:
    async def play() -> list[Fact]:
        facts: list[Fact] = []
        task = asyncio.create_task(feed.run())
        async with asyncio.timeout(PATIENCE_S):
            while not done(facts):
                facts += await queue.batch(0.02)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return facts

    return asyncio.run(play())


def mrt_feed(source: str, queue: FactQueue) -> MRTFeed:
    return MRTFeed(source, "rrc00", WatchedTable([watched()]), queue, SilenceWatch(), now)


@pytest.mark.mission("I2")
def test_an_archive_larger_than_the_queue_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "updates").write_bytes(b"".join(update(60 + number, 3000, number + 1) for number in range(3000)))
    queue = FactQueue(limit=4000)
    feed = mrt_feed(str(tmp_path / "updates"), queue)
    facts = run(feed, queue, lambda facts: len(facts) >= 3000)
    assert [fact.path.origin for fact in facts if isinstance(fact, RouteSeen)] == list(range(1, 3001))
    assert (queue.dropped, feed.reader.records) == (0, 3000)


def test_a_source_that_is_not_there_is_the_feeds_trouble(tmp_path: Path) -> None:
    queue = FactQueue()
    feed = mrt_feed(str(tmp_path / "none"), queue)
    assert run(feed, queue, lambda _: bool(feed.trouble)) == []
    assert "No such file" in feed.trouble
    assert not feed.connected


@pytest.mark.mission("M2")
def test_an_agents_log_is_followed_and_waited_for(tmp_path: Path) -> None:
    fleet = load_fleet(write(tmp_path / "fleet", SMALL)).fleet
    assert fleet is not None
    path, queue = tmp_path / "events.db", FactQueue()
    feed = OwnChangeFeed(path, fleet, queue)

    def append(at: float, *bodies: AnnouncementsApplied) -> None:
        with EventLog(path) as log:
            log.append([Event(Timestamp(at), "fra1", body) for body in bodies])

    def done(facts: list[Fact]) -> bool:
        if not path.exists():
            if feed.trouble:
                append(1, AnnouncementsApplied(("192.0.2.0/24 transit-a",), (), ()))
        elif len(facts) == 1 and not appended:
            append(2, AnnouncementsApplied((), (), ("192.0.2.0/24 transit-a",)))
            appended.append(True)
        return len(facts) >= 2

    appended: list[bool] = []
    assert run(feed, queue, done) == [
        OwnChange(Timestamp(1.0), OURS, OwnAction.ANNOUNCE, "fra1", "transit-a"),
        OwnChange(Timestamp(2.0), OURS, OwnAction.WITHDRAW, "fra1", "transit-a"),
    ]
