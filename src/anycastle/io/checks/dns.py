"""The DNS check: rcode, answer, AA bit, NSID (RFC 5001) and CHAOS identity (RFC 4892), over UDP or TCP.

Messages are built and parsed by dnspython; the sockets are ours. A UDP query goes out of a connected socket with a
port that the kernel picks and an ID from the system's randomness, and only an answer from that address with that ID and
question counts (RFC 5452 §4); anything else is ignored until the deadline.
"""

import secrets
import socket
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from anycastle.io.checks.stream import Stream, connect, family_of_socket, readable
from anycastle.io.checks.verdict import Failed, Undecided, endpoint, judged
from anycastle.model.check import CheckResult, DNSTarget
from anycastle.wire.dns_query import answers

_UDP_OCTETS_MAX: Final = 65535
_HEADER_OCTETS: Final = 12
_EDNS_PAYLOAD: Final = 1232  # the size that the DNS Flag Day of 2020 agreed on
_RECORDS_SHOWN: Final = 3
_DATAGRAM: Final = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC


@dataclass(frozen=True, slots=True)
class _Query:
    """A query without its ID, and its question section as octets."""

    octets: bytes
    question: bytes


async def run(target: DNSTarget, timeout_s: float) -> CheckResult:
    """Ask the target once; where an identity is expected, ask for that too."""
    return await judged(_attempt(target), timeout_s, endpoint(target.address, target.port))


async def _attempt(target: DNSTarget) -> str:
    response = await _ask(target, _query_of(target))
    rcode = dns.rcode.to_text(response.rcode())
    if rcode != target.rcode.upper():
        raise Failed(f"rcode {rcode}, expected {target.rcode.upper()}")
    if target.authoritative and not response.flags & dns.flags.AA:
        raise Failed("the answer is not authoritative (AA is not set)")
    if target.answer is not None:
        _expect_answer(target.answer, response)
    if target.nsid is not None:
        _expect_nsid(target.nsid, response)
    if target.identity is not None:
        _expect_identity(target.identity, await _ask(target, _identity_query()))
    return f"rcode {rcode} from {endpoint(target.address, target.port)}"


@lru_cache(maxsize=4096)
def _query_of(target: DNSTarget) -> _Query:
    try:
        query = dns.message.make_query(target.name, target.record_type)
    except (dns.exception.DNSException, ValueError) as error:
        raise Undecided(f"{target.name} {target.record_type} cannot be asked: {error}") from error
    if target.nsid is not None:
        option = dns.edns.GenericOption(dns.edns.OptionType.NSID, b"")
        query.use_edns(0, payload=_EDNS_PAYLOAD, options=[option])
    if target.authoritative:
        query.flags &= ~dns.flags.RD
    return _prepared(query)


@lru_cache(maxsize=1)
def _identity_query() -> _Query:
    query = dns.message.make_query("id.server.", dns.rdatatype.TXT, dns.rdataclass.CH)
    query.flags &= ~dns.flags.RD
    return _prepared(query)


def _prepared(query: dns.message.Message) -> _Query:
    wire = query.to_wire()
    name = query.question[0].name.to_wire()
    assert name is not None
    return _Query(wire[2:], wire[_HEADER_OCTETS : _HEADER_OCTETS + len(name) + 4])


async def _ask(target: DNSTarget, query: _Query) -> dns.message.Message:
    identity = secrets.token_bytes(2)
    exchange = _over_tcp if target.transport == "tcp" else _over_udp
    reply = await exchange(target, identity, query)
    if not answers(reply, identity, query.question):
        raise Failed("the answer is not to our question")
    try:
        return dns.message.from_wire(reply, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError) as error:
        raise Failed(f"the answer cannot be decoded: {error}") from error


async def _over_tcp(target: DNSTarget, identity: bytes, query: _Query) -> bytes:
    with Stream(await connect(target.address, target.port)) as stream:
        message = identity + query.octets
        await stream.send(len(message).to_bytes(2, "big") + message)
        reply = b""
        while len(reply) < 2 or len(reply) < 2 + int.from_bytes(reply[:2], "big"):
            data = await stream.receive()
            if not data:
                raise Failed("the connection was closed before the whole answer came")
            reply += data
        return reply[2 : 2 + int.from_bytes(reply[:2], "big")]


async def _over_udp(target: DNSTarget, identity: bytes, query: _Query) -> bytes:
    with socket.socket(family_of_socket(target.address), _DATAGRAM) as channel:
        channel.connect((str(target.address), target.port))
        channel.send(identity + query.octets)
        while True:
            await readable(channel.fileno())
            try:
                reply = channel.recv(_UDP_OCTETS_MAX)
            except BlockingIOError:  # a datagram with a wrong checksum woke us
                continue
            if answers(reply, identity, query.question):
                return reply


def _expect_answer(expected: str, response: dns.message.Message) -> None:
    found = [record.to_text() for rrset in response.answer for record in rrset]
    if expected in found or f'"{expected}"' in found:
        return
    if response.flags & dns.flags.TC:
        raise Failed("the answer is truncated (TC); check it over tcp")
    more = f" and {len(found) - _RECORDS_SHOWN} more" if len(found) > _RECORDS_SHOWN else ""
    raise Failed(f"answer {', '.join(found[:_RECORDS_SHOWN]) or 'empty'}{more}, expected {expected}")


def _expect_nsid(expected: str, response: dns.message.Message) -> None:
    for option in response.options:
        if option.otype == dns.edns.OptionType.NSID:
            found = option.to_wire() or b""
            if found in (expected.encode(), _octets_of(expected)):
                return
            raise Failed(f"NSID {found.decode('ascii', 'backslashreplace')}, expected {expected}")
    raise Failed(f"no NSID in the answer, expected {expected}")


def _octets_of(text: str) -> bytes | None:
    """Read a NSID that the operator wrote as hexadecimal digits."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def _expect_identity(expected: str, response: dns.message.Message) -> None:
    texts = [b"".join(record.strings) for rrset in response.answer for record in rrset if hasattr(record, "strings")]
    if not texts:
        raise Failed(f"no identity (rcode {dns.rcode.to_text(response.rcode())}), expected {expected}")
    if expected.encode() not in texts:
        raise Failed(f"identity {texts[0].decode('ascii', 'backslashreplace')}, expected {expected}")
