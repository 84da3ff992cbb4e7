"""Where results go: one line each, to a file or standard output, and to the spool for a collector.

A thread of its own writes: a disk that is slow holds up no probe. What does not fit its queue is counted, and let go.
"""

import queue
import threading
from contextlib import suppress
from time import monotonic, sleep
from typing import BinaryIO, Final

from anycastle.base.errors import WorldError
from anycastle.io.delivery import Batch
from anycastle.io.probe.result_json import line
from anycastle.io.probe.spool import Spool
from anycastle.probe.result import ProbeResult

QUEUE_MAX: Final = 100_000
"""Results that wait to be written: twenty seconds of 5,000 a second."""

FLUSH_S: Final = 1.0
"""What a crash may cost."""

PAUSE_S: Final = 0.05
"""Between two writes, so that each of them is of many lines."""

_BATCH: Final = 1_000


class Results:
    """Takes results; never waits."""

    def __init__(self, run: str, out: BinaryIO | None, spool: Spool | None) -> None:
        """`run` tells this run of the prober from all others: it begins each result's id."""
        self.dropped = 0
        """Results for which the queue had no room, or that could not be written."""
        self.trouble = ""
        """Why the last write failed; empty while it goes well."""
        self._run = run
        self._number = 0
        self._out = out
        self._spool = spool
        self._lock = threading.Lock()
        """Of the spool, which the delivery reads."""
        self._queue: queue.Queue[ProbeResult | None] = queue.Queue(QUEUE_MAX)
        self._thread = threading.Thread(target=self._write, name="results", daemon=True)
        self._thread.start()

    def put(self, result: ProbeResult) -> None:
        """Hand over a result."""
        if self._out is None and self._spool is None:
            return
        try:
            self._queue.put_nowait(result)
        except queue.Full:
            self.dropped += 1

    def batch(self, octets_max: int) -> Batch | None:
        """Give the next lines for the collector, all of them on disk. Raises `WorldError`."""
        if self._spool is None:
            return None
        with self._lock:
            return self._spool.batch(octets_max)

    def take(self, batch: Batch, _answer: bytes) -> None:
        """Take that the collector has them, whatever it answered besides. Raises `WorldError`."""
        assert self._spool is not None
        with self._lock:
            self._spool.take(batch)

    def spooled(self) -> dict[str, int]:
        """Give lines that wait for the collector, lines lost, and octets on disk."""
        if self._spool is None:
            return {"waiting": 0, "lost": 0, "octets": 0}
        with self._lock:
            return {"waiting": self._spool.waiting, "lost": self._spool.lost, "octets": self._spool.octets}

    def close(self) -> None:
        """Return once all is written."""
        self._queue.put(None)
        self._thread.join()

    # -- the thread ---------------------------------------------------------------------------------------------------

    def _write(self) -> None:
        flush_at = monotonic() + FLUSH_S
        going = True
        while going:
            results, going = self._next(flush_at - monotonic())
            if results:
                self._put_lines([self._line(result) for result in results])
            if self._spool is not None and (monotonic() >= flush_at or not going):
                with self._lock, suppress(WorldError):
                    self._spool.flush()
                flush_at = monotonic() + FLUSH_S
        if self._spool is not None:
            with self._lock, suppress(WorldError):
                self._spool.close()

    def _next(self, patience_s: float) -> tuple[list[ProbeResult], bool]:
        """Give what waits, and whether more may come."""
        found: list[ProbeResult] = []
        try:
            item = self._queue.get(timeout=max(patience_s, 0.001))
            while item is not None:
                found.append(item)
                if len(found) >= _BATCH:
                    return found, True
                item = self._queue.get_nowait()
        except queue.Empty:
            if found:
                sleep(PAUSE_S)
            return found, True
        return found, False

    def _line(self, result: ProbeResult) -> bytes:
        self._number += 1
        return line(result, f"{self._run}-{self._number}")

    def _put_lines(self, lines: list[bytes]) -> None:
        try:
            if self._spool is not None:
                with self._lock:
                    self._spool.put(lines)
            if self._out is not None:
                self._out.write(b"".join(lines))
                self._out.flush()
            self.trouble = ""
        except (WorldError, OSError) as error:
            self.trouble = str(error)
            self.dropped += len(lines)
