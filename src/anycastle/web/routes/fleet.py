"""What is desired of the fleet, and the first wish."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from anycastle.rollout.mitigation import active
from anycastle.rollout.orders import Adopt
from anycastle.web.admission import Admitted
from anycastle.web.identity import Asker
from anycastle.web.ordering import take
from anycastle.web.parts import PartsOf
from anycastle.web.shapes import AdoptAsked, FleetShape, Taken

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["fleet"])


@ROUTER.get("/fleet", response_model=FleetShape)
async def fleet(parts: PartsOf, asker: Asker) -> Any:
    """Show what is desired, who leads, and the services that you may see."""
    kept, leads = await parts.controller.kept(), await parts.store.leadership()
    desired = await parts.fleets.fleet(kept.desired.revision)
    seen = [each for each in (desired.services if desired else ()) if asker.grant.covers(frozenset({each.name}))]
    theirs = {prefix for each in seen for prefix in each.mitigations}
    return {
        "revision": kept.desired.revision or None,
        "exceptions": len(kept.desired.exceptions),
        "leader": leads.who if leads is not None else None,
        "term": leads.term if leads is not None else None,
        "services": sorted(each.name for each in seen),
        "frozen": kept.frozen is not None,
        "leads": parts.controller.term() is not None,
        "mitigations": [
            str(each) for each in sorted(active(kept.desired)) if asker.grant.services is None or each in theirs
        ],
    }


@ROUTER.post("/fleet/adoption", response_model=Taken)
async def adopt(request: Request, asked: AdoptAsked, parts: PartsOf, asker: Asker) -> Response:
    """Desire a stored revision where nothing was desired before: the one that agents live by already."""
    await parts.fleets.needed(asked.revision)
    return await take(request, parts, asker, Adopt(asked.revision, asked.reason))
