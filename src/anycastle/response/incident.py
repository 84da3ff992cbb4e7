"""An incident: what belongs together, with one timeline."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple

from anycastle.base.ports import Timestamp
from anycastle.response.signal import Subject, Topology, Urgency

TIMELINE_MAX: Final = 1000
"""Entries of one incident; of those beyond only the number is kept."""

ALERTS_MAX: Final = 500
"""Alerts of one incident that are kept by name; further ones are counted."""

Key = tuple[str, str, str, str]


class Status(Enum):
    """Where an incident stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLEARED = "cleared"


class Entry(NamedTuple):
    """One line of a timeline."""

    at: Timestamp
    kind: str
    """alert, cleared, notified, acknowledged, note, or what a fact is: bgp, change, probe, burn."""
    text: str


@dataclass(slots=True)
class Incident:
    """One thing that is wrong, however many alerts speak of it."""

    id: int
    opened: Timestamp
    title: str
    urgency: Urgency
    kind: str = ""
    """Of the alert that opened it."""
    services: set[str] = field(default_factory=set)
    prefixes: set[str] = field(default_factory=set)
    pops: set[str] = field(default_factory=set)
    regions: set[str] = field(default_factory=set)
    status: Status = Status.OPEN
    active: set[Key] = field(default_factory=set)
    alerts: set[Key] = field(default_factory=set)
    alerts_beyond: int = 0
    timeline: list[Entry] = field(default_factory=list)
    timeline_beyond: int = 0
    last_raised: Timestamp = Timestamp(0.0)
    cleared: Timestamp | None = None
    acknowledged_by: str = ""
    openings: list[Timestamp] = field(default_factory=list)
    """When it was opened and came back, the last few."""
    paged: Timestamp | None = None
    """Last time; None where nobody was woken."""
    flapping: bool = False

    def note(self, at: Timestamp, kind: str, text: str) -> None:
        """Add a line, in the order of time."""
        if len(self.timeline) >= TIMELINE_MAX:
            self.timeline_beyond += 1
            return
        place = len(self.timeline)
        while place and self.timeline[place - 1].at > at:
            place -= 1
        self.timeline.insert(place, Entry(at, kind, text))

    def widen(self, key: Key, subject: Subject, topology: Topology) -> None:
        """Take an alert in."""
        if len(self.alerts) < ALERTS_MAX:
            self.alerts.add(key)
        elif key not in self.alerts:
            self.alerts_beyond += 1
        for name, names in (
            (subject.service, self.services),
            (subject.prefix, self.prefixes),
            (subject.pop, self.pops),
            (subject.region or topology.region_of(subject.pop), self.regions),
        ):
            if name:
                names.add(name)

    def relates(self, subject: Subject, topology: Topology) -> bool:
        """Tell whether an alert about `subject` speaks of this incident.

        Of a PoP: where the incident is about that PoP; or about none yet, and what both name agrees. Of no PoP: where
        what it names is served by one of the incident's PoPs and lies in their region, if it names one.
        """
        if subject.pop:
            if self.pops:
                return subject.pop in self.pops
            return self._agrees(subject) and self._in_regions(topology.region_of(subject.pop))
        if self.pops:
            served = any(topology.serves(pop, subject) for pop in self.pops)
            return served and self._agrees(subject) and self._in_regions(subject.region)
        return self._agrees(subject) and self._in_regions(subject.region)

    def _agrees(self, subject: Subject) -> bool:
        """Tell whether services and prefixes that both name are the same."""
        by_service = not subject.service or not self.services or subject.service in self.services
        return by_service and (not subject.prefix or not self.prefixes or subject.prefix in self.prefixes)

    def _in_regions(self, region: str) -> bool:
        return not region or not self.regions or region in self.regions
