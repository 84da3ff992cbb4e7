"""Between an operator's announcement and the route that an upstream is sent."""

from dataclasses import replace
from typing import Final

from anycastle.model.announcement import Announcement, RouteAttributes
from anycastle.model.asn import ASN
from anycastle.model.community import ExtendedCommunity, LargeCommunity, StandardCommunity
from anycastle.model.prefix import Address, Prefix
from anycastle.rib.decision import DEFAULT_LOCAL_PREFERENCE
from anycastle.rib.only_to_customer import check_sent
from anycastle.rib.route import Route
from anycastle.wire.bgp.as_path import ASPath
from anycastle.wire.bgp.attributes import Origin, PathAttributes
from anycastle.wire.bgp.capability import RoleValue

_PLAIN: Final = RouteAttributes()


def announced(
    announcement: Announcement,
    own_asn: ASN,
    next_hop: Address,
    *,
    internal: bool = False,
    peer_role: RoleValue | None = None,
) -> Route:
    """Give the route to send for an announcement.

    On an iBGP session the AS_PATH stays empty and prepending has no meaning; a peer would take it for a loop.
    """
    wanted = announcement.attributes
    attributes = replace(
        _attributes(wanted),
        as_path=ASPath() if internal else ASPath().prepended(own_asn, 1 + wanted.prepend),
        local_preference=_local_preference(wanted) if internal else None,
    )
    marked = check_sent(attributes, peer_role, own_asn)
    assert marked is not None, "a route of our own carries no Only to Customer yet"
    return Route(announcement.prefix, marked, next_hop)


def _attributes(wanted: RouteAttributes) -> PathAttributes:
    return PathAttributes(
        origin=Origin.IGP,
        as_path=ASPath(),
        med=wanted.med,
        communities=tuple(sorted(c for c in wanted.communities if isinstance(c, StandardCommunity))),
        extended_communities=tuple(sorted(c for c in wanted.communities if isinstance(c, ExtendedCommunity))),
        large_communities=tuple(sorted(c for c in wanted.communities if isinstance(c, LargeCommunity))),
    )


def _local_preference(wanted: RouteAttributes) -> int:
    return DEFAULT_LOCAL_PREFERENCE if wanted.local_preference is None else wanted.local_preference


def own_route(prefix: Prefix, wanted: RouteAttributes = _PLAIN) -> Route:
    """Give a route that an emulated network originates; its export policy adds ASN and next hop."""
    return Route(prefix, _attributes(wanted))
