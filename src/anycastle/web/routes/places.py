"""PoPs and services, as they are desired by default, and what is known of the PoPs' agents."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query

from anycastle.io.clock import now
from anycastle.io.store.port import NotLeading
from anycastle.model.fleet import Fleet
from anycastle.model.objective import Objective, Period
from anycastle.model.pop import PoP
from anycastle.model.service import Service
from anycastle.web.admission import Admitted
from anycastle.web.authorisation import TABLE, require
from anycastle.web.controller import AgentView
from anycastle.web.identity import Asker, Person
from anycastle.web.parts import Parts, PartsOf
from anycastle.web.problems import Problem, ProblemKind
from anycastle.web.shapes import Name, PoPReport, PoPs, PoPShape, Services, ServiceShape

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["fleet"])

Limit = Annotated[int, Query(ge=1, le=1000)]
Cursor = Annotated[Name | None, Query(description="`next` of the page before.")]


@ROUTER.get("/pops", response_model=PoPs)
async def pops(parts: PartsOf, asker: Asker, limit: Limit = 100, cursor: Cursor = None) -> Any:
    """List the PoPs that serve what you may see, and those that are not desired and whose agents are there."""
    return _page(await _pops(parts, asker), limit, cursor)


@ROUTER.get("/pops/{pop}", response_model=PoPShape)
async def one_pop(parts: PartsOf, asker: Asker, pop: Annotated[Name, Path()]) -> Any:
    """Show a PoP, and what is known of its agent."""
    for each in await _pops(parts, asker):
        if each["name"] == pop:
            return each
    raise Problem(ProblemKind.NOT_FOUND, f"no PoP that you may see is named {pop}")


@ROUTER.get("/pops/{pop}/report", response_model=PoPReport)
async def report(parts: PartsOf, pop: Annotated[Name, Path()]) -> Any:
    """Show what a PoP's agent said last: its exports, sessions, checks and drains. The leader alone knows."""
    if parts.controller.agents is None:
        raise NotLeading("agents have their sessions with the controller that leads")
    seen = parts.controller.agents.get(pop)
    said = None if seen is None else seen.report()
    if said is None:
        raise Problem(ProblemKind.NOT_FOUND, f"{pop} has no session with this controller")
    return {"pop": pop, "at": now().wall, "report": said}


@ROUTER.get("/services", response_model=Services)
async def services(parts: PartsOf, asker: Asker, limit: Limit = 100, cursor: Cursor = None) -> Any:
    """List the services that you may see."""
    fleet = await parts.desired()
    seen = [each for each in (fleet.services if fleet else ()) if asker.grant.covers(frozenset({each.name}))]
    return _page([_service(each, fleet) for each in seen], limit, cursor)


@ROUTER.get("/services/{service}", response_model=ServiceShape)
async def one_service(parts: PartsOf, asker: Asker, service: Annotated[Name, Path()]) -> Any:
    """Show a service."""
    require(TABLE["GET /api/v1/services/{service}"], asker.grant, frozenset({service}))
    fleet = await parts.desired()
    for each in fleet.services if fleet is not None else ():
        if each.name == service:
            return _service(each, fleet)
    raise Problem(ProblemKind.NOT_FOUND, f"no service is named {service}")


async def _pops(parts: Parts, asker: Person) -> list[dict[str, Any]]:
    fleet, agents = await parts.desired(), parts.controller.agents
    told = _strangers(fleet, agents) if asker.grant.services is None else []
    if fleet is None:
        return told
    at = _seen_at(fleet, asker)
    for pop in fleet.pops:
        served = at.get(pop.name, [])
        if served or asker.grant.services is None:
            told.append({**_place(pop), "services": served, **_agent(agents, pop.name)})
    return told


def _seen_at(fleet: Fleet, asker: Person) -> dict[str, list[str]]:
    """Give PoP -> the services there that somebody may see, in the fleet's order: one walk for all PoPs."""
    at: dict[str, list[str]] = {}
    for service in fleet.services:
        if asker.grant.covers(frozenset({service.name})):
            for pop in service.pops:
                at.setdefault(pop, []).append(service.name)
    return at


def _place(pop: PoP) -> dict[str, Any]:
    return {
        "name": pop.name, "city": pop.city, "region": pop.region,
        "latitude": pop.location.latitude, "longitude": pop.location.longitude,
    }  # fmt: skip


def _strangers(fleet: Fleet | None, agents: Mapping[str, AgentView] | None) -> list[dict[str, Any]]:
    """Give the PoPs that are not desired and whose agents are there: before the first wish that is all of them."""
    known = {pop.name for pop in fleet.pops} if fleet is not None else set()
    names = sorted((agents or {}).keys() - known)
    return [{"name": name, "region": None, "services": [], **_agent(agents, name)} for name in names]


def _agent(agents: Mapping[str, AgentView] | None, pop: str) -> dict[str, Any]:
    seen = agents.get(pop) if agents is not None else None
    if seen is None:
        empty = dict.fromkeys(("since", "version", "assignment", "refused", "unsettled"))
        return {"connected": None if agents is None else False, **empty}
    return {
        "connected": seen.connected, "since": seen.since, "version": seen.version, "assignment": seen.assignment,
        "refused": seen.refused, "unsettled": seen.unsettled,
    }  # fmt: skip


def _service(service: Service, fleet: Fleet | None) -> dict[str, Any]:
    promised = () if fleet is None else fleet.objectives
    return {
        "name": service.name, "prefixes": [str(prefix) for prefix in service.prefixes], "pops": list(service.pops),
        "floor_pops": service.floor.pops, "floor_capacity": service.floor.capacity,
        "objectives": [_objective(each) for each in promised if each.service == service.name],
    }  # fmt: skip


def _objective(objective: Objective) -> dict[str, Any]:
    window = objective.window
    return {
        "name": objective.name, "indicator": objective.indicator, "target": objective.target,
        "threshold_ms": objective.threshold_ms, "by_region": objective.by_region,
        "window": f"{window.days:g}d" if window.period is Period.ROLLING else window.period.value,
    }  # fmt: skip


def _page(all_of_it: Sequence[dict[str, Any]], limit: int, cursor: str | None) -> dict[str, Any]:
    rest = sorted(
        (each for each in all_of_it if cursor is None or each["name"] > cursor), key=lambda each: each["name"]
    )
    return {"items": rest[:limit], "next": rest[limit - 1]["name"] if len(rest) > limit else None}
