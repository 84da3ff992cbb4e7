"""Events as facts: which lane each kind belongs to, what it is about, and its line in words. One table.

A kind that is not in the table is told by its name: nothing that a log holds is left out of a timeline because this
module does not know it.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from anycastle.model import event as events
from anycastle.model.event import KIND_OF, Body, Event
from anycastle.response.evidence import Fact, Lane
from anycastle.response.signal import Subject

OBSERVERS: Final = frozenset({"", "watch", "controller", "runbook"})
"""Names in the column of PoPs that are none."""


class _Line(NamedTuple):
    lane: Lane
    text: Callable[[Any], str]


def _finding(verb: str) -> Callable[[Any], str]:
    def text(body: Any) -> str:
        concerns = ", ".join(body.prefixes[:3]) + (", ..." if len(body.prefixes) > 3 else "")
        seen = f", seen by {body.peers} peers" if hasattr(body, "peers") else f" after {body.lasted_s:.0f} s"
        return f"{body.finding_kind} of {concerns} {verb}: {body.subject} ({body.severity}){seen}"

    return text


def _converged(body: events.ConvergenceMeasured) -> str:
    p95 = "is beyond what was watched" if body.converged_s_p95 is None else f"{body.converged_s_p95:.1f} s"
    return f"{body.action} of {body.prefix}: {body.reacted} of {body.peers} peers reacted; p95 of convergence {p95}"


def _applied(body: events.AnnouncementsApplied) -> str:
    parts = (("announced", body.announced), ("changed", body.changed), ("withdrawn", body.withdrawn))
    return "router told: " + "; ".join(f"{word} {', '.join(routes)}" for word, routes in parts if routes)


def _rollout(body: events.RolloutChanged) -> str:
    paused = ", paused" if body.paused else ""
    return (
        f"rollout {body.rollout} by {body.who}: {body.state}, step {body.step} of {body.steps}{paused}; {body.reason}"
    )


LINES: Final[Mapping[type[Body], _Line]] = MappingProxyType(
    {
        events.AgentStarted: _Line(Lane.AUTOMATION, lambda body: f"agent {body.version} starts"),
        events.AgentStopped: _Line(Lane.AUTOMATION, lambda body: f"agent stops: {body.reason}"),
        events.CheckChanged: _Line(
            Lane.CHECK, lambda body: f"check {body.check} of {body.service} is {body.verdict}: {body.evidence}"
        ),
        events.StanceChanged: _Line(
            Lane.AUTOMATION, lambda body: f"{body.service}: {body.stance}, because {body.reason}"
        ),
        events.AnnouncementsFound: _Line(
            Lane.BGP, lambda body: f"router found announcing {', '.join(body.announced) or 'nothing'}"
        ),
        events.AnnouncementsApplied: _Line(Lane.BGP, _applied),
        events.AnnouncementsConfirmed: _Line(Lane.BGP, lambda body: f"exports confirmed: {body.routes} routes"),
        events.RouterDiverged: _Line(Lane.BGP, lambda body: f"router differs: {body.problem}"),
        events.WithdrawalRefused: _Line(
            Lane.AUTOMATION, lambda body: f"withdrawal of {body.service} refused: {body.reason}"
        ),
        events.PermitChanged: _Line(Lane.AUTOMATION, lambda body: f"withdraw permit of {body.service} {body.change}"),
        events.DrainChanged: _Line(
            Lane.CHANGE,
            lambda body: f"drain of {body.scope} is {body.step}, by {body.owner or 'nobody'}: {body.reason}",
        ),
        events.AssignmentTaken: _Line(
            Lane.CHANGE, lambda body: f"assignment {body.digest[:12]} taken from {body.origin}"
        ),
        events.AssignmentRefused: _Line(
            Lane.CHANGE, lambda body: f"assignment {body.digest[:12]} refused: {body.reason}"
        ),
        events.LeaseLapsed: _Line(
            Lane.AUTOMATION,
            lambda body: f"watchdog: agent silent for {body.silent_s:.1f} s, {body.action} of {body.service}",
        ),
        events.SessionChanged: _Line(
            Lane.BGP,
            lambda body: f"session with {body.upstream} ({body.neighbour}) is {body.state} {body.reason}".rstrip(),
        ),
        events.ControllerMet: _Line(Lane.AUTOMATION, lambda body: f"controller {body.address} met"),
        events.ControllerLost: _Line(
            Lane.AUTOMATION, lambda body: f"controller {body.address} lost: {body.reason}"
        ),
        events.OperatorCommanded: _Line(
            Lane.CHANGE,
            lambda body: f"{body.owner}: {body.command}{'' if body.granted else ' (refused)'}; {body.reason}",
        ),
        events.Alarm: _Line(Lane.ALARM, lambda body: f"{body.code} of {body.subject}: {body.text}"),
        events.FindingOpened: _Line(Lane.FINDING, _finding("opens")),
        events.FindingUpdated: _Line(Lane.FINDING, _finding("goes on")),
        events.FindingCleared: _Line(Lane.FINDING, _finding("is over")),
        events.ConvergenceMeasured: _Line(Lane.BGP, _converged),
        events.RolloutChanged: _Line(Lane.CHANGE, _rollout),
        events.GateJudged: _Line(
            Lane.CHANGE, lambda body: f"gate {body.gate} of rollout {body.rollout} step {body.step}: {body.verdict}"
        ),
        events.ApprovalGiven: _Line(Lane.CHANGE, lambda body: f"{body.who} approves {body.subject}: {body.reason}"),
        events.FreezeChanged: _Line(
            Lane.CHANGE, lambda body: f"{'freeze' if body.frozen else 'thaw'} by {body.who}: {body.reason}"
        ),
        events.IncidentChanged: _Line(
            Lane.ALARM, lambda body: f"incident {body.incident} {body.change}: {body.title}"
        ),
        events.NoticeSent: _Line(
            Lane.ALARM, lambda body: f"{body.notifier} was told of incident {body.incident}: {body.notice_kind}"
        ),
        events.NoticeDead: _Line(
            Lane.ALARM, lambda body: f"{body.notifier} was never told of incident {body.incident}: {body.why}"
        ),
        events.RunbookStepped: _Line(
            Lane.RUNBOOK,
            lambda body: f"{body.runbook} {body.run}"
            + (f", step {body.step} ({body.title})" if body.step else "")
            + f": {body.state}"
            + (f" by {body.who}" if body.who else ""),
        ),
    }
)  # fmt: skip


def fact_of(event: Event, where: str) -> Fact:
    """Give the fact that an event is."""
    line = LINES.get(type(event.body))
    lane, text = (Lane.ALARM, KIND_OF[type(event.body)]) if line is None else (line.lane, line.text(event.body))
    pop = "" if event.pop in OBSERVERS else event.pop
    return Fact(event.at, lane, text, _subject(event.body, pop), where, event.body, pop)


def _subject(body: Body, pop: str) -> Subject:
    """Give what an event is about: its PoP, and the service or the prefix that it names."""
    service = getattr(body, "service", "") or (body.scope if isinstance(body, events.DrainChanged) else "")
    prefixes = getattr(body, "prefixes", None) or ((body.prefix,) if hasattr(body, "prefix") else ())
    return Subject(service=service, prefix=prefixes[0] if prefixes else "", pop=pop)
