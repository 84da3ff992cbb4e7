"""What is meant to be seen: the fleet, as the detectors ask it.

Every prefix of a service is watched, and every own prefix that is not to be announced. The intent answers for one
prefix who may originate it, who may stand next to its origin, which more-specifics are meant, and what each upstream
was told to do with it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.model.community import Community
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import Prefix
from anycastle.model.service import MaintenanceWindow
from anycastle.model.watch import LockedASN, MoreSpecificRule, PathRule, Region, Settling, Thresholds


@dataclass(frozen=True, slots=True)
class Told:
    """What a PoP tells one upstream about a prefix: what its paths should show."""

    pop: str
    upstream: str
    asn: ASN
    prepend: int = 0
    communities: frozenset[Community] = frozenset()


@dataclass(frozen=True, slots=True)
class WatchedPrefix:
    """One prefix of ours."""

    prefix: Prefix
    origins: frozenset[ASN]
    """Who may originate it; the first thing that a hijacker gets wrong."""
    neighbours: frozenset[ASN] = frozenset()
    """Who may stand next to the origin; nobody named means that nothing is known."""
    announced: bool = True
    more_specifics: tuple[MoreSpecificRule, ...] = ()
    path_rules: tuple[PathRule, ...] = ()
    told: tuple[Told, ...] = ()
    services: tuple[str, ...] = ()
    pops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Intent:
    """All that is watched, with what is meant of it."""

    prefixes: tuple[WatchedPrefix, ...]
    own_asns: frozenset[ASN]
    locked: Mapping[ASN, frozenset[ASN]] = field(default_factory=dict)
    """Locked network -> the neighbours that its routes to us may be heard through."""
    thresholds: Thresholds = Thresholds()
    settling: Settling = Settling()
    windows: tuple[tuple[MaintenanceWindow, frozenset[Prefix]], ...] = ()
    """Planned absences, with the prefixes of the service that each belongs to."""
    regions: tuple[Region, ...] = ()
    """Which peers stand for which part of the Internet."""

    def planned(self, prefix: Prefix, at: Timestamp) -> tuple[MaintenanceWindow, ...]:
        """Give the maintenance windows that a prefix is in at a time."""
        return tuple(
            window for window, prefixes in self.windows if prefix in prefixes and window.start <= at < window.end
        )


def intent_of(fleet: Fleet) -> Intent:
    """Give what a fleet means the Internet to see."""
    plan = fleet.watch
    origins = frozenset({fleet.asn, *plan.origins})
    watched = [_watched(fleet, prefix, origins) for prefix in _service_prefixes(fleet)]
    watched += [
        WatchedPrefix(prefix, origins, announced=False)
        for prefix in plan.unannounced
        if all(prefix != each.prefix for each in watched)
    ]
    windows = tuple((window, frozenset(service.prefixes)) for service in fleet.services for window in service.windows)
    return Intent(
        prefixes=tuple(watched),
        own_asns=origins,
        locked=_locked(plan.locked),
        thresholds=plan.thresholds,
        settling=plan.settling,
        windows=windows,
        regions=plan.regions,
    )


def _service_prefixes(fleet: Fleet) -> Iterable[Prefix]:
    return dict.fromkeys(prefix for service in fleet.services for prefix in service.prefixes)


def _locked(locked: Iterable[LockedASN]) -> dict[ASN, frozenset[ASN]]:
    return {each.asn: frozenset(each.behind) for each in locked}


def _watched(fleet: Fleet, prefix: Prefix, origins: frozenset[ASN]) -> WatchedPrefix:
    services = [service for service in fleet.services if prefix in service.prefixes]
    pops = tuple(dict.fromkeys(pop for service in services for pop in service.pops))
    told: dict[tuple[str, str], Told] = {}
    for service in services:
        for (pop, name), policy in service.policies.items():
            if policy.announce:
                upstream = fleet.pop(pop).upstream(name)
                attributes = policy.attributes
                told[pop, name] = Told(pop, name, upstream.asn, attributes.prepend, attributes.communities)
    neighbours = frozenset({each.asn for each in told.values()} - origins)
    return WatchedPrefix(
        prefix=prefix,
        origins=origins,
        neighbours=neighbours | frozenset(fleet.watch.neighbours) if neighbours else neighbours,
        more_specifics=tuple(rule for rule in fleet.watch.more_specifics if rule.prefix.overlaps(prefix)),
        path_rules=fleet.watch.path_rules,
        told=tuple(told.values()),
        services=tuple(service.name for service in services),
        pops=pops,
    )
