"""What a fleet's files mean to announce, route by route, and what the health of a PoP makes of it.

Theory of operation. On the wire there is one route for each PoP, upstream and prefix (`RouteKey`); services that share
a prefix share it. Its attributes are those of the first of them, in the fleet's order, that announces there. The
intent is what is announced while every service is healthy and nothing is drained. `explained_ways` then takes what an
agent says of its services and gives what it may announce under the same files: nothing for a withdrawn service, the
steered attributes, or a slow start's on top of the usual ones. What an agent may do without having been told is no
business of a plan.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from anycastle.model.announcement import RouteAttributes
from anycastle.model.fleet import Fleet, SharedPrefix
from anycastle.model.pop import PoP
from anycastle.model.prefix import Prefix
from anycastle.model.service import Policy, Service
from anycastle.model.stance import Stance


@dataclass(frozen=True, slots=True, order=True)
class RouteKey:
    """Names one route: of all that a fleet announces there is at most one for each."""

    pop: str
    upstream: str
    prefix: Prefix

    def __str__(self) -> str:
        return f"{self.pop} {self.upstream} {self.prefix}"


@dataclass(frozen=True, slots=True)
class Voice:
    """One service that announces a route: as usual, steered, and in slow start."""

    service: str
    usual: RouteAttributes
    steered: RouteAttributes
    slow: RouteAttributes


@dataclass(frozen=True, slots=True)
class IntendedRoute:
    """A route that the files mean to announce."""

    voices: tuple[Voice, ...]
    """The services that announce it, in the fleet's order; at least one."""
    sharing: tuple[str, ...]
    """All services that have the prefix at this PoP."""
    rule: SharedPrefix

    @property
    def service(self) -> str:
        """Give the service whose attributes count."""
        return self.voices[0].service

    @property
    def attributes(self) -> RouteAttributes:
        """Give the attributes with all services healthy."""
        return self.voices[0].usual

    def explained_ways(self, stances: Mapping[str, Stance]) -> tuple[RouteAttributes | None, ...]:
        """Give what the PoP may announce with these stances, the likeliest first; None is no announcement.

        A service that the agent does not name yet counts as healthy.
        """
        stance_of = {name: stances.get(name, Stance.ANNOUNCE) for name in self.sharing}
        down = [name for name in self.sharing if stance_of[name] is Stance.WITHDRAW]
        if down and self.rule is SharedPrefix.ANY:
            return (None,)
        speaking = [voice for voice in self.voices if voice.service not in down]
        for voice in speaking:
            if stance_of[voice.service] is Stance.ANNOUNCE:
                return (voice.usual,)
        return (speaking[0].steered, speaking[0].slow) if speaking else (None,)


@dataclass(frozen=True, slots=True)
class Intent:
    """All routes that a fleet means to announce."""

    fleet: Fleet
    routes: Mapping[RouteKey, IntendedRoute]

    def of_service(self, service: str) -> Iterator[RouteKey]:
        """Give the routes that a service speaks for."""
        return (key for key, route in self.routes.items() if any(voice.service == service for voice in route.voices))


def intent_of(fleet: Fleet) -> Intent:
    """Give what a fleet's files mean to announce."""
    routes: dict[RouteKey, IntendedRoute] = {}
    for pop in fleet.pops:
        routes |= dict(_at(fleet, pop))
    return Intent(fleet, routes)


def _at(fleet: Fleet, pop: PoP) -> Iterator[tuple[RouteKey, IntendedRoute]]:
    sharing: dict[Prefix, list[Service]] = {}
    for service in fleet.services_at(pop.name):
        for prefix in service.prefixes:
            sharing.setdefault(prefix, []).append(service)
    for prefix, services in sharing.items():
        rule = fleet.shared_prefixes.get(prefix, SharedPrefix.ALL)
        names = tuple(service.name for service in services)
        for upstream in pop.upstreams:
            told = ((each, each.policy(pop.name, upstream.name, prefix)) for each in services)
            voices = tuple(_voice(each, policy) for each, policy in told if policy.announce)
            if voices:
                yield RouteKey(pop.name, upstream.name, prefix), IntendedRoute(voices, names, rule)


def _voice(service: Service, policy: Policy) -> Voice:
    slow = policy.attributes.with_on_top(service.slow_start.attributes)
    return Voice(service.name, policy.attributes, policy.steered, slow)
