"""The host of `mrt_attributes`: the attributes of the rows that somebody asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import iter_unpack, unpack_from
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.kernels import mrt_attributes as kernel
from anycastle.kernels.route_decoder import ROWS_MAX, RouteColumns
from anycastle.model.asn import ASN
from anycastle.model.community import LargeCommunity, StandardCommunity
from anycastle.wire.bgp.as_path import ASPath, Segment, SegmentKind
from anycastle.wire.bgp.errors import Malformed
from anycastle.wire.bgp.segments import decode_segments

STORE_OCTETS_MAX: Final = 1 << 30
"""Octets of all different paths, and of all different lists of communities. Beyond it, `forget`."""

STORE_OCTETS_FIRST: Final = 1 << 20
STORE_COUNT_FIRST: Final = 1 << 15


@dataclass(frozen=True, slots=True)
class AttributeColumns:
    """Attributes by block: rows of one message share a block; `blocks` uint32 has the block of each row asked for.

    Of each block: `origin` uint8 (255 none), `path` uint32 number, `origin_asn` uint32 (0 for none or a set),
    `next_hop_family` uint8 AFI (0 none), `next_hop_high` and `next_hop_low` int64 bits left-aligned in 128, `med` and
    `local_preference` int64 (-1 none), `communities`, `large_communities`, `extended_communities` uint32 numbers,
    `only_to_customer` uint32 (0 none), `aggregator_asn`, `aggregator` uint32, `flags` uint8 as in `mrt_attributes`,
    `originated_at` uint32 seconds since 1970 (0 but in RIBs).
    """

    blocks: NDArray[np.uint32]
    origin: NDArray[np.uint8]
    path: NDArray[np.uint32]
    origin_asn: NDArray[np.uint32]
    next_hop_family: NDArray[np.uint8]
    next_hop_high: NDArray[np.int64]
    next_hop_low: NDArray[np.int64]
    med: NDArray[np.int64]
    local_preference: NDArray[np.int64]
    communities: NDArray[np.uint32]
    large_communities: NDArray[np.uint32]
    extended_communities: NDArray[np.uint32]
    only_to_customer: NDArray[np.uint32]
    aggregator_asn: NDArray[np.uint32]
    aggregator: NDArray[np.uint32]
    flags: NDArray[np.uint8]
    originated_at: NDArray[np.uint32]


_KINDS: Final = (
    np.uint8, np.uint32, np.uint32, np.uint8, np.int64, np.int64, np.int64, np.int64, np.uint32, np.uint32, np.uint32,
    np.uint32, np.uint32, np.uint32, np.uint8, np.uint32,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PathColumns:
    """Path and origin of each row: `path` uint32 number, `origin_asn` uint32 (0 for none or a set)."""

    path: NDArray[np.uint32]
    origin_asn: NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class PathSpans:
    """Where each row's path is: `origin_asn` uint32 (0 for none or a set), `place` uint32 and `length` uint16.

    Both are 0 for no path, and where AS4_PATH had to be merged (sessions with two-octet ASNs).
    """

    origin_asn: NDArray[np.uint32]
    place: NDArray[np.uint32]
    length: NDArray[np.uint16]


class PathLocator:
    """Finds paths and origins, and keeps nothing. `locate_paths` is the linked kernel, or any function of its shape."""

    def __init__(self, locate_paths: Callable[..., int]) -> None:
        self._locate = locate_paths
        self._make(ROWS_MAX)
        self._scratch = np.zeros(kernel.SCRATCH_SIZE, np.uint8)
        self._found = np.zeros(kernel.FOUND_SIZE, np.int64)

    def _make(self, rows_max: int) -> None:
        self._origins, self._places = np.empty(rows_max, np.uint32), np.empty(rows_max, np.uint32)
        self._lengths = np.empty(rows_max, np.uint16)

    def locate(self, address: int, columns: RouteColumns, rows: NDArray[np.uint32] | None = None) -> PathSpans:
        """Find the paths of `rows` (all without); what is given is overwritten by the next call."""
        place, form = columns.place, columns.form
        if rows is not None:
            place, form = place[rows], form[rows]
        count = len(place)
        if count > len(self._origins):
            self._make(count)
        outputs: list[Any] = [self._origins, self._places, self._lengths, self._scratch, self._found]
        self._locate(address, count, _at(place), _at(form), *map(_at, outputs))
        return PathSpans(self._origins[:count], self._places[:count], self._lengths[:count])


class Store:
    """Different sequences of octets, numbered from 1; number 0 is the empty one."""

    def __init__(self, fill_slots: Callable[..., int]) -> None:
        self._fill_slots = fill_slots
        self._make(STORE_COUNT_FIRST, STORE_OCTETS_FIRST)
        self.count = 1
        self.used = 0

    def _make(self, count_max: int, octets_max: int) -> None:
        self.octets = np.zeros(octets_max, np.uint8)
        self.starts = np.zeros(count_max + 1, np.int64)
        self.slots = np.zeros(2 * count_max, np.uint32)

    def __getitem__(self, number: int) -> bytes:
        start, end = self.starts[number], self.starts[number + 1]
        return self.octets[start:end].tobytes()

    def state(self) -> list[int]:
        """Give what the kernel needs to know, in its order."""
        return [self.count, len(self.starts) - 1, self.used, len(self.octets), len(self.slots) - 1, 0]

    def grow(self) -> None:
        """Make room for as much again. Numbers stay as they are. Raises `MisuseError` at the limit."""
        octets, starts, count, used = self.octets, self.starts, self.count, self.used
        room = 2 * len(octets)
        if room > STORE_OCTETS_MAX:
            raise MisuseError(f"over {STORE_OCTETS_MAX} octets of different paths or communities: forget them")
        self._make(2 * (len(starts) - 1), room)
        self.octets[:used] = octets[:used]
        self.starts[: count + 1] = starts[: count + 1]
        self._fill_slots(_at(self.octets), _at(self.starts), _at(self.slots), count, len(self.slots) - 1)

    @property
    def tight(self) -> bool:
        """Whether the next thing may find no room."""
        return self.count >= len(self.starts) - 1 or self.used + kernel.SCRATCH_SIZE > len(self.octets)


class AttributeDecoder:
    """Decodes the attributes of rows; numbers of paths and lists stay good until `forget`.

    `decode_attributes`, `decode_paths` and `fill_slots` are the linked kernels, or any functions of their shape.
    """

    def __init__(
        self,
        decode_attributes: Callable[..., int],
        decode_paths: Callable[..., int],
        fill_slots: Callable[..., int],
    ) -> None:
        self._decode, self._decode_paths, self._fill_slots = decode_attributes, decode_paths, fill_slots
        self._scratch = np.zeros(kernel.SCRATCH_SIZE, np.uint8)
        self._found = np.zeros(kernel.FOUND_SIZE, np.int64)
        self._stores = np.zeros(kernel.STORES_SIZE, np.int64)
        self.forget()

    def forget(self) -> None:
        """Forget all paths and lists, and with them the meaning of their numbers."""
        self.paths, self.lists = Store(self._fill_slots), Store(self._fill_slots)
        self._path_texts: dict[int, str] = {}

    @property
    def octets_kept(self) -> int:
        """Octets of paths and lists that are kept."""
        return self.paths.used + self.lists.used

    def decode(self, address: int, columns: RouteColumns, rows: NDArray[np.uint32] | None = None) -> AttributeColumns:
        """Decode the attributes of `rows` (all without), whose octets are at a memory address."""
        place, form, family = columns.place, columns.form, columns.family
        if rows is not None:
            place, form, family = place[rows], form[rows], family[rows]
        starts = np.empty(len(place), np.bool_)
        if len(place):
            starts[0] = True
            starts[1:] = (place[1:] != place[:-1]) | (form[1:] != form[:-1])
        blocks = (np.cumsum(starts, dtype=np.uint32) - 1).astype(np.uint32)
        place, form, family = place[starts], form[starts], family[starts]
        outputs: list[Any] = [np.empty(len(place), kind) for kind in _KINDS]
        done = 0
        while True:
            self._stores[:] = self.paths.state() + self.lists.state()
            tables: list[Any] = [
                each for store in (self.paths, self.lists) for each in (store.octets, store.starts, store.slots)
            ]
            done = self._decode(
                address, len(place), _at(place), _at(form), _at(family), done, *map(_at, outputs), *map(_at, tables),
                _at(self._stores), _at(self._scratch), _at(self._found),
            )  # fmt: skip
            self._take_state()
            if done == len(place):
                return AttributeColumns(blocks, *outputs)
            for store in (self.paths, self.lists):
                if store.tight:
                    store.grow()

    def decode_paths(self, address: int, columns: RouteColumns, rows: NDArray[np.uint32] | None = None) -> PathColumns:
        """Decode path and origin of `rows` (all without) alone: a fraction of the time that `decode` takes."""
        place, form = columns.place, columns.form
        if rows is not None:
            place, form = place[rows], form[rows]
        outputs = np.empty(len(place), np.uint32), np.empty(len(place), np.uint32)
        done = 0
        while True:
            self._stores[:] = self.paths.state() + self.lists.state()
            tables: list[Any] = [self.paths.octets, self.paths.starts, self.paths.slots]
            done = self._decode_paths(
                address, len(place), _at(place), _at(form), done, *map(_at, outputs), *map(_at, tables),
                _at(self._stores), _at(self._scratch), _at(self._found),
            )  # fmt: skip
            self._take_state()
            if done == len(place):
                return PathColumns(*outputs)
            self.paths.grow()

    def _take_state(self) -> None:
        for store, first in ((self.paths, kernel.PATHS), (self.lists, kernel.LISTS)):
            store.count = int(self._stores[first + kernel.COUNT])
            store.used = int(self._stores[first + kernel.USED])

    def path(self, number: int) -> ASPath | None:
        """Give the AS path of a number; None for one with AS 0, which no path may have (RFC 7607 §2)."""
        value = decode_segments(self.paths[number], four_octet_asn=True)
        return None if isinstance(value, Malformed) else value

    def path_text(self, number: int) -> str:
        """Give the text of a path, AS 0 included: sequences plain, sets in braces."""
        if number not in self._path_texts:
            self._path_texts[number] = _format_path(self.paths[number])
        return self._path_texts[number]

    def communities(self, number: int) -> tuple[StandardCommunity, ...]:
        """Give the communities of a number."""
        return tuple([StandardCommunity(*pair) for pair in iter_unpack("!HH", self.lists[number])])

    def large_communities(self, number: int) -> tuple[LargeCommunity, ...]:
        """Give the large communities of a number."""
        return tuple([LargeCommunity(ASN(asn), *data) for asn, *data in iter_unpack("!III", self.lists[number])])


def _format_path(octets: bytes) -> str:
    parts: list[str] = []
    at = 0
    while at < len(octets):
        kind, count = octets[at], octets[at + 1]
        asns = unpack_from(f"!{count}I", octets, at + 2)
        parts.append(str(Segment(SegmentKind(kind), asns)))
        at += 2 + 4 * count
    return " ".join(parts)


def _at(array: NDArray[Any]) -> int:
    return int(array.ctypes.data)
