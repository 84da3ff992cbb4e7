"""ONLY_TO_CUSTOMER (RFC 9234 §5)."""

from typing import Final

from anycastle.model.asn import ASN
from anycastle.wire.bgp.attribute_codec import OPTIONAL_TRANSITIVE, AttributeCodec
from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Action, Malformed
from anycastle.wire.bgp.options import CodecOptions


def decode(value: bytes, _options: CodecOptions) -> ASN | Malformed:
    """Decode the ASN, of four octets on every session."""
    if len(value) != 4:
        return Malformed(f"ONLY_TO_CUSTOMER of {len(value)} octets", UpdateSubcode.ATTRIBUTE_LENGTH_ERROR)
    return ASN(int.from_bytes(value))


def encode(asn: ASN, _options: CodecOptions) -> bytes:
    """Encode the ASN."""
    return asn.to_bytes(4)


CODEC: Final = AttributeCodec(
    35, "ONLY_TO_CUSTOMER", "only_to_customer", OPTIONAL_TRANSITIVE, Action.TREAT_AS_WITHDRAW, decode, encode
)
