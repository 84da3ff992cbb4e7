"""Incidents and deliveries as a controller's store has them: what any controller can tell, whoever leads.

An incident is shown whole: what the engine noted, joined with the log of the time around it; the likely causes that the
log is evidence of; the runbook for its kind. The log is read from an incident's begin on, and no more than `EVENTS_MAX`
rows of it; that is a part of a second of work, done beside the loop, and one at a time.
"""

import asyncio
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from anycastle.base.ports import Timestamp
from anycastle.io import evidence, response_json, runbooks
from anycastle.io.event_log import StoredEvent
from anycastle.io.report.html import html
from anycastle.io.report.markdown import markdown
from anycastle.io.report.postmortem import document_of
from anycastle.io.response_log import topology_of
from anycastle.io.store.port import PAGE_ROWS_MAX, Store
from anycastle.model.fleet import Fleet
from anycastle.response.attached import runbook_of
from anycastle.response.delivery import Delivery
from anycastle.response.evidence import Case, Source, merged
from anycastle.response.incident import Incident
from anycastle.response.policy import policy_of
from anycastle.response.postmortem import Postmortem, postmortem_of
from anycastle.response.recorded import with_recorded
from anycastle.response.signal import Topology
from anycastle.response.story import Story, story_of
from anycastle.response.timeline import LEAD_S, TAIL_S

EVENTS_MAX: Final = 10_000
"""Rows of the log that one incident is told by."""

CLOCKS_S: Final = 3600.0
"""By so much an agent's clock may differ from the controller's, and its row still be looked for."""

CONTROLLER: Final = "controller"
"""Whose rows are in the order of its clock, and the name that rows are told by."""

FORMS: Final = {"markdown": markdown, "html": html}
"""How a postmortem can be written. Without a picture: it shows what probes lost, and their results are not in the
store."""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What was not taken yet, and what never was."""

    waiting: list[Delivery]
    dead: list[Delivery]

    def plain(self) -> list[dict[str, Any]]:
        """Give all, the dead ones first."""
        dead = [response_json.plain_delivery(each, "dead") for each in self.dead]
        return dead + [response_json.plain_delivery(each, "waiting") for each in self.waiting]


class StoredIncidents:
    """Reads a store. Every method raises `WorldError`, and `ParseError` for what cannot be read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turn = asyncio.Semaphore(1)

    async def all(self) -> list[Incident]:
        """Give the incidents that are kept, the oldest first."""
        return response_json.incidents_of(await self._store.documents(response_json.INCIDENT))

    async def one(self, number: int) -> Incident | None:
        """Give an incident."""
        key = f"{response_json.INCIDENT}{number}"
        octets = (await self._store.documents(key)).get(key)
        return None if octets is None else response_json.incidents_of({key: octets})[0]

    async def deliveries(self) -> Deliveries:
        """Give what waits for a notifier, and the dead letters."""
        waiting = response_json.waiting_of(await self._store.documents(response_json.WAITING))
        return Deliveries(waiting, response_json.dead_of(await self._store.documents(response_json.DEAD)))

    async def whole(
        self, incident: Incident, fleet: Fleet | None, services: frozenset[str] | None = None
    ) -> dict[str, Any]:
        """Give all of an incident as plain values. `services`: whose events are looked at; None for all."""
        found = await self._looked_at(incident, fleet, services)
        deliveries = (await self.deliveries()).plain()
        return {
            **response_json.plain_row(incident),
            **response_json.plain_lines(found.timeline),
            "causes": [response_json.plain_diagnosis(each) for each in found.causes],
            "not_given": list(found.gaps),
            "runbook": runbook(runbook_of(incident.kind)),
            "deliveries": [each for each in deliveries if each["incident"] == incident.id],
        }

    async def postmortem(
        self, incident: Incident, fleet: Fleet | None, form: str, services: frozenset[str] | None = None
    ) -> str:
        """Write the postmortem of an incident, as far as the store knows. `form`: one of `FORMS`."""
        found = await self._looked_at(incident, fleet, services)
        return await asyncio.to_thread(lambda: FORMS[form](document_of(found, None)))

    async def _looked_at(self, incident: Incident, fleet: Fleet | None, services: frozenset[str] | None) -> Postmortem:
        async with self._turn:
            rows, beyond = await self._rows(incident, services)
            found = await asyncio.to_thread(_look_at, incident, rows, fleet)
        more = (f"events after the first {EVENTS_MAX} of its time",) if beyond else ()
        return replace(found, gaps=(*found.gaps, *more))

    async def _rows(self, incident: Incident, services: frozenset[str] | None) -> tuple[list[StoredEvent], bool]:
        """Give the rows of an incident's time, and whether there are more than are looked at."""
        since = Timestamp(incident.opened - LEAD_S)
        until = float("inf") if incident.cleared is None else incident.cleared + TAIL_S
        after, rows = await self._beginning(since), list[StoredEvent]()
        while True:
            page = await self._store.events(after, PAGE_ROWS_MAX, services=services, since=since)
            rows += [row for row in page if row.at <= until]
            if len(page) < PAGE_ROWS_MAX or page[-1].at > until + CLOCKS_S:
                return rows[:EVENTS_MAX], len(rows) > EVENTS_MAX
            if len(rows) > EVENTS_MAX:
                return rows[:EVENTS_MAX], True
            after = page[-1].sequence

    async def _beginning(self, since: float) -> int:
        """Give a number before every row of that time, near it: whoever stored a row did so after it happened."""
        low, high = 0, (await self._store.head()).sequence
        while high - low > PAGE_ROWS_MAX:
            middle = (low + high) // 2
            row = await self._store.events(middle, 1, pop=CONTROLLER)
            if row and row[0].at < since - CLOCKS_S:
                low = middle
            else:
                high = middle
        return low


def _look_at(incident: Incident, rows: list[StoredEvent], fleet: Fleet | None) -> Postmortem:
    into = evidence.Read()
    into.events(rows, CONTROLLER)
    if fleet is not None:
        into.given.add(Source.FLEET)
    case = merged([into.case()], topology_of(fleet) if fleet is not None else Topology())
    story = _story(case, fleet)
    known = replace(case, alerts=story.alerts, notices=story.notices)
    return postmortem_of(incident, known, story, fleet)


def _story(case: Case, fleet: Fleet | None) -> Story:
    policy = policy_of(None if fleet is None else fleet.notify)
    return with_recorded(story_of(case, policy=policy), case)


@cache
def runbook(name: str) -> dict[str, Any]:
    """Give what is told of a shipped runbook."""
    found = runbooks.load(name, None)
    return {"name": name, "title": found.title, "playbook": found.about, "command": f"anycastle runbook run {name}"}
