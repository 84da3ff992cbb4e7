"""What the public is told: a fleet's public components, how each service stands, incidents -> a `PublicStatus`.

Theory of operation. A component's state is judged from how many PoPs announce its service against how many are to, and
its floor: that one PoP of ten is gone is what anycast is for, and nobody who uses the service need be told of it. A PoP
of which nothing is known now is neither counted as serving nor as gone: its agent goes on alone. Where it would take
such PoPs to meet the floor, the component is not known. What else is wrong while routes stand (a hijack, a promise that
is broken) comes from open incidents of the service; those of a PoP's routes are counted by its routes already.

Only what the operator named is told: components under their public names, and no word of an incident's title, timeline
or evidence, for those name PoPs, peers and people. Of notes to an incident those are public that begin with `public:`.

States and impacts are Statuspage's (https://developer.statuspage.io, `summary.json`, API v2), which readers' programs
know.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.model.fleet import Fleet
from anycastle.model.public_page import Detail, PublicComponent
from anycastle.model.service import Floor, Service
from anycastle.response.follows import POP_DOWN, SERVICE_DOWN, SESSION_DOWN, WITHDRAWN
from anycastle.response.incident import Entry, Incident, Status
from anycastle.response.severity import Severity, severity_of

PUBLIC_WORD: Final = "public:"
"""With which a note begins that the public is to read."""

PAST_S: Final = 14 * 86_400.0
"""How long an incident that is over stays on the page."""

AHEAD_S: Final = 30 * 86_400.0
"""How long before it begins planned maintenance is told."""

INCIDENTS_MAX: Final = 50
"""Of those that are over, and of maintenances, each; the newest."""


class Health(Enum):
    """Of a component, the worst last."""

    OPERATIONAL = "operational"
    MAINTENANCE = "under_maintenance"
    DEGRADED = "degraded_performance"
    PARTIAL = "partial_outage"
    MAJOR = "major_outage"


_ORDER: Final = tuple(Health)
_FINE: Final = frozenset({Health.OPERATIONAL, Health.MAINTENANCE})

INDICATORS: Final[Mapping[Health, tuple[str, str]]] = {
    Health.OPERATIONAL: ("none", "All systems operational"),
    Health.MAINTENANCE: ("maintenance", "Planned maintenance under way"),
    Health.DEGRADED: ("minor", "Degraded performance"),
    Health.PARTIAL: ("major", "Partial outage"),
    Health.MAJOR: ("critical", "Major outage"),
}
"""The worst component -> Statuspage's indicator, and words."""

_OF_INCIDENT: Final = {
    Severity.CRITICAL: Health.PARTIAL,
    Severity.MAJOR: Health.DEGRADED,
    Severity.MINOR: Health.OPERATIONAL,
}

_OF_ROUTES: Final = frozenset({POP_DOWN, SERVICE_DOWN, SESSION_DOWN, WITHDRAWN})
"""Kinds of incidents that say no more than that PoPs do not announce, which a component is judged by."""

_IMPACT: Final = {Severity.CRITICAL: "major", Severity.MAJOR: "minor"}


@dataclass(frozen=True, slots=True)
class Seen:
    """How a service stands at a PoP now."""

    announces: bool
    well: bool
    """What it announces it can serve: no check says otherwise."""
    planned: bool = False
    """What is missing is somebody's drain, or within a maintenance window."""


