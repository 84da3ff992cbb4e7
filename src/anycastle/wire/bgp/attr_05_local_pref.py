"""LOCAL_PREF (RFC 4271 §4.3 e, §5.1.5; errors RFC 7606 §7.5)."""

from typing import Final

from anycastle.wire.bgp.attribute_codec import WELL_KNOWN, AttributeCodec
from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Action, Malformed
from anycastle.wire.bgp.options import CodecOptions


def decode(value: bytes, options: CodecOptions) -> int | Malformed:
    """Decode the four octets; from an external neighbour the attribute is discarded."""
    if options.ebgp and not options.confederation:
        what = "LOCAL_PREF from an external neighbour"
        return Malformed(what, UpdateSubcode.MALFORMED_ATTRIBUTE_LIST, Action.DISCARD_ATTRIBUTE)
    if len(value) != 4:
        return Malformed(f"LOCAL_PREF of {len(value)} octets", UpdateSubcode.ATTRIBUTE_LENGTH_ERROR)
    return int.from_bytes(value)


def encode(preference: int, _options: CodecOptions) -> bytes:
    """Encode the four octets."""
    return preference.to_bytes(4)


CODEC: Final = AttributeCodec(5, "LOCAL_PREF", "local_preference", WELL_KNOWN, Action.TREAT_AS_WITHDRAW, decode, encode)
