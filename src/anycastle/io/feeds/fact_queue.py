"""Facts between feeds and the engine: bounded, and whatever does not fit is counted, never silently lost."""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Final

from anycastle.watch.fact import Fact

QUEUE_MAX: Final = 100_000
"""Facts waiting for the engine: some seconds of a storm on watched prefixes, about 50 MB."""

BATCH_MAX: Final = 1_000
"""Facts given at once, so that feeds are read in between."""


class FactQueue:
    """One event loop's queue."""

    def __init__(self, limit: int = QUEUE_MAX) -> None:
        self.dropped = 0
        self._limit = limit
        self._facts: deque[Fact] = deque()
        self._ready = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()

    def __len__(self) -> int:
        return len(self._facts)

    def put(self, facts: Iterable[Fact]) -> None:
        """Take facts, as far as there is room; never waits."""
        for fact in facts:
            if len(self._facts) >= self._limit:
                self.dropped += 1
            else:
                self._facts.append(fact)
        if self._facts:
            self._ready.set()
        if len(self._facts) > self._limit // 2:
            self._roomy.clear()

    async def room(self) -> None:
        """Wait until the queue is less than half full: for feeds that can wait, such as files."""
        await self._roomy.wait()

    async def batch(self, timeout_s: float) -> list[Fact]:
        """Give what waits, in its order; after `timeout_s` nothing."""
        if not self._facts:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._ready.wait()
            except TimeoutError:
                return []
        taken = [self._facts.popleft() for _ in range(min(BATCH_MAX, len(self._facts)))]
        if not self._facts:
            self._ready.clear()
        if len(self._facts) <= self._limit // 2:
            self._roomy.set()
        return taken
