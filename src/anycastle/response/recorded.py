"""Incidents as a controller that responds live wrote them down: their numbers are those that people were paged with.

Where a log holds such rows, they are the incidents, and none are made of the same log anew. Rows are read by their
fields, so that a release that cannot write them reads them all the same.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from anycastle.base.ports import Timestamp
from anycastle.response.evidence import Case, Fact
from anycastle.response.incident import Incident, Status
from anycastle.response.notification import Notice, NoticeKind
from anycastle.response.signal import Urgency
from anycastle.response.story import Story

CHANGED: Final = "incident_changed"
SENT: Final = "notice_sent"
DEAD: Final = "notice_dead"

NOTED: Final = "note"
"""What an `incident_changed` says that only adds somebody's words."""


def with_recorded(story: Story, case: Case) -> Story:
    """Give the story with the incidents that were written down, where there are any; else as it is."""
    found: dict[int, Incident] = {}
    for fact in case.facts:
        if fact.kind == CHANGED:
            _fold(found, fact, fact.fields)
    if not found:
        return story
    notices = tuple(_notices(found, case.facts))
    story.engine.incidents = found
    return replace(story, notices=notices)


def _fold(found: dict[int, Incident], fact: Fact, fields: Mapping[str, Any]) -> None:
    number, change = int(fields.get("incident", 0)), str(fields.get("change", ""))
    urgency = Urgency.PAGE if fields.get("urgency") == Urgency.PAGE.value else Urgency.TICKET
    incident = found.get(number)
    if incident is None:
        title, kind = str(fields.get("title", "")), str(fields.get("alert", ""))
        incident = found[number] = Incident(number, fact.at, title, urgency, kind=kind, openings=[fact.at])
    if urgency is Urgency.PAGE:
        incident.urgency = urgency
    for name, names in (("pops", incident.pops), ("services", incident.services), ("prefixes", incident.prefixes)):
        names.update(map(str, fields.get(name) or ()))
    said, who = str(fields.get("text", "")), str(fields.get("who", ""))
    match change:
        case "cleared":
            incident.status, incident.cleared = Status.CLEARED, fact.at
        case "acknowledged":
            incident.status, incident.acknowledged_by = Status.ACKNOWLEDGED, who
        case "came back":
            incident.status, incident.cleared = Status.OPEN, None
            incident.openings.append(fact.at)
        case _:
            pass
    kind = change if change in ("cleared", "acknowledged", NOTED) else "alert"
    incident.note(fact.at, kind, said or f"{change}{f' by {who}' if who else ''}: {incident.title}")


def _notices(found: Mapping[int, Incident], facts: Iterable[Fact]) -> Iterable[Notice]:
    """Give what notifiers took, each notice once, whoever took it first."""
    known: set[str] = set()
    kinds = {each.value: each for each in NoticeKind}
    for fact in facts:
        if fact.kind == DEAD:
            _note_dead(found, fact.at, fact.fields)
        if fact.kind != SENT or (name := str(fact.fields.get("notice", ""))) in known:
            continue
        known.add(name)
        number, kind = int(fact.fields.get("incident", 0)), kinds.get(str(fact.fields.get("notice_kind", "")))
        incident = found.get(number)
        if incident is not None and kind is not None:
            incident.note(fact.at, "notified", f"{kind.value}, by {fact.fields.get('notifier', '')}")
            yield Notice(fact.at, kind, number, incident.title)


def _note_dead(found: Mapping[int, Incident], at: Timestamp, fields: Mapping[str, Any]) -> None:
    """Note that somebody was not told: a page that reached nobody belongs on the timeline above all."""
    incident = found.get(int(fields.get("incident", 0)))
    if incident is not None:
        incident.note(at, "notified", f"{fields.get('notifier', '')} was never told: {fields.get('why', '')}")
