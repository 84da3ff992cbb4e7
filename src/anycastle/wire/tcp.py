"""TCP segments that measuring needs (RFC 9293 §3.1): a SYN to send, and what answers one.

Octets come from anywhere: what is cut is None.
"""

import struct
from dataclasses import dataclass
from typing import Final

from anycastle.wire.icmp import checksum

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
ACK: Final = 0x10

HEADER_OCTETS: Final = 20
WINDOW: Final = 1024
"""Octets that a SYN of ours offers to take; nothing follows it."""

_HEADER: Final = struct.Struct("!HHIIBBHHH")
_TCP: Final = 6


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment's header."""

    source_port: int
    port: int
    sequence: int
    acknowledgement: int
    flags: int


def encode_syn(source: bytes, destination: bytes, source_port: int, port: int, sequence: int) -> bytes:
    """Give a SYN without options; addresses are packed, of one family, for the checksum (RFC 8200 §8.1)."""

    def header(sum_of: int) -> bytes:
        return _HEADER.pack(source_port, port, sequence, 0, HEADER_OCTETS // 4 << 4, SYN, WINDOW, sum_of, 0)

    length = struct.pack("!BBH" if len(source) == 4 else "!HBBI", *_pseudo(source))
    return header(checksum(source + destination + length + header(0)))


def _pseudo(source: bytes) -> tuple[int, ...]:
    """Give the rest of the pseudo-header: of IPv4 zero, protocol, length (RFC 9293 §3.1); of IPv6 the sum is the same
    in whichever order its words stand."""
    return (0, _TCP, HEADER_OCTETS) if len(source) == 4 else (0, 0, _TCP, HEADER_OCTETS)


def decode_segment(octets: bytes) -> Segment | None:
    """Decode a header from behind its IP header."""
    if len(octets) < HEADER_OCTETS:
        return None
    source_port, port, sequence, acknowledgement, _offset, flags, _window, _sum, _urgent = _HEADER.unpack_from(octets)
    return Segment(source_port, port, sequence, acknowledgement, flags)
