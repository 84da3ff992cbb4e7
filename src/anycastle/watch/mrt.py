"""From MRT records to facts: tables at the start, then updates and state changes."""

from collections.abc import Iterator

from anycastle.base.ports import Timestamp
from anycastle.model.community import Community
from anycastle.model.prefix import Family, Prefix
from anycastle.watch.fact import Fact, Peer, PeerDown, PeerUp, RouteGone, RouteSeen, TableSize
from anycastle.watch.table import WatchedTable
from anycastle.wire.bgp.attributes import PathAttributes
from anycastle.wire.bgp.message import Update
from anycastle.wire.mrt.bgp4mp import BGPMessage, StateChange
from anycastle.wire.mrt.codec import Record
from anycastle.wire.mrt.record import Damaged, Unknown
from anycastle.wire.mrt.table_dump import TableDumpRoute
from anycastle.wire.mrt.table_dump_v2 import RIB, PeerIndexTable

ESTABLISHED = 6
"""FSM state in which routes are exchanged (RFC 6396 §4.4.1)."""

SAFI_UNICAST = 1


class MRTReader:
    """Turns the records of one collector into facts, and counts what it could not read."""

    def __init__(self, table: WatchedTable, collector: str) -> None:
        self._table = table
        self._collector = collector
        self._index: tuple[Peer, ...] = ()
        self._peers: dict[tuple[int, object], Peer] = {}
        self._sizes: dict[tuple[Peer, Family], int] = {}
        self._at = Timestamp(0.0)
        self.records = 0
        self.damaged: list[Damaged] = []
        self.unknown = 0

    def read(self, record: Record) -> list[Fact]:
        """Give the facts of one record."""
        self.records += 1
        at = Timestamp(record.at_us / 1_000_000)
        match record.value:
            case RIB() as rib:
                self._at = max(self._at, at)
                return list(self._rib(rib, at))
            case BGPMessage(message=Update() as update, sent=False) as heard:
                return list(self._update(self._peer(heard.session.peer_asn, heard.session.peer), update, at))
            case StateChange() as change:
                return self._state(change, at)
            case TableDumpRoute() as route:
                self._at = max(self._at, at)
                peer = self._peer(route.peer_asn, route.peer)
                return list(self._row(peer, route.prefix, route.attributes, route.originated_at, at))
            case PeerIndexTable() as index:
                self._index = tuple(self._peer(entry.asn, entry.address) for entry in index.peers)
            case Damaged() as damaged:
                self.damaged.append(damaged)
            case Unknown():
                self.unknown += 1
        return []

    def finish(self) -> list[Fact]:
        """Give how large each peer's table was, once all of it has been read."""
        return [TableSize(self._at, peer, family, size) for (peer, family), size in self._sizes.items()]

    def _peer(self, asn: int, address: object) -> Peer:
        key = (asn, address)
        peer = self._peers.get(key)
        if peer is None:
            peer = self._peers[key] = Peer(self._collector, asn, str(address))  # type: ignore[arg-type]
        return peer

    def _rib(self, rib: RIB, at: Timestamp) -> Iterator[Fact]:
        if rib.prefix is None or rib.safi != SAFI_UNICAST:
            return
        for entry in rib.entries:
            if entry.peer_index < len(self._index):
                peer = self._index[entry.peer_index]
                yield from self._row(peer, rib.prefix, entry.attributes, entry.originated_at, at)

    def _row(
        self, peer: Peer, prefix: Prefix, attributes: PathAttributes, originated_at: int, at: Timestamp
    ) -> Iterator[Fact]:
        key = (peer, prefix.family)
        self._sizes[key] = self._sizes.get(key, 0) + 1
        if attributes.as_path is not None and self._table.concern(prefix) is not None:
            since = min(Timestamp(float(originated_at)), at)
            yield _seen(at, peer, prefix, attributes, since)

    def _update(self, peer: Peer, update: Update, at: Timestamp) -> Iterator[Fact]:
        for nlri in update.withdrawn_nlri:
            if self._table.concern(nlri.prefix) is not None:
                yield RouteGone(at, peer, nlri.prefix)
        for nlri in update.announced_nlri:
            if update.attributes.as_path is not None and self._table.concern(nlri.prefix) is not None:
                yield _seen(at, peer, nlri.prefix, update.attributes, None)

    def _state(self, change: StateChange, at: Timestamp) -> list[Fact]:
        peer = self._peer(change.session.peer_asn, change.session.peer)
        if change.new_state == ESTABLISHED:
            return [PeerUp(at, peer)]
        if change.old_state == ESTABLISHED:
            return [PeerDown(at, peer, "the session ended")]
        return []


def _seen(at: Timestamp, peer: Peer, prefix: Prefix, attributes: PathAttributes, since: Timestamp | None) -> RouteSeen:
    assert attributes.as_path is not None
    communities: frozenset[Community] = frozenset((*attributes.communities, *attributes.large_communities))
    return RouteSeen(
        at, peer, prefix, attributes.as_path, communities, attributes.only_to_customer, since is not None, since
    )
