"""The revisions that a controller knows and what its agents report, and what these answer to its engine.

What two revisions have in common is worked out once. Floors are counted as plans count them: a PoP announces a service
when each of its prefixes has a route there that a session carries (`presence`), and one that was not heard counts for
none. A drain that has begun counts as done.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain

from anycastle.model.asn import ASN
from anycastle.model.capacity import capacity_text
from anycastle.model.fleet import Fleet
from anycastle.model.pop import PoP
from anycastle.model.prefix import Prefix
from anycastle.model.service import Floor, Service
from anycastle.model.stance import DrainStep
from anycastle.rollout.compose import compose
from anycastle.rollout.desired import NOTHING_DESIRED, DefinitionKey, Desired, Unit
from anycastle.rollout.difference import Change
from anycastle.rollout.intent import RouteKey
from anycastle.rollout.live import Live, PoPReport, live_of
from anycastle.rollout.presence import Presence
from anycastle.rollout.revision import Content, Revision

DigestOf = Callable[[Fleet], str]
"""Gives the digest of an assignment's octets: how these are written is not the engines' business."""


class FleetComposer:
    """A `Composer` over the fleet folders' revisions."""

    def __init__(self, digest_of: DigestOf) -> None:
        self._digest_of = digest_of
        self._revisions = {NOTHING_DESIRED: Revision(Fleet("", ASN(0), (), (), ()))}
        self._differences: dict[tuple[str, str], frozenset[Unit]] = {}
        self._reports: dict[str, PoPReport] = {}
        self._in_force: tuple[frozenset[str], Fleet] | None = None

    # -- what is known ----------------------------------------------------------------------------------------------

    def add(self, revision: str, fleet: Fleet) -> None:
        """Take a revision. What a revision is called by never changes its meaning."""
        self._revisions.setdefault(revision, Revision(fleet))

    def knows(self, revision: str) -> bool:
        """Tell whether a revision was taken."""
        return revision in self._revisions

    def keep(self, revisions: Collection[str]) -> None:
        """Forget all other revisions."""
        kept = {NOTHING_DESIRED, *revisions}
        self._revisions = {name: each for name, each in self._revisions.items() if name in kept}
        self._differences = {pair: units for pair, units in self._differences.items() if kept.issuperset(pair)}

    def heard(self, report: PoPReport) -> None:
        """Take what an agent says of its PoP."""
        self._reports[report.pop] = report

    def gone(self, pop: str) -> None:
        """Take that an agent's session ended: what it said counts no more."""
        self._reports.pop(pop, None)

    def live(self, desired: Desired) -> Live:
        """Give what is announced really, as far as it was heard."""
        return live_of(self._reports.values(), sorted(self.pops(desired)))

    def fleet(self, pop: str, desired: Desired) -> Fleet | None:
        """Give the fleet that a PoP is to live by; None where there is none."""
        return compose(desired, self._revisions, pop)

    def content(self, unit: Unit, revision: str) -> Content | None:
        """Give what a unit is in a revision; None where it is nothing."""
        return self._revisions[revision].units.get(unit)

    def services(self, revisions: Iterable[str]) -> Iterator[Service]:
        """Give the services of some revisions."""
        return chain.from_iterable(self._revisions[each].fleet.services for each in revisions)

    def announced(self, revisions: Iterable[str]) -> frozenset[str]:
        """Give the names of the services that are announced anywhere in some revisions."""
        return frozenset().union(*(self._revisions[each].announced for each in revisions))

    # -- what the engine asks -----------------------------------------------------------------------------------------

    def pops(self, desired: Desired) -> Collection[str]:
        """Give all PoPs of the revisions that are desired anywhere."""
        return dict.fromkeys(chain.from_iterable(self._revisions[each].places for each in sorted(desired.revisions)))

    def digest(self, pop: str, desired: Desired) -> str | None:
        """Give the digest of a PoP's assignment."""
        fleet = self.fleet(pop, desired)
        return None if fleet is None else self._digest_of(fleet)

    def differing(self, desired: Desired, revision: str, prefixes: Collection[Prefix] | None = None) -> frozenset[Unit]:
        """Give the units that are not in a revision what they are desired to be; of all prefixes, or of some."""
        target = self._revisions[revision]
        looked_at = self._differing(desired.revision, revision) | desired.exceptions.keys()
        found = (unit for unit in looked_at if self.content(unit, desired.of(unit)) != target.units.get(unit))
        if prefixes is None:
            return frozenset(found)
        having = self.services(desired.revisions | {revision})
        names = {each.name for each in having if not set(prefixes).isdisjoint(each.prefixes)}
        return frozenset(unit for unit in found if _concerns(unit, prefixes, names))

    def served(self, pop: str, desired: Desired) -> Collection[str]:
        """Give the names of the services that a PoP is desired to serve."""
        fleet = self.fleet(pop, desired)
        return [] if fleet is None else [service.name for service in fleet.services]

    def in_force(self, desired: Desired) -> Fleet:
        """Give the fleet of all PoPs and services that are desired, each service with its highest floor."""
        if self._in_force is None or self._in_force[0] != desired.revisions:
            self._in_force = desired.revisions, self._with_highest_floors(desired)
        return self._in_force[1]

    def below_floor(self, units: Iterable[Unit], desired: Desired) -> str | None:
        """Tell which service would be announced by too little once units are what is desired; None where none is."""
        live = self.live(desired)
        exported = live.exported
        ended = [
            Change(unit, "", exported[unit], None)
            for unit in units
            if isinstance(unit, RouteKey) and unit in exported and self.content(unit, desired.of(unit)) is None
        ]
        return self._short(live, ended, frozenset(), desired) if ended else None

    def drained_below_floor(self, pops: Collection[str], services: Collection[str], desired: Desired) -> str | None:
        """Tell which service would be announced by too little without some PoPs; None where none is."""
        leaving = frozenset((pop, service) for pop in pops for service in services)
        return self._short(self.live(desired), [], leaving, desired)

    # -- how ----------------------------------------------------------------------------------------------------------

    def _differing(self, one: str, other: str) -> frozenset[Unit]:
        if (one, other) not in self._differences:
            self._differences[one, other] = self._revisions[one].differs_from(self._revisions[other])
        return self._differences[one, other]

    def _with_highest_floors(self, desired: Desired) -> Fleet:
        base = self._revisions[desired.revision].fleet
        services: dict[str, Service] = {}
        for service in self.services([desired.revision, *sorted(desired.revisions)]):
            known = services.get(service.name, service)
            floor = Floor(max(known.floor.pops, service.floor.pops), max(known.floor.capacity, service.floor.capacity))
            pops = tuple(dict.fromkeys([*known.pops, *service.pops]))
            services[service.name] = replace(known, floor=floor, pops=pops)
        places: dict[str, PoP] = {}
        for each in [*sorted(desired.revisions), desired.revision]:
            places |= self._revisions[each].places
        return replace(base, services=tuple(services.values()), pops=tuple(places.values()))

    def _short(
        self, live: Live, ended: list[Change], leaving: frozenset[tuple[str, str]], desired: Desired
    ) -> str | None:
        fleet, presence = self.in_force(desired), Presence(live)
        before = {service.name: presence.announcing(service) for service in fleet.services}
        presence.apply(ended)
        capacity = {place.name: place.capacity for place in fleet.pops}
        for service in fleet.services:
            left = [
                pop
                for pop in presence.announcing(service)
                if (pop, service.name) not in leaving and not _drains(live.reports, pop, service.name)
            ]
            there = [pop for pop in before[service.name] if not _drains(live.reports, pop, service.name)]
            loses = [pop for pop in there if pop not in left]
            if loses and not service.floor.met_by([capacity.get(pop, 0.0) for pop in left]):
                names = ", ".join(left) or "no PoP"
                floor = _floor_text(service.floor)
                return (
                    f"{service.name} would be announced by {names} alone, and its floor is {floor};"
                    f" it would end at {', '.join(loses)}"
                )
        return None


def _floor_text(floor: Floor) -> str:
    pops = "1 PoP" if floor.pops == 1 else f"{floor.pops} PoPs"
    return f"{pops} with a capacity of {capacity_text(floor.capacity)}" if floor.capacity else pops


def _concerns(unit: Unit, prefixes: Collection[Prefix], services: Collection[str]) -> bool:
    if isinstance(unit, DefinitionKey):
        return unit.service in services
    return unit.prefix in prefixes


def _drains(reports: Mapping[str, PoPReport], pop: str, service: str) -> bool:
    told = reports[pop].services.get(service)
    return told is not None and told.drain is not DrainStep.NORMAL
