"""What the response keeps in the controller's database: documents, one a part, each JSON.

`response/engine`, `response/incident/N`, `response/counts`; and `notify/waiting/KEY`, `notify/dead/KEY` for each
delivery. They say whom something was sent to by the notifier's name; no secret is in them.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from anycastle.base.errors import ParseError
from anycastle.base.ports import Timestamp
from anycastle.response.delivery import Delivery
from anycastle.response.engine import Kept
from anycastle.response.incident import Incident, Status
from anycastle.response.severity import severity_of
from anycastle.response.symptoms.table import Diagnosis
from anycastle.response.timeline import Timeline

ENGINE: Final = "response/engine"
COUNTS: Final = "response/counts"
INCIDENT: Final = "response/incident/"
WAITING: Final = "notify/waiting/"
DEAD: Final = "notify/dead/"
BEGINNINGS: Final = ("response/", "notify/")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers that only grow."""

    notices: int = 0
    """Notices so far: the next message's key."""
    dead_beyond: int = 0
    heard: tuple[str, ...] = ()
    """PoPs that were heard at any time; others are not missed."""


@dataclass(frozen=True, slots=True)
class Stored:
    """All of it."""

    counts: Counts
    engine: Kept | None
    incidents: tuple[Incident, ...]
    waiting: tuple[Delivery, ...]
    dead: tuple[Delivery, ...]
    closed: tuple[int, ...] = ()
    """Incidents that are closed by this: what it began from was set aside."""


def encode(value: object) -> bytes:
    """Give a document's octets."""
    return msgspec.json.encode(value, order="deterministic")


def decode_all(documents: Mapping[str, bytes]) -> Stored:
    """Give what documents hold. Raises `ParseError`, with the key of one that cannot be read."""
    engine = documents.get(ENGINE)
    counts = documents.get(COUNTS)
    return Stored(
        Counts() if counts is None else _decoded(COUNTS, counts, Counts),
        None if engine is None else _decoded(ENGINE, engine, Kept),
        tuple(_all(documents, INCIDENT, Incident)),
        tuple(_all(documents, WAITING, Delivery)),
        tuple(_all(documents, DEAD, Delivery)),
    )


def waiting_of(documents: Mapping[str, bytes]) -> list[Delivery]:
    """Give the messages that wait for their notifiers. Raises `ParseError`."""
    return _all(documents, WAITING, Delivery)


def set_aside(documents: Mapping[str, bytes], now: Timestamp, *, why: str) -> Stored:
    """Give what a response begins with that sets aside what it kept: no alert is known, and open incidents are closed.

    Deliveries stay, and no number is used twice. What cannot be read is left out.
    """
    counts = _readable(COUNTS, documents.get(COUNTS), Counts) or Counts(notices=int(now))
    incidents = _all_readable(documents, INCIDENT, Incident)
    open_ones = [each for each in incidents if each.status is not Status.CLEARED]
    for each in open_ones:
        each.status, each.cleared, each.active = Status.CLEARED, now, set()
        each.note(now, "note", f"closed, and not followed any more: {why}")
    numbers = [int(key.removeprefix(INCIDENT)) for key in documents if key.startswith(INCIDENT)]
    return Stored(
        counts,
        Kept(None, max(numbers, default=0) + 1),
        tuple(incidents),
        tuple(_all_readable(documents, WAITING, Delivery)),
        tuple(_all_readable(documents, DEAD, Delivery)),
        tuple(each.id for each in open_ones),
    )


def _all_readable(documents: Mapping[str, bytes], beginning: str, wanted: type[T]) -> list[T]:
    some = {key: octets for key, octets in sorted(documents.items()) if key.startswith(beginning)}
    found = [_readable(key, octets, wanted) for key, octets in some.items()]
    return [each for each in found if each is not None]


def _readable(key: str, octets: bytes | None, wanted: type[T]) -> T | None:
    with suppress(ParseError):
        return None if octets is None else _decoded(key, octets, wanted)
    return None


