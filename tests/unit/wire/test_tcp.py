"""TCP segments: a SYN whose checksum every receiver takes, and headers that are read."""

import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.wire.icmp import checksum
from anycastle.wire.tcp import ACK, HEADER_OCTETS, RST, SYN, Segment, decode_segment, encode_syn

PAIRS = [("192.0.2.1", "198.51.100.2"), ("2001:db8::1", "2001:db8:1::2")]


@pytest.mark.rfc("9293", "3.1")
@pytest.mark.parametrize(("source", "destination"), PAIRS)
def test_a_syn_is_read_as_it_was_meant_and_its_checksum_is_right(source: str, destination: str) -> None:
    ends = ip_address(source).packed, ip_address(destination).packed
    octets = encode_syn(*ends, 40_000, 443, 0x7FFFFFFE)
    assert len(octets) == HEADER_OCTETS
    assert decode_segment(octets) == Segment(40_000, 443, 0x7FFFFFFE, 0, SYN)
    # RFC 8200 §8.1 and RFC 9293 §3.1, in the order of their text: over all of it a receiver gets nothing.
    pseudo = (
        struct.pack("!IHBB", len(octets), 0, 0, 6) if len(ends[0]) == 16 else struct.pack("!BBH", 0, 6, len(octets))
    )
    assert checksum(ends[0] + ends[1] + pseudo + octets) == 0


def test_what_a_server_answers() -> None:
    refused = struct.pack("!HHIIBBHHH", 443, 40_000, 0, 8, 5 << 4, RST | ACK, 0, 0, 0)
    assert decode_segment(refused) == Segment(443, 40_000, 0, 8, RST | ACK)


@given(st.binary(max_size=64))
def test_any_octets_are_a_header_or_none(octets: bytes) -> None:
    assert (decode_segment(octets) is None) == (len(octets) < HEADER_OCTETS)
