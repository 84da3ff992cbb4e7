"""CLUSTER_LIST (RFC 4456 §8; errors RFC 7606 §7.10)."""

from ipaddress import IPv4Address
from struct import iter_unpack
from typing import Final

from anycastle.wire.bgp.attribute_codec import OPTIONAL_NON_TRANSITIVE, AttributeCodec
from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Action, Malformed
from anycastle.wire.bgp.options import CodecOptions


def decode(value: bytes, options: CodecOptions) -> tuple[IPv4Address, ...] | Malformed:
    """Decode the identifiers, nearest cluster first; from an external neighbour the attribute is discarded."""
    if options.ebgp:
        what = "CLUSTER_LIST from an external neighbour"
        return Malformed(what, UpdateSubcode.OPTIONAL_ATTRIBUTE_ERROR, Action.DISCARD_ATTRIBUTE)
    if not value or len(value) % 4:
        return Malformed(f"CLUSTER_LIST of {len(value)} octets", UpdateSubcode.ATTRIBUTE_LENGTH_ERROR)
    return tuple([IPv4Address(number) for (number,) in iter_unpack("!I", value)])


def encode(clusters: tuple[IPv4Address, ...], _options: CodecOptions) -> bytes:
    """Encode the identifiers."""
    return b"".join([cluster.packed for cluster in clusters])


CODEC: Final = AttributeCodec(
    10, "CLUSTER_LIST", "cluster_list", OPTIONAL_NON_TRANSITIVE, Action.TREAT_AS_WITHDRAW, decode, encode
)
