"""What somebody tries on a fleet: PoPs switched off or on, prepends and communities; what would be announced then.

It starts from what routers export. A PoP that was not heard is taken as its files say, for it goes on without us.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.model.announcement import RouteAttributes
from anycastle.model.community import Community
from anycastle.model.fleet import Fleet
from anycastle.model.pop import PoP
from anycastle.model.prefix import Prefix
from anycastle.model.service import Service
from anycastle.rollout.intent import RouteKey

NAMED_MAX: Final = 8
"""Names that a refusal tells; a wide fleet has a thousand."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What is tried. A place is a PoP, or `POP/UPSTREAM`; what is said of an upstream goes before its PoP's."""

    off: frozenset[str] = frozenset()
    """PoPs that announce nothing."""
    on: frozenset[str] = frozenset()
    """PoPs that announce as their files say, where they announce nothing now."""
    prepends: Mapping[str, int] = field(default_factory=dict)
    """Place -> prepends, in place of those of now."""
    communities: Mapping[str, frozenset[Community]] = field(default_factory=dict)
    """Place -> communities, in place of those of now."""


def known_routes(
    fleet: Fleet, service: Service, prefix: Prefix, heard: Mapping[str, Mapping[RouteKey, RouteAttributes]]
) -> dict[RouteKey, RouteAttributes]:
    """Give what is announced of a prefix now, as far as it is known. `heard`: PoP -> what its router exports."""
    found: dict[RouteKey, RouteAttributes] = {}
    for pop in _places(fleet, service):
        if pop.name in heard:
            keys = (RouteKey(pop.name, upstream.name, prefix) for upstream in pop.upstreams)
            found |= {key: heard[pop.name][key] for key in keys if key in heard[pop.name]}
        else:
            found |= _by_files(pop, service, prefix)
    return found


def routes_if(
    fleet: Fleet, service: Service, prefix: Prefix, now: Mapping[RouteKey, RouteAttributes], asked: WhatIf
) -> dict[RouteKey, RouteAttributes]:
    """Give what would be announced. Raises `MisuseError` with a line for each name that is not there."""
    pops = {pop.name: pop for pop in _places(fleet, service)}
    _check(service.name, pops, asked)
    after = dict(now)
    for name in asked.on - asked.off:
        if not any(key.pop == name for key in now):
            after |= _by_files(pops[name], service, prefix)
    return {key: _tried(key, was, asked) for key, was in after.items() if key.pop not in asked.off}


def _tried(key: RouteKey, was: RouteAttributes, asked: WhatIf) -> RouteAttributes:
    link = f"{key.pop}/{key.upstream}"
    prepend = asked.prepends.get(link, asked.prepends.get(key.pop, was.prepend))
    communities = asked.communities.get(link, asked.communities.get(key.pop, was.communities))
    return replace(was, prepend=prepend, communities=communities)


def _places(fleet: Fleet, service: Service) -> Iterator[PoP]:
    names = frozenset(service.pops)
    return (pop for pop in fleet.pops if pop.name in names)


def _by_files(pop: PoP, service: Service, prefix: Prefix) -> dict[RouteKey, RouteAttributes]:
    policies = {upstream.name: service.policy(pop.name, upstream.name, prefix) for upstream in pop.upstreams}
    return {RouteKey(pop.name, name, prefix): each.attributes for name, each in policies.items() if each.announce}


def _check(service: str, pops: Mapping[str, PoP], asked: WhatIf) -> None:
    both = sorted(asked.off & asked.on)
    problems = [f"{name} is both off and on" for name in both]
    places = {*asked.off, *asked.on, *asked.prepends, *asked.communities}
    for place in sorted(places):
        name, slash, upstream = place.partition("/")
        if name not in pops:
            problems.append(f"the service {service} has no PoP {name}; it has: {_some(pops)}")
        elif slash and all(each.name != upstream for each in pops[name].upstreams):
            known = _some(each.name for each in pops[name].upstreams)
            problems.append(f"{name} has no upstream {upstream}; it has: {known}")
    if problems:
        raise MisuseError("\n".join(["what is tried cannot be:", *problems]))


def _some(names: Iterable[str]) -> str:
    told = list(names)
    more = f" and {len(told) - NAMED_MAX} more" if len(told) > NAMED_MAX else ""
    return ", ".join(told[:NAMED_MAX]) + more
