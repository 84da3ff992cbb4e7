"""Writes events to the log from a thread of its own, so that no decision waits for the disk."""

import queue
import threading
from pathlib import Path

from anycastle.io.event_log import EventLog
from anycastle.model.event import Event

QUEUE_MAX = 20_000
"""Events waiting for the disk; beyond it the newest are dropped, and counted."""

BATCH_MAX = 500
"""Events of one transaction."""


class EventWriter:
    """Takes events at any pace and appends them in batches."""

    def __init__(self, path: Path) -> None:
        self.dropped = 0
        self.failure: str | None = None
        self._queue: queue.Queue[Event | None] = queue.Queue(QUEUE_MAX)
        self._path = path
        self._thread = threading.Thread(target=self._write, name="event-log", daemon=True)
        self._thread.start()

    def put(self, event: Event) -> None:
        """Hand over an event; never waits."""
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Return once all that was handed over is on disk."""
        self._queue.put(None)
        self._thread.join()

    def _write(self) -> None:
        with EventLog(self._path) as log:
            while True:
                batch, last = self._next_batch()
                if batch:
                    log.append(batch)
                if last:
                    return

    def _next_batch(self) -> tuple[list[Event], bool]:
        """Wait for one event, and take what else is there. The second value tells that no more will come."""
        batch: list[Event] = []
        event = self._queue.get()
        while event is not None:
            batch.append(event)
            if len(batch) >= BATCH_MAX or self._queue.empty():
                return batch, False
            event = self._queue.get()
        return batch, True
