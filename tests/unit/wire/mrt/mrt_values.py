"""One value of each kind that an archive holds, ours; documentation ASNs and prefixes."""

from ipaddress import IPv4Address, IPv6Address

from anycastle.model.asn import ASN
from anycastle.model.prefix import parse_prefix
from anycastle.wire.bgp.as_path import ASPath
from anycastle.wire.bgp.attributes import Origin, PathAttributes
from anycastle.wire.bgp.message import Keepalive, Notification, Open, Update
from anycastle.wire.bgp.nlri import NLRI, MPReach, MPUnreach
from anycastle.wire.mrt.bgp4mp import BGPMessage, SessionEnds, StateChange
from anycastle.wire.mrt.codec import Content
from anycastle.wire.mrt.table_dump import TableDumpRoute
from anycastle.wire.mrt.table_dump_v2 import RIB, GeoPeerTable, Location, PeerEntry, PeerIndexTable, RIBEntry

AT_US = 1_700_000_000_123_456
V4 = SessionEnds(IPv4Address("192.0.2.1"), ASN(64500), IPv4Address("192.0.2.254"), ASN(64511), 3)
V6 = SessionEnds(IPv6Address("2001:db8::1"), ASN(4200000001), IPv6Address("2001:db8::ff"), ASN(64511))
P4 = parse_prefix("203.0.113.0/24")
P6 = parse_prefix("2001:db8:1::/48")
NEXT_HOP_6 = (IPv6Address("2001:db8::1"),)


def attributes(*asns: int, **more: object) -> PathAttributes:
    return PathAttributes(origin=Origin.IGP, as_path=ASPath.sequence(*asns), **more)


def v4_attributes(*asns: int, **more: object) -> PathAttributes:
    return attributes(*asns, next_hop=IPv4Address("192.0.2.1"), **more)


def v6_attributes(*asns: int, **more: object) -> PathAttributes:
    return attributes(*asns, mp_reach=MPReach(2, 1, NEXT_HOP_6, (NLRI(P6),)), **more)


def update(path_id: int | None = None) -> Update:
    other = parse_prefix("198.51.100.0/25")
    return Update((NLRI(other, path_id),), v4_attributes(64500, 4200000005), (NLRI(P4, path_id),))


UPDATE_6 = Update(
    attributes=PathAttributes(
        origin=Origin.EGP,
        as_path=ASPath.sequence(64500),
        mp_reach=MPReach(2, 1, NEXT_HOP_6, (NLRI(P6),)),
        mp_unreach=MPUnreach(2, 1, (NLRI(parse_prefix("2001:db8:2::/64")),)),
        only_to_customer=ASN(64499),
    )
)
PEERS = (
    PeerEntry(IPv4Address("192.0.2.1"), IPv4Address("192.0.2.1"), ASN(64500)),
    PeerEntry(IPv4Address("192.0.2.2"), IPv6Address("2001:db8::2"), ASN(4200000001)),
)
ENTRIES_4 = (RIBEntry(0, 1_600_000_000, v4_attributes(64500, 64501)), RIBEntry(1, 5, v4_attributes(64502)))
CONTENTS: dict[str, Content] = {
    "state": StateChange(V4, 3, 6, four_octet_asn=False),
    "state_as4": StateChange(V6, 6, 1),
    "message": BGPMessage(V4, Update(nlri=(NLRI(P4),), attributes=v4_attributes(64500)), four_octet_asn=False),
    "message_as4": BGPMessage(V4, update()),
    "message_as4_v6": BGPMessage(V6, UPDATE_6),
    "message_local": BGPMessage(V4, Keepalive(), four_octet_asn=False, sent=True),
    "message_as4_local": BGPMessage(V4, Notification(6, 2, b"\0"), sent=True),
    "open": BGPMessage(V4, Open(4, ASN(64500), 90, IPv4Address("192.0.2.1"))),
    "add_path": BGPMessage(V4, Update(nlri=(NLRI(P4, 7),), attributes=v4_attributes(64500)), False, add_path=True),
    "add_path_as4": BGPMessage(V4, update(9), add_path=True),
    "add_path_local": BGPMessage(V4, Update(nlri=(NLRI(P4, 7),), attributes=v4_attributes(1)), False, True, True),
    "add_path_as4_local": BGPMessage(V4, update(1), add_path=True, sent=True),
    "table_dump": TableDumpRoute(P4, V4.peer, V4.peer_asn, 1_600_000_000, v4_attributes(64500, 64501), (), 0, 7),
    "table_dump_v6": TableDumpRoute(P6, V6.peer, V6.peer_asn, 1_600_000_000, v6_attributes(64500), four_octet_asn=True),
    "peers": PeerIndexTable(IPv4Address("192.0.2.254"), "main", PEERS),
    "geo": GeoPeerTable(
        IPv4Address("192.0.2.254"), "", Location(52.5, 13.375), ((PEERS[0], Location(-33.875, 151.25)),)
    ),
    "rib_v4": RIB(1, 1, 1, P4, ENTRIES_4),
    "rib_v4_multicast": RIB(1, 1, 2, P4, ENTRIES_4),
    "rib_v6": RIB(2, 2, 1, P6, (RIBEntry(1, 1_600_000_000, v6_attributes(4200000001)),)),
    "rib_add_path": RIB(3, 1, 1, P4, (RIBEntry(0, 1, v4_attributes(64500), (), 12),), add_path=True),
    "rib_v6_add_path": RIB(4, 2, 1, P6, (RIBEntry(1, 1, v6_attributes(64500), (), 1 << 31),), add_path=True),
    "rib_generic": RIB(5, 1, 128, None, (RIBEntry(0, 1, attributes(64500)),), b"\x20\x01\x02\x03\x04"),
    "rib_generic_add_path": RIB(
        6, 1, 128, None, (RIBEntry(0, 1, attributes(64500), (), 3),), b"\x20\x01\x02\x03\x04", add_path=True
    ),
}
