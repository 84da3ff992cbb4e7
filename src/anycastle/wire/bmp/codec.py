"""BMP octets <-> messages, with the framing (RFC 7854 §4)."""

from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import Final

from anycastle.model.asn import ASN
from anycastle.model.prefix import Address
from anycastle.wire.bgp.codec import BEFORE_OPEN, HEADER_LENGTH, decode_message, encode_message
from anycastle.wire.bgp.errors import NotificationError
from anycastle.wire.bgp.message import Notification, Open
from anycastle.wire.bgp.options import CodecOptions
from anycastle.wire.bmp.message import (
    TLV,
    BMPMessage,
    Damaged,
    DownReason,
    Initiation,
    MessageType,
    PeerDown,
    PeerHeader,
    PeerType,
    PeerUp,
    RefusedOpen,
    RIBView,
    RouteMirroring,
    RouteMonitoring,
    StatisticsReport,
    Termination,
)
from anycastle.wire.octets import DamagedError, OctetReader

VERSION: Final = 3
HEADER_OCTETS: Final = 6
MESSAGE_OCTETS_MAX: Final = 1 << 20
"""Octets of a message: a mirrored or monitored BGP message has at most 65,535, reports of every counter far fewer."""

_V, _L, _A, _O = 0x80, 0x40, 0x20, 0x10
_FILTERED: Final = 0x80
_NOTIFICATIONS: Final = (DownReason.LOCAL_NOTIFICATION, DownReason.REMOTE_NOTIFICATION)
_WHOLE: Final = CodecOptions(four_octet_asn=True, extended_message=True)


class BMPError(Exception):
    """The stream is no BMP, or not of this version: nothing that follows can be read."""


class Framer:
    """Cuts a stream into messages, header included. Holds at most one that is not whole."""

    def __init__(self) -> None:
        self._octets = bytearray()

    def feed(self, octets: bytes) -> None:
        """Take octets, cut anywhere."""
        self._octets += octets

    def __iter__(self) -> Iterator[bytes]:
        """Give the messages that are whole. Raises `BMPError`."""
        octets, at = self._octets, 0
        try:
            while len(octets) - at >= HEADER_OCTETS:
                length = int.from_bytes(octets[at + 1 : at + 5])
                if octets[at] != VERSION:
                    raise BMPError(f"version {octets[at]}; only {VERSION} is known")
                if not HEADER_OCTETS <= length <= MESSAGE_OCTETS_MAX:
                    raise BMPError(f"a message of {length} octets")
                if len(octets) - at < length:
                    return
                at += length
                yield bytes(octets[at - length : at])
        finally:
            del octets[:at]


def decode_bmp(octets: bytes) -> BMPMessage:
    """Decode one whole message. What is wrong in it is a `Damaged` value, and never raised."""
    kind = octets[5]
    decode = _DECODERS.get(kind)
    if decode is None:
        return Damaged(kind, f"type {kind} is not known", octets)
    try:
        return decode(OctetReader(octets, HEADER_OCTETS))
    except DamagedError as error:
        return Damaged(kind, f"{error.what}, at octet {error.position}", octets)
    except NotificationError as error:
        return Damaged(kind, error.text, octets)


def encode_bmp(message: BMPMessage) -> bytes:
    """Encode a message, header included."""
    if isinstance(message, Damaged):
        return message.octets
    kind, body = _encoded(message)
    return bytes((VERSION,)) + (HEADER_OCTETS + len(body)).to_bytes(4) + bytes((kind,)) + body


# -- the per-peer header ------------------------------------------------------------------------------------------


def _peer(reader: OctetReader) -> PeerHeader:
    number, flags = reader.unsigned(1, "peer type"), reader.unsigned(1, "peer flags")
    try:
        kind = PeerType(number)
    except ValueError:
        raise DamagedError(f"peer type {number} is not known", reader.position - 2) from None
    own = kind is PeerType.LOC_RIB_INSTANCE
    distinguisher = reader.take(8, "peer distinguisher")
    address = _address(reader.take(16, "peer address"), ipv6=bool(flags & _V) and not own)
    asn = ASN(reader.unsigned(4, "peer's ASN"))
    identifier = IPv4Address(reader.take(4, "peer's BGP Identifier"))
    seconds = reader.unsigned(4, "seconds")
    microseconds = min(reader.unsigned(4, "microseconds"), 999_999)  # more than a second's are some router's fault
    return PeerHeader(
        kind,
        RIBView.LOC_RIB if own else RIBView(bool(flags & _L) | bool(flags & _O) << 1),
        distinguisher,
        None if own else address,
        asn,
        identifier,
        seconds * 1_000_000 + microseconds,
        two_octet_path=bool(flags & _A) and not own,
        filtered=bool(flags & _FILTERED) and own,
        ipv6=bool(flags & _V) and not own,
    )


def _address(octets: bytes, *, ipv6: bool) -> Address:
    return IPv6Address(octets) if ipv6 else IPv4Address(octets[12:])


def _peer_octets(peer: PeerHeader) -> bytes:
    flags = _V if peer.ipv6 else 0
    if peer.view is RIBView.LOC_RIB:
        flags = _FILTERED if peer.filtered else 0
    else:
        flags |= (_L if peer.view & 1 else 0) | (_O if peer.view & 2 else 0) | (_A if peer.two_octet_path else 0)
    seconds, microseconds = divmod(peer.at_us, 1_000_000)
    return b"".join((
        bytes((peer.type, flags)),
        peer.distinguisher,
        _sixteen(peer.address),
        peer.asn.to_bytes(4),
        peer.identifier.packed,
        seconds.to_bytes(4),
        microseconds.to_bytes(4),
    ))  # fmt: skip


