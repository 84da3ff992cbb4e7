"""Four-octet AS Number capability (RFC 6793 §3)."""

from dataclasses import dataclass
from typing import Final

from anycastle.model.asn import ASN
from anycastle.wire.bgp.capability_error import malformed

CODE: Final = 65


@dataclass(frozen=True, slots=True)
class FourOctetASN:
    """The sender writes ASNs in four octets; `asn` is its own."""

    asn: ASN


def decode(value: bytes) -> FourOctetASN:
    """Decode the value: the ASN."""
    if len(value) != 4:
        raise malformed(CODE, "four-octet ASN", value)
    return FourOctetASN(ASN(int.from_bytes(value)))


def encode(capability: FourOctetASN) -> bytes:
    """Encode the value."""
    return capability.asn.to_bytes(4)
