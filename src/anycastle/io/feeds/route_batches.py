"""MRT archives in bulk: sources to batches of columns, in constant memory for any size of file.

A plain file is mapped and read in windows; everything else is unpacked ahead by a thread, and a record that a piece
cuts is carried to the next one.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from anycastle.io.feeds.byte_source import ByteSource
from anycastle.io.feeds.read_ahead import ReadAhead
from anycastle.io.kernel_cache import load_kernel
from anycastle.kernels.mrt import DECODE_ATTRIBUTES, DECODE_PATHS, DECODE_ROUTES, FILL_SLOTS, LOCATE_PATHS
from anycastle.kernels.mrt_rows import AT_END, AT_OVERSIZED, AT_ROWS
from anycastle.kernels.route_decoder import MRTPeer, RouteColumns, RouteDecoder
from anycastle.wire.mrt.record import HEADER, HEADER_LENGTH, RECORD_MAX, Damaged

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from anycastle.kernels.attribute_decoder import AttributeColumns, AttributeDecoder, PathColumns, PathLocator

WINDOW: Final = 8 * 1024 * 1024
"""Octets of a mapped file that are looked at together; what was read is given back to the system."""

SOURCES_AHEAD: Final = 4
"""Sources that are unpacked at the same time, the one that is read among them."""

DAMAGE_KEPT_MAX: Final = 10_000
"""Damaged records of one source whose place is kept; those beyond are only counted."""


@dataclass(slots=True)
class RouteBatch:
    """Rows of some records. It is good until the next one is asked for.

    `offset` is where the batch's octets start in the source; a row's `place` counts from there.
    """

    reader: RouteReader
    source: str
    offset: int
    address: int

    @property
    def rows(self) -> int:
        """Rows of the batch."""
        return self.reader.decoder.rows

    @property
    def columns(self) -> RouteColumns:
        """The columns, views into the reader's memory: copy what is to be kept."""
        return self.reader.decoder.columns

    def attributes(self, rows: NDArray[np.uint32] | None = None) -> AttributeColumns:
        """Decode the attributes of some rows, or of all."""
        return self.reader.attributes.decode(self.address, self.columns, rows)

    def origins(self, rows: NDArray[np.uint32] | None = None) -> NDArray[np.uint32]:
        """Give the origins of some rows, or of all: uint32, 0 for none or a set. The next batch overwrites them."""
        return self.reader.locator.locate(self.address, self.columns, rows).origin_asn

    def paths(self, rows: NDArray[np.uint32] | None = None) -> PathColumns:
        """Decode path and origin of some rows, or of all, and nothing else."""
        return self.reader.attributes.decode_paths(self.address, self.columns, rows)


