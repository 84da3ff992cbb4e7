"""One message of each type, made for the tests."""

from ipaddress import IPv4Address, IPv6Address

from anycastle.model.asn import ASN
from anycastle.model.prefix import Family, parse_prefix
from anycastle.wire.bgp.as_path import ASPath
from anycastle.wire.bgp.attributes import Origin, PathAttributes
from anycastle.wire.bgp.capability import FourOctetASN, MultiProtocol
from anycastle.wire.bgp.codec import encode_message
from anycastle.wire.bgp.message import Notification, Open, Update
from anycastle.wire.bgp.nlri import NLRI
from anycastle.wire.bgp.options import CodecOptions
from anycastle.wire.bmp.message import (
    TLV,
    BMPMessage,
    Initiation,
    PeerDown,
    PeerHeader,
    PeerType,
    PeerUp,
    RIBView,
    RouteMirroring,
    RouteMonitoring,
    StatisticsReport,
    Termination,
)

FOUR = CodecOptions(four_octet_asn=True)
PEER = PeerHeader(
    PeerType.GLOBAL_INSTANCE,
    RIBView.ADJ_RIB_IN_PRE_POLICY,
    bytes(8),
    IPv4Address("192.0.2.1"),
    ASN(64601),
    IPv4Address("10.0.0.1"),
    1_795_000_000_000_123,
)
PEER6 = PeerHeader(
    PeerType.GLOBAL_INSTANCE,
    RIBView.ADJ_RIB_OUT_POST_POLICY,
    bytes(8),
    IPv6Address("2001:db8::1"),
    ASN(4200000001),
    IPv4Address("10.0.0.2"),
    0,
    ipv6=True,
)
LOC_RIB = PeerHeader(
    PeerType.LOC_RIB_INSTANCE, RIBView.LOC_RIB, bytes(8), None, ASN(64500), IPv4Address("10.0.0.9"), 5, filtered=True
)
OPEN = Open(4, ASN(64500), 30, IPv4Address("10.0.0.9"), (MultiProtocol(Family.IPV4, 1), FourOctetASN(ASN(64500))))
THEIRS = Open(4, ASN(64601), 30, IPv4Address("10.0.0.1"), (MultiProtocol(Family.IPV4, 1), FourOctetASN(ASN(64601))))


def update(prefix: str, *path: int, options: CodecOptions = FOUR) -> bytes:
    """An UPDATE of one IPv4 prefix, as octets; a withdrawal where no path is given."""
    nlri = (NLRI(parse_prefix(prefix)),)
    if not path:
        return encode_message(Update(withdrawn=nlri), options)
    attributes = PathAttributes(origin=Origin.IGP, as_path=ASPath.sequence(*path), next_hop=IPv4Address("192.0.2.1"))
    return encode_message(Update(attributes=attributes, nlri=nlri), options)


MESSAGES: tuple[BMPMessage, ...] = (
    Initiation((TLV(1, b"a router"), TLV(2, b"edge1"))),
    PeerUp(PEER, IPv4Address("192.0.2.9"), 179, 40000, OPEN, THEIRS),
    PeerUp(PEER6, IPv6Address("2001:db8::9"), 40000, 179, OPEN, THEIRS, (TLV(0, b"vrf"),)),
    PeerUp(LOC_RIB, None, 0, 0, OPEN, OPEN, (TLV(3, b"default"),)),
    RouteMonitoring(PEER, update("198.51.100.0/24", 64601, 64500)),
    StatisticsReport(PEER, (TLV(7, (9).to_bytes(8)), TLV(0, (1).to_bytes(4)))),
    RouteMirroring(PEER, (TLV(1, b"\0\1"), TLV(0, update("198.51.100.0/24", 64601)))),
    PeerDown(PEER, 1, notification=Notification(6, 2, b"\x03bye")),
    PeerDown(PEER, 2, event=18),
    PeerDown(PEER, 3, notification=Notification(4, 0)),
    PeerDown(PEER, 4),
    PeerDown(LOC_RIB, 6, information=(TLV(3, b"default"),)),
    Termination((TLV(1, b"\0\0"),)),
)
