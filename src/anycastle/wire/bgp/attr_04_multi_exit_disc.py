"""MULTI_EXIT_DISC (RFC 4271 §4.3 d, §5.1.4; errors RFC 7606 §7.4)."""

from typing import Final

from anycastle.wire.bgp.attribute_codec import OPTIONAL_NON_TRANSITIVE, AttributeCodec
from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Action, Malformed
from anycastle.wire.bgp.options import CodecOptions


def decode(value: bytes, _options: CodecOptions) -> int | Malformed:
    """Decode the four octets."""
    if len(value) != 4:
        return Malformed(f"MULTI_EXIT_DISC of {len(value)} octets", UpdateSubcode.ATTRIBUTE_LENGTH_ERROR)
    return int.from_bytes(value)


def encode(med: int, _options: CodecOptions) -> bytes:
    """Encode the four octets."""
    return med.to_bytes(4)


CODEC: Final = AttributeCodec(
    4, "MULTI_EXIT_DISC", "med", OPTIONAL_NON_TRANSITIVE, Action.TREAT_AS_WITHDRAW, decode, encode
)
