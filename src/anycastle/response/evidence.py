"""What is known of a span of time, from everywhere: events, probes, telemetry, what agents say of themselves.

A *case* holds all of it in the order of time, and which kinds of sources were given at all: a rule that finds nothing
must tell whether nothing was there, or nobody looked. Each piece of evidence says where it stands (`fra1.db:17`), so
that a human can read it there.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from operator import attrgetter
from typing import Any, TypeVar

from anycastle.base.ports import Timestamp
from anycastle.model.event import Body
from anycastle.response.notification import Notice
from anycastle.response.signal import Signal, Subject, Topology

B = TypeVar("B")


class Source(Enum):
    """Kinds of sources, as an operator gives them."""

    EVENTS = "event logs of agents or the controller"
    WATCH = "the watch's event log"
    PROBES = "probes' results"
    TELEMETRY = "telemetry of PoPs"
    REPORTS = "agents' reports"
    ALERTS = "a file of alerts"
    FLEET = "the fleet's files"


class Lane(Enum):
    """What a line of a timeline is about."""

    BGP = "bgp"
    FINDING = "finding"
    CHANGE = "change"
    AUTOMATION = "automation"
    CHECK = "check"
    ALARM = "alarm"
    PROBE = "probe"
    BURN = "burn"
    RUNBOOK = "runbook"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened."""

    at: Timestamp
    lane: Lane
    text: str
    subject: Subject
    where: str
    """Where it is written."""
    body: Body | None = None
    """The event, where it is one."""
    pop: str = ""
    """Whose log it is; empty of what the controller or the watch says."""
    kind: str = ""
    """As the log names it; empty of what is no event."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Of an event, as they are stored: also where this release does not know its kind."""

    def __str__(self) -> str:
        return f"{self.text} [{self.where}]"


@dataclass(frozen=True, slots=True)
class Probed:
    """One probe of an anycast address, by a vantage point. Probes that could not ask are not evidence."""

    at: Timestamp
    vantage: str
    network: str
    """By what it shares its fate with others: its AS."""
    region: str
    """Of the fleet's PoP that is nearest to it; else its country; else empty."""
    target: str
    address: str
    kind: str
    failure: str
    """Its kind; empty where all is well."""
    words: str
    rtt_ms: float | None
    pop: str
    local_port: int | None
    hops: tuple[str, ...]
    """Of a traceroute: who answered at each distance, `*` where nobody did."""
    where: str

    @property
    def answered(self) -> bool:
        """Tell whether the target was reached: what answers wrongly is reached."""
        return not self.failure or self.failure in ("content", "site", "protocol", "tls", "black_hole")


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a PoP's telemetry."""

    at: Timestamp
    pop: str
    metric: str
    value: float


@dataclass(frozen=True, slots=True)
class Report:
    """What an agent said of itself once."""

    pop: str
    at: Timestamp | None
    exported: frozenset[tuple[str, str]]
    """Prefix and upstream."""
    established: frozenset[str]
    """Upstreams with a session that is up."""
    problems: tuple[str, ...]
    stances: Mapping[str, str]
    where: str


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known. Facts, probes and samples are in the order of time."""

    facts: tuple[Fact, ...] = ()
    probes: tuple[Probed, ...] = ()
    samples: tuple[Sample, ...] = ()
    reports: tuple[Report, ...] = ()
    alerts: tuple[tuple[Timestamp, Signal], ...] = ()
    """What engines said to the response engine, firing or quiet; of a case whose story was played."""
    notices: tuple[Notice, ...] = ()
    """What went out for it."""
    topology: Topology = field(default_factory=Topology)
    given: frozenset[Source] = frozenset()

    def of(self, kind: type[B]) -> list[tuple[Fact, B]]:
        """Give the facts that are events of a kind, each with its event."""
        return [(fact, fact.body) for fact in self.facts if isinstance(fact.body, kind)]

    def findings(self, *kinds: str) -> list[Fact]:
        """Give the facts of findings of these kinds."""
        return [fact for fact in self.facts if getattr(fact.body, "finding_kind", None) in kinds]

    @property
    def span(self) -> tuple[Timestamp, Timestamp] | None:
        """Give the first and the last moment that anything is known of."""
        times = [
            *(each.at for each in self.facts),
            *(each.at for each in self.probes),
            *(each.at for each in self.samples),
        ]
        return (min(times), max(times)) if times else None


def any_within(times: Sequence[float], first: float, last: float) -> bool:
    """Tell whether one of some times, which are in order, lies between two moments."""
    place = bisect_left(times, first)
    return place < len(times) and times[place] <= last


def merged(parts: Iterable[Case], topology: Topology) -> Case:
    """Give one case of several."""
    some = list(parts)
    at = attrgetter("at")
    return Case(
        tuple(sorted((each for part in some for each in part.facts), key=at)),
        tuple(sorted((each for part in some for each in part.probes), key=at)),
        tuple(sorted((each for part in some for each in part.samples), key=at)),
        tuple(each for part in some for each in part.reports),
        topology=topology,
        given=frozenset().union(*(part.given for part in some)),
    )
