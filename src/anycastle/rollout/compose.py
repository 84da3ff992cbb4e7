"""What one PoP is to do, from units of several revisions: a fleet of its own, with this PoP alone.

Theory of operation. The PoP, and what a service is there, come from the revisions of their definitions. Where such a
revision does not have the service yet, or any more, while a route of it is announced, the definition is that route's:
a service comes with its definition or its first route, and goes with the last of these; so does a prefix of it.
Policies are those of a service's first prefix; what differs of the others is written into the service as *held*. With
all units of one revision the result means what that revision's fleet means at the PoP.

The rule of a prefix that several services share, and their order, are those of the revision that most of the PoP's
exceptions name: they come with the first unit of a PoP that a rollout changes.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from anycastle.model.announcement import RouteAttributes
from anycastle.model.fleet import Fleet
from anycastle.model.notify import NotifyPlan
from anycastle.model.pop import PoP
from anycastle.model.prefix import Prefix
from anycastle.model.public_page import NOTHING_PUBLIC
from anycastle.model.service import Policy, Service
from anycastle.model.watch import WatchPlan
from anycastle.rollout.desired import DefinitionKey, Desired
from anycastle.rollout.intent import RouteKey
from anycastle.rollout.revision import Revision, at_pop

_SILENT = Policy(announce=False)
_NOTHING = RouteAttributes()


def compose(desired: Desired, revisions: Mapping[str, Revision], pop: str) -> Fleet | None:
    """Give the fleet that a PoP is to live by; None where no revision that counts there has the PoP."""
    return _Composition(desired, revisions, pop).fleet()


class _Composition:
    """The composing of one PoP's fleet."""

    def __init__(self, desired: Desired, revisions: Mapping[str, Revision], pop: str) -> None:
        self._desired = desired
        self._revisions = revisions
        self._pop = pop
        here = Counter(at for unit, at in desired.exceptions.items() if unit.pop == pop)
        self._named = (*sorted(here, key=lambda at: (-here[at], at)), desired.revision)
        """The revisions that count at this PoP, the one that gives the order first."""

    def fleet(self) -> Fleet | None:
        place = self._place()
        if place is None:
            return None
        routes = dict(self._routes(place))
        services = tuple(self._services(place, routes))
        first = self._revisions[self._named[0]].fleet
        there = {prefix for service in services for prefix in service.prefixes}
        rules = {prefix: rule for prefix, rule in first.shared_prefixes.items() if prefix in there}
        return replace(
            first,
            regions=(place.region,),
            pops=(place,),
            services=services,
            shared_prefixes=rules,
            watch=WatchPlan(),
            controller=None,
            objectives=(),
            notify=NotifyPlan(),
            status=NOTHING_PUBLIC,
        )

    def _place(self) -> PoP | None:
        at = self._desired.of(DefinitionKey(self._pop, ""))
        having = (self._revisions[each].places.get(self._pop) for each in (at, *self._named))
        return next((place for place in having if place is not None), None)

    def _routes(self, place: PoP) -> Iterator[tuple[RouteKey, str]]:
        """Give each route that any revision knows here, with its own."""
        prefixes = dict.fromkeys(prefix for each in self._named for prefix in self._revisions[each].sharing(self._pop))
        for prefix in prefixes:
            for upstream in place.upstreams:
                key = RouteKey(self._pop, upstream.name, prefix)
                yield key, self._desired.of(key)

    def _services(self, place: PoP, routes: Mapping[RouteKey, str]) -> Iterator[Service]:
        for name in _merged([list(self._revisions[each].served.get(self._pop, {})) for each in self._named]):
            made = self._service(name, place, routes)
            if made is not None:
                yield made

    def _service(self, name: str, place: PoP, routes: Mapping[RouteKey, str]) -> Service | None:
        policies = {key: self._policy(name, key, at) for key, at in routes.items()}
        announced = {key.prefix for key, policy in policies.items() if policy.announce}
        defined = self._defined(name, announced, routes)
        if defined is None:
            return None
        there = at_pop(defined, self._pop)
        prefixes = (*there.prefixes, *sorted(announced.difference(there.prefixes)))
        told = self._told(there, prefixes, policies, place)
        return replace(there, prefixes=prefixes, policies=told[0], held=told[1])

    def _told(
        self, there: Service, prefixes: Sequence[Prefix], policies: Mapping[RouteKey, Policy], place: PoP
    ) -> tuple[dict[tuple[str, str], Policy], dict[tuple[str, str, Prefix], Policy]]:
        """Give the policies, as the first prefix has them, and what is held for the others that have another.

        So what a PoP is told does not depend on which revision said it.
        """
        usual: dict[tuple[str, str], Policy] = {}
        held: dict[tuple[str, str, Prefix], Policy] = {}
        for upstream in place.upstreams:
            for prefix in prefixes:
                key = RouteKey(self._pop, upstream.name, prefix)
                policy = self._steered(policies.get(key, _SILENT), there, key)
                if usual.setdefault((self._pop, upstream.name), policy) != policy:
                    held[self._pop, upstream.name, prefix] = policy
        return usual, held

    def _policy(self, name: str, key: RouteKey, at: str) -> Policy:
        """Give how a service is to announce a route, by the route's revision."""
        service = self._revisions[at].service(self._pop, name)
        if service is None or key.prefix not in service.prefixes:
            return _SILENT
        return service.policy(key.pop, key.upstream, key.prefix)

    def _defined(self, name: str, announced: set[Prefix], routes: Mapping[RouteKey, str]) -> Service | None:
        at = self._desired.of(DefinitionKey(self._pop, name))
        defined = self._revisions[at].service(self._pop, name)
        if defined is not None or not announced:
            return defined
        speaking = (each for key, each in routes.items() if self._policy(name, key, each).announce)
        return self._revisions[next(speaking)].service(self._pop, name)

    def _steered(self, policy: Policy, there: Service, key: RouteKey) -> Policy:
        """Give the policy of a route with the definition's way to steer it; what nobody is told has no attributes."""
        defined = there.policies.get((key.pop, key.upstream), policy)
        return Policy(policy.announce, policy.attributes if policy.announce else _NOTHING, defined.steered)


def _merged(orders: Sequence[Sequence[str]]) -> list[str]:
    """Give all names in an order that suits each of the given ones, as far as they agree; the first counts most."""
    merged = list(orders[0])
    for order in orders[1:]:
        for place, name in enumerate(order):
            if name not in merged:
                following = [merged.index(later) for later in order[place + 1 :] if later in merged]
                merged.insert(min(following, default=len(merged)), name)
    return merged