class RouteReader:
    """Reads archives one after the other: numbers of peers, paths and communities go on from one to the next.

    `damage` has the records that could not be read, and the cut of each source that was cut; `damaged` counts them.
    `unreadable` names the sources in which something is, and nothing could be read.
    """

    def __init__(self) -> None:
        self.decoder = RouteDecoder(load_kernel(DECODE_ROUTES))
        self.damage: list[tuple[str, Damaged]] = []
        self.damaged = 0
        self.unreadable: list[str] = []
        self.octets_read = 0
        self._attributes: AttributeDecoder | None = None

    @property
    def attributes(self) -> AttributeDecoder:
        """What decodes attributes, and knows the paths and communities of numbers."""
        if self._attributes is None:
            from anycastle.kernels.attribute_decoder import AttributeDecoder

            self._attributes = AttributeDecoder(
                load_kernel(DECODE_ATTRIBUTES), load_kernel(DECODE_PATHS), load_kernel(FILL_SLOTS)
            )
        return self._attributes

    @cached_property
    def locator(self) -> PathLocator:
        """What finds origins alone."""
        from anycastle.kernels.attribute_decoder import PathLocator

        return PathLocator(load_kernel(LOCATE_PATHS))

    def peer(self, number: int) -> MRTPeer:
        """Give the peer of a number."""
        return self.decoder.peer(number)

    def read(self, names: Sequence[str]) -> Iterator[RouteBatch]:
        """Give the batches of all sources in turn; up to `SOURCES_AHEAD` are unpacked meanwhile.

        Raises `WorldError` for a source that cannot be opened or read.
        """
        waiting: list[ByteSource | ReadAhead] = []
        left = list(reversed(names))
        try:
            while left or waiting:
                while left and len(waiting) < SOURCES_AHEAD:
                    waiting.append(_open(left.pop()))
                yield from self._read_source(waiting[0])
                waiting.pop(0).close()
        finally:
            for source in waiting:
                source.close()

    def _read_source(self, opened: ByteSource | ReadAhead) -> Iterator[RouteBatch]:
        before = self._understood, self.damaged
        name = opened.source.name if isinstance(opened, ReadAhead) else opened.name
        if isinstance(opened, ReadAhead):
            yield from self._stream(opened)
        else:
            yield from self._mapped(name, opened.mapped())
        if self._understood == before[0] and self.damaged > before[1]:
            self.unreadable.append(name)

    @property
    def _understood(self) -> int:
        return self.decoder.counts.records - self.decoder.counts.unknown

    def _mapped(self, name: str, mapped: mmap.mmap) -> Iterator[RouteBatch]:
        base = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
        start, total, released = 0, len(mapped), 0
        while start < total:
            size = min(WINDOW + RECORD_MAX, total - start)
            position, stopped = 0, AT_ROWS
            while position < WINDOW and stopped != AT_END:
                stopped = self.decoder.decode(base + start, position, size)
                position = self.decoder.position
                self._take_damage(name, start)
                if self.decoder.rows:
                    yield RouteBatch(self, name, start, base + start)
                if stopped == AT_OVERSIZED:
                    position += self._oversized(
                        name, start + position, mapped[start + position : start + position + HEADER_LENGTH]
                    )
            if stopped == AT_END and position < size == total - start:
                self._add_damage(name, _cut(size - position, start + position))
                position = size
            self.octets_read += min(position, total - start)
            start += position
            pages = min(start, total) // mmap.PAGESIZE * mmap.PAGESIZE
            if pages > released:
                mapped.madvise(mmap.MADV_DONTNEED, released, pages - released)
                released = pages

    def _oversized(self, name: str, offset: int, header: bytes) -> int:
        length = HEADER.unpack(header)[3]
        self._add_damage(name, Damaged(f"a record of {length} octets is over the limit of {RECORD_MAX}", offset))
        return HEADER_LENGTH + int(length)

    def _stream(self, ahead: ReadAhead) -> Iterator[RouteBatch]:
        name, window, filled, offset, passing = ahead.source.name, bytearray(), 0, 0, 0
        for piece in ahead.pieces():
            self.octets_read += len(piece)
            if filled + len(piece) > len(window):
                window = window[:filled] + bytearray(len(piece) + max(filled, WINDOW // 4))
            window[filled : filled + len(piece)] = piece
            filled += len(piece)
            address = ctypes.addressof(ctypes.c_char.from_buffer(window))
            position = min(passing, filled)
            passing -= position
            stopped = -1
            while not passing and stopped != AT_END:
                stopped = self.decoder.decode(address, position, filled)
                position = self.decoder.position
                self._take_damage(name, offset)
                if self.decoder.rows:
                    yield RouteBatch(self, name, offset, address)
                if stopped == AT_OVERSIZED:
                    passing = self._oversized(
                        name, offset + position, bytes(window[position : position + HEADER_LENGTH])
                    )
                    passed = min(passing, filled - position)
                    position, passing = position + passed, passing - passed
            window[: filled - position] = window[position:filled]
            filled -= position
            offset += position
        cut = ahead.source.cut
        if filled or passing or cut:
            damage = _cut(filled, offset) if filled or passing else None
            texts = [text for text in (cut, damage and damage.what) if text]
            self._add_damage(name, Damaged("; ".join(texts), offset))

    def _take_damage(self, name: str, offset: int) -> None:
        self.damaged += self.decoder.damaged
        for position in self.decoder.damage:
            if len(self.damage) < DAMAGE_KEPT_MAX:
                self.damage.append((name, Damaged("a record cannot be read", offset + position)))

    def _add_damage(self, name: str, damage: Damaged) -> None:
        self.damaged += 1
        if len(self.damage) < DAMAGE_KEPT_MAX:
            self.damage.append((name, damage))


def _cut(left: int, offset: int) -> Damaged:
    return Damaged(f"the stream ends within a record, {left} octets after its start", offset)


def _open(name: str) -> ByteSource | ReadAhead:
    source = ByteSource(name)
    return source if source.mappable else ReadAhead(source)
