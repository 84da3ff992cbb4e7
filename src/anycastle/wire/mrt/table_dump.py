"""TABLE_DUMP: one route of a RIB in each record (RFC 6396 §4.2)."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from anycastle.model.asn import ASN
from anycastle.model.prefix import Address, Family, Prefix
from anycastle.wire.bgp.attributes import NO_ATTRIBUTES, PathAttributes
from anycastle.wire.bgp.attributes_codec import encode_attributes
from anycastle.wire.bgp.errors import AttributeFault
from anycastle.wire.bgp.family import SAFI_UNICAST
from anycastle.wire.mrt.kind import TableDumpSubtype
from anycastle.wire.mrt.rib_attributes import FOUR_OCTET, TWO_OCTET, decode_rib_attributes
from anycastle.wire.octets import DamagedError, OctetReader

READ: Final = frozenset(TableDumpSubtype)
_IPV6: Final = (TableDumpSubtype.IPV6, TableDumpSubtype.IPV6_AS4)
_AS4: Final = (TableDumpSubtype.IPV4_AS4, TableDumpSubtype.IPV6_AS4)


@dataclass(frozen=True, slots=True)
class TableDumpRoute:
    """A route in the collector's RIB; `originated_at` is when it came, in seconds since 1970 UTC."""

    prefix: Prefix
    peer: Address
    peer_asn: ASN
    originated_at: int
    attributes: PathAttributes = NO_ATTRIBUTES
    faults: tuple[AttributeFault, ...] = ()
    view: int = 0
    sequence: int = 0
    status: int = 1
    four_octet_asn: bool = False


def decode_table_dump(body: bytes, subtype: int) -> TableDumpRoute:
    """Decode the body of a subtype in `READ`. Raises `DamagedError`."""
    reader = OctetReader(body)
    family = Family.IPV6 if subtype in _IPV6 else Family.IPV4
    four = subtype in _AS4
    view, sequence = reader.unsigned(2, "view"), reader.unsigned(2, "sequence number")
    network = reader.unsigned(family.bits >> 3, "prefix")
    length = reader.unsigned(1, "prefix length")
    if length > family.bits:
        raise DamagedError(f"{family} prefix of length {length}", reader.position - 1)
    status = reader.unsigned(1, "status")
    originated_at = reader.unsigned(4, "originated time")
    peer = reader.address(family, "peer's address")
    peer_asn = ASN(reader.unsigned(4 if four else 2, "peer's ASN"))
    prefix = Prefix(family, network >> (family.bits - length) << (family.bits - length), length)
    octets = reader.sized("path attributes")
    attributes, faults = decode_rib_attributes(octets, prefix, SAFI_UNICAST, FOUR_OCTET if four else TWO_OCTET)
    return TableDumpRoute(
        prefix, peer, peer_asn, originated_at, attributes, faults, view, sequence, status, four_octet_asn=four
    )


def encode_table_dump(route: TableDumpRoute) -> tuple[int, bytes]:
    """Encode to subtype and body."""
    family = route.prefix.family
    four = route.four_octet_asn
    subtype = TableDumpSubtype(family.value + (2 if four else 0))
    address = IPv4Address if family is Family.IPV4 else IPv6Address
    attributes = encode_attributes(route.attributes, FOUR_OCTET if four else TWO_OCTET)
    return subtype, b"".join((
        route.view.to_bytes(2),
        route.sequence.to_bytes(2),
        address(route.prefix.network).packed,
        bytes((route.prefix.length, route.status)),
        route.originated_at.to_bytes(4),
        route.peer.packed,
        route.peer_asn.to_bytes(4 if four else 2),
        len(attributes).to_bytes(2),
        attributes,
    ))  # fmt: skip
