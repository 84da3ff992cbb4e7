"""Writes events to the log from a thread of its own, so that no decision waits for the disk."""

import queue
import threading
from pathlib import Path

from anycastle.base.errors import WorldError
from anycastle.io.event_log import EventLog
from anycastle.model.event import Event

QUEUE_MAX = 20_000
"""Events waiting for the disk; beyond it the newest are dropped, and counted."""

RETRY_S = 1.0
"""How soon to try again what the disk refused."""

CLOSE_S = 30.0
"""How long a process that ends waits for the disk."""

BATCH_MAX = 500
"""Events of one transaction."""


class EventWriter:
    """Takes events at any pace and appends them in batches."""

    def __init__(self, path: Path) -> None:
        self.dropped = 0
        self.failure: str | None = None
        """Why the last batch could not be written; it is tried again."""
        self._queue: queue.Queue[Event | None] = queue.Queue(QUEUE_MAX)
        self._path = path
        self._closing = threading.Event()
        self._log: EventLog | None = None
        self._thread = threading.Thread(target=self._write, name="event-log", daemon=True)
        self._thread.start()

    def put(self, event: Event) -> None:
        """Hand over an event; never waits."""
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Return once all that was handed over is on disk, or the disk has had its time."""
        self._closing.set()
        try:
            self._queue.put(None, timeout=CLOSE_S)
        except queue.Full:
            return
        self._thread.join(CLOSE_S)

    def _write(self) -> None:
        try:
            self._write_batches()
        except Exception as error:
            self.failure = f"its writer ended: {error!r}"  # our own bug, and no reason to look healthy
            raise

    def _write_batches(self) -> None:
        last = False
        while not last:
            batch, last = self._next_batch()
            while batch and not self._append(batch):
                if last or self._closing.is_set():
                    self.dropped += len(batch)  # the disk refuses and the agent leaves
                    break
                self._closing.wait(RETRY_S)
        if self._log is not None:
            self._log.close()

    def _append(self, batch: list[Event]) -> bool:
        """Put a batch on disk; where that fails, say why, and keep it for the next try."""
        try:
            if self._log is None:
                self._log = EventLog(self._path)
            self._log.append(batch)
        except WorldError as error:
            self.failure = str(error)
            return False
        self.failure = None
        return True

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