def dead_of(documents: Mapping[str, bytes]) -> list[Delivery]:
    """Give the dead letters. Raises `ParseError`."""
    return _all(documents, DEAD, Delivery)


def incidents_of(documents: Mapping[str, bytes]) -> list[Incident]:
    """Give the incidents, by their numbers. Raises `ParseError`."""
    return sorted(_all(documents, INCIDENT, Incident), key=lambda each: each.id)


def _all(documents: Mapping[str, bytes], beginning: str, wanted: type[T]) -> list[T]:
    return [_decoded(key, octets, wanted) for key, octets in sorted(documents.items()) if key.startswith(beginning)]


def _decoded(key: str, octets: bytes, wanted: type[T]) -> T:
    try:
        return msgspec.json.decode(octets, type=wanted)
    except msgspec.DecodeError as error:
        raise ParseError(f"{key}: {error}") from error


def delivery_documents(
    changed: frozenset[str], waiting: Mapping[str, Delivery], dead: Mapping[str, Delivery]
) -> dict[str, bytes | None]:
    """Give the documents of deliveries that changed; None for those that are not there any more."""
    found: dict[str, bytes | None] = {}
    for key in changed:
        found[WAITING + key] = encode(waiting[key]) if key in waiting else None
        found[DEAD + key] = encode(dead[key]) if key in dead else None
    return found


def plain_row(incident: Incident) -> dict[str, Any]:
    """Give an incident without its timeline, as lists show it."""
    return {
        "id": incident.id,
        "title": incident.title,
        "kind": incident.kind,
        "status": incident.status.value,
        "urgency": incident.urgency.value,
        "severity": severity_of(incident).value,
        "opened": incident.opened,
        "cleared": incident.cleared,
        "acknowledged_by": incident.acknowledged_by or None,
        "flapping": incident.flapping,
        "pops": sorted(incident.pops),
        "services": sorted(incident.services),
        "prefixes": sorted(incident.prefixes),
        "regions": sorted(incident.regions),
        "alerts": len(incident.alerts) + incident.alerts_beyond,
    }


def plain_incident(incident: Incident) -> dict[str, Any]:
    """Give an incident as plain values, for people and other programs."""
    return {
        **plain_row(incident),
        "timeline": [{"at": entry.at, "kind": entry.kind, "text": entry.text} for entry in incident.timeline],
        "timeline_beyond": incident.timeline_beyond,
    }


def plain_lines(timeline: Timeline) -> dict[str, Any]:
    """Give a timeline that joins what the engine noted with what happened."""
    lines = [{"at": each.at, "lane": each.lane, "text": each.text, "where": each.where} for each in timeline.lines]
    return {"timeline": lines, "timeline_beyond": timeline.beyond}


def plain_diagnosis(found: Diagnosis) -> dict[str, Any]:
    """Give what a rule says of a case, and what is told of its symptom."""
    symptom, judgement = found
    return {
        "number": symptom.number,
        "name": symptom.name,
        "state": judgement.state.value,
        "weight": judgement.weight,
        "symptom": symptom.symptom,
        "cause": symptom.cause,
        "evidence": list(judgement.evidence),
        "against": list(judgement.against),
        "missing": list(judgement.missing),
        "confirm": symptom.confirm,
        "refute": symptom.refute,
        "fix": symptom.fix,
        "runbook": symptom.runbook or None,
    }


def plain_delivery(delivery: Delivery, state: str) -> dict[str, Any]:
    """Give a delivery that is `waiting` or `dead`."""
    message = delivery.message
    return {
        "key": delivery.key,
        "state": state,
        "notifier": delivery.notifier,
        "notice": message.kind.value,
        "incident": message.incident or None,
        "at": message.at,
        "title": message.title,
        "attempts": delivery.attempts,
        "why": delivery.why,
    }
