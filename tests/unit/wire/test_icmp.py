import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.wire.icmp import Echo, Quoted, behind_ip_header, checksum, decode, encode_request

UDP = bytes.fromhex("c350829b0018 abcd".replace(" ", ""))
IPV4 = bytes.fromhex("45000030000040000111") + b"\0\0" + bytes([10, 0, 0, 1, 192, 0, 2, 53])
IPV6 = bytes.fromhex("6000000000181101") + bytes(15) + b"\1" + bytes.fromhex("20010db8") + bytes(11) + b"\x53"


@pytest.mark.rfc("792", "echo")
@pytest.mark.rfc("4443", "4.1")
@pytest.mark.parametrize("version", [4, 6])
def test_a_request_is_read_back(version: int) -> None:
    octets = encode_request(version, 7, 9, b"data")
    assert decode(version, octets) == Echo(False, 7, 9, b"data")


@pytest.mark.rfc("1071", "1")
def test_the_sum_over_a_sound_message_is_nothing() -> None:
    assert checksum(encode_request(4, 7, 9, b"even")) == 0
    assert checksum(encode_request(4, 7, 9, b"odd")) == 0
    assert checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D  # the RFC's own example


@pytest.mark.rfc("792", "time exceeded")
@pytest.mark.rfc("4443", "3.3")
@pytest.mark.parametrize(("version", "kind", "packet"), [(4, 11, IPV4), (6, 3, IPV6), (4, 3, IPV4), (6, 1, IPV6)])
def test_an_error_quotes_the_packet(version: int, kind: int, packet: bytes) -> None:
    found = decode(version, bytes([kind, 0]) + bytes(6) + packet + UDP)
    assert isinstance(found, Quoted)
    assert (found.type, found.protocol, found.transport) == (kind, 17, UDP)
    assert found.destination[-1] == (53 if version == 4 else 0x53)


@pytest.mark.parametrize("version", [4, 6])
def test_what_is_cut_is_none_at_every_octet(version: int) -> None:
    kind, packet = (11, IPV4) if version == 4 else (3, IPV6)
    whole = bytes([kind, 0]) + bytes(6) + packet + UDP
    for end in range(len(whole)):
        assert decode(version, whole[:end]) is None


@given(st.sampled_from([4, 6]), st.binary(max_size=120))
def test_any_octets_are_a_message_or_none(version: int, octets: bytes) -> None:
    assert isinstance(decode(version, octets), Echo | Quoted | None)
    assert len(behind_ip_header(octets)) <= len(octets)
