"""From a router's BMP stream to facts: what it hears from each of its peers, and its own best routes.

A router may tell a peer's routes before its import policy, after it, or both. What the peer really said is the view
before; the view after counts only for a peer of which no other is told. Adj-RIB-Out is what the router tells others:
for a PoP's router that is our own change, from which convergence is counted.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.model.community import Community
from anycastle.model.prefix import Family, Prefix
from anycastle.watch.fact import Fact, OwnAction, OwnChange, Peer, PeerDown, PeerUp, RouteGone, RouteSeen, TableSize
from anycastle.watch.table import WatchedTable
from anycastle.wire.bgp.attributes import PathAttributes
from anycastle.wire.bgp.capability_69_add_path import AddPath, AddPathMode
from anycastle.wire.bgp.codec import decode_message
from anycastle.wire.bgp.errors import NotificationError
from anycastle.wire.bgp.family import AFISAFI, unicast_family
from anycastle.wire.bgp.message import Open, Update
from anycastle.wire.bgp.options import CodecOptions
from anycastle.wire.bmp.codec import Framer, decode_bmp
from anycastle.wire.bmp.message import (
    BMPMessage,
    Damaged,
    Initiation,
    PeerHeader,
    PeerType,
    RefusedOpen,
    RIBView,
    RouteMonitoring,
    Termination,
)
from anycastle.wire.bmp.message import (
    PeerDown as BMPPeerDown,
)
from anycastle.wire.bmp.message import (
    PeerUp as BMPPeerUp,
)

SYSTEM_NAME: Final = 2
"""Information type of a router's name (RFC 7854 §4.4)."""

AHEAD_MAX_S: Final = 5.0
"""How far a router's clock may be ahead of ours before its times are not believed."""

BEHIND_MAX_S: Final = 60.0
"""How late a message may be; an older time is when the route was learnt (a table told at the start), or is wrong."""

PEERS_MAX: Final = 5_000
"""Peers of one router; a route server has some thousand."""

NOTES_MAX: Final = 20
"""Damage that is remembered with its reason; the count goes on."""

_Key = tuple[int, bytes, str]


class BMPReader:
    """One router's connection. `pop` names the PoP whose router it is, where it is one of ours."""

    def __init__(self, table: WatchedTable, collector: str, pop: str | None = None) -> None:
        self.collector = collector
        self.messages = 0
        self.garbage = 0
        self.garbage_reasons: list[str] = []
        self.ended = ""
        """What the router said when it ended the connection."""
        self._table = table
        self._pop = pop
        self._framer = Framer()
        self._peers: dict[_Key, Peer] = {}
        self._options: dict[_Key, tuple[CodecOptions, CodecOptions]] = {}
        """How a peer's UPDATEs are read: what it tells the router, and what the router tells it."""
        self._closed = False
        self._pre_policy: set[_Key] = set()
        self._counts: dict[tuple[Peer, Family], int] = {}
        self._exported: set[tuple[_Key, Prefix]] = set()

    def feed(self, octets: bytes, now: Timestamp) -> list[Fact]:
        """Give the facts of octets, cut anywhere. Raises `BMPError`: the connection is of no more use."""
        facts: list[Fact] = []
        self._framer.feed(octets)
        for raw in self._framer:
            if self._closed:
                break  # the router has dialled anew: what the earlier connection still holds is old
            self.messages += 1
            facts += self._facts(decode_bmp(raw), now)
        return facts

    def closed(self, now: Timestamp, reason: str) -> list[Fact]:
        """Give the facts of the connection's end: of every peer nothing is known any more."""
        peers, self._peers = self._peers, {}
        self._closed = True
        return [PeerDown(now, peer, reason) for peer in dict.fromkeys(peers.values())]

    def _facts(self, message: BMPMessage, now: Timestamp) -> list[Fact]:
        header = getattr(message, "peer", None)
        if header is not None and (header.type is PeerType.RD_INSTANCE or any(header.distinguisher)):
            return []  # a VPN's peers and routes are not the Internet's
        match message:
            case RouteMonitoring(peer, update):
                return list(self._monitored(peer, update, now))
            case BMPPeerUp(peer):
                return self._up(message, now)
            case BMPPeerDown(peer):
                return self._down(message, now)
            case Initiation(information):
                names = [tlv.text.strip() for tlv in information if tlv.type == SYSTEM_NAME]
                self.collector = names[0] if names and names[0] else self.collector
            case Termination(information):
                self.ended = "; ".join(tlv.text for tlv in information if tlv.type == 0)
            case Damaged():
                self._refuse(f"message of type {message.type}: {message.what}")
            case _:
                pass  # statistics and mirrored messages say nothing of routes
        return []

    def _refuse(self, reason: str) -> None:
        self.garbage += 1
        self.garbage_reasons = [*self.garbage_reasons[-NOTES_MAX + 1 :], reason]

    def _up(self, message: BMPPeerUp, now: Timestamp) -> list[Fact]:
        header = message.peer  # its view means nothing here: one session has both tables
        if len(self._options) >= PEERS_MAX and _key(header) not in self._options:
            self._refuse(f"more than {PEERS_MAX} peers")
            return []
        self._options[_key(header)] = _options_of(message)
        self._forget(_key(header))
        peer = self._peer(header)
        self._counts = {key: count for key, count in self._counts.items() if key[0] != peer}
        return [PeerUp(_time(header, now), peer)]

    def _down(self, message: BMPPeerDown, now: Timestamp) -> list[Fact]:
        header = message.peer
        self._options.pop(_key(header), None)
        self._forget(_key(header))
        peer = self._peers.pop(_key(header), None)
        return [] if peer is None else [PeerDown(_time(header, now), peer, str(message))]

    def _forget(self, key: _Key) -> None:
        self._pre_policy.discard(key)
        self._exported = {each for each in self._exported if each[0] != key}

    def _monitored(self, header: PeerHeader, octets: bytes, now: Timestamp) -> Iterator[Fact]:
        heard, told = self._options.get(_key(header), (_WITHOUT_OPEN, _WITHOUT_OPEN))
        options = told if _is_told(header.view) else heard
        try:
            update = decode_message(octets, replace(options, four_octet_asn=not header.two_octet_path))
        except NotificationError as error:
            self._refuse(f"an UPDATE of {header.address}: {error.text}")
            return
        if not isinstance(update, Update):
            self._refuse(f"a {type(update).__name__} where an UPDATE belongs")
            return
        at = _time(header, now)
        if _is_told(header.view):
            yield from self._told(header, update, at)
        elif self._counts_as_heard(header):
            yield from self._heard(self._peer(header), update, at)

    def _counts_as_heard(self, header: PeerHeader) -> bool:
        key = _key(header)
        if header.view is RIBView.ADJ_RIB_IN_PRE_POLICY:
            self._pre_policy.add(key)
        return header.view is not RIBView.ADJ_RIB_IN_POST_POLICY or key not in self._pre_policy

    def _heard(self, peer: Peer, update: Update, at: Timestamp) -> Iterator[Fact]:
        for nlri in update.withdrawn_nlri:
            if self._table.concern(nlri.prefix) is not None:
                yield RouteGone(at, peer, nlri.prefix)
        for nlri in update.announced_nlri:
            counted = (peer, nlri.prefix.family)
            self._counts[counted] = self._counts.get(counted, 0) + 1
            if update.attributes.as_path is not None and self._table.concern(nlri.prefix) is not None:
                yield _seen(at, peer, nlri.prefix, update.attributes)
        ended = _end_of_rib(update)
        if ended is not None and (peer, ended) in self._counts:
            yield TableSize(at, peer, ended, self._counts[peer, ended])

    def _told(self, header: PeerHeader, update: Update, at: Timestamp) -> Iterator[Fact]:
        """What a PoP's router tells a neighbour, after policy where it says that."""
        if self._pop is None or header.view is not RIBView.ADJ_RIB_OUT_POST_POLICY:
            return
        key, upstream = _key(header), f"AS{header.asn}"
        for nlri in update.withdrawn_nlri:
            if self._table.concern(nlri.prefix) is not None:
                self._exported.discard((key, nlri.prefix))
                yield OwnChange(at, nlri.prefix, OwnAction.WITHDRAW, self._pop, upstream)
        for nlri in update.announced_nlri:
            if self._table.concern(nlri.prefix) is not None:
                known = (key, nlri.prefix) in self._exported
                self._exported.add((key, nlri.prefix))
                action = OwnAction.CHANGE if known else OwnAction.ANNOUNCE
                yield OwnChange(at, nlri.prefix, action, self._pop, upstream)

    def _peer(self, header: PeerHeader) -> Peer:
        key = _key(header)
        peer = self._peers.get(key)
        if peer is None:
            if len(self._peers) >= PEERS_MAX:
                self._peers.pop(next(iter(self._peers)))
            address = "Loc-RIB" if header.address is None else str(header.address)
            peer = self._peers[key] = Peer(self.collector, header.asn, address)
        return peer


