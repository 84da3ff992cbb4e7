"""PoPs are told to drain services, or to end that."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from anycastle.rollout.orders import AgentOrderKind, OrderAgents
from anycastle.web.admission import Admitted
from anycastle.web.authorisation import TABLE, require
from anycastle.web.identity import Asker
from anycastle.web.ordering import take
from anycastle.web.parts import PartsOf
from anycastle.web.shapes import DrainAsked, Taken, UndrainAsked

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["drains"])


@ROUTER.post("/drain", response_model=Taken)
async def drain(request: Request, asked: DrainAsked, parts: PartsOf, asker: Asker) -> Response:
    """Have PoPs drain services. A floor stands: what ends an announcement needs the PoP's permit."""
    require(TABLE["POST /api/v1/drain"], asker.grant, frozenset(asked.services))
    times = (asked.soak_s, asked.wait_s, asked.lasts_s)
    order = OrderAgents(AgentOrderKind.DRAIN, asked.pops, asked.services, asked.reason, *times)
    return await take(request, parts, asker, order)


@ROUTER.post("/undrain", response_model=Taken)
async def undrain(request: Request, asked: UndrainAsked, parts: PartsOf, asker: Asker) -> Response:
    """End drains."""
    require(TABLE["POST /api/v1/undrain"], asker.grant, frozenset(asked.services))
    order = OrderAgents(AgentOrderKind.UNDRAIN, asked.pops, asked.services, asked.reason)
    return await take(request, parts, asker, order)
