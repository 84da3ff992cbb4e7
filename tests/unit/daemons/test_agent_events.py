"""Agents' events on their way into a real store: each row once, whatever sessions come and go meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from anycastle.base.errors import MisuseError
from anycastle.daemons.agent_events import AgentEvents, LogPosition, position_key
from anycastle.io.clock import now
from anycastle.io.store import SqlStore, open_store
from anycastle.io.store.port import NotLeading
from anycastle.model.event import Event
from anycastle.wire.link.message import EventRow


def rows(texts: str) -> list[EventRow]:
    return [EventRow(now().wall, "agent_stopped", msgspec.Raw(b'{"reason": "%s"}' % text.encode())) for text in texts]


class Slow:
    """A store whose commits wait at a gate, and the taking of events before it."""

    def __init__(self, store: SqlStore, term: int) -> None:
        self.store = store
        self.gate, self.entered = asyncio.Event(), asyncio.Event()
        self._term = term
        self.events = AgentEvents(self._commit, {})
        self.running = asyncio.create_task(self.events.run())

    async def _commit(self, documents: Mapping[str, bytes | None], events: Sequence[Event]) -> None:
        self.entered.set()
        await self.gate.wait()
        await self.store.commit(self._term, documents, events)

    def come(self, first: int, texts: str) -> "asyncio.Task[int]":
        return asyncio.create_task(self.events.store("ams", "log", first, rows(texts)))

    async def stored(self) -> tuple[str, int]:
        """Give the stored events, and the position that is stored with them."""
        texts = "".join(str(event.fields["reason"]) for event in await self.store.events(pop="ams"))
        document = (await self.store.documents())[position_key("ams")]
        return texts, msgspec.json.decode(document, type=LogPosition).upto


def taking(tmp_path: Path, body: Callable[[Slow], Awaitable[None]]) -> None:
    async def main() -> None:
        store = await open_store(f"sqlite:///{tmp_path}/controller.db")
        slow = Slow(store, await store.lead("ctl:9479"))
        try:
            async with asyncio.timeout(20):
                await body(slow)
        finally:
            slow.running.cancel()
            await asyncio.gather(slow.running, return_exceptions=True)
            await store.close()

    asyncio.run(main())


@pytest.mark.mission("C4")
def test_a_session_that_returns_during_a_slow_commit_has_nothing_stored_twice(tmp_path: Path) -> None:
    async def body(slow: Slow) -> None:
        first = slow.come(1, "abc")
        await slow.entered.wait()
        returned = slow.come(1, "abcde")
        await asyncio.sleep(0)
        slow.gate.set()
        assert (await first, await returned) == (3, 5)
        assert await slow.stored() == ("abcde", 5)
        assert slow.events.stored_upto("ams", "log") == 5

    taking(tmp_path, body)


@pytest.mark.mission("C4")
def test_what_is_acknowledged_never_falls(tmp_path: Path) -> None:
    """The first session is gone before its rows are written; the one that returned tells fewer of them at first."""

    async def body(slow: Slow) -> None:
        gone = slow.come(1, "abcde")
        await asyncio.sleep(0)
        gone.cancel()
        fewer = slow.come(1, "abc")
        slow.gate.set()
        assert await fewer == 5
        assert await slow.stored() == ("abcde", 5)
        assert await slow.come(4, "def") == 6
        assert await slow.stored() == ("abcdef", 6)

    taking(tmp_path, body)


def test_rows_that_leave_some_out_are_refused_and_not_acknowledged(tmp_path: Path) -> None:
    async def body(slow: Slow) -> None:
        slow.gate.set()
        assert await slow.come(1, "ab") == 2
        with pytest.raises(MisuseError, match="events from 4, and 2 is the last one stored"):
            await slow.come(4, "d")
        assert await slow.come(3, "c") == 3
        assert await slow.stored() == ("abc", 3)

    taking(tmp_path, body)


@pytest.mark.mission("C4")
def test_at_a_takeover_nobody_waits_for_ever(tmp_path: Path) -> None:
    async def body(slow: Slow) -> None:
        written = slow.come(1, "ab")
        await slow.entered.wait()
        other = asyncio.create_task(slow.events.store("fra", "log", 1, rows("x")))
        behind = slow.come(1, "abc")
        await asyncio.sleep(0)
        slow.running.cancel()
        ended = await asyncio.gather(written, other, behind, return_exceptions=True)
        assert [type(each) for each in ended] == [asyncio.CancelledError, asyncio.CancelledError, NotLeading]
        with pytest.raises(NotLeading):
            await slow.come(1, "abc")

    taking(tmp_path, body)
