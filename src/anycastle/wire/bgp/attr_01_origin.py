"""ORIGIN (RFC 4271 §4.3 a, §5.1.1; errors RFC 7606 §7.1)."""

from typing import Final

from anycastle.wire.bgp.attribute_codec import WELL_KNOWN, AttributeCodec
from anycastle.wire.bgp.attributes import Origin
from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Action, Malformed
from anycastle.wire.bgp.options import CodecOptions

_ORIGINS: Final = tuple(Origin)


def decode(value: bytes, _options: CodecOptions) -> Origin | Malformed:
    """Decode the one octet."""
    if len(value) != 1:
        return Malformed(f"ORIGIN of {len(value)} octets", UpdateSubcode.ATTRIBUTE_LENGTH_ERROR)
    if value[0] >= len(_ORIGINS):
        return Malformed(f"ORIGIN {value[0]} is undefined", UpdateSubcode.INVALID_ORIGIN_ATTRIBUTE)
    return _ORIGINS[value[0]]


def encode(origin: Origin, _options: CodecOptions) -> bytes:
    """Encode the one octet."""
    return bytes((origin,))


CODEC: Final = AttributeCodec(1, "ORIGIN", "origin", WELL_KNOWN, Action.TREAT_AS_WITHDRAW, decode, encode)
