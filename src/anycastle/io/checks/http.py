"""The HTTP check: status, body, a header field, and the certificate's days where there is one."""

from anycastle.io.checks.http_exchange import (
    Location,
    encode_request,
    locate,
    open_any,
    receive_body,
    receive_head,
    resolve,
)
from anycastle.io.checks.stream import Stream
from anycastle.io.checks.tls import certificate_days, client_context, handshake
from anycastle.io.checks.verdict import Failed, Undecided, judged
from anycastle.model.check import CheckResult, HTTPTarget, Outcome
from anycastle.model.prefix import Address

_RESOLVER_SHARE = 0.9
"""Of the time limit: a resolver that takes this much has hung, and that is not the service's fault."""


async def run(target: HTTPTarget, timeout_s: float) -> CheckResult:
    """Ask for the target's URL once."""
    try:
        location = locate(target.url)
    except Undecided as undecided:
        return CheckResult(Outcome.UNKNOWN, 0.0, str(undecided))
    return await judged(_attempt(target, location, timeout_s), timeout_s, location.shown)


async def _attempt(target: HTTPTarget, location: Location, timeout_s: float) -> str:
    addresses = await _addresses(target, location, timeout_s * _RESOLVER_SHARE)
    with await open_any(addresses, location.port) as stream:
        certificate = await _secure(stream, target, location) if location.secure else ""
        await stream.send(encode_request(target.method, location, target.headers))
        return f"{await _judge_response(stream, target)} from {location.shown}{certificate}"


async def _addresses(target: HTTPTarget, location: Location, limit_s: float) -> tuple[Address, ...]:
    return (target.address,) if target.address is not None else await resolve(location.host, location.port, limit_s)


async def _secure(stream: Stream, target: HTTPTarget, location: Location) -> str:
    context = client_context(target.verify_tls, target.ca_file)
    tls = await handshake(stream, context, target.server_name or location.host)
    return "" if target.certificate_days_left is None else ", " + certificate_days(tls, target.certificate_days_left)


async def _judge_response(stream: Stream, target: HTTPTarget) -> str:
    head, buffered = await receive_head(stream)
    if head.status not in target.statuses:
        raise Failed(f"status {head.status}, expected {' or '.join(map(str, target.statuses))}")
    if target.expect_header is not None:
        name, expected = target.expect_header
        value = head.field(name)
        if value != expected:
            raise Failed(f"header {name} is {'missing' if value is None else repr(value)}, expected {expected!r}")
    if target.body_contains is not None:
        wanted = target.body_contains.encode()
        body = await receive_body(stream, target.method, head, buffered, lambda body: wanted in body)
        if wanted not in body:
            raise Failed(
                f"status {head.status}, but {target.body_contains!r} is not in the {len(body)} octets of the body"
            )
    return f"status {head.status}"
