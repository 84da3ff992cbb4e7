"""LARGE_COMMUNITY (RFC 8092 §3, errors §6)."""

from struct import iter_unpack, pack
from typing import Final

from anycastle.model.community import LargeCommunity
from anycastle.wire.bgp.attribute_codec import OPTIONAL_TRANSITIVE, AttributeCodec
from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Action, Malformed
from anycastle.wire.bgp.options import CodecOptions


def decode(value: bytes, _options: CodecOptions) -> tuple[LargeCommunity, ...] | Malformed:
    """Decode the list, in its order, each value once: a repeated one is dropped (RFC 8092 §3)."""
    if not value or len(value) % 12:
        return Malformed(f"LARGE_COMMUNITY of {len(value)} octets", UpdateSubcode.OPTIONAL_ATTRIBUTE_ERROR)
    return tuple(dict.fromkeys([LargeCommunity(*triple) for triple in iter_unpack("!III", value)]))


def encode(communities: tuple[LargeCommunity, ...], _options: CodecOptions) -> bytes:
    """Encode the list, in its order, each value once."""
    distinct = dict.fromkeys(communities)
    return b"".join([pack("!III", each.administrator, each.local_1, each.local_2) for each in distinct])


CODEC: Final = AttributeCodec(
    32, "LARGE_COMMUNITY", "large_communities", OPTIONAL_TRANSITIVE, Action.TREAT_AS_WITHDRAW, decode, encode
)
