"""Upstreams: the networks that PoPs announce to, each over all PoPs."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path

from anycastle.io.store.port import NotLeading
from anycastle.model.fleet import Fleet
from anycastle.web.admission import Admitted
from anycastle.web.parts import Parts, PartsOf
from anycastle.web.problems import Problem, ProblemKind
from anycastle.web.shapes import Name
from anycastle.web.upstream_shapes import Upstreams, UpstreamShape
from anycastle.web.upstreams import Heard, places_of, upstreams, whole

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["fleet"])


@ROUTER.get("/upstreams", response_model=Upstreams)
async def all_of_them(parts: PartsOf) -> Any:
    """List the networks that PoPs announce to, with their sessions counted. The leader alone knows."""
    fleet = await parts.desired()
    if fleet is None:
        return {"items": []}
    return {"items": upstreams(fleet, await _heard(parts, fleet))}


@ROUTER.get("/upstreams/{upstream}", response_model=UpstreamShape)
async def one(parts: PartsOf, upstream: Annotated[Name, Path(description="Its name, or its ASN.")]) -> Any:
    """Show an upstream: its sessions at each PoP, and what it is told against what it should be told."""
    fleet = await parts.desired()
    places = [] if fleet is None else places_of(fleet, upstream)
    if fleet is None or not places:
        raise Problem(ProblemKind.NOT_FOUND, f"no upstream is named {upstream}, nor has that ASN")
    return whole(fleet, places, await _heard(parts, fleet))


async def _heard(parts: Parts, fleet: Fleet) -> Heard:
    agents = parts.controller.agents
    if agents is None:
        raise NotLeading("agents have their sessions with the controller that leads")
    read = await parts.of_upstreams.read(agents, [pop.name for pop in fleet.pops])
    return {pop: told for pop, told in read.items() if told is not None}
