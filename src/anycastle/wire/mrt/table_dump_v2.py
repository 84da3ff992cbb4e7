"""TABLE_DUMP_V2: the peers of a collector, then its RIB, a prefix in each record.

Source: RFC 6396 §4.3, RFC 6397 §3, RFC 8050 §4.

A departure: RFC 8050 §4.2 puts the path identifiers of RIB_GENERIC_ADDPATH into the NLRI. No writer in use is
known to do so; GoBGP and OpenBGPD put them into the entries, as in the other subtypes, and so they are read.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address
from struct import pack, unpack
from typing import Final

from anycastle.model.asn import ASN
from anycastle.model.prefix import Address, Family, Prefix, family_of
from anycastle.wire.bgp.attributes import NO_ATTRIBUTES, PathAttributes
from anycastle.wire.bgp.attributes_codec import encode_attributes
from anycastle.wire.bgp.errors import AttributeFault
from anycastle.wire.bgp.family import AFISAFI, unicast_family
from anycastle.wire.bgp.nlri import NLRI, encode_nlri
from anycastle.wire.mrt.kind import TableDumpV2Subtype as Subtype
from anycastle.wire.mrt.rib_attributes import FOUR_OCTET, decode_rib_attributes
from anycastle.wire.octets import DamagedError, OctetReader

SAFI_MULTICAST: Final = 2  # RFC 4760 §6
READ: Final = frozenset(Subtype)

_RIB_FAMILIES: Final[dict[int, AFISAFI]] = {
    Subtype.RIB_IPV4_UNICAST: (1, 1),
    Subtype.RIB_IPV4_MULTICAST: (1, SAFI_MULTICAST),
    Subtype.RIB_IPV6_UNICAST: (2, 1),
    Subtype.RIB_IPV6_MULTICAST: (2, SAFI_MULTICAST),
    Subtype.RIB_IPV4_UNICAST_ADDPATH: (1, 1),
    Subtype.RIB_IPV4_MULTICAST_ADDPATH: (1, SAFI_MULTICAST),
    Subtype.RIB_IPV6_UNICAST_ADDPATH: (2, 1),
    Subtype.RIB_IPV6_MULTICAST_ADDPATH: (2, SAFI_MULTICAST),
}
_ADD_PATH_FROM: Final = Subtype.RIB_IPV4_UNICAST_ADDPATH
_PEER_IPV6, _PEER_AS4 = 0x01, 0x02  # RFC 6396 §4.3.1


@dataclass(frozen=True, slots=True)
class PeerEntry:
    """A peer of the collector; RIB entries name it by its place in the table."""

    identifier: IPv4Address
    address: Address
    asn: ASN


@dataclass(frozen=True, slots=True)
class PeerIndexTable:
    """The peers that the following RIB records refer to (RFC 6396 §4.3.1)."""

    collector: IPv4Address
    view: str
    peers: tuple[PeerEntry, ...]


@dataclass(frozen=True, slots=True)
class Location:
    """Where something stands, WGS 84, in degrees; NaN where it is kept private (RFC 6397 §3)."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class GeoPeerTable:
    """Where the collector and its peers stand (RFC 6397 §3.1)."""

    collector: IPv4Address
    view: str
    location: Location
    peers: tuple[tuple[PeerEntry, Location], ...]


@dataclass(frozen=True, slots=True)
class RIBEntry:
    """One peer's route; `originated_at` is when it came, in seconds since 1970 UTC.

    `attributes` are those of the UPDATE that brought it, MP_REACH_NLRI whole.
    """

    peer_index: int
    originated_at: int
    attributes: PathAttributes = NO_ATTRIBUTES
    faults: tuple[AttributeFault, ...] = ()
    path_id: int | None = None


@dataclass(frozen=True, slots=True)
class RIB:
    """All routes to one prefix. One of a family that is not read here has its NLRI as octets, and no prefix."""

    sequence: int
    afi: int
    safi: int
    prefix: Prefix | None
    entries: tuple[RIBEntry, ...]
    opaque: bytes = b""
    add_path: bool = False


TableDumpV2 = PeerIndexTable | GeoPeerTable | RIB


def decode_table_dump_v2(body: bytes, subtype: int) -> TableDumpV2:
    """Decode the body of a subtype in `READ`. Raises `DamagedError`."""
    reader = OctetReader(body)
    if subtype == Subtype.PEER_INDEX_TABLE:
        return _decode_peers(reader)
    if subtype == Subtype.GEO_PEER_TABLE:
        return _decode_geo(reader)
    sequence = reader.unsigned(4, "sequence number")
    add_path = subtype >= _ADD_PATH_FROM
    opaque = b""
    prefix: Prefix | None
    if subtype in (Subtype.RIB_GENERIC, Subtype.RIB_GENERIC_ADDPATH):
        afi, safi = reader.unsigned(2, "address family"), reader.unsigned(1, "subsequent address family")
        family = unicast_family(afi, 1 if safi == SAFI_MULTICAST else safi)
        if family is None:
            prefix, opaque = None, _opaque_nlri(reader)
        else:
            prefix = _decode_prefix(reader, family)
    else:
        afi, safi = _RIB_FAMILIES[subtype]
        prefix = _decode_prefix(reader, Family(afi))
    count = reader.unsigned(2, "entry count")
    entries = tuple([_decode_entry(reader, prefix, safi, add_path=add_path) for _ in range(count)])
    return RIB(sequence, afi, safi, prefix, entries, opaque, add_path)


