"""EXTENDED COMMUNITIES (RFC 4360; errors RFC 7606 §7.14)."""

from struct import iter_unpack, pack
from typing import Final

from anycastle.model.community import ExtendedCommunity
from anycastle.wire.bgp.attribute_codec import OPTIONAL_TRANSITIVE, AttributeCodec
from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Action, Malformed
from anycastle.wire.bgp.options import CodecOptions


def decode(value: bytes, _options: CodecOptions) -> tuple[ExtendedCommunity, ...] | Malformed:
    """Decode the list, in its order."""
    if not value or len(value) % 8:
        return Malformed(f"EXTENDED COMMUNITIES of {len(value)} octets", UpdateSubcode.OPTIONAL_ATTRIBUTE_ERROR)
    return tuple([ExtendedCommunity(octets) for (octets,) in iter_unpack("!Q", value)])


def encode(communities: tuple[ExtendedCommunity, ...], _options: CodecOptions) -> bytes:
    """Encode the list, in its order."""
    return pack(f"!{len(communities)}Q", *[each.octets for each in communities])


CODEC: Final = AttributeCodec(
    16, "EXTENDED COMMUNITIES", "extended_communities", OPTIONAL_TRANSITIVE, Action.TREAT_AS_WITHDRAW, decode, encode
)
