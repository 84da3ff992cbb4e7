"""Results on disk until a collector has them: durable, bounded, and honest about what was let go.

A spool is a folder of segments, files of lines, each named by the number of its first line. Lines go to the last
segment; a segment that has `SEGMENT_OCTETS` is closed. `flush` has all that was put on disk: until then, a crash loses
what came since the last flush, and no more. What a collector has taken is dropped by whole segments; a file `taken`
holds the number of the first line that it has not. Where a bound is crossed, the oldest segment goes, and its lines are
counted as lost, in a file as well, so that a restart does not forget them.

So every line is handed over at least once, or counted. A line cut by a crash is left out when the spool is opened.
"""

import os
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from anycastle.base.errors import WorldError
from anycastle.io.delivery import Batch
from anycastle.io.durable import write_durably

SEGMENT_OCTETS: Final = 4 * 1024 * 1024
OCTETS_MAX: Final = 1024 * 1024 * 1024
"""Of a spool by default: some three million results."""
SEGMENTS_MIN: Final = 2


@dataclass(slots=True)
class _Segment:
    first: int
    lines: int
    octets: int


class Spool:
    """One folder. Used by one thread at a time."""

    def __init__(self, folder: Path, octets_max: int = OCTETS_MAX, segment_octets: int = SEGMENT_OCTETS) -> None:
        """Open a folder, or make it. Raises `WorldError`."""
        self._folder = folder
        self._octets_max = max(octets_max, SEGMENTS_MIN * segment_octets)
        self._segment_octets = segment_octets
        self._segments: deque[_Segment] = deque()
        self._file: int | None = None
        self._unflushed = False
        self.taken = 0
        """Number of the first line that the collector has not."""
        self.lost = 0
        """Lines let go before the collector had them."""
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._open()
        except OSError as error:
            raise WorldError(f"{folder}: {error.strerror}", retryable=False) from error

    @property
    def next(self) -> int:
        """Give the number that the next line will have."""
        last = self._segments[-1]
        return last.first + last.lines

    @property
    def waiting(self) -> int:
        """Give how many lines the collector has not."""
        return self.next - self.taken

    @property
    def octets(self) -> int:
        """Give the size of all segments."""
        return sum(each.octets for each in self._segments)

    def put(self, lines: list[bytes]) -> None:
        """Take lines, each with its line break. Raises `WorldError`; what was not written is not counted."""
        assert self._file is not None
        try:
            if self._segments[-1].octets >= self._segment_octets:
                self._begin_segment(self.next)
            octets = b"".join(lines)
            _write_all(self._file, octets)
        except OSError as error:
            self._repair()
            raise WorldError(f"{self._folder}: {error.strerror}") from error
        last = self._segments[-1]
        last.lines += len(lines)
        last.octets += len(octets)
        self._unflushed = True
        while self.octets > self._octets_max and len(self._segments) > 1:
            self._let_go()

    def flush(self) -> None:
        """Have all of it on disk. Raises `WorldError`."""
        if not self._unflushed or self._file is None:
            return
        try:
            os.fdatasync(self._file)
        except OSError as error:
            raise WorldError(f"{self._folder}: {error.strerror}") from error
        self._unflushed = False

    def batch(self, octets_max: int) -> Batch | None:
        """Give the next lines to hand over; None where there are none. Raises `WorldError`."""
        if not self.waiting:
            return None
        segment = next(each for each in self._segments if self.taken < each.first + each.lines)
        try:
            octets = self._path(segment.first).read_bytes()[: segment.octets]
        except OSError as error:
            raise WorldError(f"{self._folder}: {error.strerror}") from error
        lines = octets.splitlines(keepends=True)[self.taken - segment.first :]
        chosen: list[bytes] = []
        size = 0
        for each in lines:
            if chosen and size + len(each) > octets_max:
                break
            chosen.append(each)
            size += len(each)
        return Batch(self.taken, b"".join(chosen), self.taken + len(chosen))

    def take(self, batch: Batch) -> None:
        """Take that the collector has a batch. Raises `WorldError`."""
        if batch.after <= self.taken:
            return  # the bound let it go meanwhile
        self.taken = batch.after
        while len(self._segments) > 1 and self._segments[0].first + self._segments[0].lines <= self.taken:
            self._path(self._segments.popleft().first).unlink(missing_ok=True)
        self._note()

    def close(self) -> None:
        """Flush and close. Raises `WorldError`."""
        if self._file is not None:
            try:
                self.flush()
            finally:
                os.close(self._file)
                self._file = None

    # -- files --------------------------------------------------------------------------------------------------------

    def _path(self, first: int) -> Path:
        return self._folder / f"{first:020}.ndjson"

    def _note(self) -> None:
        write_durably(self._folder / "taken", f"{self.taken} {self.lost}\n".encode())

    def _open(self) -> None:
        note = self._folder / "taken"
        if note.exists():
            try:
                self.taken, self.lost = map(int, note.read_text().split())
            except ValueError as error:
                raise WorldError(f"{note} is none of ours: two numbers are needed", retryable=False) from error
        for path in sorted(self._folder.glob("*.ndjson")):
            octets = path.read_bytes()
            whole = octets.rfind(b"\n") + 1
            if whole < len(octets):
                os.truncate(path, whole)
            self._segments.append(_Segment(int(path.stem), octets.count(b"\n"), whole))
        if not self._segments:
            self._begin_segment(self.taken)
            return
        self.taken = min(max(self.taken, self._segments[0].first), self.next)
        self._file = os.open(self._path(self._segments[-1].first), os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)

    def _begin_segment(self, first: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        file = os.open(self._path(first), flags, 0o600)
        if self._file is not None:
            os.fdatasync(self._file)
            os.close(self._file)
        self._file = file
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)  # the file's name is on disk as well
        finally:
            os.close(folder)
        self._segments.append(_Segment(first, 0, 0))

    def _let_go(self) -> None:
        oldest = self._segments.popleft()
        after = oldest.first + oldest.lines
        self.lost += max(0, after - self.taken)
        self.taken = max(self.taken, after)
        self._path(oldest.first).unlink(missing_ok=True)
        self._note()

    def _repair(self) -> None:
        """Cut what was written of lines that are not counted: a full disk may have taken a part of them."""
        if self._file is not None and self._segments:
            with suppress(OSError):  # where not even that can be done, the cut line is left out at the next start
                os.ftruncate(self._file, self._segments[-1].octets)


def _write_all(file: int, octets: bytes) -> None:
    rest = memoryview(octets)
    while rest:
        rest = rest[os.write(file, rest) :]
