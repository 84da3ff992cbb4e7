"""Feeds from this machine: MRT that a BGP daemon writes to a pipe or file, and the event logs of our own agents."""

import asyncio
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from anycastle.base.errors import WorldError
from anycastle.base.ports import Now
from anycastle.io.event_log import EventLog
from anycastle.io.feeds.fact_queue import BATCH_MAX, FactQueue
from anycastle.io.feeds.mrt import read_mrt
from anycastle.io.own_changes import facts_of
from anycastle.model.fleet import Fleet
from anycastle.watch.fact import Fact
from anycastle.watch.mrt import MRTReader
from anycastle.watch.silence import SilenceWatch
from anycastle.watch.table import WatchedTable
from anycastle.wire.mrt.codec import Record

POLL_S: Final = 1.0
"""Between looks at an agent's log."""


class MRTFeed:
    """MRT from a pipe, a file or an address, to its end. It waits while the queue is half full: nothing is dropped."""

    def __init__(
        self,
        source: str,
        collector: str,
        table: WatchedTable,
        queue: FactQueue,
        silence: SilenceWatch,
        now: Callable[[], Now],
    ) -> None:
        self.name = f"mrt {collector}"
        self.reader = MRTReader(table, collector)
        self.connected = False
        self.connections = 0
        self.trouble = ""
        self._source = source
        self._queue = queue
        self._silence = silence
        self._now = now

    async def run(self) -> None:
        """Read to the end of the source, or until cancelled."""
        self.connections += 1
        self.connected = True
        try:
            records = await asyncio.to_thread(read_mrt, self._source)
            while batch := await asyncio.to_thread(_some, records):
                self._queue.put(self._silence.heard(self.name, None, self._now().wall))
                for record in batch:
                    self._queue.put(self.reader.read(record))
                await self._queue.room()
            self._queue.put(self.reader.finish())
            self.trouble = "the source ended"
        except WorldError as error:
            self.trouble = str(error)
        finally:
            self.connected = False


def _some(records: Iterator[Record]) -> list[Record]:
    return list(islice(records, BATCH_MAX))


class OwnChangeFeed:
    """What an agent of ours does, from its log as it grows."""

    def __init__(self, path: Path, fleet: Fleet, queue: FactQueue) -> None:
        self.name = f"events {path}"
        self.connected = False
        self.connections = 0
        self.trouble = ""
        self._path = path
        self.fleet = fleet
        """May be replaced."""
        self._queue = queue
        self._after = 0

    async def run(self) -> None:
        """Read what was, then what comes, until cancelled; a log that is not there yet is waited for."""
        while True:
            try:
                self._queue.put(await asyncio.to_thread(self._read))
                self.connected, self.trouble = True, ""
            except WorldError as error:
                self.connected, self.trouble = False, str(error)
            await asyncio.sleep(POLL_S)

    def _read(self) -> list[Fact]:
        facts: list[Fact] = []
        with EventLog(self._path, read_only=True) as log:
            for stored in log.read(self._after):
                event = stored.event()
                if event is not None:
                    facts += facts_of(event, self.fleet)
                self._after = stored.sequence
        return facts