@dataclass(frozen=True, slots=True)
class Component:
    """A component, or a part of one."""

    key: str
    """The same as long as the operator does not rename it."""
    name: str
    description: str
    health: Health
    known: bool
    """Whether any PoP has told how it stands."""
    parts: tuple["Component", ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """A step of an incident."""

    at: Timestamp
    status: str
    """investigating, identified, resolved."""
    text: str


@dataclass(frozen=True, slots=True)
class PublicIncident:
    """An incident, in words for everybody."""

    id: int
    name: str
    impact: str
    components: tuple[str, ...]
    """Keys."""
    opened: Timestamp
    resolved: Timestamp | None
    updates: tuple[Update, ...]
    """The newest first."""


@dataclass(frozen=True, slots=True)
class PublicMaintenance:
    """Planned maintenance of a component."""

    component: str
    """Its key."""
    name: str
    start: Timestamp
    end: Timestamp
    under_way: bool


@dataclass(frozen=True, slots=True)
class PublicStatus:
    """All that the public is told, as of a moment."""

    name: str
    url: str
    at: Timestamp
    components: tuple[Component, ...]
    open: tuple[PublicIncident, ...]
    """The newest first."""
    past: tuple[PublicIncident, ...]
    maintenances: tuple[PublicMaintenance, ...]
    """The next first."""

    @property
    def health(self) -> Health:
        """Of the worst component of which anything is known."""
        return _worst(each.health for each in self.components if each.known)

    @property
    def known(self) -> bool:
        """Whether anything is known of any component."""
        return any(each.known for each in self.components)


def public_status(
    fleet: Fleet, seen: Mapping[tuple[str, str], Seen], incidents: Sequence[Incident], now: Timestamp
) -> PublicStatus:
    """Give what the public is told. `seen`: (PoP, service) -> how it stands, where anything is known of it."""
    services = {each.name: each for each in fleet.services}
    shown = [(each, services[each.service]) for each in fleet.status.components if each.service in services]
    judged = {key_of(each.name): judge(fleet, service, service.pops, seen) for each, service in shown}
    hurt = {key for key, (health, known) in judged.items() if known and health not in _FINE}
    concerned = [(each, _concerns(each, shown)) for each in sorted(incidents, key=lambda each: -each.opened)]
    told = [(each, keys) for each, keys in concerned if keys and _is_public(each, hurt.intersection(keys))]
    current = [(each, keys) for each, keys in told if each.status is not Status.CLEARED]
    components = tuple(
        _component(each, judged[key_of(each.name)], tuple(_parts(fleet, each, service, seen)), current)
        for each, service in shown
    )
    names = {each.key: each.name for each in components}
    past = [_incident(each, keys, names) for each, keys in told if _is_past(each, now)]
    return PublicStatus(
        fleet.status.name or fleet.name, fleet.status.url, now, components,
        tuple(_incident(each, keys, names) for each, keys in current[:INCIDENTS_MAX]), tuple(past[:INCIDENTS_MAX]),
        tuple(sorted(_maintenances(shown, now), key=lambda each: each.start)[:INCIDENTS_MAX]),
    )  # fmt: skip


def with_windows(
    fleet: Fleet, standing: Mapping[str, Mapping[str, Seen]], now: Timestamp
) -> dict[tuple[str, str], Seen]:
    """Give (PoP, public service) -> how it stands, of PoP -> service -> that: a maintenance window is planned too."""
    public = {each.service for each in fleet.status.components}
    found = {}
    for service in fleet.services:
        if service.name in public:
            open_now = [window.pops for window in service.windows if window.start <= now < window.end]
            for pop in standing.keys() & set(service.pops):
                seen = standing[pop].get(service.name)
                if seen is not None:
                    planned = seen.planned or any(pop in pops for pops in open_now)
                    found[pop, service.name] = replace(seen, planned=planned)
    return found


def judge(
    fleet: Fleet, service: Service, pops: Sequence[str], seen: Mapping[tuple[str, str], Seen]
) -> tuple[Health, bool]:
    """Give how a service stands over some PoPs, and whether that is known: PoPs that are not heard might tip it."""
    told = {pop: found for pop in pops if (found := seen.get((pop, service.name))) is not None}
    serving = [pop for pop, each in told.items() if each.announces]
    perhaps = [*serving, *(pop for pop in pops if pop not in told)]
    missing = [each for each in told.values() if not each.announces]
    sick = any(each.announces and not each.well for each in told.values())
    if not told or (_meets_floor(fleet, service, pops, perhaps) and not _meets_floor(fleet, service, pops, serving)):
        return Health.DEGRADED, False
    if not perhaps:
        return Health.MAJOR, True
    if not _meets_floor(fleet, service, pops, perhaps):
        return Health.PARTIAL, True
    if 2 * len(missing) < len(pops) and not sick:
        return Health.OPERATIONAL, True
    planned = all(each.planned for each in missing) and not sick
    return (Health.MAINTENANCE if planned else Health.DEGRADED), True


def _meets_floor(fleet: Fleet, service: Service, pops: Sequence[str], serving: Sequence[str]) -> bool:
    """Tell whether some of the PoPs are enough: of all, what the floor says; of a part, one: the floor is of all."""
    of_all = len(pops) == len(service.pops)
    floor = Floor(max(1, service.floor.pops), service.floor.capacity) if of_all else Floor(1)
    capacity = {pop.name: pop.capacity for pop in fleet.pops}
    return floor.met_by([capacity.get(pop, 0.0) for pop in serving])


def _component(
    public: PublicComponent,
    judged: tuple[Health, bool],
    parts: tuple[Component, ...],
    current: Sequence[tuple[Incident, tuple[str, ...]]],
) -> Component:
    key, (health, known) = key_of(public.name), judged
    worse = _worst(
        _OF_INCIDENT[severity_of(each)] for each, keys in current if key in keys and each.kind not in _OF_ROUTES
    )
    if worse is not Health.OPERATIONAL:  # whatever the routes: this much is known
        health, known = _worst((health, worse)) if known else worse, True
    return Component(key, public.name, public.description, health, known, parts)


def _parts(
    fleet: Fleet, public: PublicComponent, service: Service, seen: Mapping[tuple[str, str], Seen]
) -> Iterator[Component]:
    places = [pop for pop in fleet.pops if pop.name in service.pops]
    if public.detail is Detail.REGIONS:
        groups = {region: [pop.name for pop in places if pop.region == region] for region in fleet.regions}
    elif public.detail is Detail.POPS:
        cities = dict.fromkeys(pop.city for pop in places)
        groups = {city: [pop.name for pop in places if pop.city == city] for city in cities}
    else:
        return
    for name, pops in groups.items():
        if pops:
            health, known = judge(fleet, service, pops, seen)
            # others carry the clients of a place that serves nothing: they are slower, and not cut off
            mild = Health.DEGRADED if health in (Health.PARTIAL, Health.MAJOR) else health
            planned = all((found := seen.get((pop, service.name))) is not None and found.planned for pop in pops)
            health = Health.MAINTENANCE if planned and mild is Health.DEGRADED else mild
            yield Component(f"{key_of(public.name)}--{key_of(name)}", name, "", health, known)


def key_of(name: str) -> str:
    """Give a name as a key: `Name servers` -> `name-servers`."""
    return "-".join("".join(each if each.isalnum() else " " for each in name.lower()).split())


def _concerns(incident: Incident, shown: Iterable[tuple[PublicComponent, Service]]) -> tuple[str, ...]:
    """Give the keys of the components that an incident is about: by its services, or by their prefixes."""
    return tuple(
        key_of(public.name)
        for public, service in shown
        if service.name in incident.services or incident.prefixes & {str(prefix) for prefix in service.prefixes}
    )


def _is_public(incident: Incident, hurt: AbstractSet[str]) -> bool:
    """Tell whether the public is told: of tickets never, of a PoP's routes where a component suffers or we wrote so."""
    if severity_of(incident) is Severity.MINOR:
        return False
    if incident.kind not in _OF_ROUTES or any(_public_text(entry) is not None for entry in incident.timeline):
        return True
    return incident.status is not Status.CLEARED and bool(hurt)


def _public_text(entry: Entry) -> str | None:
    """Give what a note tells the public; None for what is not for it."""
    text = entry.text.partition(": ")[2] if entry.kind == "note" else ""
    return text[len(PUBLIC_WORD) :].strip() if text[: len(PUBLIC_WORD)].lower() == PUBLIC_WORD else None


def _is_past(incident: Incident, now: Timestamp) -> bool:
    return incident.cleared is not None and incident.status is Status.CLEARED and now - incident.cleared < PAST_S


_EFFECT: Final = {
    "major": "Disruption of {}",
    "minor": "Reduced capacity of {}",
}


def _incident(incident: Incident, keys: tuple[str, ...], names: Mapping[str, str]) -> PublicIncident:
    impact = _IMPACT[severity_of(incident)]
    over = incident.cleared if incident.status is Status.CLEARED else None
    return PublicIncident(
        incident.id, _EFFECT[impact].format(" and ".join(names[key] for key in keys)), impact, keys,
        incident.opened, over, tuple(reversed(list(_updates(incident, over)))),
    )  # fmt: skip


def _updates(incident: Incident, over: Timestamp | None) -> Iterator[Update]:
    yield Update(incident.opened, "investigating", "Our monitoring found this; it is being looked into.")
    status = "investigating"
    for entry in incident.timeline:
        if entry.kind == "acknowledged" and status == "investigating":
            status = "identified"
            yield Update(entry.at, status, "Somebody of us works on it.")
        text = _public_text(entry)
        if text is not None:
            yield Update(entry.at, status, text)
    if over is not None:
        yield Update(over, "resolved", "It is over.")


def _maintenances(shown: Iterable[tuple[PublicComponent, Service]], now: Timestamp) -> Iterator[PublicMaintenance]:
    """Give those of half of a service's PoPs and more: what one PoP's clients see of its own is another PoP."""
    for public, service in shown:
        for window in service.windows:
            wide = 2 * len(set(window.pops).intersection(service.pops)) >= len(service.pops)
            if wide and window.end > now and window.start < now + AHEAD_S:
                yield PublicMaintenance(
                    key_of(public.name), f"Planned maintenance of {public.name}", Timestamp(window.start),
                    Timestamp(window.end), window.start <= now,
                )  # fmt: skip


def _worst(found: Iterable[Health]) -> Health:
    return max(found, key=_ORDER.index, default=Health.OPERATIONAL)
