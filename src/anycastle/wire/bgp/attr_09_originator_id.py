"""ORIGINATOR_ID (RFC 4456 §8; errors RFC 7606 §7.9)."""

from ipaddress import IPv4Address
from typing import Final

from anycastle.wire.bgp.attribute_codec import OPTIONAL_NON_TRANSITIVE, AttributeCodec
from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Action, Malformed
from anycastle.wire.bgp.options import CodecOptions


def decode(value: bytes, options: CodecOptions) -> IPv4Address | Malformed:
    """Decode the identifier; from an external neighbour the attribute is discarded."""
    if options.ebgp:
        what = "ORIGINATOR_ID from an external neighbour"
        return Malformed(what, UpdateSubcode.OPTIONAL_ATTRIBUTE_ERROR, Action.DISCARD_ATTRIBUTE)
    if len(value) != 4:
        return Malformed(f"ORIGINATOR_ID of {len(value)} octets", UpdateSubcode.ATTRIBUTE_LENGTH_ERROR)
    return IPv4Address(value)


def encode(identifier: IPv4Address, _options: CodecOptions) -> bytes:
    """Encode the identifier."""
    return identifier.packed


CODEC: Final = AttributeCodec(
    9, "ORIGINATOR_ID", "originator_id", OPTIONAL_NON_TRANSITIVE, Action.TREAT_AS_WITHDRAW, decode, encode
)
