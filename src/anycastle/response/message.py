"""What is told of a notice, whoever it is told to: plain, complete, and the same each time it is sent again."""

from dataclasses import dataclass

from anycastle.base.ports import Timestamp
from anycastle.response.incident import Incident
from anycastle.response.notification import PAGES, Notice, NoticeKind
from anycastle.response.signal import Topology, Urgency

LAST_LINES = 10
"""Lines of the timeline that go with a notice."""

NAMES_MAX = 20
"""Names of PoPs, services or prefixes that go with it."""

TEXT_MAX = 500


@dataclass(frozen=True, slots=True)
class Message:
    """One notice, with what somebody who is woken by it wants to know first."""

    key: str
    """Tells this notice from all others: what is sent twice carries it twice."""
    incident_key: str
    """The same for all notices of an incident."""
    fleet: str
    incident: int
    """0 of what is about no incident: a storm, a test."""
    kind: NoticeKind
    urgency: Urgency
    """Of the incident: a notice that it is over goes to those who were told that it began."""
    at: Timestamp
    opened: Timestamp
    title: str
    alert: str = ""
    """The kind of the alert that opened it."""
    pops: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    folded: int = 0
    was_ticket: bool = False
    """It was a ticket before it became a page."""
    timeline: tuple[str, ...] = ()

    @property
    def over(self) -> bool:
        """Whether it says that something is over."""
        return self.kind is NoticeKind.CLEARED

    @property
    def headline(self) -> str:
        """Give it in one line."""
        said = "over" if self.over else self.kind.value
        number = f" #{self.incident}" if self.incident else ""
        return f"[{self.fleet}{number} {said}] {self.title}"


def message_of(notice: Notice, number: int, incident: Incident | None, fleet: str, topology: Topology) -> Message:
    """Give the message of a notice; `number` counts all notices of the fleet, so that no two have one key."""
    key = f"{number:08d}"
    if incident is None:
        urgency = Urgency.PAGE if notice.kind in PAGES else Urgency.TICKET
        title = notice.text[:TEXT_MAX]
        return Message(
            key, f"{fleet}/notice-{key}", fleet, 0, notice.kind, urgency, notice.at, notice.at, title,
            folded=notice.folded,
        )  # fmt: skip
    served = {name for pop in incident.pops for name in _services(topology, pop)}
    return Message(
        key,
        f"{fleet}/{incident.id}",
        fleet,
        incident.id,
        notice.kind,
        incident.urgency,
        notice.at,
        incident.opened,
        notice.text[:TEXT_MAX],
        incident.kind,
        _names(incident.pops),
        _names(incident.services or served),
        _names(incident.prefixes),
        _names(incident.regions),
        notice.folded,
        was_ticket=incident.urgency is Urgency.PAGE
        and any(entry.kind == "notified" and entry.text == NoticeKind.TICKET.value for entry in incident.timeline),
        timeline=tuple(f"{entry.kind}: {entry.text[:TEXT_MAX]}" for entry in incident.timeline[-LAST_LINES:]),
    )


def _services(topology: Topology, pop: str) -> frozenset[str]:
    place = topology.pops.get(pop)
    return place.services if place else frozenset()


def _names(names: set[str]) -> tuple[str, ...]:
    return tuple(sorted(names)[:NAMES_MAX])
