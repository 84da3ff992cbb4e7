"""One question drawn from a zone, over UDP or TCP; over TCP again where the answer was cut (RFC 1035 §4.2.1)."""

import asyncio
import random
import secrets
from base64 import b64encode
from functools import lru_cache
from pathlib import Path
from typing import Final

from anycastle.base.errors import ParseError
from anycastle.io.checks.verdict import Failed, Undecided
from anycastle.io.probe.connection import opened
from anycastle.io.probe.course import Course
from anycastle.io.probe.datagram import exchange, open_udp, stamped
from anycastle.io.probe.dns import Query, over_stream
from anycastle.model.prefix import Address
from anycastle.probe.kinds.zone import EDNS_OCTETS, Drawn, ZoneAsk, ZoneSeen, draw, seen_of
from anycastle.probe.target import ProbeTarget
from anycastle.wire.dns import NoReply, decode_reply
from anycastle.wire.dns_query import answers, encode_query, encode_question, parse_type

NAMES_OCTETS_MAX: Final = 4 * 1024 * 1024
"""Of a file of names; the root's has some 10 kB."""

_RANDOM: Final = random.SystemRandom()


async def run(target: ProbeTarget, ask: ZoneAsk, address: Address, course: Course) -> ZoneSeen:
    """Ask once. A cut answer is asked for again, and each has half of the target's time [hjw]."""
    drawn = draw(ask, _names(ask.names_file), _RANDOM)
    question = _question(drawn)
    query = Query(encode_query(question, dnssec=True, octets_max=EDNS_OCTETS), question, "answer")
    if drawn.transport == "udp":
        async with asyncio.timeout(target.timeout_s / 2):
            octets = await _over_udp(target, address, query, course)
        reply = decode_reply(octets)
        if isinstance(reply, NoReply) or not reply.truncated:
            return _seen(drawn, octets)
        drawn = drawn._replace(transport="tcp")
    async with asyncio.timeout(target.timeout_s / 2):
        with await opened(address, target.port, course) as stream:
            identity = secrets.token_bytes(2)
            octets = await over_stream(stream, query, identity, course)
    if not answers(octets, identity, question):
        raise Failed("the answer is not to our question")
    return _seen(drawn, octets)


def _question(drawn: Drawn) -> bytes:
    try:
        return encode_question(drawn.name, parse_type(drawn.record_type))
    except ParseError as error:
        raise Undecided(str(error)) from error


async def _over_udp(target: ProbeTarget, address: Address, query: Query, course: Course) -> bytes:
    identity = secrets.token_bytes(2)
    with open_udp(address, target.port, target.source_port) as channel:
        stamped(channel)
        course.local_port = channel.getsockname()[1]
        course.begin(query.phase)
        return await exchange(
            channel,
            identity + query.octets,
            lambda octets: octets if answers(octets, identity, query.question) else None,
            course,
        )


def _seen(drawn: Drawn, octets: bytes) -> ZoneSeen:
    reply = decode_reply(octets)
    if isinstance(reply, NoReply):
        raise Failed(f"the answer cannot be decoded: {reply.reason}")
    return seen_of(drawn, reply, len(octets), b64encode(octets).decode("ascii"))


def _names(path: str | None) -> tuple[str, ...]:
    """Give the delegations of a file, which is read again when it has changed."""
    if path is None:
        return ()
    try:
        return _read(path, Path(path).stat().st_mtime_ns)
    except (OSError, UnicodeDecodeError) as error:
        raise Undecided(f"{path}: {getattr(error, 'strerror', None) or error}") from error


@lru_cache(maxsize=16)
def _read(path: str, _changed_ns: int) -> tuple[str, ...]:
    with Path(path).open(encoding="ascii") as file:
        text = file.read(NAMES_OCTETS_MAX + 1)
    if len(text) > NAMES_OCTETS_MAX:
        raise Undecided(f"{path}: a file of names has at most {NAMES_OCTETS_MAX:,} octets")
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(line.lower().rstrip(".") for line in lines if line)
