"""The engine as a dialogue: what it sends, and how each end is told."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.errors import ParseError
from anycastle.base.ports import Instant
from anycastle.probe.kinds.session import End, Session, SessionAsk, SessionSeen, judge
from anycastle.probe.result import FailureKind
from anycastle.probe.session_dialects import DNS, HTTP, Text
from anycastle.probe.site import parse_site_rule
from anycastle.probe.target import name_of

ASK = SessionAsk("text", hold_s=10.0, every_s=2.0, answer_timeout_s=1.0)
RULE = parse_site_rule("(fra|ams)")


def session(ask: SessionAsk = ASK) -> Session:
    return Session(ask, Text(b"who\n", b"\n"), RULE.pop_of, Instant(0.0))


def words(seen: SessionSeen, ask: SessionAsk = ASK, of: Callable[[str], str] = RULE.pop_of) -> tuple[FailureKind, str]:
    failure = judge(ask, seen, of)
    assert failure is not None
    assert failure.phase == "session"
    return failure.kind, failure.words


def test_it_asks_now_and_then_and_ends_in_time() -> None:
    held, now, asked = session(), 0.0, []
    while held.end is None:
        if held.due(Instant(now)) is not None:
            asked.append(now)
            held.received(b"fra1\n", Instant(now + 0.25))
        now = max(now, held.deadline)
    assert asked == [0.0, 2.0, 4.0, 6.0, 8.0]
    seen = held.seen()
    assert (seen.end, seen.lived_s, seen.answers, seen.first, seen.last) == (End.HELD, 10.0, 5, "fra1", "fra1")
    assert (seen.rtt_ms_min, seen.rtt_ms_max) == (250.0, 250.0)
    assert judge(ASK, seen, RULE.pop_of) is None


def test_silence_ends_it_and_a_fresh_connection_says_why() -> None:
    held = session()
    assert held.due(Instant(0.0)) == b"who\n"
    held.received(b"fra", Instant(0.1))  # not yet an answer
    held.received(b"1\n", Instant(0.2))
    assert held.due(Instant(2.0)) == b"who\n"
    assert held.due(Instant(2.5)) is None
    assert held.deadline == 3.0
    assert held.due(Instant(3.0)) is None
    assert held.end is End.SILENCE
    assert words(held.seen("ams2")) == (
        FailureKind.TIMEOUT, "the session fell silent after 3.0 s of 10 s and 1 answer: fra before, ams now",
    )  # fmt: skip
    assert words(held.seen("fra9"))[1].endswith("; fra answers still")
    assert words(held.seen(trouble="nobody answers now"))[1].endswith("(nobody answers now)")


@pytest.mark.parametrize(
    ("reset", "end", "text"), [(True, End.RESET, "was reset"), (False, End.CLOSED, "server closed the session")]
)
def test_a_connection_that_is_gone(*, reset: bool, end: End, text: str) -> None:
    held = session()
    held.due(Instant(0.0))
    held.lost(Instant(0.5), reset=reset)
    held.lost(Instant(0.9), reset=not reset)  # the first end stands
    assert (held.seen().end, held.seen().lived_s) == (end, 0.5)
    kind, told = words(held.seen())
    assert kind is FailureKind.RESET
    assert text in told


def test_another_name_in_the_midst_is_a_move() -> None:
    held = session()
    for at, text in ((0.0, b"fra1\n"), (2.0, b"fra2\n"), (4.0, b"ams1\n")):  # fra2 is of the same PoP
        held.due(Instant(at))
        held.received(text, Instant(at + 0.1))
    assert held.end is End.MOVED
    assert words(held.seen()) == (
        FailureKind.SITE, "the session's server changed after 4.1 s of 10 s and 3 answers: fra before, ams now",
    )  # fmt: skip


def test_an_answer_without_an_end_is_bounded_and_one_that_nobody_asked_for_is_passed_over() -> None:
    held = session()
    held.received(b"220 ams says hello\n", Instant(0.0))
    held.due(Instant(0.0))
    held.received(b"fra\n", Instant(0.1))
    held.received(b"ams\n", Instant(0.2))
    assert held.seen().last == "fra"
    held.due(Instant(2.0))
    held.received(b"x" * 70_000, Instant(2.1))
    assert held.end is End.GARBAGE
    kind, told = words(held.seen())
    assert kind is FailureKind.PROTOCOL
    assert told.endswith("after 2.1 s of 10 s and 1 answer (an answer has no end in 70000 octets)")


@given(st.lists(st.tuples(st.floats(0.01, 3.0), st.sampled_from([b"", b"fra\n", b"ams\n", b"x", b"\n"]))))
def test_whatever_comes_it_ends_in_time_and_never_asks_twice_at_once(steps: list[tuple[float, bytes]]) -> None:
    held, now, open_questions = session(), 0.0, 0
    for passed_s, octets in steps:
        if held.due(Instant(now)) is not None:
            open_questions += 1
        before = held.answers
        held.received(octets, Instant(now))
        open_questions -= held.answers - before
        assert 0 <= open_questions <= 1
        now += passed_s
    held.due(Instant(now + 100))
    held.due(Instant(now + 200))
    assert held.end is not None
    assert held.seen().lived_s <= now + 100.001  # as it is rounded


def test_without_a_rule_a_name_is_all_that_is_said_and_a_line_is_none() -> None:
    assert name_of(SessionAsk("dns"), None)("fra1") == "fra1"
    assert name_of(SessionAsk("text"), None)("12:00 fra1") == ""
    assert name_of(SessionAsk("text"), RULE)("12:00 fra1") == "fra"


@pytest.mark.rfc("9110", "9.3.2")
def test_http_takes_the_head_and_the_field() -> None:
    http = HTTP("www.example", "/", "X-Served-By")
    assert http.request(0) == b"HEAD / HTTP/1.1\r\nHost: www.example\r\nUser-Agent: anycastle\r\n\r\n"
    response = b"HTTP/1.1 200 OK\r\nx-served-by: fra1 \r\nContent-Length: 900\r\n\r\n"
    for size in range(len(response)):
        assert http.answer(response[:size], 0) is None
    answer = http.answer(response, 0)
    assert answer is not None
    assert answer.identity == "fra1"
    with pytest.raises(ParseError):
        http.answer(b"220 smtp ready\r\n", 0)


@pytest.mark.rfc("7766", "8")
def test_dns_takes_the_answer_to_its_own_question() -> None:
    dns = DNS("id.server", 65_535)
    query = dns.request(1)
    assert query[2:4] == b"\0\0"  # the salt and the number, of two octets
    text = b"\xc0\x0c\0\x10\0\x03\0\0\0\0\0\x05\x04fra1"
    reply = b"\0\0\x84\0\0\x01\0\x01\0\0\0\0" + query[14:29] + text
    framed = len(reply).to_bytes(2, "big") + reply
    for size in range(len(framed)):
        assert dns.answer(framed[:size], 1) is None
    answer = dns.answer(framed, 1)
    assert answer is not None
    assert answer.identity == "fra1"
    with pytest.raises(ParseError, match="not to our question"):
        dns.answer(framed, 2)
    cut = reply[:-3]
    with pytest.raises(ParseError, match="cannot be decoded"):
        dns.answer(len(cut).to_bytes(2, "big") + cut, 1)
