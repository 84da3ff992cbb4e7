"""AS4_PATH (RFC 6793 §4.2, errors §6): the four-octet path behind a speaker of two-octet ASNs."""

from typing import Final

from anycastle.wire.bgp.as_path import ASPath
from anycastle.wire.bgp.attribute_codec import OPTIONAL_TRANSITIVE, AttributeCodec
from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Action, Malformed
from anycastle.wire.bgp.options import CodecOptions
from anycastle.wire.bgp.segments import decode_segments, encode_segments


def decode(value: bytes, options: CodecOptions) -> ASPath | Malformed:
    """Decode the segments without those of a confederation; a four-octet neighbour's is discarded."""
    if options.four_octet_asn:
        return Malformed("AS4_PATH from a four-octet neighbour", UpdateSubcode.OPTIONAL_ATTRIBUTE_ERROR)
    path = (
        decode_segments(value, True) if value else Malformed("empty AS4_PATH", UpdateSubcode.OPTIONAL_ATTRIBUTE_ERROR)
    )
    if isinstance(path, Malformed):
        return path
    return ASPath(tuple([segment for segment in path.segments if not segment.kind.confederation]))


def encode(path: ASPath, _options: CodecOptions) -> bytes:
    """Encode the segments."""
    return encode_segments(path, True)


CODEC: Final = AttributeCodec(17, "AS4_PATH", "as4_path", OPTIONAL_TRANSITIVE, Action.DISCARD_ATTRIBUTE, decode, encode)
