"""The host of `mrt_routes`: columns of a batch, the peers of everything read so far, and what was counted.

Needs neither numba nor NumPy to decode and count; the columns are NumPy views.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any, Final

from anycastle.base.errors import MisuseError
from anycastle.kernels import mrt_rows as kernel
from anycastle.model.asn import ASN
from anycastle.model.prefix import Address

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ROWS_MAX: Final = 2 * kernel.RECORD_ROWS_MAX
"""Rows of a batch: two records at their largest; the columns stay in the processor's cache."""

PEERS_FIRST: Final = 2 * kernel.RECORD_ROWS_MAX
PEERS_MAX: Final = 16 * 1024 * 1024
"""Peers of all that is read; the largest collector has under two thousand."""

DAMAGE_MAX: Final = 1024
"""Positions of damaged records kept for each batch; those beyond are only counted."""

_INDEX_MAX: Final = 65536  # a RIB entry names its peer in two octets (RFC 6396 §4.3.4)


@dataclass(frozen=True, slots=True)
class MRTPeer:
    """Who told a route: address and ASN of the collector's neighbour."""

    address: Address
    asn: ASN


@dataclass(frozen=True, slots=True)
class RouteColumns:
    """A row for each route and state change of a batch, in the order of the archive.

    `time_us` int64 microseconds since 1970; `high`, `low` uint64 bits of the prefix, left-aligned in 128 (of a state
    change the old and the new state); `peer` uint32 number; `place` uint32 of the attributes in the batch's octets, 0
    for none; `path_id` uint32 of ADD-PATH; `kind`, `family` (AFI), `length`, `form` uint8 as in `mrt_rows`.
    """

    time_us: NDArray[np.int64]
    high: NDArray[np.uint64]
    low: NDArray[np.uint64]
    peer: NDArray[np.uint32]
    place: NDArray[np.uint32]
    path_id: NDArray[np.uint32]
    kind: NDArray[np.uint8]
    family: NDArray[np.uint8]
    length: NDArray[np.uint8]
    form: NDArray[np.uint8]


@dataclass(slots=True)
class Counts:
    """What was read: records, those that were damaged or of an unknown type, messages, and rows of each kind."""

    records: int = 0
    damaged: int = 0
    unknown: int = 0
    messages: int = 0
    peers: int = 0
    announced: int = 0
    withdrawn: int = 0
    rib_routes: int = 0
    state_changes: int = 0

    @property
    def rows(self) -> int:
        """Rows of every kind."""
        return self.announced + self.withdrawn + self.rib_routes + self.state_changes


_COLUMNS: Final = (
    (ctypes.c_int64, 3),
    (ctypes.c_uint32, 3),
    (ctypes.c_uint8, 4),
)
"""Types of the columns, in the kernel's order."""

_PEER_COLUMNS: Final = (ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint8)


class RouteDecoder:
    """Decodes one batch after the other into the same columns; peers and counts go on.

    `decode_routes` is the linked kernel, or any function of its shape.
    """

    def __init__(self, decode_routes: Callable[..., int], rows_max: int = ROWS_MAX) -> None:
        if rows_max < kernel.RECORD_ROWS_MAX:
            raise MisuseError(f"{rows_max} rows do not hold the largest record")
        self._decode = decode_routes
        self._columns = [(kind * rows_max)() for kind, times in _COLUMNS for _ in range(times)]
        self._state = (ctypes.c_int64 * kernel.STATE_SIZE)()
        self._state[kernel.CAPACITY] = rows_max
        self._index = (ctypes.c_uint32 * _INDEX_MAX)()
        self._damage = (ctypes.c_int64 * DAMAGE_MAX)()
        self._state[kernel.DAMAGED_MAX] = DAMAGE_MAX
        self._peers: list[MRTPeer] = []
        self._make_peers(PEERS_FIRST)

    def _make_peers(self, peers_max: int) -> None:
        self.peer_columns: list[Any] = [(kind * peers_max)() for kind in _PEER_COLUMNS]
        self._slots = (ctypes.c_uint32 * (2 * peers_max))()
        self._state[kernel.PEERS_MAX] = peers_max
        self._state[kernel.SLOT_MASK] = 2 * peers_max - 1
        tables = (*self._columns, *self.peer_columns, self._slots, self._index, self._damage, self._state)
        self._addresses = [ctypes.addressof(table) for table in tables]

    def decode(self, address: int, start: int, size: int) -> int:
        """Decode records from `start` in the `size` octets at a memory address; give why it stopped (`AT_...`).

        `position` is then the start of the first record that was not read. The columns of the batch before are gone.
        """
        self._state[kernel.DAMAGED] = 0
        while True:
            stopped = self._decode(address, start, size, *self._addresses)
            if stopped != kernel.AT_PEERS or self.rows:
                return stopped
            self._grow_peers()

    def _grow_peers(self) -> None:
        """Make room for twice the peers. Numbers stay as they are."""
        count, before = self._state[kernel.PEERS], self.peer_columns
        room = 2 * self._state[kernel.PEERS_MAX]
        if room > PEERS_MAX:
            raise MisuseError(f"more than {PEERS_MAX} peers")
        self._make_peers(room)
        self._state[kernel.PEERS] = 0
        table = (*self.peer_columns, self._slots)
        for number in range(count):
            kernel.intern_peer(table, self._state, before[3][number], *(before[place][number] for place in range(3)))

    @property
    def peer_addresses(self) -> list[int]:
        """Memory addresses of the peers' columns: high, low, ASN int64, family uint8."""
        return [ctypes.addressof(column) for column in self.peer_columns]

    @property
    def rows(self) -> int:
        """Rows of the batch."""
        return self._state[kernel.ROWS]

    @property
    def position(self) -> int:
        """Where the first record that was not read starts."""
        return self._state[kernel.POSITION]

    @property
    def damage(self) -> list[int]:
        """Positions of the batch's damaged records, as many as are kept."""
        return list(self._damage[: min(self._state[kernel.DAMAGED], DAMAGE_MAX)])

    @property
    def damaged(self) -> int:
        """Damaged records of the batch."""
        return self._state[kernel.DAMAGED]

    @property
    def counts(self) -> Counts:
        """What was read so far, but for damage, which is of each batch."""
        state, first = self._state, kernel.COUNTS
        kinds = [state[first + 2 * kind] + state[first + 2 * kind + 1] for kind in range(4)]
        return Counts(
            state[kernel.RECORDS], 0, state[kernel.UNKNOWN], state[kernel.MESSAGES], state[kernel.PEERS], *kinds
        )

    def peer(self, number: int) -> MRTPeer:
        """Give the peer of a number that a row has."""
        peers = self._peers
        while len(peers) <= number:
            high, low, asn, family = (column[len(peers)] for column in self.peer_columns)
            bits = (high & (2**64 - 1)) << 64 | (low & (2**64 - 1))
            address = IPv6Address(bits) if family == 2 else IPv4Address(bits >> 96)
            peers.append(MRTPeer(address, ASN(asn)))
        return peers[number]

    @cached_property
    def _views(self) -> list[Any]:
        import numpy as np

        kinds: list[Any] = [np.int64, np.uint64, np.uint64, *[np.uint32] * 3, *[np.uint8] * 4]
        columns: list[Any] = list(self._columns)
        return [np.frombuffer(column, kind) for column, kind in zip(columns, kinds, strict=True)]

    @property
    def columns(self) -> RouteColumns:
        """The batch's columns, views that the next batch overwrites."""
        return RouteColumns(*[view[: self.rows] for view in self._views])
