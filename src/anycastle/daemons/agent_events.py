"""Agents' events on their way into the controller's log: many agents at once, one transaction for what comes together.

Each row of an agent's log is stored once: how far a log was read is a document, written in the same transaction. What
cannot be understood as one of the events that this release knows is kept out, and counted with the row as read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from anycastle.base.ports import Timestamp
from anycastle.io.event_log import stored_event
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
    position: LogPosition
    events: list[Event]
    done: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class AgentEvents:
    """Gathers and stores."""

    def __init__(self, commit: Commit, positions: Mapping[str, LogPosition]) -> None:
        self._commit = commit
        self._positions = dict(positions)
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()
        self.unknown = 0
        """Rows that this release does not know, of a later one."""

    def stored_upto(self, pop: str, log: str) -> int:
        """Give up to which number a PoP's log is stored; 0 for a log that was never seen."""
        position = self._positions.get(pop)
        return position.upto if position is not None and position.log == log else 0

    async def store(self, pop: str, log: str, first: int, rows: Sequence[EventRow]) -> int:
        """Store rows durably, each number once; give up to which number it is all stored."""
        known = self.stored_upto(pop, log)
        last = first + len(rows) - 1
        if last <= known:
            return known
        events = [event for row in rows[max(0, known + 1 - first) :] if (event := self._event(pop, row)) is not None]
        waiting = _Waiting(pop, LogPosition(log, last), events)
        self._waiting.append(waiting)
        self._arrived.set()
        await waiting.done
        return last

    async def run(self) -> None:
        """Write what comes, until cancelled. Raises what the store raises."""
        while True:
            await self._arrived.wait()
            await asyncio.sleep(GATHER_S)
            self._arrived.clear()
            while self._waiting:
                await self._write(self._take())

    def _take(self) -> list[_Waiting]:
        taken, rows = list[_Waiting](), 0
        while self._waiting and (not taken or rows + len(self._waiting[0].events) <= BATCH_ROWS_MAX):
            taken.append(self._waiting.pop(0))
            rows += len(taken[-1].events)
        return taken

    async def _write(self, taken: Sequence[_Waiting]) -> None:
        documents = {position_key(each.pop): msgspec.json.encode(each.position) for each in taken}
        try:
            await self._commit(documents, [event for each in taken for event in each.events])
        except BaseException as error:
            for each in taken:
                each.done.cancel(f"not stored: {error}")
            raise
        for each in taken:
            self._positions[each.pop] = each.position
            if not each.done.done():
                each.done.set_result(None)

    def _event(self, pop: str, row: EventRow) -> Event | None:
        event = stored_event(0, row.at, pop, row.event, bytes(row.fields).decode("utf-8", "replace"), b"").event()
        if event is None:
            self.unknown += 1
            return None
        return Event(Timestamp(row.at), pop, event.body)
