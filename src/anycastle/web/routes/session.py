"""A page's token: kept by the browser where no script reads it, and forgotten."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from anycastle.web.admission import Admitted, problem_answers
from anycastle.web.cookie import forget, keep
from anycastle.web.identity import SESSION_BEGINNING, Asker
from anycastle.web.parts import PartsOf
from anycastle.web.problems import Problem, ProblemKind
from anycastle.web.routes.whoami import whoami
from anycastle.web.shapes import NothingAsked, WhoAmI

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["people"])


@ROUTER.post("/session", response_model=WhoAmI, responses=problem_answers(408, 413, 415))
async def begin(request: Request, asker: Asker, _: NothingAsked) -> Any:
    """Put the token that you ask with into a cookie of your browser, for the pages."""
    response = JSONResponse(await whoami(asker))
    keep(request, response, asker.secret)
    return response


@ROUTER.delete("/session", status_code=204, responses=problem_answers(409))
async def end(request: Request, parts: PartsOf, asker: Asker) -> Response:
    """End the session that you ask with, and have a browser forget it. A token is ended by an admin."""
    is_session = asker.secret.startswith(SESSION_BEGINNING)
    if not is_session and not asker.by_cookie:
        raise Problem(ProblemKind.CONFLICT, "you ask with a token, and not with a session")
    if is_session:
        await parts.people.end_session(asker.secret)
    response = Response(status_code=204)
    forget(request, response)
    return response
