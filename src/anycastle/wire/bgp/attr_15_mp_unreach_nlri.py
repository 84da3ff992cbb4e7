"""MP_UNREACH_NLRI (RFC 4760 §4; errors RFC 7606 §5.3, §7.12)."""

from typing import Final

from anycastle.wire.bgp.attribute_codec import OPTIONAL_NON_TRANSITIVE, AttributeCodec
from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Action, Malformed
from anycastle.wire.bgp.family import AFISAFI
from anycastle.wire.bgp.multiprotocol import decode_routes
from anycastle.wire.bgp.nlri import MPUnreach, encode_nlri_list
from anycastle.wire.bgp.options import CodecOptions


def decode(value: bytes, options: CodecOptions) -> MPUnreach | Malformed:
    """Decode family and routes."""
    if len(value) < 3:
        return Malformed(f"MP_UNREACH_NLRI of {len(value)} octets", UpdateSubcode.OPTIONAL_ATTRIBUTE_ERROR)
    family: AFISAFI = (value[0] << 8 | value[1], value[2])
    routes = decode_routes(value[3:], family, options)
    return routes if isinstance(routes, Malformed) else MPUnreach(*family, *routes)


def encode(unreach: MPUnreach, options: CodecOptions) -> bytes:
    """Encode family and routes."""
    add_path = (unreach.afi, unreach.safi) in options.add_path_send
    head = unreach.afi.to_bytes(2) + bytes((unreach.safi,))
    return head + encode_nlri_list(unreach.nlri, add_path=add_path) + unreach.opaque


CODEC: Final = AttributeCodec(
    15, "MP_UNREACH_NLRI", "mp_unreach", OPTIONAL_NON_TRANSITIVE, Action.SESSION_RESET, decode, encode
)
