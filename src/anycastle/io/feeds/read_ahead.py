"""Unpacking in threads of its own, ahead of whoever reads: unpackers hold no lock of the interpreter."""

from collections.abc import Iterator
from queue import Full, Queue
from threading import Event, Thread
from typing import Final

from anycastle.io.feeds.byte_source import ByteSource

PIECES_AHEAD: Final = 8
"""Pieces that wait to be read, of `PIECE_MAX` octets each."""

_LOOK_INTERVAL_S: Final = 0.1  # how soon a thread sees that nobody reads any more

_END_TIMEOUT_S: Final = 1.0

_Item = bytes | BaseException | None


class ReadAhead:
    """The pieces of a source, unpacked by a thread that starts at once. Close it, or use it as a context."""

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self._queue: Queue[_Item] = Queue(PIECES_AHEAD)
        self._closed = Event()
        self._thread = Thread(target=self._fill, name=f"read {source.name}", daemon=True)
        self._thread.start()

    def _fill(self) -> None:
        try:
            for piece in self.source.pieces():
                if not self._put(piece):
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised where the pieces are read
            self._put(error)
            return
        self._put(None)

    def _put(self, item: _Item) -> bool:
        while not self._closed.is_set():
            try:
                self._queue.put(item, timeout=_LOOK_INTERVAL_S)
            except Full:
                continue
            return True
        return False

    def pieces(self) -> Iterator[bytes]:
        """Give the pieces, once. Raises what reading raised."""
        while True:
            item = self._queue.get()
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item

    def close(self) -> None:
        """Let the thread end, and close the source. A thread that waits for a silent pipe ends with the process."""
        self._closed.set()
        self._thread.join(_END_TIMEOUT_S)
        self.source.close()
