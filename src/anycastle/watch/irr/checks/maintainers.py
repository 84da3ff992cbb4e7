"""IRR006: the objects that our routes and sets live by are ours to keep.

An object that another network maintains (a proxy registration by an upstream, mostly) goes when that network's
customer list is cleaned, and our routes with it. It counts only where no object of ours says the same.
"""

from collections import defaultdict
from collections.abc import Iterator

from anycastle.model.asn import ASN
from anycastle.model.irr import RouteObject
from anycastle.model.prefix import Prefix
from anycastle.watch.irr.finding import AuditInput, IRRFinding


def maintainers(seen: AuditInput) -> Iterator[IRRFinding]:
    """Give planned routes, and as-sets, all of whose objects others maintain."""
    if not seen.maintainers:
        return
    objects: dict[tuple[Prefix, ASN], list[RouteObject]] = defaultdict(list)
    for each in seen.view.routes:
        objects[each.prefix, each.origin].append(each)
    for route in seen.planned:
        held = objects.get((route.prefix, route.origin), [])
        if held and not any(seen.maintainers & set(each.maintainers) for each in held):
            names = sorted({name for each in held for name in each.maintainers})
            text = f"AS{route.origin}, {route.purpose}, is registered by {', '.join(names) or 'nobody'} alone"
            yield IRRFinding("IRR006", "warning", str(route.prefix), text, tuple(map(str, held)))
    for as_set in seen.view.sets:
        for one in as_set.objects:
            if not seen.maintainers & set(one.maintainers):
                text = f"it is maintained by {', '.join(one.maintainers) or 'nobody'} in {one.source or 'its source'}"
                yield IRRFinding("IRR006", "warning", str(as_set.name), text)
