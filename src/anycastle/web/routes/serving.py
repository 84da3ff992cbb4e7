"""How each service stands at each PoP, as its agent said last: what a page shows of a fleet at one look."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query

from anycastle.health.verdict import Verdict
from anycastle.io.store.port import NotLeading
from anycastle.web.admission import Admitted
from anycastle.web.identity import Asker
from anycastle.web.parts import PartsOf
from anycastle.web.shapes import Name, Serving

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["fleet"])


@ROUTER.get("/serving", response_model=Serving)
async def serving(
    parts: PartsOf,
    asker: Asker,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    cursor: Annotated[Name | None, Query(description="`next` of the page before.")] = None,
    pop: Annotated[list[Name] | None, Query(max_length=200, description="All where none is named.")] = None,
) -> Any:
    """Show how your services stand at each PoP, as its agent said last. The leader alone knows."""
    agents = parts.controller.agents
    if agents is None:
        raise NotLeading("agents have their sessions with the controller that leads")
    names = sorted(name for name in agents if (pop is None or name in pop) and (cursor is None or name > cursor))
    items = []
    for name in names[:limit]:
        said = agents[name].report()
        if said is not None:
            items.append(_standing(name, said, asker.grant.services))
    return {"items": items, "next": names[limit - 1] if len(names) > limit else None}


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
