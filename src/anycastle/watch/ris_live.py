"""From RIS Live's messages to facts: the few that concern us are decoded whole, the others by their prefixes only."""

from collections.abc import Iterable
from typing import Final

from anycastle.base.errors import ParseError
from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN, parse_asn
from anycastle.model.prefix import Prefix
from anycastle.watch.fact import Fact, Peer, PeerDown, PeerUp, RouteGone, RouteSeen
from anycastle.watch.table import WatchedTable
from anycastle.wire.ris_live import Garbage, Head, decode_head, decode_update, is_time

PEERS_KEPT_MAX: Final = 10_000
"""Peers remembered; RIS has some 1,500. Beyond it a peer is made anew for each message."""

NOTES_MAX: Final = 20
"""Garbage that is remembered with its reason; the count goes on."""

_PEER_STATES: Final = frozenset({"RIS_PEER_STATE", "STATE"})


class RISLiveReader:
    """Turns messages into facts, and counts what it could not read."""

    def __init__(self, table: WatchedTable) -> None:
        self._table = table
        self._peers: dict[tuple[str, str, str | int], Peer] = {}
        self.messages = 0
        self.concerned = 0
        self.garbage = 0
        self.garbage_reasons: list[str] = []
        self.errors: list[str] = []
        """What the server complained of."""
        self._head: Head | Garbage | None = None

    def read(self, octets: bytes | str) -> list[Fact]:
        """Give the facts of one message. Nearly all messages concern nobody, and end before anything is made."""
        self.messages += 1
        self._head = head = decode_head(octets)
        if isinstance(head, Garbage):
            return self._refuse(head.reason)
        data = head.data
        nobodys = self._table.nobodys
        for announcement in data.announcements:
            if not nobodys.issuperset(announcement.prefixes):
                return self._concerning(head, octets)
        if not nobodys.issuperset(data.withdrawals) or data.type in _PEER_STATES or data.message:
            return self._concerning(head, octets)
        return []

    @property
    def told_at(self) -> Timestamp | None:
        """When the last message was told to the collector, where it was of a peer."""
        if isinstance(self._head, Garbage) or self._head is None or self._head.type != "ris_message":
            return None
        return Timestamp(self._head.data.timestamp)

    @property
    def speaker(self) -> Peer | None:
        """The peer of the last message, where it was of one."""
        if isinstance(self._head, Garbage) or self._head is None or self._head.type != "ris_message":
            return None
        try:
            return self._peer(self._head)
        except ParseError:
            return None

    def _concerning(self, head: Head, octets: bytes | str) -> list[Fact]:
        """Give the facts of a message with a prefix that is watched, or not known yet, or that is no UPDATE."""
        data = head.data
        if head.type != "ris_message":
            if head.type == "ris_error":
                self.errors = [*self.errors[-NOTES_MAX + 1 :], data.message]
            return []
        if not is_time(data.timestamp):
            return self._refuse(f"{data.timestamp} is not a time")
        try:
            peer = self._peer(head)
        except ParseError as error:
            return self._refuse(str(error))
        if data.type in _PEER_STATES:
            return self._state(head, peer)
        seen = self._readable(text for each in data.announcements for text in each.prefixes)
        gone = self._readable(data.withdrawals)
        return self._routes(peer, head, octets, seen, gone) if seen or gone else []

    def _readable(self, texts: Iterable[str]) -> list[Prefix]:
        """Give the prefixes that concern us. A text that is none is counted; the rest of its message still counts."""
        found = []
        for text in texts:
            try:
                concerned = self._table.concern_of_text(text)
            except ParseError as error:
                self._refuse(str(error))
                continue
            if concerned is not None:
                found.append(concerned.prefix)
        return found

    def _routes(
        self, peer: Peer, head: Head, octets: bytes | str, seen: list[Prefix], gone: list[Prefix]
    ) -> list[Fact]:
        """Give the facts of an UPDATE that concerns us; withdrawals first, as in an UPDATE (RFC 4271 §3.1)."""
        at = Timestamp(head.data.timestamp)
        facts: list[Fact] = [RouteGone(at, peer, prefix) for prefix in gone if prefix not in seen]
        if seen:
            detail = decode_update(octets)
            if isinstance(detail, Garbage):
                return self._refuse(detail.reason)
            facts += [
                RouteSeen(at, peer, prefix, detail.path, detail.communities, detail.only_to_customer)
                for prefix in dict.fromkeys(seen)  # one prefix can come with two next hops
            ]
        self.concerned += 1
        return facts

    def _state(self, head: Head, peer: Peer) -> list[Fact]:
        at = Timestamp(head.data.timestamp)
        match head.data.state:
            case "connected":
                return [PeerUp(at, peer)]
            case "down":
                return [PeerDown(at, peer, "the collector says so")]
            case _:
                return []

    def _peer(self, head: Head) -> Peer:
        """Give the peer; the collector's name is without its domain, as feeds write it both ways."""
        data = head.data
        key = (data.host, data.peer, data.peer_asn)
        peer = self._peers.get(key)
        if peer is None:
            asn = parse_asn(data.peer_asn) if data.peer_asn != "" else ASN(0)
            peer = Peer(data.host.partition(".")[0], asn, data.peer)
            if len(self._peers) < PEERS_KEPT_MAX:
                self._peers[key] = peer
        return peer

    def _refuse(self, reason: str) -> list[Fact]:
        self.garbage += 1
        if len(self.garbage_reasons) < NOTES_MAX:
            self.garbage_reasons.append(reason)
        return []
