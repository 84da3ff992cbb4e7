"""bzip2 unpacked by several threads: its blocks need nothing of each other.

Theory of operation. A bzip2 stream is a header, then blocks of at most 900 kB before packing, then an end. Each block
and the end start with a mark of 48 bits, and nothing is aligned to octets. So the marks are searched at every bit: what
lies between two of them is a block, and with a header before it and an end after it, it is a stream of its own that any
thread can unpack. 48 bits that look like a mark within a block are as good as impossible; where a block cannot be
unpacked, it is tried together with what follows before it is taken for damaged.
"""

import os
from bz2 import BZ2Decompressor
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, NamedTuple

BLOCK_MARK: Final = 0x314159265359
END_MARK: Final = 0x177245385090

THREADS_MAX: Final = 4
"""Threads for one source; twice as many blocks are unpacked ahead, at most 46 MB each."""

_HEADER: Final = b"BZh9"  # the largest blocks; smaller ones unpack as well
_MARK_OCTETS: Final = 7  # 48 bits that start anywhere in an octet
_CHECKSUM_END: Final = 80  # a block's mark and checksum


class _Pattern(NamedTuple):
    """A mark that starts `shift` bits into an octet: the five whole octets in it, and the bits around them."""

    middle: bytes
    shift: int
    before: int
    after: int
    is_block: bool


_PATTERNS: Final = tuple(
    _Pattern(
        (mark >> shift & 0xFFFFFFFFFF).to_bytes(5), shift, mark >> (40 + shift), mark & ((1 << shift) - 1), is_block
    )
    for mark, is_block in ((BLOCK_MARK, True), (END_MARK, False))
    for shift in range(8)
)


class _Bits(NamedTuple):
    """Some bits as one number, and how many they are."""

    value: int
    length: int

    def joined(self, other: "_Bits") -> "_Bits":
        return _Bits(self.value << other.length | other.value, self.length + other.length)


class DamagedBlockError(ValueError):
    """A block cannot be unpacked, or, `early`, the stream ends within one. Does not leave `io.feeds`."""

    def __init__(self, text: str, *, early: bool = False) -> None:
        super().__init__(text)
        self.early = early


def find_marks(octets: bytes | bytearray, start: int) -> list[tuple[int, bool]]:
    """Give bit positions of marks that start at octet `start` or later, and whether they are of blocks."""
    found: list[tuple[int, bool]] = []
    for pattern in _PATTERNS:
        at = octets.find(pattern.middle, start + 1)
        while at > 0:
            follows = at + 5 < len(octets) or not pattern.shift
            if follows and octets[at - 1] & (0xFF >> pattern.shift) == pattern.before:
                rest = octets[at + 5] >> (8 - pattern.shift) if pattern.shift else 0
                if rest == pattern.after:
                    found.append((8 * (at - 1) + pattern.shift, pattern.is_block))
            at = octets.find(pattern.middle, at + 1)
    return sorted(found)


def unpack_blocks(read: Callable[[], bytes]) -> Iterator[bytes]:
    """Give the blocks of what `read` gives until it gives nothing, unpacked, in order.

    Raises `DamagedBlockError` where a block cannot be unpacked, or the last one has no end.
    """
    threads = min(THREADS_MAX, len(os.sched_getaffinity(0)))
    pool = ThreadPoolExecutor(threads, "bzip2")
    waiting: deque[tuple[_Bits, Future[bytes | None]]] = deque()
    try:
        for bits in _blocks(read):
            if bits is not None:
                waiting.append((bits, pool.submit(_unpack, bits)))
            while len(waiting) > (2 * threads if bits is not None else 0):
                yield _next(waiting)
            if bits is None:
                raise DamagedBlockError("the stream ends within a block", early=True)
        while waiting:
            yield _next(waiting)
    finally:
        pool.shutdown(cancel_futures=True)


def _next(waiting: deque[tuple[_Bits, Future[bytes | None]]]) -> bytes:
    bits, unpacked = waiting.popleft()
    octets = unpacked.result()
    if octets is None and waiting:
        octets = _unpack(bits.joined(waiting[0][0]))
        waiting.popleft()
    if octets is None:
        raise DamagedBlockError("a block cannot be unpacked")
    return octets


def _blocks(read: Callable[[], bytes]) -> Iterator[_Bits | None]:
    """Give the bits of each block; at last None where the end is missing."""
    data = bytearray()
    searched, start, ended = 0, -1, False
    while piece := read():
        data += piece
        for position, is_block in find_marks(data, searched):
            if start >= 0:
                yield _bits(data, start, position)
            start, ended = (position, False) if is_block else (-1, True)
        searched = max(0, len(data) - _MARK_OCTETS + 1)
        dropped = min(searched, start // 8 if start >= 0 else searched)
        del data[:dropped]
        searched -= dropped
        start -= 8 * dropped if start >= 0 else 0
    if not ended:
        yield None


def _bits(data: bytearray, start: int, end: int) -> _Bits:
    first, last = start // 8, (end + 7) // 8
    value = int.from_bytes(data[first:last]) >> (8 * last - end)
    return _Bits(value & ((1 << (end - start)) - 1), end - start)


def _unpack(bits: _Bits) -> bytes | None:
    """Unpack one block as a stream of its own; None where it cannot be."""
    if bits.length < _CHECKSUM_END:
        return None
    checksum = bits.value >> (bits.length - _CHECKSUM_END) & 0xFFFFFFFF
    whole = _Bits(bits.value, bits.length).joined(_Bits(END_MARK << 32 | checksum, _CHECKSUM_END))
    padding = -whole.length % 8
    stream = (whole.value << padding).to_bytes((whole.length + padding) // 8)
    unpacker = BZ2Decompressor()
    try:
        octets = unpacker.decompress(_HEADER + stream)
    except (OSError, ValueError):
        return None
    return octets if unpacker.eof else None
