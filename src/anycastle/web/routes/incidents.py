"""Incidents: those that are kept, one of them whole, its postmortem, and what people add to it."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from anycastle.io.response_json import plain_row
from anycastle.response.incident import Incident, Status
from anycastle.response.orders import Acknowledge, Annotate
from anycastle.web.admission import Admitted
from anycastle.web.authorisation import TABLE, Rule, require
from anycastle.web.concerned import concerned_by_incident
from anycastle.web.identity import Asker, Person
from anycastle.web.incident_shapes import Incidents, NoteAsked, Responded, StatusName, WholeIncident
from anycastle.web.ordering import respond
from anycastle.web.parts import Parts, PartsOf
from anycastle.web.problems import Problem, ProblemKind
from anycastle.web.shapes import NothingAsked

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["incidents"])

Number = Annotated[int, Path(ge=1, le=2**53)]

_AT: Final = "/api/v1/incidents/{incident}"
_TYPES: Final = {"markdown": "text/markdown", "html": "text/html"}
_SUFFIXES: Final = {"markdown": "md", "html": "html"}


@ROUTER.get("/incidents", response_model=Incidents)
async def incidents(
    parts: PartsOf,
    asker: Asker,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    status: Annotated[list[StatusName] | None, Query(max_length=3, description="All where none is named.")] = None,
) -> Any:
    """List incidents, the newest first: those that concern none but the services that you may see."""
    wanted = frozenset(map(Status, status)) if status else frozenset(Status)
    fleet = None if asker.grant.services is None else await parts.desired()
    seen = [
        each
        for each in reversed(await parts.incidents.all())
        if (cursor is None or each.id < cursor)
        and each.status in wanted
        and (asker.grant.services is None or asker.grant.covers(concerned_by_incident(fleet, each)))
    ]
    return {
        "items": [plain_row(each) for each in seen[:limit]],
        "next": seen[limit - 1].id if len(seen) > limit else None,
    }


@ROUTER.get("/incidents/{incident}", response_model=WholeIncident)
async def one_incident(parts: PartsOf, asker: Asker, incident: Number) -> Any:
    """Show an incident whole: timeline, likely causes with evidence, runbook, and notices that reached nobody."""
    found = await _required(parts, asker, TABLE[f"GET {_AT}"], incident)
    return await parts.incidents.whole(found, await parts.desired(), asker.grant.services)


@ROUTER.get(
    "/incidents/{incident}/postmortem",
    response_class=Response,
    responses={200: {"content": {each: {"schema": {"type": "string"}} for each in _TYPES.values()}}},
)
async def postmortem(
    parts: PartsOf, asker: Asker, incident: Number, form: Literal["markdown", "html"] = "markdown"
) -> Response:
    """Write the postmortem of an incident, as far as the controller knows: probes' results are not in its store."""
    found = await _required(parts, asker, TABLE[f"GET {_AT}/postmortem"], incident)
    text = await parts.incidents.postmortem(found, await parts.desired(), form, asker.grant.services)
    name = f"incident-{incident}.{_SUFFIXES[form]}"
    return Response(
        text.encode(), media_type=_TYPES[form], headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


@ROUTER.post("/incidents/{incident}/acknowledge", response_model=Responded)
async def acknowledge(request: Request, _: NothingAsked, parts: PartsOf, asker: Asker, incident: Number) -> Response:
    """Say that you look at an incident: nobody is reminded of it any more."""
    await _required(parts, asker, TABLE[f"POST {_AT}/acknowledge"], incident)
    return await respond(request, parts, asker, Acknowledge(incident))


@ROUTER.post("/incidents/{incident}/notes", response_model=Responded)
async def annotate(request: Request, asked: NoteAsked, parts: PartsOf, asker: Asker, incident: Number) -> Response:
    """Add words to an incident's timeline. They stay in the log."""
    await _required(parts, asker, TABLE[f"POST {_AT}/notes"], incident)
    return await respond(request, parts, asker, Annotate(incident, asked.text))


async def _required(parts: Parts, asker: Person, rule: Rule, number: int) -> Incident:
    """Give an incident that somebody may see or change. Raises `Problem`."""
    found = await parts.incidents.one(number)
    if found is None:
        raise Problem(ProblemKind.NOT_FOUND, f"there is no incident {number}")
    if asker.grant.services is not None:
        require(rule, asker.grant, concerned_by_incident(await parts.desired(), found))
    return found