_WITHOUT_OPEN: Final = CodecOptions(four_octet_asn=True, extended_message=True, ebgp=False, confederation=True)
"""How an UPDATE is read whose peer's OPENs were not told."""


def _key(header: PeerHeader) -> _Key:
    return header.type, header.distinguisher, str(header.address)


def _is_told(view: RIBView) -> bool:
    return view in (RIBView.ADJ_RIB_OUT_PRE_POLICY, RIBView.ADJ_RIB_OUT_POST_POLICY)


def _time(header: PeerHeader, now: Timestamp) -> Timestamp:
    """Give when it happened: the router's time, or ours where that is none, or not of this moment."""
    at = header.at_us / 1_000_000
    return Timestamp(at) if now - BEHIND_MAX_S <= at <= now + AHEAD_MAX_S else now


def _options_of(message: BMPPeerUp) -> tuple[CodecOptions, CodecOptions]:
    """Give how UPDATEs to us and from us are read: path identifiers are there where one may send and the other take."""
    heard = _add_path(message.received, AddPathMode.SEND) & _add_path(message.sent, AddPathMode.RECEIVE)
    told = _add_path(message.sent, AddPathMode.SEND) & _add_path(message.received, AddPathMode.RECEIVE)
    return replace(_WITHOUT_OPEN, add_path_receive=heard), replace(_WITHOUT_OPEN, add_path_receive=told)


def _add_path(open_: Open | RefusedOpen, mode: AddPathMode) -> frozenset[AFISAFI]:
    told = () if isinstance(open_, RefusedOpen) else open_.capabilities
    capabilities = (each for each in told if isinstance(each, AddPath))
    return frozenset(
        (each.afi, each.safi) for capability in capabilities for each in capability.families if each.mode & mode
    )


def _end_of_rib(update: Update) -> Family | None:
    """Give the family whose table an End-of-RIB ends (RFC 4724 §2)."""
    unreach = update.attributes.mp_unreach
    if update == Update():
        return Family.IPV4
    if unreach is not None and update == Update.end_of_rib(Family.IPV6):
        return unicast_family(unreach.afi, unreach.safi)
    return None


def _seen(at: Timestamp, peer: Peer, prefix: Prefix, attributes: PathAttributes) -> RouteSeen:
    assert attributes.as_path is not None
    communities: frozenset[Community] = frozenset((*attributes.communities, *attributes.large_communities))
    return RouteSeen(at, peer, prefix, attributes.as_path, communities, attributes.only_to_customer)
