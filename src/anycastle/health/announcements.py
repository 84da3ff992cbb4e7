"""From the stances of a PoP's services to what it announces, per prefix and upstream."""

from collections.abc import Iterable, Mapping

from anycastle.health.stance import Stance
from anycastle.model.announcement import Announcement, Announcements, RouteAttributes
from anycastle.model.fleet import Fleet, SharedPrefix
from anycastle.model.pop import PoP
from anycastle.model.prefix import Prefix
from anycastle.model.service import Policy, Service

_NO_POLICY = Policy(announce=False)


def announcements_of(
    fleet: Fleet, pop: PoP, services: Iterable[Service], stances: Mapping[str, Stance], slow: frozenset[str]
) -> Announcements:
    """Give what the PoP announces. `slow` names the services in slow start, whose own attributes apply then."""
    wanted: dict[tuple[Prefix, str], Announcement] = {}
    for prefix, sharing in _by_prefix(services).items():
        announcing = _announcing(sharing, stances, fleet.shared_prefixes.get(prefix, SharedPrefix.ALL))
        for upstream in pop.upstreams:
            attributes = _attributes(announcing, pop.name, upstream.name, stances, slow)
            if attributes is not None:
                wanted[prefix, upstream.name] = Announcement(prefix, upstream.name, attributes)
    return frozenset(wanted.values())


def _by_prefix(services: Iterable[Service]) -> dict[Prefix, list[Service]]:
    sharing: dict[Prefix, list[Service]] = {}
    for service in services:
        for prefix in service.prefixes:
            sharing.setdefault(prefix, []).append(service)
    return sharing


def _announcing(sharing: list[Service], stances: Mapping[str, Stance], rule: SharedPrefix) -> list[Service]:
    """Give the services that keep a shared prefix announced: none, once ANY is down and the rule says so."""
    serving = [service for service in sharing if stances[service.name] is not Stance.WITHDRAW]
    return [] if rule is SharedPrefix.ANY and len(serving) < len(sharing) else serving


def _attributes(
    announcing: list[Service], pop: str, upstream: str, stances: Mapping[str, Stance], slow: frozenset[str]
) -> RouteAttributes | None:
    """Give the attributes of the first service that is announced as usual, else of the first that is steered."""
    steered: RouteAttributes | None = None
    for service in announcing:
        policy = service.policies.get((pop, upstream), _NO_POLICY)
        if not policy.announce:
            continue
        if stances[service.name] is Stance.ANNOUNCE:
            return policy.attributes
        if steered is None:
            started = _on_top(policy.attributes, service.slow_start.attributes)
            steered = started if service.name in slow else policy.steered
    return steered


def _on_top(usual: RouteAttributes, slow_start: RouteAttributes) -> RouteAttributes:
    """Give the usual attributes with a slow start's on top: what the policy says per upstream still holds."""
    return RouteAttributes(
        prepend=usual.prepend + slow_start.prepend,
        med=usual.med if slow_start.med is None else slow_start.med,
        local_preference=usual.local_preference if slow_start.local_preference is None else slow_start.local_preference,
        communities=usual.communities | slow_start.communities,
    )
