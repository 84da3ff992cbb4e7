"""Logging in through an OpenID provider. A session's text is in one answer, once."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from anycastle.base.errors import WorldError
from anycastle.io.clock import now
from anycastle.io.oidc import NotProven, comes_back_here
from anycastle.io.store.people import AuditRow, Session, new_secret
from anycastle.web.admission import Admitted, problem_answers
from anycastle.web.identity import SESSION_BEGINNING
from anycastle.web.logins import Logins
from anycastle.web.parts import Parts, PartsOf
from anycastle.web.problems import Problem, ProblemKind
from anycastle.web.shapes import LoginAsked, LoginBegun, LoginFinished, SessionMade

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["people"])

_POSTED: Final = problem_answers(403, 408, 413, 415)


@ROUTER.post("/logins", response_model=LoginBegun, status_code=201, responses=_POSTED)
async def begin(asked: LoginAsked, parts: PartsOf) -> Any:
    """Begin a login: send a browser to `url`. What comes back to your machine must bear `state`."""
    logins = _logins(parts)
    if not comes_back_here(asked.redirect_uri):
        raise Problem(ProblemKind.INVALID, "a login comes back to http://127.0.0.1:PORT/ on your own machine")
    try:
        secret, departure = await logins.begin(parts.people, asked.redirect_uri, now().wall)
    except WorldError as error:
        raise _away(logins) from error
    return {"login": secret, "url": departure.url, "state": departure.state}


@ROUTER.post("/logins/finish", response_model=SessionMade, status_code=201, responses=_POSTED)
async def finish(request: Request, asked: LoginFinished, parts: PartsOf) -> Response:
    """Finish a login with the code that came back: give a session, whose text is used as a token's. It works once."""
    logins = _logins(parts)
    login = await parts.people.take_login(asked.login)
    if login is None:
        raise Problem(ProblemKind.NOT_FOUND, "no such login is under way: begin anew")
    try:
        session = await logins.finish(login, asked.code, now().wall)
    except NotProven as error:
        await _note(request, parts, "nobody known", f"refused: {error}")
        raise Problem(ProblemKind.LOGIN_FAILED, str(error)) from error
    except Problem as problem:
        await _note(request, parts, "nobody known", f"refused: {problem.detail}")
        raise
    except WorldError as error:
        raise _away(logins) from error
    secret = new_secret(SESSION_BEGINNING)
    await _note(request, parts, session.who, "logged in")
    await parts.people.add_session(session, secret)
    return JSONResponse(_told(session, secret), 201, {"Cache-Control": "no-store"})


def _logins(parts: Parts) -> Logins:
    if parts.logins is None:
        raise Problem(ProblemKind.NOT_FOUND, "this controller knows no provider of identities: use a token")
    return parts.logins


def _away(logins: Logins) -> Problem:
    return Problem(ProblemKind.UNAVAILABLE, f"{logins.provider.settings.issuer} does not answer as it should")


async def _note(request: Request, parts: Parts, who: str, result: str) -> None:
    address = request.client.host if request.client else ""
    await parts.people.note(AuditRow(now().wall, who, address, "log in", request.url.path, result))


def _told(session: Session, secret: str) -> dict[str, Any]:
    services = session.grant.services
    told = SessionMade(
        token=secret,
        name=session.who,
        role=session.grant.role.value,
        services=None if services is None else sorted(services),
        expires=session.expires,  # type: ignore[arg-type]  # pydantic reads it
    )
    return told.model_dump(mode="json")
