"""The queue between feeds and engine: in order, bounded, nothing lost silently."""

import asyncio

from anycastle.base.ports import Timestamp
from anycastle.io.feeds.fact_queue import BATCH_MAX, FactQueue
from anycastle.watch.fact import SeedEnd


def facts(first: int, count: int) -> list[SeedEnd]:
    return [SeedEnd(Timestamp(float(number))) for number in range(first, first + count)]


def test_order_and_batches() -> None:
    async def play() -> None:
        queue = FactQueue()
        queue.put(facts(0, BATCH_MAX + 5))
        taken = [*await queue.batch(0.1), *await queue.batch(0.1)]
        assert taken == facts(0, BATCH_MAX + 5)
        assert await queue.batch(0.01) == []
        assert queue.dropped == 0

    asyncio.run(play())


def test_what_does_not_fit_is_counted() -> None:
    async def play() -> None:
        queue = FactQueue(limit=3)
        queue.put(facts(0, 5))
        assert (await queue.batch(0.1), queue.dropped) == (facts(0, 3), 2)

    asyncio.run(play())


def test_whoever_can_wait_waits_for_room() -> None:
    async def play() -> None:
        queue = FactQueue(limit=10)
        queue.put(facts(0, 8))
        waiting = asyncio.create_task(queue.room())
        await asyncio.sleep(0)
        assert not waiting.done()
        await queue.batch(0.1)
        await waiting

    asyncio.run(play())
