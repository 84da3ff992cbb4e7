"""Whether the process answers, whether it can answer for the fleet, and what it counts."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from anycastle.base.errors import WorldError
from anycastle.web.admission import Admitted
from anycastle.web.parts import PartsOf
from anycastle.web.problems import Problem, ProblemKind
from anycastle.web.shapes import Health, Ready

ROUTER: Final = APIRouter(route_class=Admitted, tags=["health"])


@ROUTER.get("/healthz", response_model=Health)
async def healthz() -> Any:
    """Tell that the process answers."""
    return {"status": "ok"}


@ROUTER.get("/readyz", response_model=Ready)
async def readyz(parts: PartsOf) -> Any:
    """Tell whether reads can be answered, and by whom orders are taken; the problem names what is away."""
    try:
        leads = await parts.store.leadership()
    except WorldError as error:
        raise Problem(ProblemKind.UNAVAILABLE, "the store is away", {"failing": ["store"]}) from error
    if leads is None:
        raise Problem(ProblemKind.UNAVAILABLE, "no controller ever led", {"failing": ["leader"]})
    return {"status": "ready", "leads": parts.controller.term() is not None, "leader": leads.who}


@ROUTER.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(parts: PartsOf) -> Response:
    """Give the API's figures to Prometheus."""
    parts.measure.leading.set(parts.controller.term() is not None)
    parts.measure.events.set((await parts.store.head()).sequence)
    return Response(parts.measure.page(), media_type="text/plain; version=0.0.4; charset=utf-8")


@ROUTER.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    """Give the document of this API."""
    return JSONResponse(request.app.openapi())
