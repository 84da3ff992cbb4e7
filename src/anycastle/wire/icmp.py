"""ICMP messages that measuring needs: echo (RFC 792, RFC 4443 §4.1), and errors with what they quote.

An error quotes the packet that it is about: its IP header and at least 8 octets beyond (RFC 792). So ports, and the
checksum of a UDP header, come back. Octets come from anywhere: what is no message, or quotes too little, is None.
"""

import struct
from dataclasses import dataclass
from typing import Final

ECHO_REQUEST: Final = {4: 8, 6: 128}
ECHO_REPLY: Final = {4: 0, 6: 129}
TIME_EXCEEDED: Final = {4: 11, 6: 3}
UNREACHABLE: Final = {4: 3, 6: 1}
TOO_BIG: Final = 2
"""Packet Too Big (RFC 4443 §3.2); IPv4 has code 4 of Destination Unreachable for it."""

HEADER_OCTETS: Final = 8
_HEADER: Final = struct.Struct("!BBHHH")
_IPV6_OCTETS: Final = 40


@dataclass(frozen=True, slots=True)
class Echo:
    """An echo request or reply."""

    reply: bool
    identity: int
    sequence: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Quoted:
    """An ICMP error: its type and code, and the packet that it quotes."""

    type: int
    code: int
    protocol: int
    destination: bytes
    """4 or 16 octets."""
    transport: bytes
    """The quoted octets behind the IP header: 8 at least."""


def encode_request(version: int, identity: int, sequence: int, data: bytes) -> bytes:
    """Give an echo request. Its checksum is right for IPv4; for IPv6 the kernel computes it (RFC 3542 §3.1)."""
    header = _HEADER.pack(ECHO_REQUEST[version], 0, 0, identity, sequence)
    sum_of = checksum(header + data) if version == 4 else 0
    return _HEADER.pack(ECHO_REQUEST[version], 0, sum_of, identity, sequence) + data


def checksum(octets: bytes) -> int:
    """Give the Internet checksum (RFC 1071)."""
    if len(octets) % 2:
        octets += b"\0"
    total: int = sum(word for (word,) in struct.iter_unpack("!H", octets))
    total = (total >> 16) + (total & 0xFFFF)
    return 0xFFFF - ((total + (total >> 16)) & 0xFFFF)


def decode(version: int, octets: bytes) -> Echo | Quoted | None:
    """Decode a message from behind its IP header; None for other types and for what is cut."""
    if len(octets) < HEADER_OCTETS:
        return None
    kind, code, _sum, identity, sequence = _HEADER.unpack_from(octets)
    if kind in (ECHO_REPLY[version], ECHO_REQUEST[version]):
        return Echo(kind == ECHO_REPLY[version], identity, sequence, octets[HEADER_OCTETS:])
    if kind in (TIME_EXCEEDED[version], UNREACHABLE[version]) or (version == 6 and kind == TOO_BIG):
        return _quoted(version, kind, code, octets[HEADER_OCTETS:])
    return None


def _quoted(version: int, kind: int, code: int, packet: bytes) -> Quoted | None:
    if not packet or packet[0] >> 4 != version:
        return None
    # Extension headers of IPv6 are not walked: we send none.
    header = _IPV6_OCTETS if version == 6 else (packet[0] & 0x0F) * 4
    if header < 20 or len(packet) < header + 8:
        return None
    destination = packet[24:40] if version == 6 else packet[16:20]
    return Quoted(kind, code, packet[6 if version == 6 else 9], destination, packet[header:])


def behind_ip_header(octets: bytes) -> bytes:
    """Give what a raw IPv4 socket received without the IP header; empty where it is cut."""
    header = (octets[0] & 0x0F) * 4 if octets else 0
    return octets[header:] if header >= 20 else b""
