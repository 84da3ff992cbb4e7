"""How each service stands at each PoP, as its agent said last: what a page shows of a fleet at one look."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from anycastle.health.verdict import Verdict
from anycastle.io.store.port import NotLeading
from anycastle.web.admission import Admitted
from anycastle.web.identity import Asker
from anycastle.web.parts import PartsOf
from anycastle.web.shapes import Name, Serving

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
    names = sorted(name for name in agents if (pop is None or name in pop) and (cursor is None or name > cursor))
    limit = limit if brief else min(limit, PAGE_MAX)
    said = ((name, agents[name].report()) for name in names[:limit])
    items = [_standing(name, report, asker.grant.services) for name, report in said if report is not None]
    following = names[limit - 1] if len(names) > limit else None
    if not brief:
        return {"items": items, "next": following}
    told = msgspec.json.encode({**in_brief(items), "next": following})
    # 50,000 values that were made here a moment ago are not looked at a second time
    return Response(told, media_type="application/json")


def in_brief(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Give standings in which `well` has for each of `names` the routes of a service that is well, else -1."""
    names = sorted({own["name"] for each in items for own in each["services"]})
    place = {name: at for at, name in enumerate(names)}
    told = []
    for each in items:
        well = [-1] * len(names)
        for own in each["services"]:
            if is_well(own):
                well[place[own["name"]]] = own["routes_exported"]
        told.append({**each, "services": [own for own in each["services"] if not is_well(own)], "well": well})
    return {"names": names, "items": told}


def is_well(service: Mapping[str, Any]) -> bool:
    """Tell whether nothing needs to be said of a service: it is announced as it should be, and every check holds."""
    return (
        service["stance"] == "announce"
        and service["condition"] == "up"
        and (service["drain"] is None or service["drain"]["step"] == "normal")
        and not service["failing"]
        and not service["suppressed"]
        and service["routes_wanted"] == service["routes_exported"]
    )


def _standing(pop: str, said: Mapping[str, Any], seen: frozenset[str] | None) -> dict[str, Any]:
    """Give what a page shows of a report, within the services that somebody may see."""
    sessions = said.get("sessions", ())
    services = [each for each in said.get("services", ()) if seen is None or each["name"] in seen]
    return {
        "pop": pop,
        "capacity": said.get("capacity"),
        "problems": list(said.get("problems", ())) if seen is None else [],
        "sessions": len(sessions) if seen is None else None,
        "sessions_up": sum(each["state"] == "established" for each in sessions) if seen is None else None,
        "services": [_service(each, said.get("wanted", ()), said.get("exported", ())) for each in services],
    }


def _service(service: Mapping[str, Any], wanted: Iterable[Any], exported: Iterable[Any]) -> dict[str, Any]:
    prefixes = frozenset(service["prefixes"])
    checks = service["checks"]
    return {
        **{name: service[name] for name in ("name", "stance", "reason", "condition", "permit", "suppressed", "drain")},
        "checks": len(checks),
        "failing": [
            {"name": each["name"], "verdict": each["verdict"], "evidence": each["evidence"]}
            for each in checks
            if each["verdict"] != Verdict.HEALTHY.value
        ],
        "routes_wanted": sum(each["prefix"] in prefixes for each in wanted),
        "routes_exported": sum(each["prefix"] in prefixes for each in exported),
    }
