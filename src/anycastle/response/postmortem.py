"""What an incident was, in figures: when it began, was seen, acted on and over; whom it hurt; what automation did.

A moment that the evidence does not hold is None and is told as *not known*: a postmortem that guesses is worse than
one with a gap. *Began* is the first sign of any kind. Detection is counted from the first answer that a client lost,
which only probes outside can tell; what agents see first has no delay that their own logs could show.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.model import event as events
from anycastle.model.check import Check, Severity
from anycastle.model.fleet import Fleet
from anycastle.response.evidence import Case, Fact, Lane, Probed, Source
from anycastle.response.incident import Incident
from anycastle.response.notification import PAGES
from anycastle.response.story import Story
from anycastle.response.symptoms.symptom import State
from anycastle.response.symptoms.table import Diagnosis, diagnose
from anycastle.response.timeline import LEAD_S, TAIL_S, Timeline, concerns, timeline_of

BUCKETS: Final = 400
"""Parts of the time that impact is shown in, at most."""

BUCKET_S: Final = 0.25
"""The shortest part."""


@dataclass(frozen=True, slots=True)
class Moments:
    """When what happened; None: not known, or it did not."""

    began: Timestamp | None
    """The first sign."""
    first_loss: Timestamp | None
    """The first answer that a probe did not get."""
    detected: Timestamp | None
    """The first engine that said so."""
    opened: Timestamp
    paged: Timestamp | None
    acknowledged: Timestamp | None
    acted: Timestamp | None
    """The first withdrawal, drain or other act against it."""
    act: str
    last_loss: Timestamp | None
    """The last answer that a probe did not get: clients are served since then."""
    cleared: Timestamp | None

    @property
    def detection_s(self) -> float | None:
        """Give the time from the first lost answer to the first word of an engine."""
        return _between(self.first_loss, self.detected)

    @property
    def page_s(self) -> float | None:
        """Give the time from the first sign to the page."""
        return _between(self.began, self.paged)

    @property
    def mitigation_s(self) -> float | None:
        """Give the time from the first sign to the first act."""
        return _between(self.began, self.acted)

    @property
    def recovery_s(self) -> float | None:
        """Give the time from the first lost answer to the last one."""
        return _between(self.first_loss, self.last_loss)


def _between(start: Timestamp | None, end: Timestamp | None) -> float | None:
    """Give the time from one moment to another, below 0 where the other came first; None where one is not known."""
    return None if start is None or end is None else end - start


@dataclass(frozen=True, slots=True)
class Impact:
    """What a region's probes lost."""

    region: str
    asked: int
    lost: int
    networks: int
    networks_hurt: int
    first: Timestamp | None
    last: Timestamp | None
    series: tuple[tuple[Timestamp, float | None], ...]
    """Begin of each part of the time -> share of its probes without an answer; None where none was asked."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Whether the hysteresis of a PoP's service was adequate."""

    pop: str
    service: str
    failures: int
    """Times that a check's verdict became unhealthy."""
    moves: int
    """Changes of the stance."""
    confirm_s: float | None
    """From the first lost answer to the first verdict."""
    allowed_s: float | None
    """What the checks' intervals and `fall` give at worst; None without the fleet's files."""
    judged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Postmortem:
    """All of it."""

    incident: Incident
    timeline: Timeline
    moments: Moments
    impact: tuple[Impact, ...]
    automation: tuple[Fact, ...]
    patience: tuple[Patience, ...]
    causes: tuple[Diagnosis, ...]
    gaps: tuple[str, ...]
    """What was not given, and what is not known for it."""


