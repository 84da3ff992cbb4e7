"""Multiprotocol Extensions capability (RFC 4760 §8)."""

from dataclasses import dataclass
from typing import Final

from anycastle.wire.bgp.capability_error import malformed
from anycastle.wire.bgp.family import AFISAFI

CODE: Final = 1


@dataclass(frozen=True, slots=True)
class MultiProtocol:
    """Routes of one address family can be exchanged."""

    afi: int
    safi: int

    @property
    def family(self) -> AFISAFI:
        """AFI and SAFI as the pair that options are keyed by."""
        return self.afi, self.safi


def decode(value: bytes) -> MultiProtocol:
    """Decode the value: AFI, a reserved octet, SAFI."""
    if len(value) != 4:
        raise malformed(CODE, "multiprotocol", value)
    return MultiProtocol(int.from_bytes(value[:2]), value[3])


def encode(capability: MultiProtocol) -> bytes:
    """Encode the value."""
    return capability.afi.to_bytes(2) + bytes((0, capability.safi))
