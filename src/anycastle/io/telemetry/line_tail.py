"""Follows a log that grows: whole lines, each once, through rotation, truncation and restarts of ours.

Theory of operation. A place is (device, inode, offset, what the file begins with). Lines are read up to the last
newline; half a line waits for its rest. Where the path leads to another file, the old one, which is still open, is
read to its end before the new one is begun: servers go on writing to it until they have opened the new one. So the old
one is let go only when it brought nothing for `LINGER_S`. A file that became shorter, or begins with other octets than
before, was truncated in place (`copytruncate`), and is read from its start; what was written between the last look and
the truncation is lost, and the truncation is counted. After a restart the file of the place is looked for under
the path and, by its inode, beside it: then what was rotated away meanwhile is read first, and after it each file that
was written to later, as rotation numbers or dates them. Where it is nowhere, or packed, that is counted as a gap.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from anycastle.base.errors import WorldError

READ_OCTETS: Final = 1 << 20
"""Of one look: some 5,000 lines, so that one log holds up no other."""

LINE_OCTETS_MAX: Final = 64 * 1024
"""A longer line is passed over, and counted as damaged."""

LINGER_S: Final = 5.0
"""How long a file that was rotated away is still read without bringing anything. Servers that are told by a signal
have opened the new one by then."""

_HEAD_OCTETS: Final = 256
_NEIGHBOURS_MAX: Final = 10_000
_PACKED: Final = frozenset({".gz", ".xz", ".bz2", ".zst"})
_ROTATED: Final = re.compile(r"[.-]\d[\d.-]*(\.(gz|xz|bz2|zst))?")
"""What rotation adds to a name: `.1`, `-20261127`, and how it was packed (logrotate(8))."""


class Place(msgspec.Struct, frozen=True):
    """Where reading has come to. Empty where nothing was read yet."""

    device: int = 0
    inode: int = 0
    offset: int = 0
    head: str = ""
    """A digest of the first octets, as many as `head_octets`."""
    head_octets: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its newline, and at which octet of its file it begins."""

    offset: int
    octets: bytes


@dataclass(slots=True)
class TailCounts:
    """What became of the file."""

    lines: int = 0
    rotated: int = 0
    truncated: int = 0
    gaps: int = 0
    """Times that the file of the place was gone."""
    too_long: int = 0