def postmortem_of(incident: Incident, case: Case, story: Story, fleet: Fleet | None = None) -> Postmortem:
    """Give the postmortem of an incident."""
    start, end = _span(incident, case)
    facts = [
        fact
        for fact in (*case.facts, *story.probe_facts)
        if start <= fact.at <= end and concerns(incident, fact, case.topology)
    ]
    probes = [probe for probe in case.probes if start <= probe.at <= end]
    moments = _moments(incident, facts, probes, story)
    within = Case(
        tuple(fact for fact in case.facts if start <= fact.at <= end), tuple(probes), case.samples, case.reports,
        tuple(each for each in story.alerts if start <= each[0] <= end), story.notices, case.topology, case.given,
    )  # fmt: skip
    causes = [each for each in diagnose(within) if each.judgement.state in (State.LIKELY, State.POSSIBLE)]
    return Postmortem(
        incident,
        timeline_of(incident, case, story),
        moments,
        tuple(_impact(probes, start, end)),
        tuple(fact for fact in facts if _by_automation(fact) and fact.at >= (moments.began or start)),
        tuple(_patience(facts, moments, fleet)),
        tuple(causes),
        tuple(source.value for source in _lacking(case)),
    )


def _lacking(case: Case) -> list[Source]:
    return [source for source in (Source.PROBES, Source.WATCH, Source.EVENTS, Source.FLEET) if source not in case.given]


def _span(incident: Incident, case: Case) -> tuple[float, float]:
    known = case.span or (incident.opened, incident.opened)
    end = known[1] if incident.cleared is None else min(known[1], incident.cleared + TAIL_S)
    return max(known[0], incident.opened - LEAD_S), max(end, incident.opened)


def _signs(facts: list[Fact]) -> Iterable[Fact]:
    """Give the facts that say that something is wrong; a session that was never up is not lost."""
    up: set[tuple[str, str]] = set()
    for fact in facts:
        if isinstance(fact.body, events.SessionChanged):
            key = fact.pop, f"{fact.body.upstream} {fact.body.neighbour}"
            if fact.body.state == "established":
                up.add(key)
            elif key in up:
                up.discard(key)
                yield fact
        elif _is_sign(fact):
            yield fact


def _is_sign(fact: Fact) -> bool:
    match fact.body:
        case events.CheckChanged(verdict=verdict):
            return verdict == "unhealthy"
        case events.FindingOpened() | events.LeaseLapsed() | events.RouterDiverged() | events.WithdrawalRefused():
            return True
        case _:
            return fact.lane is Lane.PROBE and "no answer" in fact.text


def _is_act(fact: Fact) -> bool:
    """Tell whether a fact is something that was done against it."""
    match fact.body:
        case events.AnnouncementsApplied(announced, changed, withdrawn):
            return bool(withdrawn or changed) and not announced
        case events.DrainChanged(step=step):
            return step != "normal"
        case events.OperatorCommanded(granted=granted):
            return granted
        case events.LeaseLapsed():
            return True
        case events.RolloutChanged(state=state):
            return state == "rolling back"
        case events.RunbookStepped(state=state, step=step):
            return state == "done" and bool(step)
        case _:
            return False


def _moments(incident: Incident, facts: list[Fact], probes: list[Probed], story: Story) -> Moments:
    lost = [probe.at for probe in probes if not probe.answered]
    said = list(_signs(facts))
    signs = [fact.at for fact in said]
    # Probes are what clients lose; that nothing else noticed is told where there is nothing else.
    engines = [fact.at for fact in said if fact.lane is not Lane.PROBE] or signs
    began = min([*signs, *lost], default=None)
    acts = [fact for fact in facts if _is_act(fact) and (began is None or fact.at >= began)]
    pages = [each.at for each in story.notices if each.incident == incident.id and each.kind in PAGES]
    taken = [entry.at for entry in incident.timeline if entry.kind == "acknowledged"]
    return Moments(
        began, min(lost, default=None), min(engines, default=None), incident.opened, min(pages, default=None),
        min(taken, default=None), acts[0].at if acts else None, acts[0].text if acts else "",
        max(lost, default=None), incident.cleared,
    )  # fmt: skip


