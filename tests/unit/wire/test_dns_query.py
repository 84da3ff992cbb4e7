import dns.flags
import dns.message
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.errors import ParseError
from anycastle.wire.dns_query import CHAOS, TYPES, answers, encode_name, encode_query, encode_question, parse_type


@pytest.mark.rfc("1035", "4.1.1")
@pytest.mark.rfc("5001", "2.1")
@pytest.mark.parametrize("nsid", [True, False])
@pytest.mark.parametrize("recursion", [True, False])
def test_a_library_reads_the_query(nsid: bool, recursion: bool) -> None:
    question = encode_question("www.example.", TYPES["AAAA"])
    message = dns.message.from_wire(b"\x12\x34" + encode_query(question, recursion=recursion, nsid=nsid))
    assert message.id == 0x1234
    assert message.question[0].to_text() == "www.example. IN AAAA"
    assert bool(message.flags & dns.flags.RD) == recursion
    assert (message.edns, message.payload) == (0, 1232)
    assert [int(option.otype) for option in message.options] == [3] * nsid


@pytest.mark.rfc("4892", "2.1")
def test_a_question_of_class_chaos() -> None:
    query = b"\0\0" + encode_query(encode_question("id.server", TYPES["TXT"], CHAOS))
    assert dns.message.from_wire(query).question[0].to_text() == "id.server. CH TXT"


def test_types_have_the_numbers_that_a_library_gives_them() -> None:
    assert {name: int(dns.rdatatype.from_text(name)) for name in TYPES} == dict(TYPES)
    assert parse_type("TYPE65280") == 65280


@pytest.mark.parametrize("text", ["", "NONSENSE", "TYPE", "TYPE0", "TYPE65536", "TYPE1x", "a"])
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse_type(text)


@pytest.mark.rfc("1035", "2.3.4")
def test_names_have_their_bounds() -> None:
    assert encode_name(".") == b"\0"
    assert encode_name("bücher.example")[:1] == b"\x0d"
    longest = ".".join(["x" * 63] * 3 + ["x" * 61])
    assert len(encode_name(longest)) == 255
    for text in (longest + "x", "x" * 64, "a..b", ".a"):
        with pytest.raises(ParseError):
            encode_name(text)


def test_an_answer_is_ours_by_id_and_question() -> None:
    question = encode_question("Example", 1)
    reply = b"\x12\x34\x84\x00\0\1\0\0\0\0\0\0" + encode_question("eXAMPLE", 1)
    assert answers(reply, b"\x12\x34", question)
    assert not answers(reply, b"\x12\x35", question)
    assert not answers(reply[:2] + b"\x04" + reply[3:], b"\x12\x34", question)  # a query
    assert not answers(reply, b"\x12\x34", encode_question("Example", 2))
    error = b"\x12\x34\x84\x01" + bytes(8)
    assert answers(error, b"\x12\x34", question)  # FORMERR without a question
    assert not answers(b"\x12\x34\x84\x00" + bytes(8), b"\x12\x34", question)


@given(st.binary(max_size=80), st.binary(min_size=2, max_size=2))
def test_any_octets_are_ours_or_not(octets: bytes, identity: bytes) -> None:
    assert answers(octets, identity, encode_question("example", 1)) in (True, False)
