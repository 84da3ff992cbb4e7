"""COMMUNITIES (RFC 1997; errors RFC 7606 §7.8)."""

from functools import lru_cache
from struct import iter_unpack, pack
from typing import Final

from anycastle.model.community import StandardCommunity
from anycastle.wire.bgp.attribute_codec import OPTIONAL_TRANSITIVE, AttributeCodec
from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Action, Malformed
from anycastle.wire.bgp.options import CodecOptions

_LISTS_KEPT: Final = 1024
_OCTETS_KEPT_MAX: Final = 256  # of a list that is kept, so that no peer can fill the memory with long ones


def decode(value: bytes, _options: CodecOptions) -> tuple[StandardCommunity, ...] | Malformed:
    """Decode the list, in its order."""
    if not value or len(value) % 4:
        return Malformed(f"COMMUNITIES of {len(value)} octets", UpdateSubcode.OPTIONAL_ATTRIBUTE_ERROR)
    return _decode_kept(value) if len(value) <= _OCTETS_KEPT_MAX else _decode_list(value)


def _decode_list(value: bytes) -> tuple[StandardCommunity, ...]:
    return tuple([StandardCommunity(*pair) for pair in iter_unpack("!HH", value)])


_decode_kept: Final = lru_cache(_LISTS_KEPT)(_decode_list)


def encode(communities: tuple[StandardCommunity, ...], _options: CodecOptions) -> bytes:
    """Encode the list, in its order."""
    return b"".join([pack("!HH", each.administrator, each.value) for each in communities])


CODEC: Final = AttributeCodec(
    8, "COMMUNITIES", "communities", OPTIONAL_TRANSITIVE, Action.TREAT_AS_WITHDRAW, decode, encode
)
