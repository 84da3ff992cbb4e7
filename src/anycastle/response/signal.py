"""What comes in: statements that something is wrong, or no longer; causes that are known; and where PoPs belong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from anycastle.base.ports import Timestamp


class Urgency(Enum):
    """Who is told: a person now, or a queue."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a signal is about; what it does not name is empty."""

    service: str = ""
    prefix: str = ""
    pop: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Signal:
    """An alert of some engine, firing or quiet."""

    name: str
    """Its kind: a name of `KINDS`, or another that nothing is known of."""
    subject: Subject
    urgency: Urgency
    firing: bool
    summary: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Give what makes two signals the same alert: kind, prefix (else service), PoP, region."""
        subject = self.subject
        return self.name, subject.prefix or subject.service, subject.pop, subject.region


class CauseKind(Enum):
    """Why something may be wrong without anybody having to do anything."""

    DRAIN = "drain"
    MAINTENANCE = "maintenance"
    CHANGE = "change"
    """A route of ours was changed on purpose: the Internet converges."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause that is known."""

    id: str
    kind: CauseKind
    subject: Subject
    """What it is about: a PoP, or a prefix at all PoPs."""
    summary: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a PoP belongs."""

    region: str
    services: frozenset[str]
    prefixes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Topology:
    """PoPs by name."""

    pops: Mapping[str, Place] = field(default_factory=dict)

    def region_of(self, pop: str) -> str:
        """Give a PoP's region; '' of one that is not known."""
        place = self.pops.get(pop)
        return place.region if place else ""

    def serves(self, pop: str, subject: Subject) -> bool:
        """Tell whether a PoP announces what a subject names; a subject that names neither is served by all."""
        place = self.pops.get(pop)
        if place is None:
            return True
        by_service = not subject.service or subject.service in place.services
        return by_service and (not subject.prefix or subject.prefix in place.prefixes)

    def serves_more(self, pop: str, service: str) -> bool:
        """Tell whether a PoP serves others beside a service."""
        place = self.pops.get(pop)
        return place is not None and bool(place.services - {service})


@dataclass(frozen=True, slots=True)
class Silence:
    """A suppression window: alerts that fit are kept, and nobody is told until it ends."""

    id: str
    start: Timestamp
    end: Timestamp
    subject: Subject
    """What it fits: every name that it gives must be the alert's. An empty one fits nothing."""
    reason: str

    def fits(self, subject: Subject) -> bool:
        """Tell whether it is about this subject."""
        pairs = (
            (self.subject.service, subject.service),
            (self.subject.prefix, subject.prefix),
            (self.subject.pop, subject.pop),
            (self.subject.region, subject.region),
        )
        named = [(mine, theirs) for mine, theirs in pairs if mine]
        return bool(named) and all(mine == theirs for mine, theirs in named)
