"""The application: the endpoints of the table, every failure as a problem, and what surrounds each request."""

from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.responses import Response

from anycastle import __version__
from anycastle.web.compact import Compact
from anycastle.web.parts import Parts
from anycastle.web.problems import Problem, ProblemKind, respond
from anycastle.web.routes import ROUTERS
from anycastle.web.shapes import Problem as ProblemShape
from anycastle.web.surround import Surround

ERRORS_MAX: Final = 50
"""Values that one problem names."""

_DESCRIPTION: Final = """\
The controller's API. Every failure is a problem (RFC 9457) whose `next` says what to do. Orders need an
Idempotency-Key; what lets a rollout go on needs If-Match with the ETag of the state that was seen.
"""

_OF_STATUS: Final = {404: ProblemKind.NOT_FOUND, 405: ProblemKind.NOT_A_METHOD, 413: ProblemKind.TOO_LARGE}


def make_app(parts: Parts) -> Surround:
    """Give the application."""
    app = FastAPI(title="Anycastle", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.parts = parts
    app.router.redirect_slashes = False
    for router in ROUTERS:
        app.router.routes.extend(router.routes)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _bug)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    return Surround(Compact(app), parts)


def _document(app: FastAPI) -> dict[str, Any]:
    """Give the OpenAPI document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=_DESCRIPTION, routes=app.routes)
        components = document.setdefault("components", {})
        components["schemas"]["Problem"] = ProblemShape.model_json_schema()
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        app.openapi_schema = document
    return app.openapi_schema


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return respond(error, request)


async def _bug(request: Request, _: Exception) -> Response:
    """Say that it is ours; `surround` logs what it is."""
    return respond(Problem(ProblemKind.BUG, "this is noted in the controller's log"), request)


async def _invalid(request: Request, error: Exception) -> Response:
    """Say which values cannot be used. They are not repeated: one may be a secret at the wrong place."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return respond(Problem(ProblemKind.MALFORMED, "the body is not JSON that can be read"), request)
    errors = [
        {"in": str(each["loc"][0]), "pointer": "".join(f"/{_token(part)}" for part in each["loc"][1:]),
         "detail": each["msg"]}
        for each in found[:ERRORS_MAX]
    ]  # fmt: skip
    return respond(Problem(ProblemKind.INVALID, f"{len(found)} values cannot be used", {"errors": errors}), request)


def _token(part: Any) -> str:
    """Give a part of a JSON pointer (RFC 6901 §3), of a bounded length."""
    return str(part)[:100].replace("~", "~0").replace("/", "~1")


async def _refused(request: Request, error: Exception) -> Response:
    """Give what the framework refuses as the problem that it is."""
    assert isinstance(error, HTTPException)
    kind = _OF_STATUS.get(error.status_code, ProblemKind.MALFORMED)
    detail = {
        ProblemKind.NOT_FOUND: "nothing is at this path",
        ProblemKind.NOT_A_METHOD: f"{request.method[:20]} is not for this",
    }
    return respond(Problem(kind, detail.get(kind, "the request cannot be read"), headers=error.headers or {}), request)
