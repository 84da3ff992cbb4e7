"""The response of a leadership over a real store: what is kept, who is told, and what a successor does."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from anycastle.base.errors import MisuseError, WorldError
from anycastle.daemons.leadership import AgentSeen
from anycastle.daemons.notifying import Notifying
from anycastle.daemons.responding import Responding, stored_response
from anycastle.io import response_json
from anycastle.io.agent_sections import PoPBook, sections_of
from anycastle.io.clock import now
from anycastle.io.notifiers.port import DeliveryError
from anycastle.io.response_json import plain_delivery, plain_incident
from anycastle.io.store import SqlStore, open_store
from anycastle.io.store.port import Once
from anycastle.model.event import Event
from anycastle.model.fleet import Fleet
from anycastle.model.notify import Notifier, NotifyPlan, Route, Slack, Target
from anycastle.response.incident import Status
from anycastle.response.message import Message
from anycastle.response.notification import NoticeKind
from anycastle.response.orders import Acknowledge, Annotate, SendAgain
from anycastle.response.policy import Policy
from anycastle.response.signal import Signal, Subject, Urgency
from anycastle.rollout.desired import Desired
from anycastle.rollout.kept import Kept
from anycastle.session.link_report import SectionsChanged
from tests.unit.health.world import fleet, service

POPS = ("ams", "fra", "lon")
PLAN = NotifyPlan(
    (Notifier("pager", Slack("/pager")), Notifier("desk", Slack("/desk"))),
    (Route("page", ("pager",)), Route("ticket", ("desk",)), Route("page", ("desk",), services=("web",))),
)
QUICK = Policy(page_after_s=0.3, ticket_after_s=0.3, clear_after_s=0.3, remind_s=60.0)


@dataclass
class Told:
    """All notifiers: what they took, and how they fail."""

    took: list[tuple[str, Message]] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)

    def sender(self, target: Target) -> Any:
        assert isinstance(target, Slack)
        name, told = target.url_file.removeprefix("/"), self

        class Sender:
            async def send(self, message: Message) -> None:
                if name in told.fails:
                    raise told.fails[name]
                told.took.append((name, message))

            async def close(self) -> None: ...

        return Sender()

    @property
    def said(self) -> list[tuple[str, str, str]]:
        return [(name, message.kind.value, message.title) for name, message in self.took]


class Lead:
    """A leadership as the response looks at it."""

    def __init__(self) -> None:
        self.agents: dict[str, AgentSeen] = {}
        self.stirred = asyncio.Event()
        self.fleet: Fleet = replace(fleet(service()), name="net")
        self.kept_now = Kept(Desired("r0"))

    def says(self, pop: str, stance: str = "announce", drain: str = "normal") -> None:
        route = {"prefix": "192.0.2.0/24", "upstream": "transit"}
        routes = [route] if stance == "announce" else []
        status = {
            "services": [{"name": "dns", "stance": stance, "permit": "none", "prefixes": ["192.0.2.0/24"],
                          "drain": {"step": drain}, "reason": "dns: no answer"}],
            "wanted": routes, "exported": routes, "pop": pop, "ready": True, "booted": True, "settled": True,
            "sessions": [{"upstream": "transit", "neighbour": "n", "state": "established", "families": ["ipv4"]}],
        }  # fmt: skip
        seen = self.agents.setdefault(pop, AgentSeen(True, now().wall, book=PoPBook(pop)))
        seen.connected = True
        sections = sections_of(status)
        assert seen.book is not None
        seen.state = seen.book.take(SectionsChanged(sections, {}), sections)
        self.stirred.set()

    def leaves(self, pop: str) -> None:
        self.agents[pop].connected = False
        self.stirred.set()


class World:
    """Leaderships one after the other, over one store."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.told = Told()
        self.lines: list[str] = []
        self.term = 0
        self.task: asyncio.Task[None] | None = None
        self.refuses: Exception | None = None

    async def lead(self, grace_s: float = 0.0, *pops: str) -> None:
        """Begin a leadership; these PoPs have spoken."""
        self.lead_ = Lead()
        for pop in pops:
            self.lead_.says(pop)
        self.term = await self.store.lead("ctl")
        term = self.term
        stored = response_json.decode_all(await self.store.documents())

        async def commit(
            documents: Mapping[str, bytes | None], events: Sequence[Event], once: Once | None = None
        ) -> None:
            if self.refuses is not None:
                raise self.refuses
            await self.store.commit(term, documents, events, once)

        self.notifying = Notifying(PLAN, self.told.sender)
        self.responding = Responding(
            self.lead_, commit, stored, self.notifying, self.lines.append, QUICK, grace_s=grace_s
        )
        self.task = asyncio.create_task(self.responding.run())

    async def dies(self) -> None:
        """End it at once; nothing of its memory is left."""
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.store.resign()

    async def until(self, condition: Callable[[], bool], what: str = "") -> None:
        async with asyncio.timeout(20):
            while not condition():
                assert self.task is None or not self.task.done() or self.refuses, self.task
                await asyncio.sleep(0.01)

    async def events(self, kind: str) -> list[dict[str, Any]]:
        return [event.fields for event in await self.store.events(kinds=[kind])]


