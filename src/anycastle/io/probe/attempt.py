"""One probe from its beginning to its result. Whatever the world does becomes part of the result."""

import asyncio
import errno
import ssl
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from anycastle.base.errors import ParseError
from anycastle.base.ports import Instant
from anycastle.io.checks.http_exchange import resolve
from anycastle.io.checks.verdict import Failed, Undecided, clean, timed_out, verdict_of
from anycastle.io.clock import now
from anycastle.io.probe import runner
from anycastle.io.probe.course import Course
from anycastle.model.check import Outcome
from anycastle.model.prefix import Address, parse_address
from anycastle.model.vantage_point import VantagePoint
from anycastle.probe.judge import judge
from anycastle.probe.kinds.dns import DNSAsk
from anycastle.probe.result import Failure, FailureKind, Observation, ProbeResult
from anycastle.probe.target import ProbeTarget

_RESOLVER_SHARE: Final = 0.9
"""Of the time limit: a resolver that takes this much has hung, and that is not the target's fault."""

_HANDSHAKES: Final = ("tls", "handshake")

_BY_ERRNO: Final[Mapping[int, FailureKind]] = MappingProxyType(
    {
        errno.ECONNREFUSED: FailureKind.REFUSED,
        errno.ECONNRESET: FailureKind.RESET,
        errno.ECONNABORTED: FailureKind.RESET,
        errno.EPIPE: FailureKind.RESET,
        errno.ENETUNREACH: FailureKind.UNREACHABLE,
        errno.EHOSTUNREACH: FailureKind.UNREACHABLE,
        errno.ETIMEDOUT: FailureKind.TIMEOUT,
    }
)


async def attempt(target: ProbeTarget, vantage: VantagePoint, planned: Instant | None = None) -> ProbeResult:
    """Probe a target once. Never raises for what the target or the world did; cancellation passes through."""
    began = now()
    course = Course()
    address: Address | None = None
    seen: Observation | None = None
    try:
        async with asyncio.timeout(target.timeout_s):
            address = await _address(target, course)
            seen = await runner(target.ask.kind)(target, target.ask, address, course)
            failure = None
    except (Failed, Undecided, TimeoutError, OSError) as error:
        failure = _failure(error, target, course, now().monotonic - began.monotonic)
    course.end()
    server = pop = ""
    if seen is not None:
        failure, server, pop = judge(target.ask, target.site, seen, course.phase)
    return ProbeResult(
        vantage=vantage,
        target=target.name,
        kind=target.ask.kind,
        at=began.wall,
        late_ms=0.0 if planned is None else (began.monotonic - planned) * 1000,
        address=address,
        local_port=course.local_port,
        phases=tuple(course.phases),
        failure=failure,
        seen=seen,
        asked=target.ask.asked if isinstance(target.ask, DNSAsk) else "",
        server=server,
        pop=pop,
    )


async def _address(target: ProbeTarget, course: Course) -> Address:
    literal = _literal(target.host)
    if literal is not None:
        return literal
    course.begin("resolve")
    return (await resolve(target.host, target.port, target.timeout_s * _RESOLVER_SHARE))[0]


@lru_cache(maxsize=16_384)
def _literal(host: str) -> Address | None:
    """Give the address that a host is; None for a name."""
    try:
        return parse_address(host)
    except ParseError:
        return None


def _failure(error: Exception, target: ProbeTarget, course: Course, elapsed_s: float) -> Failure:
    kind, words = _kind_and_words(error, target, course.phase, elapsed_s)
    return Failure(kind, course.phase, clean(words))


def _kind_and_words(error: Exception, target: ProbeTarget, phase: str, elapsed_s: float) -> tuple[FailureKind, str]:
    match error:
        case Undecided():
            return FailureKind.OURS, str(error)
        case Failed():
            return (FailureKind.TLS if phase in _HANDSHAKES else FailureKind.PROTOCOL), str(error)
        case ssl.SSLError():
            return FailureKind.TLS, f"TLS: {(error.reason or str(error)).lower().replace('_', ' ')}"
        case TimeoutError(errno=None):
            outcome, words = timed_out(elapsed_s, target.timeout_s, target.shown)
            return (FailureKind.OURS if outcome is Outcome.UNKNOWN else FailureKind.TIMEOUT), words
        case OSError():
            outcome, words = verdict_of(error, target.shown)
            if outcome is Outcome.UNKNOWN:
                return FailureKind.OURS, words
            return _BY_ERRNO.get(error.errno or 0, FailureKind.PROTOCOL), words
        case _:
            raise AssertionError(error)
