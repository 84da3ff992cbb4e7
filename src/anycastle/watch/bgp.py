"""From a BGP session of our own to facts: what one router tells us, path by path.

Theory of operation. A session that ends makes what its router told unknown, not withdrawn. When it is back the router
tells its table anew, and says by End-of-RIB when that is done (RFC 4724 §2): only then is what it did not tell again
gone. The same holds between the marks of an enhanced route refresh (RFC 7313 §4). Routes that concern nobody are
counted, for the limit on prefixes and to tell a full table from a part of one, and not kept.
"""

from collections.abc import Iterator
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.model.community import Community
from anycastle.model.prefix import Family, Prefix
from anycastle.watch.add_path import PathPlaces
from anycastle.watch.fact import Fact, Peer, PeerDown, PeerUp, RouteGone, RouteSeen, TableSize
from anycastle.watch.table import WatchedTable
from anycastle.wire.bgp.message import Update
from anycastle.wire.bgp.nlri import NLRI

COLLECTOR: Final = "bgp"
"""What stands for the collector of all sessions of our own."""

_Told = tuple[Prefix, int]
"""A prefix, and the place of one path to it."""


class BGPReader:
    """One session."""

    def __init__(self, table: WatchedTable, asn: ASN, address: str, collector: str = COLLECTOR) -> None:
        self.peer = Peer(collector, asn, address)
        self.updates = 0
        self._table = table
        self._places = PathPlaces()
        self._peers = {0: self.peer}
        self._counted: dict[Family, set[int]] = {family: set() for family in Family}
        self._told: dict[_Told, None] = {}
        self._before: dict[Family, dict[_Told, None]] = {}
        """Family -> what was told before a reset or refresh, and not yet again."""
        self._sizes: dict[Family, int] = {}

    @property
    def refused(self) -> int:
        """Paths that were not followed, as too many lead to one prefix."""
        return self._places.refused

    def count(self, family: Family) -> int:
        """Give how many routes of a family the router tells now, each path apart."""
        return len(self._counted[family])

    def up(self, at: Timestamp) -> list[Fact]:
        """The session is established."""
        return [PeerUp(at, peer) for peer in self._peers.values()]

    def down(self, at: Timestamp, reason: str) -> list[Fact]:
        """The session ended: of its routes nothing is known."""
        for family in Family:
            self.retell(family)
        self._places.forget()
        self._sizes.clear()
        return [PeerDown(at, peer, reason) for peer in self._peers.values()]

    def update(self, update: Update, at: Timestamp) -> list[Fact]:
        """Give the facts of an UPDATE."""
        self.updates += 1
        return [*self._withdrawn(update, at), *self._announced(update, at)]

    def retell(self, family: Family) -> None:
        """The router begins to tell all its routes of a family again."""
        self._counted[family].clear()
        before = self._before.setdefault(family, {})
        for told in [each for each in self._told if each[0].family is family]:
            before[told] = self._told.pop(told)

    def retold(self, family: Family, at: Timestamp) -> list[Fact]:
        """The router has told all its routes of a family: what it had told before and not again is gone."""
        gone: list[Fact] = []
        for prefix, place in self._before.pop(family, {}):
            self._places.vacate(prefix, place)
            gone.append(RouteGone(at, self._peers[place], prefix))
        self._sizes[family] = self.count(family)
        return gone + [TableSize(at, peer, family, self._sizes[family]) for peer in self._peers.values()]

    def _withdrawn(self, update: Update, at: Timestamp) -> Iterator[Fact]:
        for nlri in update.withdrawn_nlri:
            self._counted[nlri.prefix.family].discard(_key(nlri))
            if self._table.concern(nlri.prefix) is None:
                continue
            place = self._places.free(nlri.prefix, nlri.path_id)
            if place is not None:
                self._told.pop((nlri.prefix, place), None)
                yield RouteGone(at, self._peers[place], nlri.prefix)
            elif nlri.path_id is None:
                yield RouteGone(at, self.peer, nlri.prefix)  # told before we listened

    def _announced(self, update: Update, at: Timestamp) -> Iterator[Fact]:
        attributes = update.attributes
        for nlri in update.announced_nlri:
            self._counted[nlri.prefix.family].add(_key(nlri))
            if attributes.as_path is None or self._table.concern(nlri.prefix) is None:
                continue
            place = self._places.take(nlri.prefix, nlri.path_id)
            if place is None:
                continue
            if place not in self._peers:
                yield from self._begin(place, at)
            told = (nlri.prefix, place)
            self._told[told] = None
            self._before.get(nlri.prefix.family, {}).pop(told, None)
            communities: frozenset[Community] = frozenset((*attributes.communities, *attributes.large_communities))
            mark = attributes.only_to_customer
            yield RouteSeen(at, self._peers[place], nlri.prefix, attributes.as_path, communities, mark)

    def _begin(self, place: int, at: Timestamp) -> Iterator[Fact]:
        """A path beside those that the router told so far: it sees as much of the Internet as the session does."""
        peer = self._peers[place] = Peer(self.peer.collector, self.peer.asn, self.peer.address, place)
        for family, size in self._sizes.items():
            yield TableSize(at, peer, family, size)


def _key(nlri: NLRI) -> int:
    """Give a route's key as one number: a full table of them takes a tenth of what the values would."""
    prefix = nlri.prefix
    return ((nlri.path_id or 0) << 128 | prefix.network) << 8 | prefix.length
