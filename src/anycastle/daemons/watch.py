"""The watch daemon's loop: feeds fill a queue, the engine empties it, its events go out. Wiring only.

The engine is also told of time that passes without facts, `LATENESS_S` behind the wall clock: collectors deliver some
seconds late, and a timer that ran ahead of a fact would find otherwise than a replay does.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from anycastle.base.ports import Now, Timestamp
from anycastle.io.feeds.fact_queue import FactQueue
from anycastle.model.event import Alarm, Event
from anycastle.watch.engine import OBSERVER, WatchEngine
from anycastle.watch.silence import SilenceWatch

LATENESS_S: Final = 5.0
"""How far the engine's clock stays behind the wall: RIS delivers within two seconds, most of the time."""

TICK_S: Final = 0.5
"""How long the loop waits for facts before it looks at its deadlines."""

CHECK_S: Final = 5.0
"""Between looks at who is silent and what was dropped."""


class Feed(Protocol):
    """Something that fills the queue until it is cancelled."""

    name: str

    async def run(self) -> None:
        """Read until cancelled."""
        ...


class WatchDaemon:
    """One engine with its feeds."""

    def __init__(
        self,
        engine: WatchEngine,
        queue: FactQueue,
        silence: SilenceWatch,
        record: Callable[[Event], None],
        now: Callable[[], Now],
    ) -> None:
        self.engine = engine
        self.queue = queue
        self.silence = silence
        self.facts = 0
        self._record = record
        self._now = now
        self._stopping = False
        self._dropped = 0
        self._check_due = 0.0

    def stop(self) -> None:
        """End `run` after the facts that wait."""
        self._stopping = True

    async def run(self, feeds: Sequence[Feed]) -> None:
        """Serve until `stop`; a feed that ends by an error of its own ends the daemon."""
        tasks = [asyncio.create_task(feed.run(), name=feed.name) for feed in feeds]
        try:
            while not self._stopping:
                await self._turn()
                for task in tasks:
                    if task.done() and not task.cancelled() and task.exception() is not None:
                        task.result()
            while len(self.queue):
                await self._turn()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _turn(self) -> None:
        for fact in await self.queue.batch(TICK_S):
            self.facts += 1
            self._tell(self.engine.take(fact))
        now = self._now()
        self._tell(self.engine.advance(Timestamp(now.wall - LATENESS_S)))
        if now.monotonic >= self._check_due:
            self._check_due = now.monotonic + CHECK_S
            self.queue.put(self.silence.check(now.wall))
            self._tell_drops(now.wall)

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            self._record(event)

    def _tell_drops(self, wall: Timestamp) -> None:
        lost = self.queue.dropped - self._dropped
        if lost:
            self._dropped = self.queue.dropped
            text = f"{lost} facts did not fit the queue and are lost: more comes than one core can take"
            self._record(Event(wall, OBSERVER, Alarm("facts_dropped", "queue", text)))
