"""One session, held; and after an end that was not ours one question on a fresh connection."""

import asyncio
import errno
import secrets
from collections.abc import Callable
from typing import Final

from anycastle.base.ports import Instant
from anycastle.io.checks.stream import Stream
from anycastle.io.checks.verdict import Failed, Undecided, verdict_of
from anycastle.io.probe.connection import opened, secured
from anycastle.io.probe.course import Course
from anycastle.io.probe.http import location_of
from anycastle.model.prefix import Address
from anycastle.probe.kinds.session import End, Session, SessionAsk, SessionSeen
from anycastle.probe.session_dialects import DNS, HTTP, Dialect, Text
from anycastle.probe.target import ProbeTarget, name_of

_RESET: Final = (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED)


async def run(target: ProbeTarget, ask: SessionAsk, address: Address, course: Course) -> SessionSeen:
    """Hold a session once."""
    dialect, naming = _dialect(target, ask), name_of(ask, target.site)
    with await opened(address, target.port, course) as stream:
        if ask.tls:
            await _secured(stream, target, ask, course)
        course.begin("session")
        session = Session(ask, dialect, naming, _now())
        await _hold(session, stream)
        course.end()
    if session.end in (End.HELD, End.MOVED, End.GARBAGE):
        return session.seen()
    course.begin("again")
    try:
        async with asyncio.timeout(2 * ask.answer_timeout_s):
            return session.seen(await _again(target, ask, address, naming))
    except TimeoutError as error:
        return session.seen(trouble="nobody answers now" if error.errno is None else _words(error, target))
    except OSError as error:
        return session.seen(trouble=_words(error, target))
    except (Failed, Undecided) as error:
        return session.seen(trouble=str(error))


def _words(error: OSError, target: ProbeTarget) -> str:
    return verdict_of(error, target.shown)[1]


async def _secured(stream: Stream, target: ProbeTarget, ask: SessionAsk, course: Course) -> None:
    alpn = {"http": ("http/1.1",), "dns": ("dot",)}.get(ask.speaks, ())
    await secured(stream, ask.host or target.host, course, verify=ask.verify, ca_file=ask.ca_file, alpn=alpn)


async def _hold(session: Session, stream: Stream) -> None:
    """Drive a session to its end. Raises `OSError` for what is neither the session's end nor silence."""
    while True:
        try:
            octets = session.due(_now())
            if octets is not None:
                await stream.send(octets)
            if session.end is not None:
                return None
            async with asyncio.timeout_at(session.deadline):
                data = await stream.receive()
        except OSError as error:
            if isinstance(error, TimeoutError) and error.errno is None:
                continue
            if error.errno not in _RESET:
                raise
            return session.lost(_now(), reset=True)
        if not data:
            return session.lost(_now(), reset=False)
        session.received(data, _now())


async def _again(target: ProbeTarget, ask: SessionAsk, address: Address, naming: Callable[[str], str]) -> str:
    """Give what the server calls itself on a fresh connection."""
    course = Course()
    with await opened(address, target.port, course) as stream:
        if ask.tls:
            await _secured(stream, target, ask, course)
        session = Session(ask, _dialect(target, ask), naming, _now())
        while not session.answers and session.end is None:
            octets = session.due(_now())
            if octets is not None:
                await stream.send(octets)
            data = await stream.receive()
            if not data:
                raise Failed("a fresh connection is closed without an answer")
            session.received(data, _now())
        seen = session.seen()
    if not session.answers:
        raise Failed(seen.trouble)
    return seen.last


def _dialect(target: ProbeTarget, ask: SessionAsk) -> Dialect:
    match ask.speaks:
        case "http":
            location = location_of(target, ask.host or target.host, ask.path, tls=ask.tls)
            return HTTP(location.authority, location.path, ask.site_header)
        case "dns":
            return DNS(ask.identity, int.from_bytes(secrets.token_bytes(2), "big"))
        case _:
            return Text(ask.send, ask.until)


def _now() -> Instant:
    return Instant(asyncio.get_running_loop().time())
