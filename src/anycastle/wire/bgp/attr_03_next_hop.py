"""NEXT_HOP (RFC 4271 §4.3 c, §5.1.3; errors RFC 7606 §7.3)."""

from ipaddress import IPv4Address
from typing import Final

from anycastle.wire.bgp.attribute_codec import WELL_KNOWN, AttributeCodec
from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Action, Malformed
from anycastle.wire.bgp.options import CodecOptions

_MULTICAST_AND_BEYOND: Final = 224


def decode(value: bytes, _options: CodecOptions) -> IPv4Address | Malformed:
    """Decode the address; one that no host can have is malformed (RFC 4271 §6.3)."""
    if len(value) != 4:
        return Malformed(f"NEXT_HOP of {len(value)} octets", UpdateSubcode.ATTRIBUTE_LENGTH_ERROR)
    address = IPv4Address(value)
    if value[0] >= _MULTICAST_AND_BEYOND or value == b"\0\0\0\0":
        return Malformed(f"NEXT_HOP {address} is not a host's address", UpdateSubcode.INVALID_NEXT_HOP_ATTRIBUTE)
    return address


def encode(address: IPv4Address, _options: CodecOptions) -> bytes:
    """Encode the address."""
    return address.packed


CODEC: Final = AttributeCodec(3, "NEXT_HOP", "next_hop", WELL_KNOWN, Action.TREAT_AS_WITHDRAW, decode, encode)