def _decode_prefix(reader: OctetReader, family: Family) -> Prefix:
    length = reader.unsigned(1, "prefix length")
    if length > family.bits:
        raise DamagedError(f"{family} prefix of length {length}", reader.position - 1)
    size = (length + 7) >> 3
    network = reader.unsigned(size, "prefix") >> (8 * size - length) << (family.bits - length)
    return Prefix(family, network, length)


def _opaque_nlri(reader: OctetReader) -> bytes:
    """Take one NLRI of a family that is not known: its length, in bits, is its first octet (RFC 4760 §5)."""
    length = reader.unsigned(1, "NLRI length")
    return bytes((length,)) + reader.take((length + 7) >> 3, "NLRI")


def _decode_entry(reader: OctetReader, prefix: Prefix | None, safi: int, *, add_path: bool) -> RIBEntry:
    peer_index = reader.unsigned(2, "peer index")
    originated_at = reader.unsigned(4, "originated time")
    path_id = reader.unsigned(4, "path identifier") if add_path else None
    octets = reader.sized("path attributes")
    attributes, faults = decode_rib_attributes(octets, prefix, safi, FOUR_OCTET)
    return RIBEntry(peer_index, originated_at, attributes, faults, path_id)


def _decode_peers(reader: OctetReader) -> PeerIndexTable:
    collector, view = _decode_collector(reader)
    count = reader.unsigned(2, "peer count")
    return PeerIndexTable(collector, view, tuple([_decode_peer(reader) for _ in range(count)]))


def _decode_collector(reader: OctetReader) -> tuple[IPv4Address, str]:
    collector = IPv4Address(reader.take(4, "collector's identifier"))
    return collector, reader.sized("view name").decode("utf-8", "backslashreplace")


def _decode_peer(reader: OctetReader) -> PeerEntry:
    kind = reader.unsigned(1, "peer type")
    identifier = IPv4Address(reader.take(4, "peer's identifier"))
    address = reader.address(Family.IPV6 if kind & _PEER_IPV6 else Family.IPV4, "peer's address")
    return PeerEntry(identifier, address, ASN(reader.unsigned(4 if kind & _PEER_AS4 else 2, "peer's ASN")))


def _decode_geo(reader: OctetReader) -> GeoPeerTable:
    collector, view = _decode_collector(reader)
    location = _decode_location(reader)
    count = reader.unsigned(2, "peer count")
    peers = tuple([(_decode_peer(reader), _decode_location(reader)) for _ in range(count)])
    return GeoPeerTable(collector, view, location, peers)


def _decode_location(reader: OctetReader) -> Location:
    return Location(*unpack("!ff", reader.take(8, "location")))


def encode_table_dump_v2(value: TableDumpV2) -> tuple[int, bytes]:
    """Encode to subtype and body; MP_REACH_NLRI is abbreviated (RFC 6396 §4.3.4)."""
    if isinstance(value, RIB):
        return _encode_rib(value)
    view = value.view.encode()
    head = value.collector.packed + len(view).to_bytes(2) + view
    count = len(value.peers).to_bytes(2)
    if isinstance(value, PeerIndexTable):
        return Subtype.PEER_INDEX_TABLE, head + count + b"".join(map(_encode_peer, value.peers))
    places = b"".join([_encode_peer(peer) + _encode_location(place) for peer, place in value.peers])
    return Subtype.GEO_PEER_TABLE, head + _encode_location(value.location) + count + places


def _encode_peer(peer: PeerEntry) -> bytes:
    kind = _PEER_AS4 | (_PEER_IPV6 if family_of(peer.address) is Family.IPV6 else 0)
    return bytes((kind,)) + peer.identifier.packed + peer.address.packed + peer.asn.to_bytes(4)


def _encode_location(location: Location) -> bytes:
    return pack("!ff", location.latitude, location.longitude)


def _encode_rib(rib: RIB) -> tuple[int, bytes]:
    subtypes = [subtype for subtype, family in _RIB_FAMILIES.items() if family == (rib.afi, rib.safi)]
    nlri = rib.opaque if rib.prefix is None else encode_nlri(NLRI(rib.prefix), add_path=False)
    if rib.prefix is None or not subtypes:
        subtype = Subtype.RIB_GENERIC_ADDPATH if rib.add_path else Subtype.RIB_GENERIC
        nlri = rib.afi.to_bytes(2) + bytes((rib.safi,)) + nlri
    else:
        subtype = Subtype(subtypes[rib.add_path])
    parts = [rib.sequence.to_bytes(4), nlri, len(rib.entries).to_bytes(2)]
    for entry in rib.entries:
        attributes = _abbreviated(entry.attributes)
        parts.append(entry.peer_index.to_bytes(2) + entry.originated_at.to_bytes(4))
        if rib.add_path:
            parts.append((entry.path_id or 0).to_bytes(4))
        parts.append(len(attributes).to_bytes(2) + attributes)
    return subtype, b"".join(parts)


def _abbreviated(attributes: PathAttributes) -> bytes:
    octets = encode_attributes(attributes, FOUR_OCTET)
    reach = attributes.mp_reach
    if reach is None:
        return octets
    extended = 1 if octets[0] & 0x10 else 0  # MP_REACH_NLRI is written first (RFC 7606 §5.1)
    stop = 3 + extended + int.from_bytes(octets[2 : 3 + extended])
    next_hop = reach.opaque_next_hop or b"".join([address.packed for address in reach.next_hops])
    return bytes((octets[0] & ~0x10, 14, len(next_hop) + 1, len(next_hop))) + next_hop + octets[stop:]
