"""How each service stands at each PoP, as its agent said last: what a page shows of a fleet at one look."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from anycastle.io.store.port import NotLeading
from anycastle.web.admission import Admitted
from anycastle.web.controller import AgentView
from anycastle.web.identity import Asker
from anycastle.web.parts import PartsOf
from anycastle.web.shapes import Name, Serving
from anycastle.web.standings import BriefStanding, Standings, brief_page, standing

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["fleet"])


PAGE_MAX: Final = 200
BRIEF_MAX: Final = 1_000
"""PoPs of a page; told in brief, one of fifty services is some 300 octets where all is well."""
AT_ONCE: Final = 20
"""Reports that are read before others have their turn: a hundred take some 50 ms, and agents are on this loop too."""


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
    parts.standings.keep_only(agents.keys())
    asked = agents.keys() if pop is None else agents.keys() & set(pop)
    names = sorted(name for name in asked if cursor is None or name > cursor)
    limit = limit if brief else min(limit, PAGE_MAX)
    following = names[limit - 1] if len(names) > limit else None
    if not brief:
        said = ((name, agents[name].report()) for name in names[:limit])
        items = [standing(name, report, asker.grant.services) for name, report in said if report is not None]
        return {"items": items, "next": following}
    told = await _in_brief(parts.standings, agents, names[:limit])
    octets = msgspec.json.encode({**brief_page(told, asker.grant.services), "next": following})
    # 50,000 values that were made here a moment ago are not looked at a second time
    return Response(octets, media_type="application/json")


async def _in_brief(
    standings: Standings, agents: Mapping[str, AgentView], names: Iterable[str]
) -> dict[str, BriefStanding]:
    """Give PoP -> its standing, of those whose agents said anything."""
    told, read = {}, 0
    for name in names:
        agent = agents.get(name)  # another controller may lead by now
        if agent is None:
            continue
        if not standings.is_fresh(name, agent):
            read += 1
            if read % AT_ONCE == 0:
                await asyncio.sleep(0)
        made = standings.of(name, agent)
        if made is not None:
            told[name] = made
    return told
