"""How each service stands at each PoP, as its agent said last: what a page shows of a fleet at one look."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from anycastle.io.store.port import NotLeading
from anycastle.web.admission import Admitted
from anycastle.web.identity import Asker
from anycastle.web.parts import PartsOf
from anycastle.web.shapes import Name, Serving
from anycastle.web.standings import brief_page, standing

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["fleet"])


PAGE_MAX: Final = 200
BRIEF_MAX: Final = 1_000
"""PoPs of a page; told in brief, one of fifty services is some 300 octets where all is well."""


@ROUTER.get("/serving", response_model=Serving, response_model_exclude_unset=True)
async def serving(
    parts: PartsOf,
    asker: Asker,
    limit: Annotated[int, Query(ge=1, le=BRIEF_MAX, description="At most 200 unless in brief.")] = 100,
    cursor: Annotated[Name | None, Query(description="`next` of the page before.")] = None,
    pop: Annotated[list[Name] | None, Query(max_length=200, description="All where none is named.")] = None,
    brief: Annotated[bool, Query(description="Of services that are well, only how many routes they have.")] = False,
) -> Any:
    """Show how your services stand at each PoP, as its agent said last. The leader alone knows."""
    agents = parts.controller.agents
    if agents is None:
        raise NotLeading("agents have their sessions with the controller that leads")
    asked = agents.keys() if pop is None else agents.keys() & set(pop)
    names = sorted(name for name in asked if cursor is None or name > cursor)
    limit = limit if brief else min(limit, PAGE_MAX)
    following = names[limit - 1] if len(names) > limit else None
    if not brief:
        said = ((name, agents[name].report()) for name in names[:limit])
        items = [standing(name, report, asker.grant.services) for name, report in said if report is not None]
        return {"items": items, "next": following}
    told = await parts.standings.read(agents, names[:limit])
    octets = msgspec.json.encode({**brief_page(told, asker.grant.services), "next": following})
    # 50,000 values that were made here a moment ago are not looked at a second time
    return Response(octets, media_type="application/json")
