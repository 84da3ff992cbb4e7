"""One DNS question over UDP, TCP, TLS, HTTPS or QUIC; and a second one, for the server's name.

Over UDP both go out of one port: where equal paths are chosen by a hash of ports, they take the same one. An ID is
drawn for each (RFC 5452 §4.3), except over HTTPS and QUIC, where it is 0
(RFC 8484 §4.1, RFC 9250 §4.2.1).
"""

import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from anycastle.base.errors import ParseError
from anycastle.io.checks.stream import Stream
from anycastle.io.checks.verdict import Failed, Undecided
from anycastle.io.probe.connection import opened, secured
from anycastle.io.probe.course import Course
from anycastle.io.probe.datagram import exchange, open_udp, stamped
from anycastle.model.prefix import Address
from anycastle.probe.kinds.dns import DNSAsk, DNSSeen, seen_of
from anycastle.probe.target import ProbeTarget
from anycastle.wire.dns import REPLY_BYTES_MAX, DNSReply, NoReply, decode_reply
from anycastle.wire.dns_query import CHAOS, answers, encode_query, encode_question, parse_type

_TXT = 16
_MEDIA_TYPE = "application/dns-message"


class Query(NamedTuple):
    """A query without its ID, and the question in it."""

    octets: bytes
    question: bytes
    phase: str


Ask = Callable[[Query, bytes], Awaitable[bytes]]
"""A transport: query and ID in, octets of the reply out."""


async def run(target: ProbeTarget, ask: DNSAsk, address: Address, course: Course) -> DNSSeen:
    """Ask once, or twice."""
    queries = _queries(ask)
    match ask.transport:
        case "udp":
            with open_udp(address, target.port, target.source_port) as channel:
                stamped(channel)
                course.local_port = channel.getsockname()[1]
                return await _asked(queries, lambda query, identity: _over_udp(channel, query, identity, course))
        case "quic":
            return await _over_quic(target, ask, address, queries, course)
        case "https":
            return await _over_https(target, ask, address, queries, course)
        case _:
            with await opened(address, target.port, course) as stream:
                if ask.transport == "tls":
                    name = ask.server_name or target.host
                    await secured(stream, name, course, verify=ask.verify, ca_file=ask.ca_file, alpn=("dot",))
                return await _asked(queries, lambda query, identity: over_stream(stream, query, identity, course))


@lru_cache(maxsize=4096)
def _queries(ask: DNSAsk) -> tuple[Query, ...]:
    try:
        question = encode_question(ask.name, parse_type(ask.record_type))
    except ParseError as error:
        raise Undecided(str(error)) from error
    first = Query(encode_query(question, recursion=ask.recursion, nsid=ask.nsid), question, "answer")
    if not ask.identity:
        return (first,)
    question = encode_question(ask.identity, _TXT, CHAOS)
    return first, Query(encode_query(question, nsid=False), question, "identity")


async def _asked(queries: tuple[Query, ...], ask: Ask, identity: bytes | None = None) -> DNSSeen:
    first, *second = queries
    reply, octets = await _reply(first, ask, identity)
    seen = seen_of(reply, octets)
    if second:
        reply, _ = await _reply(second[0], ask, identity)
        seen = replace(seen, identity=reply.server)
    return seen


async def _reply(query: Query, ask: Ask, given: bytes | None) -> tuple[DNSReply, int]:
    """Give the reply, and its octets' number."""
    identity = secrets.token_bytes(2) if given is None else given
    octets = await ask(query, identity)
    if not answers(octets, identity, query.question):
        raise Failed("the answer is not to our question")
    reply = decode_reply(octets)
    if isinstance(reply, NoReply):
        raise Failed(f"the answer cannot be decoded: {reply.reason}")
    return reply, len(octets)


async def _over_udp(channel: socket.socket, query: Query, identity: bytes, course: Course) -> bytes:
    def ours(octets: bytes) -> bytes | None:
        return octets if answers(octets, identity, query.question) else None

    course.begin(query.phase)
    return await exchange(channel, identity + query.octets, ours, course)


async def over_stream(stream: Stream, query: Query, identity: bytes, course: Course) -> bytes:
    """Ask over a stream: each message behind its length (RFC 1035 §4.2.2)."""
    course.begin(query.phase)
    message = identity + query.octets
    await stream.send(len(message).to_bytes(2, "big") + message)
    reply = b""
    while len(reply) < 2 or len(reply) < 2 + int.from_bytes(reply[:2], "big"):
        data = await stream.receive()
        if not data:
            raise Failed("the connection was closed before the whole answer came")
        reply += data
    course.end()
    return reply[2 : 2 + int.from_bytes(reply[:2], "big")]


async def _over_quic(
    target: ProbeTarget, ask: DNSAsk, address: Address, queries: tuple[Query, ...], course: Course
) -> DNSSeen:
    """Ask over QUIC: a stream a question, each message behind its length (RFC 9250 §4.2)."""
    from anycastle.io.probe.quic import opened_quic

    name = ask.server_name or target.host
    async with opened_quic(target, address, "doq", name, course, verify=ask.verify, ca_file=ask.ca_file) as session:

        async def over_quic(query: Query, identity: bytes) -> bytes:
            message = identity + query.octets
            course.begin(query.phase)
            stream = session.connection.get_next_available_stream_id()
            reply = await session.answer(stream, len(message).to_bytes(2, "big") + message, 2 + REPLY_BYTES_MAX)
            course.end()
            if len(reply) < 2 or len(reply) != 2 + int.from_bytes(reply[:2], "big"):
                raise Failed("the stream was ended before the whole answer came")
            return reply[2:]

        return await _asked(queries, over_quic, bytes(2))


async def _over_https(
    target: ProbeTarget, ask: DNSAsk, address: Address, queries: tuple[Query, ...], course: Course
) -> DNSSeen:
    from anycastle.io.probe.h2_exchange import H2Exchange, Request

    name = ask.server_name or target.host
    with await opened(address, target.port, course) as stream:
        tls = await secured(stream, name, course, verify=ask.verify, ca_file=ask.ca_file, alpn=("h2",))
        if tls.selected_alpn_protocol() != "h2":
            raise Failed("no HTTP/2 was agreed by ALPN, which DNS over HTTPS asks for (RFC 8484 §5.2)")
        connection = H2Exchange(stream)

        async def over_https(query: Query, identity: bytes) -> bytes:
            fields = (("content-type", _MEDIA_TYPE), ("accept", _MEDIA_TYPE))
            request = Request("POST", "https", name, ask.path, fields, identity + query.octets)
            course.begin(query.phase)
            response = await connection.ask(request)
            course.end()
            if response.status != 200 or response.field("content-type") != _MEDIA_TYPE:
                raise Failed(f"status {response.status} and {response.field('content-type') or 'no content type'}")
            return response.body

        return await _asked(queries, over_https, bytes(2))
