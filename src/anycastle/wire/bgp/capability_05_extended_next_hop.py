"""Extended Next Hop Encoding capability (RFC 8950 §4)."""

from dataclasses import dataclass
from struct import iter_unpack, pack
from typing import Final

from anycastle.wire.bgp.capability_error import malformed

CODE: Final = 5


@dataclass(frozen=True, slots=True)
class ExtendedNextHop:
    """Families whose next hop may be of another family: triples of AFI, SAFI and the next hop's AFI."""

    families: tuple[tuple[int, int, int], ...]


def decode(value: bytes) -> ExtendedNextHop:
    """Decode the value: triples of two octets each."""
    if len(value) % 6:
        raise malformed(CODE, "extended next hop", value)
    return ExtendedNextHop(tuple((afi, safi, next_hop) for afi, safi, next_hop in iter_unpack("!HHH", value)))


def encode(capability: ExtendedNextHop) -> bytes:
    """Encode the value."""
    return b"".join(pack("!HHH", *triple) for triple in capability.families)