def _sixteen(address: Address | None) -> bytes:
    return bytes(16) if address is None else address.packed.rjust(16, b"\0")


# -- each message -------------------------------------------------------------------------------------------------


def _tlvs(reader: OctetReader) -> tuple[TLV, ...]:
    found = []
    while reader.left:
        kind = reader.unsigned(2, "type of information")
        found.append(TLV(kind, reader.sized("information")))
    return tuple(found)


def _route_monitoring(reader: OctetReader) -> RouteMonitoring:
    return RouteMonitoring(_peer(reader), reader.rest())


def _statistics(reader: OctetReader) -> StatisticsReport:
    peer, count = _peer(reader), reader.unsigned(4, "count of statistics")
    statistics = _tlvs(reader)
    if len(statistics) != count:
        raise DamagedError(f"{len(statistics)} statistics where {count} are said to be", reader.position)
    return StatisticsReport(peer, statistics)


def _peer_down(reader: OctetReader) -> PeerDown:
    peer, reason = _peer(reader), reader.unsigned(1, "reason")
    if reason in _NOTIFICATIONS and reader.left:
        notification = _notification(reader)
        return PeerDown(peer, reason, notification=notification, information=_tlvs(reader))
    if reason == DownReason.LOCAL_EVENT:
        return PeerDown(peer, reason, event=reader.unsigned(2, "FSM event"), information=_tlvs(reader))
    return PeerDown(peer, reason, information=_tlvs(reader))


def _peer_up(reader: OctetReader) -> PeerUp:
    peer = _peer(reader)
    local = _address(reader.take(16, "local address"), ipv6=peer.ipv6)
    local_port, remote_port = reader.unsigned(2, "local port"), reader.unsigned(2, "remote port")
    sent, received = _open(reader), _open(reader)
    own = peer.type is PeerType.LOC_RIB_INSTANCE
    return PeerUp(peer, None if own else local, local_port, remote_port, sent, received, _tlvs(reader))


def _mirroring(reader: OctetReader) -> RouteMirroring:
    return RouteMirroring(_peer(reader), _tlvs(reader))


def _notification(reader: OctetReader) -> Notification:
    octets, start = _bgp(reader, "NOTIFICATION"), reader.position
    message = decode_message(octets, _WHOLE)
    if not isinstance(message, Notification):
        raise DamagedError(f"{type(message).__name__} where a NOTIFICATION was expected", start)
    return message


def _open(reader: OctetReader) -> Open | RefusedOpen:
    octets, start = _bgp(reader, "OPEN"), reader.position
    try:
        message = decode_message(octets, _WHOLE)
    except NotificationError as error:
        return RefusedOpen(octets, error.text)
    if not isinstance(message, Open):
        raise DamagedError(f"{type(message).__name__} where an OPEN was expected", start)
    return message


def _bgp(reader: OctetReader, what: str) -> bytes:
    """Take the octets of a BGP message by the length that it tells. Raises `DamagedError`."""
    header = reader.take(HEADER_LENGTH, f"header of the {what}")
    length = int.from_bytes(header[16:18])
    return header + reader.take(max(0, length - HEADER_LENGTH), what)


_DECODERS: Final[Mapping[int, Callable[[OctetReader], BMPMessage]]] = MappingProxyType(
    {
        MessageType.ROUTE_MONITORING: _route_monitoring,
        MessageType.STATISTICS_REPORT: _statistics,
        MessageType.PEER_DOWN: _peer_down,
        MessageType.PEER_UP: _peer_up,
        MessageType.INITIATION: lambda reader: Initiation(_tlvs(reader)),
        MessageType.TERMINATION: lambda reader: Termination(_tlvs(reader)),
        MessageType.ROUTE_MIRRORING: _mirroring,
    }
)


def _information(tlvs: tuple[TLV, ...]) -> bytes:
    return b"".join(tlv.type.to_bytes(2) + len(tlv.value).to_bytes(2) + tlv.value for tlv in tlvs)


def _open_octets(message: Open | RefusedOpen) -> bytes:
    return message.octets if isinstance(message, RefusedOpen) else encode_message(message, BEFORE_OPEN)


def _encoded(message: BMPMessage) -> tuple[MessageType, bytes]:
    match message:
        case RouteMonitoring(peer, update):
            return MessageType.ROUTE_MONITORING, _peer_octets(peer) + update
        case StatisticsReport(peer, statistics):
            body = len(statistics).to_bytes(4) + _information(statistics)
            return MessageType.STATISTICS_REPORT, _peer_octets(peer) + body
        case PeerDown(peer, reason, notification, event, information):
            detail = b"" if event is None else event.to_bytes(2)
            if notification is not None:
                detail = encode_message(notification, _WHOLE)
            return MessageType.PEER_DOWN, _peer_octets(peer) + bytes((reason,)) + detail + _information(information)
        case PeerUp(peer, local, local_port, remote_port, sent, received, information):
            ports = local_port.to_bytes(2) + remote_port.to_bytes(2)
            opens = _open_octets(sent) + _open_octets(received)
            body = _sixteen(local) + ports + opens + _information(information)
            return MessageType.PEER_UP, _peer_octets(peer) + body
        case Initiation(information):
            return MessageType.INITIATION, _information(information)
        case Termination(information):
            return MessageType.TERMINATION, _information(information)
        case RouteMirroring(peer, mirrored):
            return MessageType.ROUTE_MIRRORING, _peer_octets(peer) + _information(mirrored)
    raise AssertionError(message)
