"""AS_PATH (RFC 4271 §4.3 b, §5.1.2; RFC 5065 §3; errors RFC 7606 §7.2)."""

from typing import Final

from anycastle.wire.bgp.as_path import ASPath
from anycastle.wire.bgp.attribute_codec import WELL_KNOWN, AttributeCodec
from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Action, Malformed
from anycastle.wire.bgp.options import CodecOptions
from anycastle.wire.bgp.segments import decode_segments, encode_segments


def decode(value: bytes, options: CodecOptions) -> ASPath | Malformed:
    """Decode the segments, with ASNs of the size that the session agreed on; AS4_PATH is not merged here."""
    path = decode_segments(value, options.four_octet_asn)
    if isinstance(path, Malformed):
        return path
    if options.ebgp and not options.confederation:
        for segment in path.segments:
            if segment.kind.confederation:  # RFC 5065 §5
                return Malformed(
                    "AS_PATH from outside the confederation shows its inside", UpdateSubcode.MALFORMED_AS_PATH
                )
    return path


def encode(path: ASPath, options: CodecOptions) -> bytes:
    """Encode the segments; AS_TRANS stands for what two octets cannot hold (RFC 6793 §4.2.2)."""
    return encode_segments(path, options.four_octet_asn)


CODEC: Final = AttributeCodec(2, "AS_PATH", "as_path", WELL_KNOWN, Action.TREAT_AS_WITHDRAW, decode, encode)
