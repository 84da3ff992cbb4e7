"""Import and export policy of an emulated network, by business relationship (Gao and Rexford 2001).

Theory of operation. A route is preferred by who sent it: customer over peer over provider. It is passed on by the same
measure: what a customer sent goes to everyone, what a peer or provider sent goes to customers only. At import each
route is tagged with a large community `ASN:1:kind`, which export then reads. Customers, and they alone, may also ask
for actions by community. On sessions with a role, the rules of RFC 9234 hold as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Final

from anycastle.model.asn import ASN
from anycastle.model.community import (
    BLACKHOLE,
    GRACEFUL_SHUTDOWN,
    NO_ADVERTISE,
    NO_EXPORT,
    NO_EXPORT_SUBCONFED,
    NO_PEER,
    Community,
    LargeCommunity,
)
from anycastle.model.prefix import Address
from anycastle.rib.action import CommunityAction, PrependTo, SetLocalPreference, SuppressTo
from anycastle.rib.only_to_customer import check_received, check_sent
from anycastle.rib.route import Route
from anycastle.wire.bgp.as_path import ASPath
from anycastle.wire.bgp.attributes import PathAttributes
from anycastle.wire.bgp.capability import RoleValue

_TAG: Final = 1
"""First local part of the large communities by which a network notes where it learnt a route (RFC 8195 §4.1)."""

_NON_TRANSITIVE: Final = 1 << 62  # of an extended community: RFC 4360 §2


class Relationship(Enum):
    """What a neighbour is to us."""

    CUSTOMER = "customer"
    PEER = "peer"
    PROVIDER = "provider"
    ROUTE_SERVER = "route-server"
    ROUTE_SERVER_CLIENT = "route-server-client"
    COLLECTOR = "collector"
    """Takes everything, says nothing."""
    INTERNAL = "internal"


PEER_ROLES: Final[Mapping[Relationship, RoleValue]] = MappingProxyType(
    {
        Relationship.CUSTOMER: RoleValue.CUSTOMER,
        Relationship.PEER: RoleValue.PEER,
        Relationship.PROVIDER: RoleValue.PROVIDER,
        Relationship.ROUTE_SERVER: RoleValue.ROUTE_SERVER,
        Relationship.ROUTE_SERVER_CLIENT: RoleValue.ROUTE_SERVER_CLIENT,
    }
)
"""The neighbour's role towards us (RFC 9234 table 1)."""

LOCAL_PREFERENCES: Final[Mapping[Relationship, int]] = MappingProxyType(
    {
        Relationship.CUSTOMER: 200,
        Relationship.ROUTE_SERVER_CLIENT: 100,
        Relationship.PEER: 100,
        Relationship.ROUTE_SERVER: 100,
        Relationship.PROVIDER: 50,
    }
)
_TAGS: Final = {
    Relationship.CUSTOMER: 1,
    Relationship.PEER: 2,
    Relationship.ROUTE_SERVER: 2,
    Relationship.ROUTE_SERVER_CLIENT: 1,
    Relationship.PROVIDER: 3,
}
_CUSTOMER_TAG: Final = _TAGS[Relationship.CUSTOMER]
_TAKES_ALL: Final = (Relationship.CUSTOMER, Relationship.ROUTE_SERVER_CLIENT, Relationship.COLLECTOR)
_PEERS: Final = (Relationship.PEER, Relationship.ROUTE_SERVER)


@dataclass(frozen=True, slots=True)
class NeighbourPolicy:
    """One neighbour, as policy sees it."""

    name: str
    asn: ASN
    relationship: Relationship
    prepend: int = 0
    """Own ASN repetitions beyond the one that eBGP adds, on every route to it."""
    local_preference: int | None = None
    """In place of the relationship's."""
    check_roles: bool = True
    """Apply the Only to Customer rules (RFC 9234 §5)."""

    @property
    def peer_role(self) -> RoleValue | None:
        """The neighbour's role, where the rules of RFC 9234 are to hold."""
        return PEER_ROLES.get(self.relationship) if self.check_roles else None


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """How one network treats routes."""

    asn: ASN
    actions: Mapping[Community, CommunityAction] = field(default_factory=lambda: MappingProxyType({}))
    local_preferences: Mapping[Relationship, int] = field(default_factory=lambda: LOCAL_PREFERENCES)
    transparent: bool = False
    """A route server (RFC 7947): adds no ASN, keeps next hop and MED."""
    longest_only: bool = True
    """Refuse prefixes longer than the Internet carries, but for a customer's BLACKHOLE."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A route that policy does not take, and why."""

    reason: str


def import_route(route: Route, neighbour: NeighbourPolicy, policy: NetworkPolicy) -> Route | Refused:
    """Give the route as the decision process shall see it, or why it is not eligible."""
    attributes: PathAttributes | None = route.attributes
    assert attributes is not None
    if attributes.as_path is not None and attributes.as_path.contains(policy.asn):
        return Refused(f"AS_PATH holds our own AS{policy.asn}")  # RFC 4271 §9.1.2
    if neighbour.relationship is Relationship.INTERNAL:
        return route
    if neighbour.relationship is Relationship.COLLECTOR:
        return Refused("a collector announces nothing")
    attributes = check_received(attributes, neighbour.peer_role, neighbour.asn)
    if attributes is None:
        return Refused("route leak: Only to Customer says that it must not come from here")
    customer = neighbour.relationship is Relationship.CUSTOMER
    blackholed = customer and BLACKHOLE in attributes.communities
    if policy.longest_only and not blackholed and route.prefix.length > route.prefix.family.longest_announced:
        return Refused(f"longer than /{route.prefix.family.longest_announced}")
    communities = attributes.communities
    if blackholed and NO_EXPORT not in communities:
        communities = (*communities, NO_EXPORT)  # RFC 7999 §3.2
    attributes = replace(
        attributes,
        local_preference=_preference(attributes, neighbour, policy),
        communities=communities,
        large_communities=(*_without_tags(attributes, policy), _tag(policy, neighbour.relationship)),
    )
    return replace(route, attributes=attributes)


