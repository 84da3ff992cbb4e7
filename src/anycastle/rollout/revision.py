"""One revision of the fleet folder, taken apart into units: what each of them is in it.

Two revisions have the same unit when its contents are equal. A route's content is what would be announced there with
every service healthy: each service that speaks for it with its attributes, in the fleet's order. A definition's is
the service as one PoP knows it, without the announcements of its routes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from anycastle.model.announcement import RouteAttributes
from anycastle.model.fleet import Fleet, SharedPrefix
from anycastle.model.pop import PoP
from anycastle.model.prefix import Prefix
from anycastle.model.service import Policy, Service
from anycastle.rollout.desired import DefinitionKey, Unit
from anycastle.rollout.intent import RouteKey

RouteContent = tuple[SharedPrefix | None, tuple[tuple[str, RouteAttributes], ...]]
"""The rule where several services have the prefix, and who announces it with which attributes."""

Content = RouteContent | Service | PoP
"""What a unit is in a revision."""


class Revision:
    """A fleet as it is in one revision, by its PoPs and units."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.places: Mapping[str, PoP] = {pop.name: pop for pop in fleet.pops}
        self.served: dict[str, dict[str, Service]] = {name: {} for name in self.places}
        """PoP -> service -> what it is there, in the fleet's order."""
        for service in fleet.services:
            for pop in service.pops:
                if pop in self.served:
                    self.served[pop][service.name] = service

    @cached_property
    def units(self) -> Mapping[Unit, Content]:
        """Give all units that are anything, with their contents."""
        return {unit: content for pop in self.places for unit, content in self._units_at(pop)}

    @cached_property
    def announced(self) -> frozenset[str]:
        """Give the names of the services that are announced anywhere."""
        routes = (content for content in self.units.values() if isinstance(content, tuple))
        return frozenset(name for _, voices in routes for name, _ in voices)

    def _units_at(self, pop: str) -> Iterator[tuple[Unit, Content]]:
        yield DefinitionKey(pop, ""), self.places[pop]
        for name, service in self.served[pop].items():
            yield DefinitionKey(pop, name), definition_at(service, pop)
        for prefix, services in self.sharing(pop).items():
            rule = self.fleet.shared_prefixes.get(prefix, SharedPrefix.ALL) if len(services) > 1 else None
            for upstream in self.places[pop].upstreams:
                told = ((each.name, each.policy(pop, upstream.name, prefix)) for each in services)
                voices = tuple((name, policy.attributes) for name, policy in told if policy.announce)
                if voices:
                    yield RouteKey(pop, upstream.name, prefix), (rule, voices)

    def sharing(self, pop: str) -> dict[Prefix, list[Service]]:
        """Give the prefixes of a PoP with the services that have them, in the fleet's order."""
        found: dict[Prefix, list[Service]] = {}
        for service in self.served.get(pop, {}).values():
            for prefix in service.prefixes:
                found.setdefault(prefix, []).append(service)
        return found

    def service(self, pop: str, name: str) -> Service | None:
        """Give a service as a PoP has it; None where it does not."""
        return self.served.get(pop, {}).get(name)

    def differs_from(self, other: "Revision") -> frozenset[Unit]:
        """Give the units that are not the same in another revision."""
        units = self.units.keys() | other.units.keys()
        return frozenset(unit for unit in units if self.units.get(unit) != other.units.get(unit))


def at_pop(service: Service, pop: str) -> Service:
    """Give a service as one of its PoPs needs it: without the others."""
    policies = {key: policy for key, policy in service.policies.items() if key[0] == pop}
    windows = tuple(replace(window, pops=(pop,)) for window in service.windows if pop in window.pops)
    return replace(service, pops=(pop,), policies=policies, windows=windows)


def definition_at(service: Service, pop: str) -> Service:
    """Give what a service is at a PoP beside its routes: of its policies only how it is steered."""
    there = at_pop(service, pop)
    return replace(there, policies={key: Policy(steered=policy.steered) for key, policy in there.policies.items()})
