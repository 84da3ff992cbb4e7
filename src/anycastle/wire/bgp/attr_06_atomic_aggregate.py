"""ATOMIC_AGGREGATE (RFC 4271 §4.3 f, §5.1.6; errors RFC 7606 §7.6)."""

from typing import Final

from anycastle.wire.bgp.attribute_codec import WELL_KNOWN, AttributeCodec
from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Action, Malformed
from anycastle.wire.bgp.options import CodecOptions


def decode(value: bytes, _options: CodecOptions) -> bool | Malformed:
    """Decode the value, which is empty."""
    if value:
        return Malformed(f"ATOMIC_AGGREGATE of {len(value)} octets", UpdateSubcode.ATTRIBUTE_LENGTH_ERROR)
    return True


def encode(_present: bool, _options: CodecOptions) -> bytes:
    """Encode the value, which is empty."""
    return b""


CODEC: Final = AttributeCodec(
    6, "ATOMIC_AGGREGATE", "atomic_aggregate", WELL_KNOWN, Action.DISCARD_ATTRIBUTE, decode, encode
)
