"""The response engine: signals, causes and people's words in; notices and incidents out.

Theory of operation. An alert is one key (kind, prefix or service, PoP, region), however often it is said. It is
*raised* when it has fired for long enough, and *over* when it was quiet for long enough; what happens between changes
nothing. An alert that is raised and *explained* by a known cause, or silenced, is kept and told to nobody; if it
still fires when the cause is over, it is told then. All others belong to one incident each: the oldest open one that
speaks of the same (`belongs`), or a new one. An incident pages once, at its first alert that is urgent. So the death
of a PoP is one incident and one page, whatever follows from it. A hijack, a leak or a floor that is crossed follows
from nothing, and never hides in the incident of something else.

Time enters by `now` only, and may not go back. `deadline` says when to be woken.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.response.follows import belongs, explains
from anycastle.response.incident import Incident, Key, Status
from anycastle.response.notification import Notice, NoticeKind
from anycastle.response.policy import Policy
from anycastle.response.signal import Cause, Signal, Silence, Subject, Topology, Urgency

ALERTS_MAX: Final = 20_000
"""Alerts that are known at once; of further ones only the number is kept, and a ticket says so."""

INCIDENTS_MAX: Final = 1000
"""Incidents that are kept; the oldest cleared ones are forgotten first."""

CAUSES_MAX: Final = 1000
SILENCES_MAX: Final = 1000


@dataclass(slots=True)
class Alert:
    """An alert and where it stands."""

    signal: Signal
    since: Timestamp
    """Firing, without a pause that ended it."""
    quiet_since: Timestamp | None = None
    incident: int | None = None
    held: str = ""
    """Why nobody is told, though it is raised."""


@dataclass(slots=True)
class KnownCause:
    """A cause, and when it explains no more."""

    cause: Cause
    ends: float = inf


@dataclass(frozen=True, slots=True)
class Kept:
    """All that an engine knows beside its incidents, to begin again with."""

    now: Timestamp | None
    """None before it was told anything."""
    next: int
    alerts: tuple[Alert, ...] = ()
    causes: tuple[tuple[Cause, float | None], ...] = ()
    """Each with when it explains no more; None for not yet known."""
    silences: tuple[Silence, ...] = ()
    pages: tuple[Timestamp, ...] = ()
    folded: tuple[int, ...] = ()
    storm_told: Timestamp | None = None
    alerts_beyond: int = 0


class ResponseEngine:
    """All alerts, incidents and notices of a fleet."""

    def __init__(self, topology: Topology, policy: Policy = Policy()) -> None:
        self.topology = topology
        self.policy = policy
        self.incidents: dict[int, Incident] = {}
        self.alerts_beyond = 0
        self._alerts: dict[Key, Alert] = {}
        self._causes: dict[str, KnownCause] = {}
        self._silences: dict[str, Silence] = {}
        self._pages: list[Timestamp] = []
        self._folded: set[int] = set()
        self._storm_told: Timestamp | None = None
        self._next = 1
        self._now = Timestamp(-inf)

    def kept(self) -> Kept:
        """Give all that is known beside `incidents`."""
        return Kept(
            None if self._now == -inf else self._now,
            self._next,
            tuple(replace(each) for each in self._alerts.values()),
            tuple((each.cause, None if each.ends == inf else each.ends) for each in self._causes.values()),
            tuple(self._silences.values()),
            tuple(self._pages),
            tuple(sorted(self._folded)),
            self._storm_told,
            self.alerts_beyond,
        )

    def restore(self, kept: Kept, incidents: Iterable[Incident]) -> None:
        """Begin again with what was kept. Time goes on from there."""
        self.incidents = {each.id: each for each in sorted(incidents, key=lambda each: each.id)}
        self._now = Timestamp(-inf) if kept.now is None else kept.now
        self._next = max([kept.next, *(number + 1 for number in self.incidents)])
        self._alerts = {each.signal.key: replace(each) for each in kept.alerts}
        self._causes = {cause.id: KnownCause(cause, inf if ends is None else ends) for cause, ends in kept.causes}
        self._silences = {each.id: each for each in kept.silences}
        self._pages = list(kept.pages)
        self._folded = {number for number in kept.folded if number in self.incidents}
        self._storm_told, self.alerts_beyond = kept.storm_told, kept.alerts_beyond

    @property
    def now(self) -> Timestamp:
        """When it was last told or asked anything."""
        return self._now

    @property
    def firing(self) -> dict[Key, Signal]:
        """Give the alerts that fire, whoever was told."""
        return {key: alert.signal for key, alert in self._alerts.items() if alert.quiet_since is None}

    @property
    def causes(self) -> dict[str, Cause]:
        """Give the causes that are known and whose end is not."""
        return {name: each.cause for name, each in self._causes.items() if each.ends == inf}

    # what comes in

    def take(self, signals: Iterable[Signal], now: Timestamp) -> list[Notice]:
        """Take signals. Gives the notices that are due now."""
        self._to(now)
        for signal in signals:
            alert = self._alerts.get(signal.key)
            if alert is not None:
                self._update(alert, signal, now)
            elif signal.firing:
                if len(self._alerts) >= ALERTS_MAX:
                    self.alerts_beyond += 1
                    continue
                self._alerts[signal.key] = Alert(signal, now)
        return self.tick(now)

    def _update(self, alert: Alert, signal: Signal, now: Timestamp) -> None:
        if signal.firing:
            # Urgent once is urgent until it is over: two engines may say the same with different weight.
            urgent = Urgency.PAGE in (alert.signal.urgency, signal.urgency)
            alert.signal = replace(signal, urgency=Urgency.PAGE if urgent else Urgency.TICKET)
            alert.quiet_since = None
        elif alert.quiet_since is None:
            alert.quiet_since = now

    def begin(self, cause: Cause, now: Timestamp, lasts_s: float = inf) -> list[Notice]:
        """Take note of a cause, which is over when its end is told or after `lasts_s`. Raises `MisuseError`."""
        self._to(now)
        if len(self._causes) >= CAUSES_MAX and cause.id not in self._causes:
            raise MisuseError(f"more than {CAUSES_MAX} causes at once")
        self._causes[cause.id] = KnownCause(cause, now + lasts_s + self.policy.tail_s)
        self._fact(now, "change", f"{cause.kind.value} begins: {cause.summary}", cause.subject)
        return self.tick(now)

    def end(self, cause_id: str, now: Timestamp) -> list[Notice]:
        """Take note that a cause is over; it explains for `tail_s` more."""
        self._to(now)
        known = self._causes.get(cause_id)
        if known is None:
            raise MisuseError(f"there is no cause {cause_id!r}")
        known.ends = min(known.ends, now + self.policy.tail_s)
        self._fact(now, "change", f"{known.cause.kind.value} ends: {known.cause.summary}", known.cause.subject)
        return self.tick(now)

    def knows_cause(self, cause_id: str) -> bool:
        """Tell whether a cause was begun and still explains."""
        return cause_id in self._causes

    def silence(self, silence: Silence, now: Timestamp) -> list[Notice]:
        """Open a suppression window. Raises `MisuseError` for one that fits nothing or ends before it begins."""
        self._to(now)
        if silence.subject == Subject() or silence.end <= silence.start:
            raise MisuseError("a silence names what it is about, and ends after it begins")
        if len(self._silences) >= SILENCES_MAX:
            raise MisuseError(f"more than {SILENCES_MAX} silences at once")
        self._silences[silence.id] = silence
        return self.tick(now)

    def acknowledge(self, incident_id: int, who: str, now: Timestamp) -> None:
        """Somebody looks at it: no more reminders."""
        self._to(now)
        incident = self._incident(incident_id)
        if incident.status is Status.OPEN:
            incident.status = Status.ACKNOWLEDGED
        incident.acknowledged_by = who
        incident.note(now, "acknowledged", f"by {who}")

    def annotate(self, incident_id: int, who: str, text: str, now: Timestamp) -> None:
        """Add somebody's words to the timeline."""
        self._to(now)
        self._incident(incident_id).note(now, "note", f"{who}: {text}")

    def fact(self, at: Timestamp, kind: str, text: str, subject: Subject, now: Timestamp) -> None:
        """Put what was seen (a BGP event, a change, a probe) on the timelines of the incidents that it concerns."""
        self._to(now)
        self._fact(at, kind, text, subject)

    def _fact(self, at: Timestamp, kind: str, text: str, subject: Subject) -> None:
        for incident in self.incidents.values():
            if incident.status is not Status.CLEARED and incident.relates(subject, self.topology):
                incident.note(at, kind, text)

    def _incident(self, incident_id: int) -> Incident:
        if incident_id not in self.incidents:
            raise MisuseError(f"there is no incident {incident_id}")
        return self.incidents[incident_id]

    def _to(self, now: Timestamp) -> None:
        if now < self._now:
            raise MisuseError(f"time goes back from {self._now} to {now}")
        self._now = now

    # what time does

    def tick(self, now: Timestamp) -> list[Notice]:
        """Give the notices that are due by now."""
        self._to(now)
        self._causes = {name: each for name, each in self._causes.items() if each.ends > now}
        self._silences = {name: each for name, each in self._silences.items() if each.end > now}
        notices: list[Notice] = []
        for key, alert in list(self._alerts.items()):
            if alert.quiet_since is not None and now >= alert.quiet_since + self._patience(alert):
                self._over(key, alert, now)
            elif alert.incident is None and now >= alert.since + self._delay(alert):
                self._raise(key, alert, now, notices)
        for incident in list(self.incidents.values()):
            self._age(incident, now, notices)
        notices += self._storm_ends(now)
        self._forget()
        return notices

    def _delay(self, alert: Alert) -> float:
        urgent = alert.signal.urgency is Urgency.PAGE
        return self.policy.page_after_s if urgent else self.policy.ticket_after_s

    def _patience(self, alert: Alert) -> float:
        """Give how long an alert must be quiet to be over; one that nobody was told of ends at once."""
        return self.policy.clear_after_s if alert.incident is not None else 0.0

    def _over(self, key: Key, alert: Alert, now: Timestamp) -> None:
        del self._alerts[key]
        incident = self.incidents.get(alert.incident) if alert.incident is not None else None
        if incident is not None:
            incident.active.discard(key)
            incident.note(now, "cleared", alert.signal.summary)

    def _raise(self, key: Key, alert: Alert, now: Timestamp, notices: list[Notice]) -> None:
        alert.held = self._why_held(alert.signal, now)
        if alert.held:
            return
        subject = alert.signal.subject
        incident = self._related(alert.signal, now)
        if incident is None:
            incident = self._open(alert.signal, now)
        elif incident.status is Status.CLEARED:
            incident.status, incident.cleared, incident.acknowledged_by = Status.OPEN, None, ""
            incident.openings = [*incident.openings, now][-self.policy.flaps - 1 :]
            incident.note(now, "alert", "it comes back")
            incident.paged = None
        alert.incident = incident.id
        incident.active.add(key)
        incident.last_raised = now
        incident.widen(key, subject, self.topology)
        incident.note(now, "alert", alert.signal.summary)
        urgent = alert.signal.urgency is Urgency.PAGE
        first = len(incident.active) == 1 and incident.paged is None
        if urgent:
            incident.urgency = Urgency.PAGE
            if incident.paged is None:
                self._page(incident, now, notices)
        elif first and incident.urgency is Urgency.TICKET:
            self._tell(Notice(now, NoticeKind.TICKET, incident.id, incident.title), incident, notices)

    def _why_held(self, signal: Signal, now: Timestamp) -> str:
        for known in self._causes.values():
            if explains(known.cause, signal.name, signal.subject, self.topology):
                return f"{known.cause.kind.value}: {known.cause.summary}"
        for silence in self._silences.values():
            if silence.start <= now < silence.end and silence.fits(signal.subject):
                return f"silenced: {silence.reason}"
        return ""

    def _related(self, signal: Signal, now: Timestamp) -> Incident | None:
        """Give the oldest incident that the alert belongs to: of its own PoP first, open ones before cleared ones."""
        pop = signal.subject.pop
        found = [
            incident
            for incident in self.incidents.values()
            if belongs(signal, incident, self.topology) and self._takes(incident, pop, now)
        ]
        return min(
            found,
            key=lambda each: (each.status is Status.CLEARED, not (pop and pop in each.pops), each.id),
            default=None,
        )

    def _takes(self, incident: Incident, pop: str, now: Timestamp) -> bool:
        """Tell whether it is young enough. What is of its own PoP it takes as long as it lasts."""
        if incident.active and pop and pop in incident.pops:
            return True
        return now <= max(incident.last_raised, incident.cleared or -inf) + self.policy.join_s

    def _open(self, signal: Signal, now: Timestamp) -> Incident:
        incident = Incident(self._next, now, signal.summary, signal.urgency, kind=signal.name, openings=[now])
        self._next += 1
        self.incidents[incident.id] = incident
        return incident

    def _age(self, incident: Incident, now: Timestamp, notices: list[Notice]) -> None:
        """Clear an incident without alerts; remind of one that nobody looks at."""
        if incident.status is Status.CLEARED:
            if incident.flapping and incident.cleared is not None and now >= incident.cleared + self.policy.flap_s:
                incident.flapping = False
            return
        if not incident.active:
            incident.status, incident.cleared = Status.CLEARED, now
            told = incident.paged is not None or incident.urgency is Urgency.TICKET
            if told and not incident.flapping and incident.id not in self._folded:
                self._tell(Notice(now, NoticeKind.CLEARED, incident.id, incident.title), incident, notices)
            self._folded.discard(incident.id)
        elif (
            incident.status is Status.OPEN
            and incident.paged is not None
            and not incident.flapping
            and incident.id not in self._folded
            and now >= incident.paged + self.policy.remind_s
        ):
            self._page(incident, now, notices, NoticeKind.REMINDER)

    def _page(
        self, incident: Incident, now: Timestamp, notices: list[Notice], kind: NoticeKind = NoticeKind.PAGE
    ) -> None:
        """Wake somebody, unless it flaps, or pages storm."""
        incident.paged = now
        if incident.flapping:
            incident.note(now, "notified", "nobody: it is flapping")
            return
        recent = [at for at in incident.openings if at > now - self.policy.flap_s]
        if kind is NoticeKind.PAGE and len(recent) > self.policy.flaps:
            incident.flapping, kind = True, NoticeKind.FLAPPING
        self._pages = [at for at in self._pages if at > now - self.policy.storm_s]
        if len(self._pages) >= self.policy.storm_pages:
            self._fold(incident, now, notices)
            return
        self._pages.append(now)
        self._tell(Notice(now, kind, incident.id, incident.title), incident, notices)

    def _fold(self, incident: Incident, now: Timestamp, notices: list[Notice]) -> None:
        """Count an incident into the storm; the first one is told, and the sum when the storm ends."""
        self._folded.add(incident.id)
        incident.note(now, "notified", "folded into a storm of pages")
        if self._storm_told is None:
            self._storm_told = now
            text = f"more than {self.policy.storm_pages} pages in {self.policy.storm_s:g} s: further ones are counted"
            notices.append(Notice(now, NoticeKind.STORM, 0, text, len(self._folded)))

    def _storm_ends(self, now: Timestamp) -> list[Notice]:
        """Tell, once pages are allowed again, how many incidents were folded and still go on."""
        if self._storm_told is None or now < self._storm_told + self.policy.storm_s:
            return []
        waiting = {each for each in self._folded if self.incidents[each].active}
        self._storm_told, self._folded = None, set()
        if not waiting:
            return []
        self._pages = [at for at in self._pages if at > now - self.policy.storm_s]
        self._pages.append(now)
        named = ", ".join(self.incidents[each].title for each in sorted(waiting)[:5])
        text = f"{len(waiting)} incidents were folded and go on: {named}{', ...' if len(waiting) > 5 else ''}"
        for each in waiting:
            self.incidents[each].paged = now
        return [Notice(now, NoticeKind.STORM, 0, text, len(waiting))]

    def _tell(self, notice: Notice, incident: Incident, notices: list[Notice]) -> None:
        incident.note(notice.at, "notified", notice.kind.value)
        notices.append(notice)

    def _forget(self) -> None:
        if len(self.incidents) > INCIDENTS_MAX:
            cleared = [number for number, each in self.incidents.items() if each.status is Status.CLEARED]
            for number in cleared[: len(self.incidents) - INCIDENTS_MAX]:
                del self.incidents[number]

    @property
    def held(self) -> dict[Key, str]:
        """Give the alerts that fire and are told to nobody, with why."""
        return {key: alert.held for key, alert in self._alerts.items() if alert.incident is None and alert.held}

    def deadline(self) -> Timestamp:
        """Give when time alone will change something; infinity where it will not."""
        soon = inf
        for alert in self._alerts.values():
            if alert.quiet_since is not None:
                soon = min(soon, alert.quiet_since + self._patience(alert))
            elif alert.incident is None and not alert.held:
                soon = min(soon, alert.since + self._delay(alert))
        soon = min([soon, *(each.ends for each in self._causes.values())])
        soon = min([soon, *(at for each in self._silences.values() for at in (each.start, each.end) if at > self._now)])
        for incident in self.incidents.values():
            if incident.status is Status.OPEN and incident.paged is not None and not incident.flapping:
                soon = min(soon, incident.paged + self.policy.remind_s)
        if self._storm_told is not None:
            soon = min(soon, self._storm_told + self.policy.storm_s)
        return Timestamp(soon)
