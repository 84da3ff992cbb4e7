"""The event log of another daemon on this machine as a source: rows behind a number, which is the place."""

import asyncio
from pathlib import Path
from typing import Final

import msgspec

from anycastle.base.errors import WorldError
from anycastle.base.ports import Now
from anycastle.io.event_log import EventLog, StoredEvent
from anycastle.io.telemetry.source import SourceCounts
from anycastle.model.event import Event

EVERY_S: Final = 2.0
ROWS_MAX: Final = 500


class EventLogSource:
    """Follows a log; its children say what counts."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.every_s = EVERY_S
        self.counts = SourceCounts()
        self._path = path
        self._sequence = 0

    async def poll(self, now: Now) -> bool:
        """Count what was added."""
        rows = await asyncio.to_thread(self._read)
        for stored in rows:
            event = stored.event()
            if event is not None and self.take(event, now):
                self.counts.counted += 1
            self._sequence = stored.sequence
        if len(rows) == ROWS_MAX:
            return True
        await self.caught_up(now)
        return False

    def take(self, event: Event, now: Now) -> bool:
        """Count an event; tell whether it counts."""
        raise NotImplementedError

    async def caught_up(self, now: Now) -> None:
        """Do what is to be done where all of the log is read."""

    def _read(self) -> list[StoredEvent]:
        if not self._path.exists():
            return []  # the daemon was not started yet
        try:
            with EventLog(self._path, read_only=True) as log:
                return list(log.read(self._sequence, limit=ROWS_MAX))
        except WorldError as error:
            raise WorldError(f"{self._path}: {error}") from error

    def place(self) -> bytes:
        """Give the number of the last row that was counted."""
        return msgspec.json.encode(self._sequence)

    def restore(self, place: bytes) -> None:
        """Go on from a place."""
        self._sequence = msgspec.json.decode(place, type=int)

    def close(self) -> None:
        """There is nothing to let go of."""
