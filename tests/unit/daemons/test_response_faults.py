"""A controller whose response meets a fault of its own: it begins anew, and somebody is told, whatever it fails by."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from anycastle.daemons import responding
from anycastle.daemons.controller import ControllerDaemon
from anycastle.daemons.notifying import Notifying
from anycastle.io import response_json
from anycastle.io.store import SqlStore, open_store
from anycastle.io.stored_folders import StoredFolders
from anycastle.model.notify import Notifier, NotifyPlan, Route, Slack
from anycastle.response import faults
from anycastle.response.engine import ResponseEngine
from anycastle.response.orders import Acknowledge
from anycastle.response.policy import Policy
from anycastle.response.signal import Signal, Subject, Urgency
from tests.unit.daemons.test_responding import Told
from tests.unit.web.world import NoAgents

PLAN = NotifyPlan((Notifier("pager", Slack("/pager")),), (Route("page", ("pager",)), Route("ticket", ("pager",))))
HIJACK = Signal("hijack", Subject(prefix="192.0.2.0/24"), Urgency.PAGE, firing=True, summary="AS64666")

POISON = Signal("poison", Subject(pop="ams"), Urgency.TICKET, firing=True, summary="what it fails by")


class Says:
    """A source that says what a test has it say."""

    def __init__(self) -> None:
        self.signals: list[Signal] = []

    async def run(self, take: Callable[[str, list[Signal]], None]) -> None:
        while True:
            take("test", self.signals)
            await asyncio.sleep(0.02)


class World:
    def __init__(self, store: SqlStore) -> None:
        self.store, self.told, self.says, self.lines = store, Told(), Says(), list[str]()
        notifying = Notifying(PLAN, self.told.sender)
        self.daemon = ControllerDaemon(
            store, StoredFolders(store), "ctl:1", self.lines.append, notifying=notifying, sources=[self.says]
        )
        self.daemon.listener = NoAgents()
        self.task = asyncio.create_task(self.daemon.run())

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        async with asyncio.timeout(60):
            while not condition():
                assert not self.task.done(), what
                await asyncio.sleep(0.01)

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.store.close()


@pytest.fixture
def lived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[World], Awaitable[None]]], None]:
    monkeypatch.setattr(responding, "LIVE", Policy(page_after_s=0.1, ticket_after_s=0.1, clear_after_s=60.0))
    init = responding.Responding.__init__

    def quick(self: Any, *words: Any) -> None:
        init(self, *words, policy=responding.LIVE)

    monkeypatch.setattr(responding.Responding, "__init__", quick)
    monkeypatch.setattr(faults, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(faults, "LAST_PAUSE_S", 0.1)

    def live(body: Callable[[World], Awaitable[None]]) -> None:
        async def main() -> None:
            world = World(await open_store(f"sqlite:///{tmp_path}/store.db"))
            try:
                await body(world)
            finally:
                await world.end()

        asyncio.run(main())

    return live


@contextmanager
def failing(when: Callable[[ResponseEngine], bool]) -> Iterator[list[int]]:
    """Have the engine fail where a condition holds; gives a list that grows by each time."""
    tick, times = ResponseEngine.tick, list[int]()

    def broken(self: ResponseEngine, now: Any) -> Any:
        if when(self):
            times.append(len(times))
            raise ZeroDivisionError("xyzzy")
        return tick(self, now)

    ResponseEngine.tick = broken  # type: ignore[method-assign]
    try:
        yield times
    finally:
        ResponseEngine.tick = tick  # type: ignore[method-assign]


Live = Callable[[Callable[[World], Awaitable[None]]], None]


@pytest.mark.mission("C15")
def test_a_fault_is_told_and_the_response_goes_on_from_what_it_kept(lived: Live) -> None:
    async def body(w: World) -> None:
        w.says.signals = [HIJACK]
        await w.until(lambda: bool(w.told.took), "the page")
        await w.until(lambda: not w.daemon.responding.deliveries.waiting, "it is over")
        term, left = w.daemon.term(), [1]
        with failing(lambda _: bool(left) and bool(left.pop())) as times:
            w.says.signals = [HIJACK, Signal("x", Subject(pop="a"), Urgency.TICKET, firing=True, summary="x")]
            await w.until(lambda: len(times) == 1, "it fails once")
            await w.until(lambda: any("response failed" in each[2] for each in w.told.said), "a ticket")
        keys = {message.key for _, message in w.told.took if message.title == "AS64666"}
        assert len(keys) == 1, "what was paged is paged no more; it may come twice under its one key"
        assert ("pager", "ticket") in {(name, kind) for name, kind, title in w.told.said if "ZeroDivision" in title}
        assert w.daemon.term() == term, "the leadership goes on"
        assert any("begins anew" in line and "xyzzy" in line for line in w.lines)
        assert not any("xyzzy" in title for _, _, title in w.told.said), "what it says stays here"
        alarms = await w.store.events(kinds=["alarm"])
        assert [each.fields["code"] for each in alarms] == ["response_failed"]
        assert await w.daemon.respond(Acknowledge(1), "ada") == ()

    lived(body)


@pytest.mark.mission("C15")
def test_what_it_fails_by_is_set_aside_and_what_is_wrong_pages_anew(lived: Live) -> None:
    async def body(w: World) -> None:
        w.says.signals = [HIJACK, POISON]
        await w.until(lambda: len(w.told.took) == 2, "both are told")
        await w.until(lambda: not w.daemon.responding.deliveries.waiting, "it is over")
        with failing(lambda engine: any(kind == "poison" for kind, *_ in engine._alerts)) as times:
            w.says.signals = [HIJACK]
            await w.until(lambda: len(times) >= 3, "it fails by what was kept")
            await w.until(lambda: any("incidents begin anew" in line for line in w.lines), "it sets that aside")
            await w.until(lambda: [title for _, _, title in w.told.said].count("AS64666") == 2, "the hijack pages anew")
        assert any("incidents may be missed" in title for _, _, title in w.told.said), "told past the response"
        kept = response_json.incidents_of(await w.store.documents(response_json.INCIDENT))
        numbers = [each.id for each in kept]
        assert len(numbers) == len(set(numbers))
        assert numbers[:2] == [1, 2], "no number is used twice"
        assert all(any("not followed any more" in entry.text for entry in each.timeline) for each in kept[:2])

    lived(body)


@pytest.mark.mission("C15")
def test_where_it_fails_by_everything_somebody_is_told_all_the_same(lived: Live) -> None:
    async def body(w: World) -> None:
        with failing(lambda _: True):
            w.says.signals = [HIJACK]
            await w.until(lambda: bool(w.told.took), "a page past the response")
            assert w.told.said[0][1] == "page"
            assert w.told.said[0][2].endswith("; incidents may be missed")
            assert w.daemon.term() is not None
        await w.until(lambda: "AS64666" in [title for _, _, title in w.told.said], "mended, it pages as ever")

    lived(body)
