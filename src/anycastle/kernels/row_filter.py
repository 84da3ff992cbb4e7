"""Which rows of a batch are asked for: by time, peer, prefix, origin and AS path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from re import Pattern

import numpy as np
from numpy.typing import NDArray

from anycastle.kernels.attribute_decoder import AttributeDecoder
from anycastle.kernels.mrt_rows import STATE_CHANGE
from anycastle.kernels.route_decoder import MRTPeer, RouteColumns
from anycastle.model.asn import ASN
from anycastle.model.prefix import Address, Prefix

_WORD = 0xFFFFFFFFFFFFFFFF


@dataclass(frozen=True, slots=True)
class RowFilter:
    """What a row must be; an empty field asks for nothing.

    Of prefixes, peers and origins one must fit. `path` is searched in the text of the AS path. Times are microseconds
    since 1970, the first included, the last not. Rows without attributes (withdrawn routes) have no origin and no path.
    """

    prefixes: tuple[Prefix, ...] = ()
    more_specifics: bool = False
    peers: tuple[Address | ASN, ...] = ()
    origins: tuple[ASN, ...] = ()
    path: Pattern[str] | None = None
    from_us: int | None = None
    to_us: int | None = None

    @property
    def asks_nothing(self) -> bool:
        """Whether every row fits."""
        return self == RowFilter(more_specifics=self.more_specifics)

    def rows(self, columns: RouteColumns, peer: Callable[[int], MRTPeer]) -> NDArray[np.uint32]:
        """Give the places of the rows that fit, as far as routes alone tell."""
        fits = np.ones(len(columns.time_us), np.bool_)
        if self.from_us is not None:
            fits &= columns.time_us >= self.from_us
        if self.to_us is not None:
            fits &= columns.time_us < self.to_us
        if self.peers and len(fits):
            fits &= self._peers_fit(int(columns.peer.max()) + 1, peer)[columns.peer]
        if self.prefixes:
            fits &= self._prefixes_fit(columns)
        return np.flatnonzero(fits).astype(np.uint32)

    def _peers_fit(self, count: int, peer: Callable[[int], MRTPeer]) -> NDArray[np.bool_]:
        asked = frozenset(self.peers)
        return np.array([not asked.isdisjoint((peer(number).address, peer(number).asn)) for number in range(count)])

    def _prefixes_fit(self, columns: RouteColumns) -> NDArray[np.bool_]:
        fits = np.zeros(len(columns.time_us), np.bool_)
        for prefix in self.prefixes:
            bits = prefix.network << (128 - prefix.family.bits)
            mask = ((1 << prefix.length) - 1) << (128 - prefix.length)
            fit = columns.family == prefix.family.value
            fit &= columns.length >= prefix.length if self.more_specifics else columns.length == prefix.length
            fit &= columns.high & np.uint64(mask >> 64) == np.uint64(bits >> 64)
            fit &= columns.low & np.uint64(mask & _WORD) == np.uint64(bits & _WORD)
            fits |= fit
        return fits & (columns.kind != STATE_CHANGE)

    def by_origin(
        self, columns: RouteColumns, rows: NDArray[np.uint32], origin_asns: NDArray[np.uint32]
    ) -> NDArray[np.bool_]:
        """Tell of each of `rows`, whose origins are given, whether it fits."""
        return (columns.place[rows] > 0) & np.isin(origin_asns, np.array(self.origins, np.uint32))

    def by_path(
        self, columns: RouteColumns, rows: NDArray[np.uint32], paths: NDArray[np.uint32], decoder: AttributeDecoder
    ) -> NDArray[np.bool_]:
        """Tell of each of `rows`, the numbers of whose paths are given, whether it fits."""
        assert self.path is not None
        numbers, inverse = np.unique(paths, return_inverse=True)
        found = np.array([self.path.search(decoder.path_text(int(number))) is not None for number in numbers], np.bool_)
        return (columns.place[rows] > 0) & found[inverse]
