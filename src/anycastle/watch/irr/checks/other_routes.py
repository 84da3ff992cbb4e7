"""IRR004, IRR005: route objects for our prefixes, or within them, that nobody plans to use.

One with a foreign origin lets that network's announcement through the filters of its upstreams: a hijack that is
registered. One of our own that is left over does the same for whoever forges our origin.
"""

from collections.abc import Iterator

from anycastle.watch.irr.finding import AuditInput, IRRFinding, own_space
from anycastle.watch.roas import allowed_by_rule


def other_routes(seen: AuditInput) -> Iterator[IRRFinding]:
    """Give the objects that should not be there."""
    wanted = {(route.prefix, route.origin) for route in seen.planned}
    known = seen.origins | {route.origin for route in seen.planned}
    space = own_space(seen.fleet)
    for each in seen.view.routes:
        if (each.prefix, each.origin) in wanted or allowed_by_rule(seen.fleet, each.prefix, each.origin):
            continue
        if not any(prefix.contains(each.prefix) for prefix in space):
            continue  # what covers us may be its holder's, who is not always us
        by = f", maintained by {', '.join(each.maintainers)}" if each.maintainers else ""
        when = f", last changed {each.last_modified}" if each.last_modified else ""
        if each.origin in known:
            text = f"{each} is for a route that nobody plans to announce{when}"
            yield IRRFinding("IRR005", "notice", str(each.prefix), text, (str(each),))
        else:
            text = f"{each} is for an origin that is none of the fleet's{by}{when}"
            yield IRRFinding("IRR004", "warning", str(each.prefix), text, (str(each),))
