"""What the public is told: a fleet's public components, how each service stands, incidents -> a `PublicStatus`.

Theory of operation. A component's state is judged from how many PoPs announce its service against how many are to, and
its floor: that one PoP of ten is gone is what anycast is for, and nobody who uses the service need be told of it. A PoP
of which nothing is known now is neither counted as serving nor as gone: its agent goes on alone. What else is wrong
while routes stand (a hijack, a promise that is broken) comes from open incidents of the service.

Only what the operator named is told: components under their public names, and no word of an incident's title, timeline
or evidence, for those name PoPs, peers and people. Of notes to an incident those are public that begin with `public:`.

States and impacts are Statuspage's (https://developer.statuspage.io, `summary.json`, API v2), which readers' programs
know.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.model.fleet import Fleet
from anycastle.model.pop import PoP
from anycastle.model.public_page import Detail, PublicComponent
from anycastle.model.service import Service
from anycastle.response.incident import Incident, Status
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

_IMPACT: Final = {Severity.CRITICAL: "major", Severity.MAJOR: "minor", Severity.MINOR: "none"}


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
        """Of the worst component."""
        return _worst(each.health for each in self.components)

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
    concerned = [(each, _concerns(each, shown)) for each in sorted(incidents, key=lambda each: -each.opened)]
    told = [(each, keys) for each, keys in concerned if keys]
    current = [(each, keys) for each, keys in told if each.status is not Status.CLEARED]
    components = tuple(_component(fleet, each, service, seen, current) for each, service in shown)
    names = {each.key: each.name for each in components}
    past = [_incident(each, keys, names) for each, keys in told if _is_past(each, now)]
    return PublicStatus(
        fleet.status.name or fleet.name, fleet.status.url, now, components,
        tuple(_incident(each, keys, names) for each, keys in current[:INCIDENTS_MAX]), tuple(past[:INCIDENTS_MAX]),
        tuple(sorted(_maintenances(shown, now), key=lambda each: each.start)[:INCIDENTS_MAX]),
    )  # fmt: skip


def judge(service: Service, pops: Sequence[str], seen: Mapping[tuple[str, str], Seen]) -> tuple[Health, bool]:
    """Give how a service stands over some PoPs, and whether anything is known of it there."""
    told = [found for found in (seen.get((pop, service.name)) for pop in pops) if found is not None]
    serving = sum(each.announces for each in told)
    unknown = len(pops) - len(told)
    missing = [each for each in told if not each.announces]
    if not told:
        return Health.DEGRADED, False
    if serving + unknown == 0:
        worst = Health.MAJOR
    elif serving + unknown < min(max(1, service.floor.pops), len(pops)):
        worst = Health.PARTIAL
    elif 2 * len(missing) >= len(pops) or any(each.announces and not each.well for each in told):
        worst = Health.DEGRADED
    else:
        return Health.OPERATIONAL, True
    planned = bool(missing) and all(each.planned for each in missing) and serving > 0
    return (Health.MAINTENANCE if planned and worst is Health.DEGRADED else worst), True


def _component(
    fleet: Fleet,
    public: PublicComponent,
    service: Service,
    seen: Mapping[tuple[str, str], Seen],
    current: Sequence[tuple[Incident, tuple[str, ...]]],
) -> Component:
    key = key_of(public.name)
    health, known = judge(service, service.pops, seen)
    worse = (_OF_INCIDENT[severity_of(each)] for each, keys in current if key in keys)
    parts = tuple(_parts(fleet, public, service, seen))
    return Component(key, public.name, public.description, _worst((health, *worse)), known, parts)


def _parts(
    fleet: Fleet, public: PublicComponent, service: Service, seen: Mapping[tuple[str, str], Seen]
) -> Iterator[Component]:
    places = [pop for pop in fleet.pops if pop.name in service.pops]
    if public.detail is Detail.REGIONS:
        groups = {region: [pop.name for pop in places if pop.region == region] for region in fleet.regions}
    elif public.detail is Detail.POPS:
        groups = {pop.city if _alone(pop.city, places) else f"{pop.city} ({pop.name})": [pop.name] for pop in places}
    else:
        return
    for name, pops in groups.items():
        if pops:
            health, known = judge(service, pops, seen)
            # others carry the clients of a place that serves nothing: they are slower, and not cut off
            mild = Health.DEGRADED if health in (Health.PARTIAL, Health.MAJOR) else health
            planned = all((found := seen.get((pop, service.name))) is not None and found.planned for pop in pops)
            health = Health.MAINTENANCE if planned and mild is Health.DEGRADED else mild
            yield Component(f"{key_of(public.name)}-{key_of(name)}", name, "", health, known)


def _alone(city: str, places: Iterable[PoP]) -> bool:
    return sum(each.city == city for each in places) == 1


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


def _is_past(incident: Incident, now: Timestamp) -> bool:
    return incident.cleared is not None and incident.status is Status.CLEARED and now - incident.cleared < PAST_S


_EFFECT: Final = {
    "major": "Disruption of {}",
    "minor": "Reduced capacity of {}",
    "none": "A notice about {}",
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
        text = entry.text.partition(": ")[2] if entry.kind == "note" else ""
        if text[: len(PUBLIC_WORD)].lower() == PUBLIC_WORD:
            yield Update(entry.at, status, text[len(PUBLIC_WORD) :].strip())
    if over is not None:
        yield Update(over, "resolved", "It is over.")


def _maintenances(
    shown: Iterable[tuple[PublicComponent, Service]], now: Timestamp
) -> Iterator[PublicMaintenance]:  # fmt: skip
    for public, service in shown:
        for window in service.windows:
            if window.end > now and window.start < now + AHEAD_S:
                yield PublicMaintenance(
                    key_of(public.name), f"Planned maintenance of {public.name}", Timestamp(window.start),
                    Timestamp(window.end), window.start <= now,
                )  # fmt: skip


def _worst(found: Iterable[Health]) -> Health:
    return max(found, key=_ORDER.index, default=Health.OPERATIONAL)