def lived(tmp_path: Path, body: Callable[[World], Awaitable[None]]) -> None:
    async def main() -> None:
        store = await open_store(f"sqlite:///{tmp_path}/controller.db")
        world = World(store)
        try:
            await body(world)
        finally:
            if world.task is not None:
                world.task.cancel()
                await asyncio.gather(world.task, return_exceptions=True)
            await store.close()

    asyncio.run(main())


GONE = "fra is gone: its agent has no session"


@pytest.mark.mission("C15")
def test_a_pop_that_leaves_is_one_page_and_its_return_is_told_once(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        await w.lead(0.0, *POPS)
        w.lead_.leaves("fra")
        await w.until(lambda: bool(w.told.took), "a page")
        assert w.told.said == [("pager", "page", GONE)]
        message = w.told.took[0][1]
        assert (message.fleet, message.pops, message.services, message.incident_key) == (
            "net", ("fra",), ("dns",), "net/1",
        )  # fmt: skip
        w.lead_.says("fra")
        await w.until(lambda: len(w.told.took) == 2)
        assert w.told.said[1] == ("pager", "cleared", GONE)
        await w.until(lambda: not w.responding.deliveries.waiting and not w.responding.deliveries.changed)
        await asyncio.sleep(0.3)  # of turns
        changes = await w.events("incident_changed")
        assert [each["change"] for each in changes] == ["opened", "cleared"]
        assert [each["notice_kind"] for each in await w.events("notice_sent")] == ["page", "cleared"]
        assert not [key for key in await w.store.documents() if key.startswith("notify/")]

    lived(tmp_path, body)


@pytest.mark.mission("C15")
def test_a_drain_pages_nobody_and_a_failure_beside_it_pages(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        await w.lead(0.0, *POPS)
        w.lead_.says("fra", "withdraw", "withdrawn")
        await asyncio.sleep(1.0)  # beyond `page_after_s`
        assert w.responding.engine.incidents == {}
        w.lead_.says("ams", "withdraw")
        await w.until(lambda: bool(w.told.took))
        assert w.told.said == [("pager", "page", "dns is withdrawn at ams: dns: no answer")]
        w.lead_.says("fra", "withdraw")  # the drain ended, and its tail still explains
        await asyncio.sleep(1.0)
        assert len(w.told.took) == 1

    lived(tmp_path, body)


@pytest.mark.mission("C15", "C16")
def test_a_successor_delivers_what_was_not_and_opens_nothing_anew(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        await w.lead(0.0, *POPS)
        w.told.fails["pager"] = DeliveryError("no route to host")
        w.lead_.leaves("fra")
        await w.until(lambda: any("no route to host" in line for line in w.lines))
        await w.dies()
        w.told.fails.clear()
        await w.lead(60.0, "ams", "lon")
        await w.until(lambda: bool(w.told.took))
        assert w.told.said == [("pager", "page", GONE)]
        await asyncio.sleep(1.0)  # beyond `page_after_s`
        assert len(w.told.took) == 1, "within its grace it goes by what was known, and tells nobody again"
        assert list(w.responding.engine.incidents) == [1]
        w.lead_.says("fra")
        await w.until(lambda: len(w.told.took) == 2)
        assert w.told.said[1] == ("pager", "cleared", GONE)

    lived(tmp_path, body)


def test_what_is_not_durable_is_not_sent(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        await w.lead(0.0, *POPS)
        await w.until(lambda: set(POPS) == set(w.responding._counts.heard))
        w.refuses = WorldError("disk full")
        w.lead_.leaves("fra")
        assert w.task is not None
        await asyncio.wait({w.task}, timeout=20)
        with pytest.raises(WorldError, match="disk full"):
            await w.task
        assert w.told.took == []

    lived(tmp_path, body)


def test_pops_that_come_back_after_a_takeover_are_not_missed(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        await w.lead(0.0, *POPS)
        w.lead_.leaves("fra")
        await w.until(lambda: bool(w.told.took))
        while await w.store.documents("notify/"):  # what was taken, and is still kept, would be sent again
            await asyncio.sleep(0.01)
        await w.dies()
        w.told.took.clear()
        await w.lead(1.5)
        await asyncio.sleep(0.8)
        for pop in POPS:
            w.lead_.says(pop)
        await w.until(lambda: bool(w.told.took))
        assert w.told.said == [("pager", "cleared", GONE)]

    lived(tmp_path, body)


def test_after_its_grace_a_pop_that_did_not_come_back_is_missed_and_one_never_heard_is_not(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        await w.lead(0.0, "ams", "fra")
        w.lead_.leaves("ams")
        await w.until(lambda: bool(w.told.took))
        await w.dies()
        await w.lead(0.3, "ams")
        await w.until(lambda: ("pager", "page", GONE) in w.told.said)
        assert not [each for each in w.told.said if "lon" in each[2]]

    lived(tmp_path, body)


def test_all_gone_is_one_page_about_the_controller(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        await w.lead(0.0, *POPS)
        for pop in POPS:
            w.lead_.leaves(pop)
        await w.until(lambda: bool(w.told.took))
        await asyncio.sleep(1.0)
        assert w.told.said == [("pager", "page", "none of 3 PoPs has a session with the controller")]

    lived(tmp_path, body)


@pytest.mark.mission("C15")
def test_what_is_refused_is_shown_and_can_be_sent_again(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        await w.lead(0.0, *POPS)
        w.told.fails["pager"] = DeliveryError("status 400", retryable=False)
        w.lead_.leaves("fra")
        await w.until(lambda: bool(w.responding.deliveries.dead) and not w.responding.deliveries.changed)
        await asyncio.sleep(0.3)
        (letter,) = response_json.dead_of(await w.store.documents("notify/dead/"))
        assert plain_delivery(letter, "dead")["why"] == "status 400"
        assert [each["why"] for each in await w.events("notice_dead")] == ["status 400"]
        with pytest.raises(MisuseError, match="no dead letter x"):
            await w.responding.order(SendAgain(("x",)), "ada")
        w.told.fails.clear()
        assert await w.responding.order(SendAgain(None), "ada") == (letter.key,)
        await w.until(lambda: bool(w.told.took))
        await w.until(lambda: not w.responding.deliveries.waiting)
        await asyncio.sleep(0.3)
        assert not await w.store.documents("notify/")

    lived(tmp_path, body)


def test_an_acknowledgement_is_durable_and_in_the_log(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        await w.lead(0.0, *POPS)
        w.lead_.leaves("fra")
        await w.until(lambda: bool(w.told.took))
        with pytest.raises(MisuseError, match="no incident 7"):
            await w.responding.order(Acknowledge(7), "ada")
        await w.responding.order(Acknowledge(1), "ada")
        await w.responding.order(Annotate(1, "fibre cut"), "ada")
        (kept,) = response_json.incidents_of(await w.store.documents("response/incident/"))
        shown = plain_incident(kept)
        assert (shown["status"], shown["acknowledged_by"]) == ("acknowledged", "ada")
        assert "ada: fibre cut" in [entry["text"] for entry in shown["timeline"]]
        changes = await w.events("incident_changed")
        assert [(each["change"], each["who"]) for each in changes] == [
            ("opened", ""), ("acknowledged", "ada"), ("note", "ada"),
        ]  # fmt: skip
        assert changes[-1]["text"] == "ada: fibre cut"

    lived(tmp_path, body)


def test_another_source_says_all_that_fires(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        await w.lead(0.0, *POPS)
        hijack = Signal("hijack", Subject(prefix="192.0.2.0/24"), Urgency.PAGE, firing=True, summary="AS64666")
        w.responding.take("watch", [hijack])
        await w.until(lambda: bool(w.told.took))
        assert w.told.said == [("pager", "page", "AS64666")]
        w.responding.take("watch", [])
        await w.until(lambda: len(w.told.took) == 2)
        assert w.told.took[1][1].kind is NoticeKind.CLEARED

    lived(tmp_path, body)


def test_a_failure_of_ours_in_a_notifier_is_a_failed_delivery_and_shows_nothing(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        await w.lead(0.0, *POPS)
        w.told.fails["pager"] = RuntimeError("token xyzzy")
        w.lead_.leaves("fra")
        await w.until(lambda: any("RuntimeError" in line for line in w.lines))
        assert not any("xyzzy" in line for line in w.lines)
        w.told.fails.clear()
        await w.until(lambda: bool(w.told.took))

    lived(tmp_path, body)


def test_another_plan_is_gone_by_at_once(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        await w.lead(0.0, *POPS)
        w.told.fails["pager"] = DeliveryError("down")
        w.lead_.leaves("fra")
        await w.until(lambda: any("down" in line for line in w.lines))
        only = NotifyPlan((Notifier("desk", Slack("/desk")),), (Route("page", ("desk",)),))
        await w.notifying.reload(only)
        await w.until(lambda: bool(w.responding.deliveries.dead))
        w.lead_.says("fra")
        await w.until(lambda: bool(w.told.took))
        assert w.told.said == [("desk", "cleared", GONE)]

    lived(tmp_path, body)


def test_how_long_it_is_quiet_before_it_is_over_is_the_plans(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        await w.lead(0.0, *POPS)
        await w.notifying.reload(replace(PLAN, clear_after_s=3600.0))
        w.lead_.leaves("fra")
        await w.until(lambda: bool(w.told.took))
        w.lead_.says("fra")
        await w.until(lambda: not w.responding.engine.firing)
        await asyncio.sleep(2 * QUICK.clear_after_s)  # by which it would be over without the plan's
        (incident,) = w.responding.engine.incidents.values()
        assert incident.status is Status.OPEN
        await w.notifying.reload(replace(PLAN, clear_after_s=0.1))
        await w.until(lambda: incident.status is Status.CLEARED)

    lived(tmp_path, body)


def test_who_was_heard_is_durable_though_nothing_is_wrong(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        await w.lead(0.0, *POPS)
        while response_json.decode_all(await w.store.documents()).counts.heard != POPS:
            await asyncio.sleep(0.01)

    lived(tmp_path, body)


def test_what_cannot_be_read_is_told_and_left_out(tmp_path: Path) -> None:
    async def body(w: World) -> None:
        await w.lead(0.0, *POPS)
        w.lead_.leaves("fra")
        await w.until(lambda: bool(w.told.took))
        await w.dies()
        term = await w.store.lead("ctl")
        stored = await stored_response(w.store, w.lines.append)
        assert [each.id for each in stored.incidents] == [1]
        await w.store.commit(term, {"response/engine": b"{"}, [])
        stored = await stored_response(w.store, w.lines.append)
        assert stored.engine is not None
        assert (stored.engine.alerts, stored.engine.next) == ((), 2), "no number is used twice"
        assert [(each.id, each.status.value) for each in stored.incidents] == [(1, "cleared")]
        assert stored.closed == (1,)
        assert stored.counts.notices == 1, "no key is used twice"
        assert "incidents begin anew: what was kept cannot be read: response/engine" in w.lines[-1]
        await w.store.commit(term, {"response/counts": b"{"}, [])
        assert (await stored_response(w.store, w.lines.append)).counts.notices > 1e9

    lived(tmp_path, body)
