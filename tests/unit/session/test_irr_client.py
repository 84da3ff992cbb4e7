"""The client against a server that is played here: dialogues, cuts at each offset, silence, floods."""

import pytest

from anycastle.base.errors import MisuseError
from anycastle.base.ports import FAR_FUTURE, Instant
from anycastle.model.asn import ASN
from anycastle.model.irr import SetName
from anycastle.model.prefix import Family
from anycastle.session.irr_client import (
    ANSWER_S,
    QUESTIONS_MAX,
    SILENCE_S,
    WINDOW,
    Answered,
    Command,
    IRRClient,
    Lost,
    Say,
)
from anycastle.wire.irr.query import OriginPrefixes, Question, SetMembers
from anycastle.wire.irr.reply import Data, NoSuchKey, Nothing, Refused, Reply, encode_reply

START = Instant(0.0)
GREETED = encode_reply(Nothing()) + encode_reply(Data("RIPE,RADB"))
MEMBERS = Question(SetMembers(SetName("AS-X")))
IN_RIPE = Question(SetMembers(SetName("AS-X")), ("RIPE",))
MANY = [Question(OriginPrefixes(ASN(number), Family.IPV4)) for number in range(1, 201)]


def said(commands: list[Command]) -> str:
    return b"".join(each.octets for each in commands if isinstance(each, Say)).decode()


def answers(commands: list[Command]) -> list[tuple[Question, Reply]]:
    return [(each.question, each.reply) for each in commands if isinstance(each, Answered)]


def greeted() -> IRRClient:
    client = IRRClient()
    assert said(client.connected(START)) == "!!\n!nanycastle\n!s-lc\n"
    assert client.received(GREETED, START) == []
    return client


def test_a_question_and_its_answer() -> None:
    client = greeted()
    assert client.deadline == FAR_FUTURE
    assert said(client.ask([MEMBERS], START)) == "!iAS-X\n"
    assert client.deadline == START + SILENCE_S
    assert not client.idle
    assert answers(client.received(encode_reply(Data("AS1 AS-Y")), START)) == [(MEMBERS, Data("AS1 AS-Y"))]
    assert client.idle
    assert client.deadline == FAR_FUTURE


def test_sources_go_ahead_of_the_question_and_are_put_back() -> None:
    client = greeted()
    assert said(client.ask([IN_RIPE, IN_RIPE, MEMBERS], START)) == "!sRIPE\n!iAS-X\n!iAS-X\n!sRIPE,RADB\n!iAS-X\n"
    replies = [Nothing(), Data("AS1"), NoSuchKey(), Nothing(), Data("AS2")]
    given = answers(client.received(b"".join(map(encode_reply, replies)), START))
    assert given == [(IN_RIPE, Data("AS1")), (IN_RIPE, NoSuchKey()), (MEMBERS, Data("AS2"))]


def test_the_default_sources_are_waited_for_where_they_are_needed() -> None:
    client = IRRClient()
    client.connected(START)
    assert said(client.ask([IN_RIPE, MEMBERS], START)) == "!sRIPE\n!iAS-X\n"
    assert said(client.received(GREETED, START)) == "!sRIPE,RADB\n!iAS-X\n"


def test_what_is_asked_of_refused_sources_is_refused_and_not_answered_from_others() -> None:
    client = greeted()
    client.ask([IN_RIPE, MEMBERS], START)
    replies = [Refused("no such source"), Data("AS666"), Nothing(), Data("AS1")]
    given = answers(client.received(b"".join(map(encode_reply, replies)), START))
    assert given == [(IN_RIPE, Refused("sources RIPE: no such source")), (MEMBERS, Data("AS1"))]


def test_a_server_that_hides_its_sources_is_not_asked_under_the_wrong_ones() -> None:
    client = IRRClient()
    client.connected(START)
    client.received(encode_reply(Nothing()) + encode_reply(Refused("what?")), START)
    given = client.ask([MEMBERS, IN_RIPE, MEMBERS], START)
    assert said(given) == "!iAS-X\n!sRIPE\n!iAS-X\n"
    ((question, reply),) = answers(given)
    assert question == MEMBERS
    assert isinstance(reply, Refused)


def test_only_a_window_is_under_way() -> None:
    client = greeted()
    assert said(client.ask(MANY, START)).count("\n") == WINDOW
    more = client.received(encode_reply(Nothing()) * 10, START)
    assert len(answers(more)) == said(more).count("\n") == 10


def test_too_many_questions_are_a_misuse_and_none_is_taken() -> None:
    client = greeted()
    with pytest.raises(MisuseError):
        client.ask([MEMBERS] * (QUESTIONS_MAX + 1), START)
    with pytest.raises(MisuseError):
        client.ask([Question(MEMBERS.query, ("RIPE\n!q",))], START)
    assert client.idle


def test_what_was_lost_is_asked_again_in_its_order() -> None:
    client = greeted()
    client.ask(MANY[:3], START)
    client.received(encode_reply(Data("192.0.2.0/24")), START)
    assert client.disconnected("closed") == [Lost("closed")]
    assert client.disconnected("again") == []
    assert client.received(b"C\n", START) == []
    assert said(client.connected(START)) == "!!\n!nanycastle\n!s-lc\n!gAS2\n!gAS3\n"
    given = answers(client.received(GREETED + encode_reply(Nothing()) * 2, START))
    assert [question for question, _ in given] == MANY[1:3]


@pytest.mark.parametrize("cut", range(60))
def test_cut_at_each_offset_nothing_is_lost_and_nothing_comes_twice(cut: int) -> None:
    octets = encode_reply(Data("AS1 AS2")) + encode_reply(NoSuchKey()) + encode_reply(Data("AS3"))
    questions, client = MANY[:3], greeted()
    client.ask(questions, START)
    before = answers(client.received(octets[:cut], START))
    client.disconnected("closed")
    client.connected(START)
    rest = b"".join(map(encode_reply, [Data("AS1 AS2"), NoSuchKey(), Data("AS3")][len(before) :]))
    after = answers(client.received(GREETED + rest, START))
    assert [question for question, _ in before + after] == questions
    assert [reply for _, reply in before + after] == [Data("AS1 AS2"), NoSuchKey(), Data("AS3")]
    assert client.idle


@pytest.mark.parametrize("octets", [b"nonsense\n", b"A9999999999\n", b"A4\nAS1\nD\n"])
def test_a_server_that_breaks_the_protocol_is_lost(octets: bytes) -> None:
    client = greeted()
    client.ask([MEMBERS], START)
    (lost,) = client.received(octets, START)
    assert isinstance(lost, Lost)
    assert not client.idle


def test_an_answer_to_nothing_breaks_the_protocol() -> None:
    client = greeted()
    assert client.received(b"C\n", START) == [Lost("a reply that answers nothing")]


def test_silence_and_an_answer_without_end_are_given_up() -> None:
    client = greeted()
    client.ask([MEMBERS], START)
    assert client.wake(Instant(SILENCE_S - 1)) == []
    assert client.wake(Instant(SILENCE_S)) == [Lost("30 s of silence")]
    client = greeted()
    client.ask([MEMBERS], START)
    now = START
    while now < ANSWER_S:
        assert client.wake(now) == []
        client.received(b"A900000\n" if now == START else b"x", now)
        now = Instant(now + SILENCE_S / 2)
    assert client.wake(Instant(ANSWER_S)) == [Lost("an answer that takes over 300 s")]
