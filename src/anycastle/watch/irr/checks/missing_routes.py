"""IRR001, IRR002, IRR003, IRR015: each route that is announced or kept ready has a route object of its own.

Upstreams build their filters of exact route objects, and most of them once a day: what is needed in an attack must be
there before it. An object for another network's origin is a proxy registration: that network has no right over the
prefix at the registry, so its holder has to make it.
"""

from collections.abc import Iterator

from anycastle.watch.irr.finding import AuditInput, IRRFinding
from anycastle.watch.roas import PLANNED_MAX, Planned


def missing_routes(seen: AuditInput) -> Iterator[IRRFinding]:
    """Give the routes without an object, and the rules that stand for too many to look at."""
    registered = {(each.prefix, each.origin) for each in seen.view.routes}
    for route in seen.planned:
        if (route.prefix, route.origin) not in registered:
            yield _missing(seen, route)
    for rule in seen.fleet.watch.more_specifics:
        count = 1 << (rule.longest - rule.prefix.length)
        if count > PLANNED_MAX:
            text = f"{count} more-specifics up to /{rule.longest} are allowed, too many to look at: name those meant"
            yield IRRFinding("IRR015", "warning", str(rule.prefix), text)


def _missing(seen: AuditInput, route: Planned) -> IRRFinding:
    kind = "route6" if ":" in str(route.prefix) else "route"
    text = f"AS{route.origin}, {route.purpose}, has no {kind} object"
    others = seen.objects(route.prefix)
    covering = [
        each for each in seen.view.routes
        if each.origin == route.origin and each.prefix != route.prefix and each.prefix.contains(route.prefix)
    ]  # fmt: skip
    if others:
        text += ", only others' origins have"
    elif covering:
        text += ", only what covers it has"
    evidence = tuple(map(str, (*others, *covering)))
    if route.announced:
        return IRRFinding("IRR001", "error", str(route.prefix), text, evidence)
    code = "IRR002" if route.origin == seen.fleet.asn else "IRR003"
    return IRRFinding(code, "warning", str(route.prefix), text, evidence)
