"""MRT archives in bulk: sources to batches of columns, in constant memory for any size of file.

Every source is read, and unpacked, ahead by a thread; a record that a piece cuts is carried to the next one. Files are
not mapped: one that is cut meanwhile by whoever rotates it would end the process (SIGBUS), and reading is no slower.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from anycastle.io.feeds.byte_source import ByteSource
from anycastle.io.feeds.read_ahead import ReadAhead
from anycastle.io.kernel_cache import load_kernel
from anycastle.kernels.mrt import DECODE_ATTRIBUTES, DECODE_PATHS, DECODE_ROUTES, FILL_SLOTS, LOCATE_PATHS
from anycastle.kernels.mrt_rows import AT_END, AT_OVERSIZED
from anycastle.kernels.route_decoder import MRTPeer, RouteColumns, RouteDecoder
from anycastle.wire.mrt.record import HEADER, HEADER_LENGTH, RECORD_MAX, Damaged

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from anycastle.kernels.attribute_decoder import AttributeColumns, AttributeDecoder, PathColumns, PathLocator

WINDOW_STEP: Final = 2 * 1024 * 1024
"""Octets that the window grows by at least, where a piece does not fit behind a record that was cut."""

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
        waiting: list[ReadAhead] = []
        left = list(reversed(names))
        try:
            while left or waiting:
                while left and len(waiting) < SOURCES_AHEAD:
                    waiting.append(ReadAhead(ByteSource(left.pop())))
                yield from self._read_source(waiting[0])
                waiting.pop(0).close()
        finally:
            for source in waiting:
                source.close()

    def _read_source(self, opened: ReadAhead) -> Iterator[RouteBatch]:
        before = self._understood, self.damaged
        yield from self._stream(opened)
        if self._understood == before[0] and self.damaged > before[1]:
            self.unreadable.append(opened.source.name)

    @property
    def _understood(self) -> int:
        return self.decoder.counts.records - self.decoder.counts.unknown

    def _oversized(self, name: str, offset: int, header: bytes) -> int:
        length = HEADER.unpack(header)[3]
        self._add_damage(name, Damaged(f"a record of {length} octets is over the limit of {RECORD_MAX}", offset))
        return HEADER_LENGTH + int(length)

    def _stream(self, ahead: ReadAhead) -> Iterator[RouteBatch]:
        name, window, filled, offset, passing = ahead.source.name, bytearray(), 0, 0, 0
        for piece in ahead.pieces():
            self.octets_read += len(piece)
            if filled + len(piece) > len(window):
                window = window[:filled] + bytearray(len(piece) + max(filled, WINDOW_STEP))
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
        if filled or cut:  # the end of an oversized record that is passed over was told of with it
            damage = _cut(filled, offset) if filled else None
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
