"""The way into every endpoint: who asks, may he, is it the leader's, is the body small enough, was it asked before.

All of it comes before the body is looked into. An endpoint that the table of `authorisation` does not have cannot be
made.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.clock import now
from anycastle.io.store.people import AuditRow
from anycastle.io.store.port import NotLeading, Repeated, Superseded
from anycastle.web.authorisation import TABLE, Permission, Rule, require
from anycastle.web.identity import Person, identify
from anycastle.web.keyed import Keyed, keyed_of
from anycastle.web.parts import Parts, parts_of
from anycastle.web.problems import MEDIA_TYPE, Problem, ProblemKind

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_BODIES: Final = frozenset({"POST", "PUT", "PATCH"})


class Admitted(APIRoute):
    """An endpoint of the table."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **settings: Any) -> None:
        (method,) = settings["methods"]
        self.rule = TABLE[f"{method} {path}"]
        settings["responses"] = {**problems_of(self.rule), **(settings.get("responses") or {})}
        extra = dict(settings.get("openapi_extra") or {})
        if self.rule.needs is not Permission.NOTHING:
            extra["security"] = [{"token": []}]
        if self.rule.keyed:
            extra["parameters"] = [_KEY_PARAMETER]
        super().__init__(path, endpoint, **{**settings, "openapi_extra": extra})

    def get_route_handler(self) -> Handler:
        """Give what answers a request."""
        answer, rule = super().get_route_handler(), self.rule

        async def handle(request: Request) -> Response:
            return await _admitted(request, rule, answer)

        return handle


_KEY_PARAMETER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "A random text of your own: with the same one, the same request is carried out once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}


def problems_of(rule: Rule) -> dict[int | str, dict[str, Any]]:
    """Give the problems that an endpoint can answer with, for the document."""
    statuses = {400, 404, 422, 429, 500, 503}
    if rule.needs is not Permission.NOTHING:
        statuses |= {401, 403}
    if rule.writes:
        statuses |= {408, 409, 412, 413, 415, 428}
    return problem_answers(*sorted(statuses))


def problem_answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Give what the document says of answers that are problems."""
    shape = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {each: {"description": "A problem", "content": {MEDIA_TYPE: shape}} for each in statuses}


async def _admitted(request: Request, rule: Rule, answer: Handler) -> Response:
    parts, person, result = parts_of(request), None, "error"
    try:
        person = await _person(request, rule, parts)
        response = await _answered(request, rule, parts, person, answer)
        result = str(response.status_code)
    except Problem as problem:
        result = f"{problem.kind.status} {problem.kind.slug}"
        raise
    except Superseded as error:
        result = "503 not-leading"
        raise Problem(ProblemKind.NOT_LEADING, "another controller leads now", {"leader": error.who}) from error
    except NotLeading as error:
        result = "503 not-leading"
        raise Problem(ProblemKind.NOT_LEADING, str(error), {"leader": await _leader(parts)}, _SOON) from error
    except WorldError as error:
        result = "503 unavailable"
        raise Problem(ProblemKind.UNAVAILABLE, "the store does not answer as it should", headers=_SOON) from error
    except MisuseError as error:
        result = "409 conflict"
        first, *more = str(error).splitlines() or [""]
        raise Problem(ProblemKind.CONFLICT, first, {"findings": more} if more else {}) from error
    finally:
        if rule.audited:
            await _note(request, parts, person, result)
    return response


_SOON: Final = {"Retry-After": "1"}


async def _leader(parts: Parts) -> str | None:
    """Give where who leads is found, or led last; None also where the store cannot say."""
    with contextlib.suppress(WorldError):
        leads = await parts.store.leadership()
        return leads.who if leads else None
    return None


async def _person(request: Request, rule: Rule, parts: Parts) -> Person | None:
    """Give who asks, where that must be known."""
    if rule.needs is Permission.NOTHING:
        return None
    person = await identify(parts.people, request)
    if person is None:
        why = "no good token came with the request" if "authorization" in request.headers else "no token was sent"
        raise Problem(ProblemKind.NOT_LOGGED_IN, why, headers={"WWW-Authenticate": "Bearer"})
    wait_s = parts.by_person.wait_s(person.name, now().monotonic)
    if wait_s > 0:
        parts.measure.limited.labels("token").inc()
        raise too_many(wait_s)
    require(rule, person.grant)
    request.state.person = person
    return person


def too_many(wait_s: float) -> Problem:
    """Give the problem of who asks too often."""
    return Problem(ProblemKind.TOO_MANY, "more than the rate allows", headers={"Retry-After": str(int(wait_s) + 1)})


async def _answered(request: Request, rule: Rule, parts: Parts, person: Person | None, answer: Handler) -> Response:
    if rule.writes and parts.controller.term() is None:
        raise Problem(
            ProblemKind.NOT_LEADING, "this controller answers reads only", {"leader": await _leader(parts)}, _SOON
        )
    body = await _body(request, rule)
    if not rule.keyed:
        return await answer(request)
    assert person is not None
    keyed = keyed_of(request, person, body)
    if keyed.key in parts.under_way:
        raise Problem(ProblemKind.BUSY_KEY, "a request with this key is being answered", headers=_SOON)
    parts.under_way.add(keyed.key)
    try:
        return await _once(request, parts, keyed, answer)
    finally:
        parts.under_way.discard(keyed.key)


async def _once(request: Request, parts: Parts, keyed: Keyed, answer: Handler) -> Response:
    before = await parts.store.once(keyed.key, now().wall)
    if before is not None:
        return keyed.replay(before)
    request.state.keyed = keyed
    try:
        return await answer(request)
    except Repeated as repeated:
        return keyed.replay(repeated.once)


async def _body(request: Request, rule: Rule) -> bytes:
    """Read the body, of which no more is taken than the rule says; the endpoint finds it read."""
    if request.method not in _BODIES:
        return b""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != rule.media_type:
        raise Problem(ProblemKind.NOT_JSON, f"the body must be {rule.media_type}")
    taken = bytearray()
    try:
        async with asyncio.timeout(parts_of(request).settings.body_s):
            async for part in request.stream():
                taken += part
                if len(taken) > rule.body_max:
                    raise Problem(ProblemKind.TOO_LARGE, f"{rule.body_max} octets are the most here")
    except TimeoutError as error:
        raise Problem(ProblemKind.SLOW, "the body was not whole in time") from error
    except ClientDisconnect as error:
        raise Problem(ProblemKind.MALFORMED, "the request ended before its body did") from error
    request._body = bytes(taken)
    return request._body


async def _note(request: Request, parts: Parts, person: Person | None, result: str) -> None:
    """Add it to the audit. Where the store is away nothing was done either: the answer says so."""
    who = person.name if person is not None else "nobody known"
    subject = f"{request.url.path} for {person.principal}" if person is not None else request.url.path
    address = request.client.host if request.client else ""
    action = f"{request.method} {request.scope['route'].path}"
    with suppress(WorldError):
        await parts.people.note(AuditRow(now().wall, who, address, action, subject, result))
