"""MP_REACH_NLRI (RFC 4760 §3, RFC 2545 §3, RFC 8950 §3; errors RFC 7606 §5.3, §7.11)."""

from ipaddress import IPv4Address, IPv6Address
from typing import Final

from anycastle.model.prefix import Address
from anycastle.wire.bgp.attribute_codec import OPTIONAL_NON_TRANSITIVE, AttributeCodec
from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Action, Malformed
from anycastle.wire.bgp.family import AFISAFI, IPV4_UNICAST, IPV6_UNICAST
from anycastle.wire.bgp.multiprotocol import decode_routes, unreadable
from anycastle.wire.bgp.nlri import MPReach, encode_nlri_list
from anycastle.wire.bgp.options import CodecOptions

_NEXT_HOP_LENGTHS: Final = {IPV4_UNICAST: (4, 16, 32), IPV6_UNICAST: (16, 32)}


def decode(value: bytes, options: CodecOptions) -> MPReach | Malformed:
    """Decode family, next hop and routes. The reserved octet means nothing."""
    size = len(value)
    if size < 5:
        return Malformed(f"MP_REACH_NLRI of {size} octets", UpdateSubcode.OPTIONAL_ATTRIBUTE_ERROR)
    family: AFISAFI = (value[0] << 8 | value[1], value[2])
    start = 4 + value[3]
    allowed = _NEXT_HOP_LENGTHS.get(family)
    if start >= size or (allowed is not None and value[3] not in allowed):
        return unreadable(f"MP_REACH_NLRI with a next hop of {value[3]} octets", family)
    next_hop = value[4:start]
    routes = decode_routes(value[start + 1 :], family, options)
    if isinstance(routes, Malformed):
        return routes
    next_hops = _next_hops(next_hop)
    return MPReach(*family, next_hops, *routes, b"" if next_hops else next_hop)


def _next_hops(octets: bytes) -> tuple[Address, ...]:
    if len(octets) == 16:
        return (IPv6Address(octets),)
    if len(octets) == 32:
        return IPv6Address(octets[:16]), IPv6Address(octets[16:])
    return (IPv4Address(octets),) if len(octets) == 4 else ()


def encode(reach: MPReach, options: CodecOptions) -> bytes:
    """Encode family, next hop and routes."""
    next_hop = reach.opaque_next_hop or b"".join([address.packed for address in reach.next_hops])
    head = reach.afi.to_bytes(2) + bytes((reach.safi, len(next_hop)))
    add_path = (reach.afi, reach.safi) in options.add_path_send
    return head + next_hop + b"\0" + encode_nlri_list(reach.nlri, add_path=add_path) + reach.opaque


CODEC: Final = AttributeCodec(
    14, "MP_REACH_NLRI", "mp_reach", OPTIONAL_NON_TRANSITIVE, Action.SESSION_RESET, decode, encode
)
