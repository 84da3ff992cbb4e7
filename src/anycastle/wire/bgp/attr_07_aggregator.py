"""AGGREGATOR (RFC 4271 §4.3 g, §5.1.7; RFC 6793 §4.1; errors RFC 7606 §7.7)."""

from ipaddress import IPv4Address
from typing import Final

from anycastle.model.asn import AS_TRANS, ASN
from anycastle.wire.bgp.attribute_codec import OPTIONAL_TRANSITIVE, AttributeCodec
from anycastle.wire.bgp.attributes import Aggregator
from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Action, Malformed
from anycastle.wire.bgp.options import CodecOptions


def decode(value: bytes, options: CodecOptions) -> Aggregator | Malformed:
    """Decode ASN and address; AS4_AGGREGATOR is not merged here."""
    width = 4 if options.four_octet_asn else 2
    if len(value) != width + 4:
        return Malformed(f"AGGREGATOR of {len(value)} octets", UpdateSubcode.ATTRIBUTE_LENGTH_ERROR)
    asn = ASN(int.from_bytes(value[:width]))
    if not asn:  # RFC 7607 §2
        return Malformed("AGGREGATOR of AS 0", UpdateSubcode.OPTIONAL_ATTRIBUTE_ERROR)
    return Aggregator(asn, IPv4Address(value[width:]))


def encode(aggregator: Aggregator, options: CodecOptions) -> bytes:
    """Encode ASN and address; AS_TRANS stands for what two octets cannot hold (RFC 6793 §4.2.2)."""
    if options.four_octet_asn:
        return aggregator.asn.to_bytes(4) + aggregator.address.packed
    asn = aggregator.asn if aggregator.asn <= 0xFFFF else AS_TRANS
    return asn.to_bytes(2) + aggregator.address.packed


CODEC: Final = AttributeCodec(
    7, "AGGREGATOR", "aggregator", OPTIONAL_TRANSITIVE, Action.DISCARD_ATTRIBUTE, decode, encode
)
