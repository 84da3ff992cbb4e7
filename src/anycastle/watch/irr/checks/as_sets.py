"""IRR007 to IRR011, IRR014: our as-sets hold our origins, are whole, and mean one thing to whoever reads them.

Upstreams expand the set that we told them, and take routes of the ASNs in it. A name that is not hierarchical can be
registered by anybody in another source; a server that asks that source first then expands the other's.
"""

from collections.abc import Iterator

from anycastle.model.irr import format_member
from anycastle.watch.irr.finding import AuditInput, IRRFinding, SetView

_TOLD_MAX = 20
"""Names that are kept as evidence."""


def as_sets(seen: AuditInput) -> Iterator[IRRFinding]:
    """Give what is wrong with the fleet's as-sets."""
    for each in seen.view.sets:
        if not each.objects:
            yield IRRFinding("IRR008", "error", str(each.name), "it is not registered: upstreams expand it to nothing")
            continue
        yield from _origins(seen, each)
        yield from _holes(each)
        yield from _name(each)


def _origins(seen: AuditInput, each: SetView) -> Iterator[IRRFinding]:
    asns = each.expanded.asns
    for origin in sorted(seen.origins - asns):
        own = origin == seen.fleet.asn
        text = f"AS{origin} is not in it: upstreams that filter by it take none of its routes"
        yield IRRFinding("IRR007", "error" if own else "warning", str(each.name), text)
    planned = seen.origins | {route.origin for route in seen.planned}
    others = sorted(asns - planned)
    if others:
        text = f"beside the fleet's origins it lets other ASNs through: {len(others)}"
        yield IRRFinding("IRR011", "notice", str(each.name), text, tuple(f"AS{asn}" for asn in others[:_TOLD_MAX]))


def _holes(each: SetView) -> Iterator[IRRFinding]:
    found = each.expanded
    for what, names in (
        ("sets are named in it that are not registered", tuple(map(str, found.missing))),
        ("members are neither ASNs nor sets", found.unreadable),
        ("it could not be expanded to its end", found.incomplete),
        ("sets in it hold each other", tuple(map(str, found.loops))),
    ):
        if names:
            text = f"{what}: {', '.join(names[:3])}{' and more' if len(names) > 3 else ''}"
            yield IRRFinding("IRR009", "warning", str(each.name), text, names[:_TOLD_MAX])


def _name(each: SetView) -> Iterator[IRRFinding]:
    meanings = {frozenset(held.members): held for held in each.objects}
    if len(meanings) > 1:
        sources = ", ".join(held.source for held in each.objects)
        text = f"it is registered in {sources} with different members: who expands it gets what is asked first"
        evidence = tuple(f"{held.source}: {' '.join(map(format_member, held.members))[:200]}" for held in each.objects)
        yield IRRFinding("IRR010", "warning", str(each.name), text, evidence)
    elif not each.name.hierarchical:
        text = "its name does not begin with an ASN: anybody can register it in another source"
        yield IRRFinding("IRR014", "notice", str(each.name), text)
