"""How a PoP's services stand, made of what its agent said last; in full, and in brief."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from anycastle.health.verdict import Verdict


@dataclass(frozen=True, slots=True)
class BriefStanding:
    """A PoP's standing, whoever asks for it."""

    own: Mapping[str, Any]
    """What is the PoP's own: `capacity`, `problems`, `sessions`, `sessions_up`."""
    services: tuple[Mapping[str, Any], ...]
    """Those that need a look."""
    well: Mapping[str, int]
    """Service -> its routes, of those that need none."""


def brief_of(pop: str, said: Mapping[str, Any]) -> BriefStanding:
    """Give the brief standing of a report: of a service that is well, the number of its routes."""
    return in_brief(standing(pop, said, None))


def in_brief(full: Mapping[str, Any]) -> BriefStanding:
    """Give a standing in brief."""
    own = {name: full[name] for name in ("capacity", "problems", "sessions", "sessions_up")}
    ill = tuple(each for each in full["services"] if not is_well(each))
    return BriefStanding(
        own, ill, {each["name"]: each["routes_exported"] for each in full["services"] if is_well(each)}
    )


def brief_page(told: Mapping[str, BriefStanding], seen: frozenset[str] | None) -> dict[str, Any]:
    """Give standings, within the services that somebody may see (None: all).

    `well` has for each of `names` the routes of a service that is well, else -1.
    """
    all_of_them = {name for each in told.values() for name in each.well}
    all_of_them |= {own["name"] for each in told.values() for own in each.services}
    names = sorted(all_of_them if seen is None else all_of_them & seen)
    items = [
        {
            "pop": pop,
            **(each.own if seen is None else {**each.own, **_UNSEEN}),
            "services": [own for own in each.services if seen is None or own["name"] in seen],
            "well": [each.well.get(name, -1) for name in names],
        }
        for pop, each in told.items()
    ]
    return {"names": names, "items": items}


_UNSEEN: Mapping[str, Any] = {"problems": [], "sessions": None, "sessions_up": None}
"""What is told of a PoP to whoever may see some services alone."""


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


def standing(pop: str, said: Mapping[str, Any], seen: frozenset[str] | None) -> dict[str, Any]:
    """Give what a page shows of a report, within the services that somebody may see."""
    sessions = said.get("sessions", ())
    services = [each for each in said.get("services", ()) if seen is None or each["name"] in seen]
    wanted, exported = (_by_prefix(said.get(section, ())) for section in ("wanted", "exported"))
    return {
        "pop": pop,
        "capacity": said.get("capacity"),
        "problems": list(said.get("problems", ())) if seen is None else [],
        "sessions": len(sessions) if seen is None else None,
        "sessions_up": sum(each["state"] == "established" for each in sessions) if seen is None else None,
        "services": [_service(each, wanted, exported) for each in services],
    }


def _by_prefix(routes: Iterable[Mapping[str, Any]]) -> Counter[str]:
    return Counter(each["prefix"] for each in routes)


def _service(service: Mapping[str, Any], wanted: Counter[str], exported: Counter[str]) -> dict[str, Any]:
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
        "routes_wanted": sum(wanted[each] for each in prefixes),
        "routes_exported": sum(exported[each] for each in prefixes),
    }
