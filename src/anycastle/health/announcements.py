"""From the stances of a PoP's services to what it announces, per prefix and upstream."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from anycastle.model.announcement import Announcement, Announcements, RouteAttributes
from anycastle.model.fleet import Fleet, SharedPrefix
from anycastle.model.pop import PoP
from anycastle.model.prefix import Prefix
from anycastle.model.service import Service
from anycastle.model.stance import Stance

_KNOWN_MAX = 256
"""Combinations of stances that are remembered for one prefix; more than three services seldom share one."""

_Standing = tuple[tuple[Stance, bool], ...]
"""The stance of each service that shares a prefix, and whether it starts slowly."""


class Announcer:
    """What a PoP announces for its services, by their stances; what a prefix's stances lead to is worked out once."""

    def __init__(self, fleet: Fleet, pop: PoP, services: Iterable[Service]) -> None:
        self._pop = pop
        self._prefixes = [
            _SharedPrefix(prefix, sharing, fleet.shared_prefixes.get(prefix, SharedPrefix.ALL), {})
            for prefix, sharing in _by_prefix(services).items()
        ]

    def wanted(self, stances: Mapping[str, Stance], slow: frozenset[str]) -> Announcements:
        """Give what the PoP announces. `slow` names the services in slow start, whose own attributes apply then."""
        return frozenset(chain.from_iterable(self._of(shared, stances, slow) for shared in self._prefixes))

    def _of(
        self, shared: "_SharedPrefix", stances: Mapping[str, Stance], slow: frozenset[str]
    ) -> tuple[Announcement, ...]:
        standing = tuple([(stances[service.name], service.name in slow) for service in shared.services])
        found = shared.known.get(standing)
        if found is None:
            if len(shared.known) >= _KNOWN_MAX:
                shared.known.clear()
            found = shared.known[standing] = tuple(self._worked_out(shared, stances, slow))
        return found

    def _worked_out(
        self, shared: "_SharedPrefix", stances: Mapping[str, Stance], slow: frozenset[str]
    ) -> Iterator[Announcement]:
        announcing = _announcing(shared.services, stances, shared.rule)
        for upstream in self._pop.upstreams:
            attributes = _attributes(announcing, (self._pop.name, upstream.name, shared.prefix), stances, slow)
            if attributes is not None:
                yield Announcement(shared.prefix, upstream.name, attributes)


def announcements_of(
    fleet: Fleet, pop: PoP, services: Iterable[Service], stances: Mapping[str, Stance], slow: frozenset[str]
) -> Announcements:
    """Give what the PoP announces, as `Announcer.wanted`, for who asks once."""
    return Announcer(fleet, pop, services).wanted(stances, slow)


@dataclass(frozen=True, slots=True)
class _SharedPrefix:
    """A prefix, the services that have it, and what was worked out for their stances."""

    prefix: Prefix
    services: list[Service]
    rule: SharedPrefix
    known: dict[_Standing, tuple[Announcement, ...]]


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
    announcing: list[Service], route: tuple[str, str, Prefix], stances: Mapping[str, Stance], slow: frozenset[str]
) -> RouteAttributes | None:
    """Give the attributes of the first service that is announced as usual, else of the first that is steered."""
    steered: RouteAttributes | None = None
    for service in announcing:
        policy = service.policy(*route)
        if not policy.announce:
            continue
        if stances[service.name] is Stance.ANNOUNCE:
            return policy.attributes
        if steered is None:
            started = policy.attributes.with_on_top(service.slow_start.attributes)
            steered = started if service.name in slow else policy.steered
    return steered
