"""DNS replies: whole, cut at every octet, and hostile."""

import struct

import dns.message
import dns.rrset
import pytest

from anycastle.wire.dns import REPLY_BYTES_MAX, DNSReply, NoReply, decode_reply, text_of_nsid
from tests.unit.wire.atlas.samples import chaos_reply


def decoded(octets: bytes) -> DNSReply:
    reply = decode_reply(octets)
    assert isinstance(reply, DNSReply), reply
    return reply


def test_a_chaos_reply() -> None:
    reply = decoded(chaos_reply("ns1.fra.example.net", b"fra1"))
    assert (reply.id, reply.rcode, reply.question, reply.question_type) == (4711, 0, "id.server", 16)
    assert reply.answers[0].text == "ns1.fra.example.net"
    assert (reply.server, reply.nsid) == ("ns1.fra.example.net", b"fra1")


def test_without_a_chaos_answer_the_server_is_its_nsid() -> None:
    assert decoded(chaos_reply("", b"fra1")).server == "fra1"
    assert decoded(chaos_reply("", b"\xff\x00")).server == "ff00"
    assert decoded(chaos_reply("")).server == ""
    assert text_of_nsid(b"") == ""


def test_an_soa_tells_its_serial_and_edns_the_upper_part_of_the_rcode() -> None:
    query = dns.message.make_query(".", "SOA", use_edns=0)
    reply = dns.message.make_response(query)
    text = "a.root. b.root. 2026112701 1800 900 604800 86400"
    reply.answer.append(dns.rrset.from_text(".", 60, "IN", "SOA", text))
    reply.set_rcode(dns.rcode.BADCOOKIE)
    read = decoded(reply.to_wire())
    assert (read.soa_serial, read.rcode) == (2026112701, 23)


def test_a_reply_that_is_cut_is_none() -> None:
    whole = chaos_reply("ns1", b"fra1")
    for size in range(len(whole)):
        assert isinstance(decode_reply(whole[:size]), NoReply)


HEADER = struct.pack(">HHHHHH", 1, 0x8400, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (HEADER + b"\xc0\x0c\x00\x01\x00\x01", "a pointer does not lead backwards"),
        (HEADER + b"\xc0", "a pointer ends beyond the message"),
        (HEADER + b"\x41abc", "a label begins with 65"),
        (HEADER + b"\x05ab", "a name is too long"),
        (HEADER + (b"\x3f" + b"a" * 63) * 4 + b"\x00" + b"\x00\x01\x00\x01", "a name is too long"),
        (b"\x00" * (REPLY_BYTES_MAX + 1), "octets; a message has at most"),
    ],
)
def test_hostile_octets(octets: bytes, reason: str) -> None:
    reply = decode_reply(octets)
    assert isinstance(reply, NoReply)
    assert reason in reply.reason
