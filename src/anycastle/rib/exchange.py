"""Between routes and UPDATEs: what a message says of routes, and the messages that tell changes."""

from collections.abc import Iterator
from dataclasses import replace

from anycastle.model.prefix import Address, Family
from anycastle.rib.adj_rib_in import Key
from anycastle.rib.adj_rib_out import Changes
from anycastle.rib.route import Route, Source
from anycastle.wire.bgp.attributes import PathAttributes
from anycastle.wire.bgp.message import Update
from anycastle.wire.bgp.nlri import NLRI, MPReach
from anycastle.wire.bgp.options import CodecOptions
from anycastle.wire.bgp.packing import pack_announcements, pack_withdrawals


def routes_of(update: Update, source: Source, families: frozenset[Family]) -> tuple[Route, ...]:
    """Give the routes that an UPDATE announces, of the families that the session has."""
    reach = update.attributes.mp_reach
    attributes = replace(update.attributes, mp_reach=None, mp_unreach=None, next_hop=None)
    return tuple(
        Route(nlri.prefix, attributes, _next_hop(nlri, update, reach), source, nlri.path_id)
        for nlri in update.announced_nlri
        if nlri.prefix.family in families
    )


def withdrawals_of(update: Update, families: frozenset[Family]) -> tuple[Key, ...]:
    """Give the keys of the routes that an UPDATE takes back."""
    withdrawn = (nlri for nlri in update.withdrawn_nlri if nlri.prefix.family in families)
    return tuple((nlri.prefix, nlri.path_id or 0) for nlri in withdrawn)


def updates_of(changes: Changes, options: CodecOptions) -> Iterator[Update]:
    """Give the messages that tell a peer the changes: withdrawals first, then by attributes, each within the limit."""
    yield from pack_withdrawals(map(NLRI, changes.withdrawn), options)
    groups: dict[tuple[Address | None, PathAttributes], list[NLRI]] = {}
    for route in changes.announced:
        groups.setdefault((route.next_hop, route.attributes), []).append(NLRI(route.prefix))
    for (next_hop, attributes), nlri in groups.items():
        assert next_hop is not None, "a route leaves with a next hop"
        yield from pack_announcements(nlri, attributes, (next_hop,), options)


def _next_hop(nlri: NLRI, update: Update, reach: MPReach | None) -> Address | None:
    if reach is not None and nlri in reach.nlri:
        return reach.next_hops[0] if reach.next_hops else None
    return update.attributes.next_hop
