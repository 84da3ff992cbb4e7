"""MRT archives as facts, in bulk: kernels read all routes to columns, and only the rows that concern us become values.

Equal, fact by fact, to `watch.mrt.MRTReader` over single records, but for UPDATEs whose attributes are malformed other
than in the path: a router treats some of those as withdrawals (RFC 7606), and here they are read as they were sent.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from anycastle.base.ports import Timestamp
from anycastle.io.feeds.route_batches import RouteBatch, RouteReader
from anycastle.kernels.attribute_decoder import AttributeColumns
from anycastle.kernels.mrt_attributes import MALFORMED_PATH
from anycastle.kernels.mrt_rows import ANNOUNCE, MULTICAST, RIB_ROUTE, SENT, STATE_CHANGE, WITHDRAW
from anycastle.kernels.route_decoder import RouteColumns
from anycastle.model.asn import ASN
from anycastle.model.community import Community
from anycastle.model.prefix import Family, Prefix
from anycastle.watch.fact import Fact, Peer, PeerDown, PeerUp, RouteGone, RouteSeen, TableSize
from anycastle.watch.intent import WatchedPrefix
from anycastle.watch.mrt import ESTABLISHED
from anycastle.watch.table import WatchedTable

_WORD = (1 << 64) - 1


class Spans:
    """The address space of the watched prefixes, by the first 64 bits: which rows could concern them.

    A row is let through if it shares an address with a watched prefix, as far as 64 bits tell; that is all that
    contain one, all that lie within one, and a few more, which the table then sorts out.
    """

    def __init__(self, watched: Iterable[WatchedPrefix]) -> None:
        self._starts: dict[int, NDArray[np.uint64]] = {}
        self._ends: dict[int, NDArray[np.uint64]] = {}
        self._shortest = {family.value: 1 for family in Family}
        """A default route covers everything and concerns nobody, but where it is watched itself."""
        spans: dict[int, list[tuple[int, int]]] = {family.value: [] for family in Family}
        for each in watched:
            prefix = each.prefix
            if not prefix.length:
                self._shortest[prefix.family.value] = 0
            shift = 128 - prefix.family.bits
            last = ((prefix.network | prefix.host_mask) << shift | ((1 << shift) - 1)) >> 64
            spans[prefix.family.value].append((prefix.network << shift >> 64, last))
        for family, found in spans.items():
            merged: list[list[int]] = []
            for start, end in sorted(found):
                if merged and start <= merged[-1][1]:
                    merged[-1][1] = max(merged[-1][1], end)
                else:
                    merged.append([start, end])
            self._starts[family] = np.array([start for start, _ in merged], np.uint64)
            self._ends[family] = np.array([end for _, end in merged], np.uint64)

    def rows(self, columns: RouteColumns) -> NDArray[np.uint32]:
        """Give the places of the rows that could concern us, and of all state changes."""
        fits = columns.kind == STATE_CHANGE
        for family, starts in self._starts.items():
            if not len(starts):
                continue
            long_enough = columns.length >= self._shortest[family]
            of_family = np.flatnonzero((columns.family == family) & ~fits & long_enough)
            low = columns.high[of_family]
            length = np.minimum(columns.length[of_family], 64).astype(np.uint64)
            host = np.where(length >= 64, np.uint64(0), np.uint64(_WORD) >> np.minimum(length, np.uint64(63)))
            place = np.searchsorted(starts, low | host, "right").astype(np.int64) - 1
            meets = (place >= 0) & (self._ends[family][np.maximum(place, 0)] >= low)
            fits[of_family[meets]] = True
        return np.flatnonzero(fits).astype(np.uint32)


class MRTFacts:
    """The facts of one collector's archive."""

    def __init__(self, name: str, collector: str, table: WatchedTable) -> None:
        self._name = name
        self._collector = collector
        self._table = table
        self._spans = Spans(table)
        self._reader = RouteReader()
        self._peers: dict[int, Peer] = {}
        self._sizes: dict[tuple[int, int], int] = {}
        self._at = Timestamp(0.0)
        self.ended_at: Timestamp | None = None
        """When the last row was written that has been read, whomever it concerns."""
        self._batches = self._reader.read([name])
        self._first = next(self._batches, None)

    @property
    def is_table(self) -> bool:
        """Whether it is a table of routes, as its first row is one."""
        return self._first is not None and int(self._first.columns.kind[0]) == RIB_ROUTE

    @property
    def is_empty(self) -> bool:
        """Whether it holds no route at all."""
        return self._first is None

    @property
    def problems(self) -> list[str]:
        """What could not be read, once all has been."""
        return [f"{name}: {damaged}" for name, damaged in self._reader.damage]

    @property
    def unreadable(self) -> list[str]:
        """Its name, if something is in it, and nothing could be read."""
        return self._reader.unreadable

    def facts(self) -> Iterator[Fact]:
        """Give the facts, once; the sizes of tables last."""
        batch = self._first
        while batch is not None:
            self.ended_at = Timestamp(int(batch.columns.time_us[-1]) / 1_000_000)
            yield from self._batch(batch)
            batch = next(self._batches, None)
        for (peer, family), size in self._sizes.items():
            yield TableSize(self._at, self._peer(peer), Family(family), size)

    def _batch(self, batch: RouteBatch) -> list[Fact]:
        columns = batch.columns
        self._count_tables(columns)
        rows = self._spans.rows(columns)
        if not len(rows):
            return []
        attributes = batch.attributes(rows)
        names = ("time_us", "kind", "peer", "family", "high", "low", "length", "form")
        lists = [getattr(columns, name)[rows].tolist() for name in names]
        made: list[Fact] = []
        for number, (time_us, kind, peer, family, high, low, length, form) in enumerate(zip(*lists, strict=True)):
            at = Timestamp(time_us / 1_000_000)
            if kind == STATE_CHANGE:
                made += self._state(at, peer, high, low)
                continue
            if form & (SENT | MULTICAST):
                continue
            bits = Family(family).bits
            prefix = Prefix(Family(family), (high << 64 | low) >> (128 - bits), length)
            if self._table.concern(prefix) is not None:
                block = int(attributes.blocks[number])
                made += self._route(batch, attributes, block, at, peer, prefix, kind)
        return made

    def _route(
        self,
        batch: RouteBatch,
        attributes: AttributeColumns,
        block: int,
        at: Timestamp,
        peer: int,
        prefix: Prefix,
        kind: int,
    ) -> list[Fact]:
        who = self._peer(peer)
        if kind == WITHDRAW:
            return [RouteGone(at, who, prefix)]
        decoder = batch.reader.attributes
        path = decoder.path(int(attributes.path[block]))
        if path is None or int(attributes.flags[block]) & MALFORMED_PATH:
            return [RouteGone(at, who, prefix)] if kind == ANNOUNCE else []
        mark = int(attributes.only_to_customer[block])
        communities: frozenset[Community] = frozenset((
            *decoder.communities(int(attributes.communities[block])),
            *decoder.large_communities(int(attributes.large_communities[block])),
        ))  # fmt: skip
        seeded = kind == RIB_ROUTE
        since = min(Timestamp(float(attributes.originated_at[block])), at) if seeded else None
        return [RouteSeen(at, who, prefix, path, communities, ASN(mark) if mark else None, seeded, since)]

    def _state(self, at: Timestamp, peer: int, old: int, new: int) -> list[Fact]:
        if new == ESTABLISHED:
            return [PeerUp(at, self._peer(peer))]
        return [PeerDown(at, self._peer(peer), "the session ended")] if old == ESTABLISHED else []

    def _peer(self, number: int) -> Peer:
        peer = self._peers.get(number)
        if peer is None:
            found = self._reader.peer(number)
            peer = self._peers[number] = Peer(self._collector, found.asn, str(found.address))
        return peer

    def _count_tables(self, columns: RouteColumns) -> None:
        table = (columns.kind == RIB_ROUTE) & (columns.form & MULTICAST == 0)
        if not table.any():
            return
        self._at = max(self._at, Timestamp(int(columns.time_us[table].max()) / 1_000_000))
        for family in Family:
            counts = np.bincount(columns.peer[table & (columns.family == family.value)])
            for peer in np.flatnonzero(counts).tolist():
                key = (peer, family.value)
                self._sizes[key] = self._sizes.get(key, 0) + int(counts[peer])
