"""Agents' events on their way into the controller's log: many agents at once, one transaction for what comes together.

Each row of an agent's log is stored once: how far a log was read is a document, written in the same transaction. What
cannot be understood as one of the events that this release knows is kept out, and counted with the row as read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakValueDictionary

import msgspec

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.io.event_log import stored_event
from anycastle.io.store.port import NotLeading
from anycastle.model.event import Event
from anycastle.wire.link.message import EventRow

GATHER_S: Final = 0.1
"""How long the first event of a transaction waits for others."""

BATCH_ROWS_MAX: Final = 5_000
"""Events of one transaction."""

Commit = Callable[[Mapping[str, bytes | None], Sequence[Event]], Awaitable[None]]


class LogPosition(msgspec.Struct, frozen=True):
    """How far a PoP's log is stored."""

    log: str
    upto: int


def position_key(pop: str) -> str:
    """Give the key of the document that says how far a PoP's log is stored."""
    return f"agent-log/{pop}"


@dataclass(slots=True)
class _Waiting:
    pop: str
    log: str
    first: int
    events: list[Event | None]
    """One for each row; None for a row that is not known."""
    done: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def beyond(self, upto: int) -> list[Event]:
        """Give the events whose rows come after a number."""
        return [event for event in self.events[max(0, upto + 1 - self.first) :] if event is not None]


class AgentEvents:
    """Gathers and stores."""

    def __init__(self, commit: Commit, positions: Mapping[str, LogPosition]) -> None:
        self._commit = commit
        self._positions = dict(positions)
        self._waiting: list[_Waiting] = []
        self._storing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """PoP -> held while rows of it wait: a session that returns meanwhile has the same rows again."""
        self._arrived = asyncio.Event()
        self._over = False
        self.unknown = 0
        """Rows that this release does not know, of a later one."""

    def stored_upto(self, pop: str, log: str) -> int:
        """Give up to which number a PoP's log is stored; 0 for a log that was never seen."""
        return _upto(self._positions.get(pop), log)

    async def store(self, pop: str, log: str, first: int, rows: Sequence[EventRow]) -> int:
        """Store rows durably, each number once; give up to which number it is all stored.

        Raises `MisuseError` for rows that leave some out, and `NotLeading` once `run` has ended.
        """
        async with self._storing.setdefault(pop, asyncio.Lock()):
            if self._over:
                raise NotLeading("this controller does not lead any more: events are not stored by it")
            if first + len(rows) - 1 > self.stored_upto(pop, log):
                waiting = _Waiting(pop, log, first, [self._event(pop, row) for row in rows])
                self._waiting.append(waiting)
                self._arrived.set()
                await waiting.done
            return self.stored_upto(pop, log)

    async def run(self) -> None:
        """Write what comes, until cancelled; what still waits then is cancelled. Raises what the store raises."""
        try:
            while True:
                await self._arrived.wait()
                await asyncio.sleep(GATHER_S)
                self._arrived.clear()
                while self._waiting:
                    await self._write(self._take())
        finally:
            self.close()

    def close(self) -> None:
        """Store nothing more."""
        self._over = True
        for each in self._waiting:
            each.done.cancel("this controller does not lead any more")
        self._waiting.clear()

    def _take(self) -> list[_Waiting]:
        taken, rows = list[_Waiting](), 0
        while self._waiting and (not taken or rows + len(self._waiting[0].events) <= BATCH_ROWS_MAX):
            taken.append(self._waiting.pop(0))
            rows += len(taken[-1].events)
        return taken

    async def _write(self, taken: Sequence[_Waiting]) -> None:
        """Write what is not stored by now: rows may have come a second time while the first were being written."""
        positions, events = dict[str, LogPosition](), list[Event]()
        for each in taken:
            upto = _upto(positions.get(each.pop, self._positions.get(each.pop)), each.log)
            last = each.first + len(each.events) - 1
            if each.first > upto + 1 and not each.done.done():
                why = f"{each.pop}: events from {each.first}, and {upto} is the last one stored"
                each.done.set_exception(MisuseError(why))
            elif upto < last and each.first <= upto + 1:
                positions[each.pop] = LogPosition(each.log, last)
                events += each.beyond(upto)
        try:
            if positions:
                documents = {position_key(pop): msgspec.json.encode(each) for pop, each in positions.items()}
                await self._commit(documents, events)
        except BaseException as error:
            for each in taken:
                each.done.cancel(f"not stored: {error}")
            raise
        self._positions |= positions
        for each in taken:
            if not each.done.done():
                each.done.set_result(None)

    def _event(self, pop: str, row: EventRow) -> Event | None:
        event = stored_event(0, row.at, pop, row.event, bytes(row.fields).decode("utf-8", "replace"), b"").event()
        if event is None:
            self.unknown += 1
            return None
        return Event(Timestamp(row.at), pop, event.body)


def _upto(position: LogPosition | None, log: str) -> int:
    return position.upto if position is not None and position.log == log else 0
