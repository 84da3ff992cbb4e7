"""Replies by IRRd's manual: decoded whole, octet by octet, cut at each offset, and encoded again."""

import pytest

from anycastle.wire.irr.reply import (
    LINE_OCTETS_MAX,
    Data,
    IRRError,
    ManyKeys,
    NoSuchKey,
    Nothing,
    Refused,
    Reply,
    ReplyFramer,
    encode_reply,
)

CAPTURES: list[tuple[bytes, Reply]] = [
    (b"A17\nAS64500 AS-OTHER\nC\n", Data("AS64500 AS-OTHER")),
    (b"A32\nroute: 192.0.2.0/24\norigin: AS1\n\nC\n", Data("route: 192.0.2.0/24\norigin: AS1")),
    (b"A0\nC\n", Data("")),
    (b"C\n", Nothing()),
    (b"D\n", NoSuchKey()),
    (b"E\n", ManyKeys()),
    (b"F Unrecognised command: z\n", Refused("Unrecognised command: z")),
    (b"F\n", Refused("")),
]
CAPTURES = [
    (b"A%d\n%b" % (len(octets.split(b"\n", 1)[1]) - 2, octets.split(b"\n", 1)[1]), reply)
    if isinstance(reply, Data)
    else (octets, reply)
    for octets, reply in CAPTURES
]
STREAM = b"".join(octets for octets, _ in CAPTURES)
REPLIES = [reply for _, reply in CAPTURES]


def replies(*pieces: bytes, longest: int = 1000) -> list[Reply]:
    framer = ReplyFramer(longest)
    found: list[Reply] = []
    for piece in pieces:
        framer.feed(piece)
        found += framer
    return found


def test_each_reply_alone_and_all_together() -> None:
    for octets, reply in CAPTURES:
        assert replies(octets) == [reply]
    assert replies(STREAM) == REPLIES
    assert replies(STREAM.replace(b"\nC\n", b"\nC\r\n")) == REPLIES


def test_octet_by_octet_and_cut_at_each_offset() -> None:
    assert replies(*(bytes((octet,)) for octet in STREAM)) == REPLIES
    for cut in range(len(STREAM)):
        assert replies(STREAM[:cut], STREAM[cut:]) == REPLIES
        framer = ReplyFramer()
        framer.feed(STREAM[:cut])
        before = list(framer)
        assert before == REPLIES[: len(before)]
        assert framer.midway is (len(b"".join(octets for octets, _ in CAPTURES[: len(before)])) != cut)


def test_what_is_encoded_comes_back() -> None:
    for reply in REPLIES:
        assert replies(encode_reply(reply)) == [reply]
    assert encode_reply(Refused("one\nC\ntwo")) == b"F one C two\n"


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"SSH-2.0-nonsense\r\n", "is no reply"),
        (b"\n", "is no reply"),
        (b"A\n", "gives no length"),
        (b"A-1\n", "gives no length"),
        (b"A99999999999\n", "gives no length"),
        (b"A1001\n", "a reply of 1001 octets; 1000 are the most"),
        (b"A4\nAS1\nD\n", "where a C ends them"),
        (b"A4\nAS1 AS2\nC\n", "where a C ends them"),
        (b"A3" * LINE_OCTETS_MAX, "a line of more than"),
        (b"A4\nAS1\n" + b"C" * LINE_OCTETS_MAX, "a line of more than"),
    ],
)
def test_what_is_no_reply_ends_the_connection(octets: bytes, said: str) -> None:
    with pytest.raises(IRRError, match=said):
        replies(octets)


def test_text_that_is_no_utf_8_is_read_all_the_same() -> None:
    assert replies(b"A4\ncaf\xe9\nC\n".replace(b"A4", b"A5")) == [Data("caf�")]
    assert replies(b"F no \x1b[31mway\n") == [Refused("no \ufffd[31mway")]
    assert Data("AS1  AS2\nAS3").items == ("AS1", "AS2", "AS3")
