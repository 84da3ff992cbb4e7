"""AS4_AGGREGATOR (RFC 6793 §4.2, errors §6): the four-octet aggregator behind a speaker of two-octet ASNs."""

from ipaddress import IPv4Address
from typing import Final

from anycastle.model.asn import ASN
from anycastle.wire.bgp.attribute_codec import OPTIONAL_TRANSITIVE, AttributeCodec
from anycastle.wire.bgp.attributes import Aggregator
from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Action, Malformed
from anycastle.wire.bgp.options import CodecOptions


def decode(value: bytes, options: CodecOptions) -> Aggregator | Malformed:
    """Decode ASN and address; a four-octet neighbour's is discarded."""
    if options.four_octet_asn:
        return Malformed("AS4_AGGREGATOR from a four-octet neighbour", UpdateSubcode.OPTIONAL_ATTRIBUTE_ERROR)
    if len(value) != 8:
        return Malformed(f"AS4_AGGREGATOR of {len(value)} octets", UpdateSubcode.ATTRIBUTE_LENGTH_ERROR)
    asn = ASN(int.from_bytes(value[:4]))
    if not asn:  # RFC 7607 §2
        return Malformed("AS4_AGGREGATOR of AS 0", UpdateSubcode.OPTIONAL_ATTRIBUTE_ERROR)
    return Aggregator(asn, IPv4Address(value[4:]))


def encode(aggregator: Aggregator, _options: CodecOptions) -> bytes:
    """Encode ASN and address."""
    return aggregator.asn.to_bytes(4) + aggregator.address.packed


CODEC: Final = AttributeCodec(
    18, "AS4_AGGREGATOR", "as4_aggregator", OPTIONAL_TRANSITIVE, Action.DISCARD_ATTRIBUTE, decode, encode
)
