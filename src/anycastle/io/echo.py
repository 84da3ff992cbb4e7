"""Events told on standard error, for the journal and for whoever looks on, by a thread of its own.

Whoever reads there may stop reading, or go. That holds up this thread alone: no decision, and no event on its way to
the disk. What does not fit meanwhile is left out, and counted.
"""

import os
import queue
import threading
from collections.abc import Callable
from typing import Final

from anycastle.model.event import Event

QUEUE_MAX: Final = 2_000
"""Lines waiting for a reader: some hundred kilobytes."""

CLOSE_S: Final = 1.0
"""How long the last lines may take when a process ends."""

_STANDARD_ERROR: Final = 2


class Echo:
    """Tells events as lines. `line_of` gives None for an event that is not told."""

    def __init__(self, line_of: Callable[[Event], str | None], descriptor: int = _STANDARD_ERROR) -> None:
        self.left_out = 0
        self._line_of = line_of
        self._descriptor = descriptor
        self._queue: queue.Queue[Event | None] = queue.Queue(QUEUE_MAX)
        self._thread = threading.Thread(target=self._tell, name="echo", daemon=True)
        self._thread.start()

    def put(self, event: Event) -> None:
        """Hand over an event; never waits."""
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self.left_out += 1

    def close(self) -> None:
        """Return once all is told, or nobody reads."""
        try:
            self._queue.put(None, timeout=CLOSE_S)
        except queue.Full:
            return
        self._thread.join(CLOSE_S)

    def _tell(self) -> None:
        while (event := self._queue.get()) is not None:
            line = self._line_of(event)
            if line is None:
                continue
            octets = f"{line}\n".encode(errors="backslashreplace")
            try:
                while octets:  # the descriptor itself: a lock of Python's stream would be held while nobody reads
                    octets = octets[os.write(self._descriptor, octets) :]
            except OSError:
                self.left_out += 1  # nobody is there any more, or not now