def _impact(probes: list[Probed], start: float, end: float) -> Iterable[Impact]:
    """Give what each region lost, the hurt ones first."""
    width = max(BUCKET_S, (end - start) / BUCKETS)
    by_region: dict[str, list[Probed]] = {}
    for probe in probes:
        by_region.setdefault(probe.region, []).append(probe)
    found = []
    for region, some in by_region.items():
        lost = [probe for probe in some if not probe.answered]
        cells: dict[int, list[bool]] = {}
        for probe in some:
            cells.setdefault(int((probe.at - start) / width), []).append(not probe.answered)
        parts = range(int((end - start) / width) + 1)
        series = tuple(
            (Timestamp(start + part * width), sum(cells[part]) / len(cells[part]) if part in cells else None)
            for part in parts
        )
        found.append(
            Impact(
                region, len(some), len(lost), len({probe.network for probe in some}),
                len({probe.network for probe in lost}), lost[0].at if lost else None, lost[-1].at if lost else None,
                series,
            )
        )  # fmt: skip
    return sorted(found, key=lambda each: (-each.lost / each.asked, each.region))


_AUTOMATIC: Final = (
    events.StanceChanged, events.AnnouncementsApplied, events.AnnouncementsConfirmed, events.WithdrawalRefused,
    events.PermitChanged, events.LeaseLapsed, events.RouterDiverged,
)  # fmt: skip


def _by_automation(fact: Fact) -> bool:
    if isinstance(fact.body, events.RolloutChanged):
        return fact.body.state == "rolling back"
    return isinstance(fact.body, _AUTOMATIC)


def _patience(facts: list[Fact], moments: Moments, fleet: Fleet | None) -> Iterable[Patience]:
    keys = {(fact.pop, fact.body.service) for fact in facts if isinstance(fact.body, events.CheckChanged)}
    for pop, service in sorted(keys):
        mine = [fact for fact in facts if fact.pop == pop and getattr(fact.body, "service", "") == service]
        failed = [
            fact for fact in mine if isinstance(fact.body, events.CheckChanged) and fact.body.verdict == "unhealthy"
        ]
        if not failed:
            continue
        stances = [
            fact for fact in mine if isinstance(fact.body, events.StanceChanged) and fact.at >= (moments.began or 0.0)
        ]
        confirm_s = _between(moments.first_loss, failed[0].at)
        if confirm_s is not None and confirm_s < 0:
            confirm_s = None
        allowed_s = _allowed_s(fleet, service)
        judged = tuple(_judged(len(failed), confirm_s, allowed_s, moments, failed[0]))
        yield Patience(pop, service, len(failed), len(stances), confirm_s, allowed_s, judged)


def _allowed_s(fleet: Fleet | None, service: str) -> float | None:
    """Give the longest time that a service's hard checks take to notice, by the files."""
    if fleet is None:
        return None
    checks = [check for each in fleet.services if each.name == service for check in each.checks]
    return max((worst_s(check) for check in checks if check.severity is Severity.HARD), default=None)


def worst_s(check: Check) -> float:
    """Give how long a check may take: an interval to the first failure, `fall` - 1 confirmations, all timing out."""
    return check.interval_s + (check.fall - 1) * check.confirm_interval_s + check.fall * check.timeout_s


def _judged(
    failures: int, confirm_s: float | None, allowed_s: float | None, moments: Moments, first: Fact
) -> Iterable[str]:
    if failures > 1:
        yield f"it failed {failures} times: if nobody mended it in between, `fall` or dampening is too small"
    else:
        yield "it failed once and did not flap"
    if moments.first_loss is None:
        yield "no probe outside lost an answer, or none was asked: whether the check was right is not known"
    elif moments.first_loss > first.at:
        yield "the check failed before any client lost an answer"
    if confirm_s is not None and allowed_s is not None:
        within = "within" if confirm_s <= allowed_s else "longer than"
        given = f"{within} the {allowed_s:.1f} s that its files give"
        yield f"confirmed {confirm_s:.1f} s after the first lost answer, {given}"
    elif confirm_s is not None:
        yield f"confirmed {confirm_s:.1f} s after the first lost answer; what its files give is not known"
