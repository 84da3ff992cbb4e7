"""One timeline of an incident: what people and engines did, what routes did, what probes saw, in one order of time."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.response.evidence import Case, Fact, Lane
from anycastle.response.incident import Incident
from anycastle.response.signal import Subject, Topology
from anycastle.response.story import Story

LEAD_S: Final = 900.0
"""Before an incident opens: what led to it is of these minutes, or is known by other means."""

TAIL_S: Final = 300.0
"""After it is cleared."""

OF_INCIDENTS: Final = frozenset({"incident_changed", "notice_sent", "notice_dead"})
"""Kinds of events that are an incident's own lines already, where a controller wrote them down (`recorded`)."""

LINES_MAX: Final = 5000
"""Of one timeline; further ones are counted."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line."""

    at: Timestamp
    lane: str
    """A lane of facts, or what the engine says: alert, cleared, notified, acknowledged, note."""
    text: str
    where: str
    """Where it is written; empty of what the engine says."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """All lines of an incident, oldest first."""

    incident: Incident
    lines: tuple[Line, ...]
    beyond: int
    """Lines for which there was no room."""


def timeline_of(incident: Incident, case: Case, story: Story) -> Timeline:
    """Join what the engine noted with what happened meanwhile and concerns the incident."""
    start = incident.opened - LEAD_S
    end = (incident.cleared if incident.cleared is not None else float("inf")) + TAIL_S
    said = [Line(entry.at, entry.kind, entry.text, "") for entry in incident.timeline if entry.kind != "change"]
    facts = [fact for fact in (*case.facts, *story.probe_facts) if start <= fact.at <= end]
    happened = [
        Line(fact.at, fact.lane.value, f"{fact.pop}: {fact.text}" if fact.pop else fact.text, fact.where)
        for fact in facts
        if concerns(incident, fact, case.topology)
    ]
    lines = sorted([*happened, *_news(said, happened)], key=lambda line: line.at)
    return Timeline(incident, tuple(lines[:LINES_MAX]), max(0, len(lines) - LINES_MAX))


def concerns(incident: Incident, fact: Fact, topology: Topology) -> bool:
    """Tell whether a fact belongs on an incident's timeline.

    What names nothing (a freeze, a rollout of the fleet) belongs on all; a run of a runbook on its own incident's.
    """
    if fact.kind in OF_INCIDENTS:
        return False
    if fact.lane is Lane.RUNBOOK:
        named = getattr(fact.body, "incident", "")
        return named == str(incident.id)
    if fact.subject == Subject():
        return fact.lane is not Lane.ALARM
    return incident.relates(fact.subject, topology)


def _news(said: Iterable[Line], happened: Iterable[Line]) -> list[Line]:
    """Give what the engine says, without what stands there in the same words at the same moment already."""
    known = {(line.at, line.text) for line in happened}
    return [line for line in said if line.lane != "cleared" or (line.at, line.text) not in known]