def export_route(
    route: Route, neighbour: NeighbourPolicy, policy: NetworkPolicy, next_hop: Address | None
) -> Route | Refused:
    """Give the best route as the neighbour shall be sent it, or why it is not told.

    `next_hop` is our address on the session for the route's family; None when there is none.
    """
    source = route.source
    internal = neighbour.relationship is Relationship.INTERNAL
    if source is not None and source.name == neighbour.name:
        return Refused("it came from there")
    if source is not None and source.internal and internal:
        return Refused("iBGP does not pass on what iBGP brought")  # RFC 4271 §9.2.1
    barrier = _barrier(route.attributes, neighbour)
    if barrier is not None:
        return Refused(barrier)
    if internal:
        return _to_internal(route, next_hop)
    known = _known_as(route, policy)
    if neighbour.relationship not in _TAKES_ALL and known not in (None, _CUSTOMER_TAG):
        return Refused("only customers are told what peers and providers sent")
    asked = _asked(route.attributes, policy) if known == _CUSTOMER_TAG else ()
    for action in asked:
        if isinstance(action, SuppressTo) and action.target in (None, neighbour.asn):
            return Refused("its sender asked for no announcement here")
    prepends = (a.times for a in asked if isinstance(a, PrependTo) and a.target in (None, neighbour.asn))
    attributes = check_sent(route.attributes, neighbour.peer_role, policy.asn)
    if attributes is None:
        return Refused("Only to Customer forbids it")
    if next_hop is None and not policy.transparent:
        return Refused(f"no next hop for {route.prefix.family} on this session")
    times = 1 + neighbour.prepend + max(prepends, default=0)
    return _to_external(route, attributes, policy, times, next_hop)


def _preference(attributes: PathAttributes, neighbour: NeighbourPolicy, policy: NetworkPolicy) -> int:
    if GRACEFUL_SHUTDOWN in attributes.communities:
        return 0  # RFC 8326 §4.2
    if neighbour.relationship is Relationship.CUSTOMER:
        for action in _asked(attributes, policy):
            if isinstance(action, SetLocalPreference):
                return action.value
    if neighbour.local_preference is not None:
        return neighbour.local_preference
    return policy.local_preferences[neighbour.relationship]


def _asked(attributes: PathAttributes, policy: NetworkPolicy) -> tuple[CommunityAction, ...]:
    carried: tuple[Community, ...] = (
        *attributes.communities,
        *attributes.large_communities,
        *attributes.extended_communities,
    )
    return tuple(policy.actions[each] for each in carried if each in policy.actions)


def _barrier(attributes: PathAttributes, neighbour: NeighbourPolicy) -> str | None:
    communities = attributes.communities
    internal = neighbour.relationship is Relationship.INTERNAL
    if NO_ADVERTISE in communities:
        return "NO_ADVERTISE"
    if not internal and (NO_EXPORT in communities or NO_EXPORT_SUBCONFED in communities):
        return "NO_EXPORT"
    if neighbour.relationship in _PEERS and NO_PEER in communities:
        return "NO_PEER"
    return None


def _tag(policy: NetworkPolicy, relationship: Relationship) -> LargeCommunity:
    return LargeCommunity(policy.asn, _TAG, _TAGS[relationship])


def _is_tag(community: LargeCommunity, policy: NetworkPolicy) -> bool:
    return community.administrator == policy.asn and community.local_1 == _TAG


def _without_tags(attributes: PathAttributes, policy: NetworkPolicy) -> tuple[LargeCommunity, ...]:
    return tuple(each for each in attributes.large_communities if not _is_tag(each, policy))


def _known_as(route: Route, policy: NetworkPolicy) -> int | None:
    """Give the kind that import noted; None for a route of our own."""
    tags = (each.local_2 for each in route.attributes.large_communities if _is_tag(each, policy))
    return next(tags, None)


def _to_internal(route: Route, next_hop: Address | None) -> Route:
    attributes = route.attributes
    if attributes.local_preference is None:
        attributes = replace(attributes, local_preference=100)  # RFC 4271 §5.1.5: iBGP always carries one
    return Route(route.prefix, attributes, route.next_hop or next_hop)


def _to_external(
    route: Route, attributes: PathAttributes, policy: NetworkPolicy, times: int, next_hop: Address | None
) -> Route:
    path = attributes.as_path or ASPath()
    extended = (each for each in attributes.extended_communities if not each.octets & _NON_TRANSITIVE)
    sent = replace(
        attributes,
        as_path=path if policy.transparent else path.prepended(policy.asn, times),
        med=attributes.med if policy.transparent or route.source is None else None,  # RFC 4271 §5.1.4
        local_preference=None,  # RFC 4271 §5.1.5
        originator_id=None,  # RFC 4456 §8: both stay within the AS
        cluster_list=(),
        communities=tuple(each for each in attributes.communities if each not in policy.actions),
        large_communities=tuple(each for each in attributes.large_communities if each not in policy.actions),
        extended_communities=tuple(extended),
        unknown=tuple(each.passed_on() for each in attributes.unknown if each.transitive),
    )
    return Route(route.prefix, sent, route.next_hop if policy.transparent else next_hop)
