import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.wire.bmp.codec import MESSAGE_OCTETS_MAX, BMPError, Framer, decode_bmp, encode_bmp
from anycastle.wire.bmp.message import BMPMessage, Damaged, PeerDown
from tests.unit.wire.bmp.bmp_values import MESSAGES, PEER

STREAM = b"".join(map(encode_bmp, MESSAGES))

INITIATION = bytes.fromhex("03 0000001b 040001 00086120726f757465720002 00056564676531")
PEER_DOWN = bytes.fromhex(
    "03 00000031 02"
    "00 00 0000000000000000 000000000000000000000000c0000201 0000fc59 0a000001 6afd86c0 0000007b"
    "04"
)  # fmt: skip


def framed(octets: bytes) -> list[BMPMessage]:
    framer = Framer()
    framer.feed(octets)
    return [decode_bmp(raw) for raw in framer]


@pytest.mark.rfc("7854", "4.1", "4.2", "4.3", "4.9")
def test_captures_by_the_layouts_of_the_rfc() -> None:
    assert decode_bmp(INITIATION) == MESSAGES[0]
    assert encode_bmp(MESSAGES[0]) == INITIATION
    assert decode_bmp(PEER_DOWN) == PeerDown(PEER, 4)
    assert encode_bmp(PeerDown(PEER, 4)) == PEER_DOWN


@pytest.mark.rfc("7854", "4.3", "4.5", "4.6", "4.7", "4.8", "4.9", "4.10")
@pytest.mark.rfc("8671", "4")
@pytest.mark.rfc("9069", "4.1", "4.2", "5.3")
@pytest.mark.mission("C6", "I2")
@pytest.mark.parametrize("message", MESSAGES, ids=[type(each).__name__ for each in MESSAGES])
def test_each_message_comes_back(message: BMPMessage) -> None:
    assert decode_bmp(encode_bmp(message)) == message


def test_a_stream_is_cut_into_its_messages_wherever_it_is_cut() -> None:
    framer, found = Framer(), []
    for octet in STREAM:
        framer.feed(bytes((octet,)))
        found += [decode_bmp(raw) for raw in framer]
    assert found == list(MESSAGES)
    for cut in range(len(STREAM)):
        framer = Framer()
        framer.feed(STREAM[:cut])
        found = [decode_bmp(raw) for raw in framer]
        framer.feed(STREAM[cut:])
        assert found + [decode_bmp(raw) for raw in framer] == list(MESSAGES)


@pytest.mark.parametrize("message", MESSAGES, ids=[type(each).__name__ for each in MESSAGES])
def test_a_body_cut_anywhere_is_damaged_or_shorter_and_nothing_is_raised(message: BMPMessage) -> None:
    whole = encode_bmp(message)
    for length in range(6, len(whole)):
        cut = whole[:1] + length.to_bytes(4) + whole[5:length]
        found = decode_bmp(cut)
        assert found != message
        if isinstance(found, Damaged):
            assert found.octets == cut


@pytest.mark.parametrize(
    "octets", [b"\2\0\0\0\6\4", b"\3\0\0\0\5\4", b"\3" + (MESSAGE_OCTETS_MAX + 1).to_bytes(4) + b"\4"]
)
def test_what_is_no_bmp_ends_the_stream(octets: bytes) -> None:
    with pytest.raises(BMPError):
        framed(octets)


@pytest.mark.parametrize(
    ("octets", "what"),
    [
        (b"\3\0\0\0\6\x63", "type 99 is not known"),
        (b"\3\0\0\0\x0a\4\0\1\0\x09", "information of 9 octets runs over the end, at octet 10"),
        (PEER_DOWN[:6] + b"\x09" + PEER_DOWN[7:], "peer type 9 is not known"),
    ],
)
def test_a_message_that_cannot_be_read_says_why(octets: bytes, what: str) -> None:
    found = decode_bmp(octets)
    assert isinstance(found, Damaged)
    assert found.what.startswith(what)


@given(st.binary(max_size=300))
def test_arbitrary_octets_raise_nothing_undeclared(octets: bytes) -> None:
    with contextlib.suppress(BMPError):
        framed(octets)
    body = b"\3" + (6 + len(octets)).to_bytes(4)
    for kind in range(8):
        decoded = decode_bmp(body + bytes((kind,)) + octets)
        assert decode_bmp(encode_bmp(decoded)) == decoded or isinstance(decoded, Damaged)