@dataclass(slots=True)
class LineTail:
    """One log. Used by one thread at a time."""

    path: Path
    place: Place = Place()
    from_start: bool = True
    """Whether a log that was never read is read from its start; else from its end."""
    counts: TailCounts = field(default_factory=TailCounts)
    _file: FileIO | None = None
    _rest: bytes = b""
    _skipping: bool = False
    _quiet_since: float | None = None

    def read(self, now: float) -> list[Line]:
        """Give the lines that are there, at most about `READ_OCTETS` of them; `now` is monotonic.

        Raises `WorldError` where the log cannot be read; a log that is not there yet has no lines.
        """
        try:
            return self._read(now)
        except OSError as error:
            self.close()
            raise WorldError(f"{self.path} cannot be read: {error.strerror or error}") from error

    def close(self) -> None:
        """Let go of the file; the place stays."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._rest, self._skipping, self._quiet_since = b"", False, None

    def _read(self, now: float) -> list[Line]:
        if self._file is None and not self._open():
            return []
        assert self._file is not None
        if self._was_truncated(self._file):
            self.counts.truncated += 1
            self._begin(self._file, 0)
        octets = self._file.read(READ_OCTETS)
        lines = list(self._split(octets))
        self.counts.lines += len(lines)
        if not octets and self._is_replaced():
            self._quiet_since = now if self._quiet_since is None else self._quiet_since
            if now - self._quiet_since >= LINGER_S:
                self.counts.rotated += 1
                self._go_on(self._file)
                return self._read(now)
        elif octets:
            self._quiet_since = None
        return lines

    # -- which file ---------------------------------------------------------------------------------------------------

    def _open(self) -> bool:
        """Open the file of the place, else that of the path; False where there is none yet."""
        found = self._of_place() if self.place.inode else None
        if found is None and self.place.inode:
            if not self.path.exists():
                return False
            self.counts.gaps += 1
            self.place, self.from_start = Place(), True
        try:
            self._file = found or self.path.open("rb", buffering=0)
        except FileNotFoundError:
            return False
        assert self._file is not None
        if found is None:
            self._begin(self._file, 0 if self.from_start else _after_last_newline(self._file))
        else:
            self._file.seek(self.place.offset)
        return True

    def _go_on(self, done: FileIO) -> None:
        """Go on to the log that came after one that is done: of several rotations that were missed, the next."""
        following = self._generation_after(os.fstat(done.fileno()))
        self.close()
        self.place, self.from_start = Place(), True
        if following is not None:
            self._file = following.open("rb", buffering=0)
            self._begin(self._file, 0)

    def _generation_after(self, done: os.stat_result) -> Path | None:
        """Give the oldest rotated file that was written to after one that is done; one that is packed is a gap."""
        later: list[tuple[int, Path]] = []
        with os.scandir(self.path.parent) as entries:
            for entry in islice(entries, _NEIGHBOURS_MAX):
                if _ROTATED.fullmatch(entry.name.removeprefix(self.path.name)) and entry.name != self.path.name:
                    told = entry.stat()
                    if told.st_mtime_ns > done.st_mtime_ns and told.st_ino != done.st_ino:
                        later.append((told.st_mtime_ns, Path(entry.path)))
        plain = [each for each in later if each[1].suffix not in _PACKED]
        self.counts.gaps += len(later) - len(plain)
        return min(plain)[1] if plain else None

    def _of_place(self) -> FileIO | None:
        for path in (self.path, *self._beside()):
            try:
                file: FileIO = path.open("rb", buffering=0)
            except OSError:
                continue
            if self._is_of_place(file):
                return file
            file.close()
        return None

    def _beside(self) -> Iterator[Path]:
        """Give files beside the log whose names begin with its own, as rotation names them."""
        try:
            with os.scandir(self.path.parent) as entries:
                for entry in islice(entries, _NEIGHBOURS_MAX):
                    if entry.name.startswith(self.path.name) and entry.inode() == self.place.inode:
                        yield Path(entry.path)
        except OSError:
            return

    def _is_of_place(self, file: FileIO) -> bool:
        told, place = os.fstat(file.fileno()), self.place
        same = (told.st_dev, told.st_ino) == (place.device, place.inode) and told.st_size >= place.offset
        return same and _digest(file, place.head_octets) == place.head

    def _is_replaced(self) -> bool:
        """Tell whether the path leads to another file by now."""
        try:
            told = self.path.stat()
        except FileNotFoundError:
            return False  # until the new one is there, nothing better is to be had
        return (told.st_dev, told.st_ino) != (self.place.device, self.place.inode)

    def _was_truncated(self, file: FileIO) -> bool:
        size = os.fstat(file.fileno()).st_size
        return size < self.place.offset or _digest(file, self.place.head_octets) != self.place.head

    def _begin(self, file: FileIO, offset: int) -> None:
        told = os.fstat(file.fileno())
        file.seek(offset)
        self._rest, self._skipping = b"", False
        self.place = Place(told.st_dev, told.st_ino, offset, *_head(file, offset))

    # -- lines --------------------------------------------------------------------------------------------------------

    def _split(self, octets: bytes) -> Iterator[Line]:
        assert self._file is not None
        *lines, rest = (self._rest + octets).split(b"\n")
        offset = self.place.offset
        for line in lines:
            if self._skipping or len(line) > LINE_OCTETS_MAX:
                self.counts.too_long += 1
                self._skipping = False
            else:
                yield Line(offset, line)
            offset += len(line) + 1
        if len(rest) > LINE_OCTETS_MAX:  # its start is let go; its end is passed over when it comes
            self._skipping = True
            offset += len(rest)
            rest = b""
        self._rest = rest
        if offset != self.place.offset:
            head = (self.place.head, self.place.head_octets)
            if self.place.head_octets < _HEAD_OCTETS:
                head = _head(self._file, offset)
            self.place = Place(self.place.device, self.place.inode, offset, *head)


def _head(file: FileIO, offset: int) -> tuple[str, int]:
    length = min(_HEAD_OCTETS, offset)
    return _digest(file, length), length


def _digest(file: FileIO, length: int) -> str:
    return hashlib.blake2s(os.pread(file.fileno(), length, 0), digest_size=16).hexdigest() if length else ""


def _after_last_newline(file: FileIO) -> int:
    """Give where the last whole line ends: half a line before it is no line of ours."""
    size = os.fstat(file.fileno()).st_size
    start = max(0, size - LINE_OCTETS_MAX)
    found = os.pread(file.fileno(), size - start, start).rfind(b"\n")
    return size if found < 0 else start + found + 1
