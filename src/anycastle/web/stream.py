"""The log as server-sent events.

A client is never ahead of what it took: pages are read from the store as they are sent, so what waits for a slow client
is one page and no more. One tail of the log wakes all clients.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, Final

import msgspec
from starlette.responses import StreamingResponse
from starlette.types import Message, Send

from anycastle.base.errors import WorldError
from anycastle.io.event_log import StoredEvent
from anycastle.io.store.port import Store

PAGE: Final = 100
"""Events that are read for a client at once: all that waits for it."""

TAIL_S: Final = 5.0
"""How long one wait for the log to grow lasts."""


class Tail:
    """Knows how far the log goes, asked once for all who wait."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._task: asyncio.Task[None] | None = None
        self._grown = asyncio.Condition()
        self._last = 0
        self._waiting = 0

    async def beyond(self, sequence: int, timeout_s: float) -> None:
        """Wait until the log may go beyond a number, or the time is over."""
        self._waiting += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._follow())
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s), self._grown:
                    await self._grown.wait_for(lambda: self._last > sequence)
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """End it: nobody waits any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self) -> None:
        while self._waiting:
            try:
                self._last = (await self._store.head()).sequence
                async with self._grown:
                    self._grown.notify_all()
                await self._store.wait_beyond(self._last, TAIL_S)
            except WorldError:
                await asyncio.sleep(1.0)  # whoever waits says so after its own time


class EventStream(StreamingResponse):
    """A stream that ends when its client takes nothing for too long, and tells when it is over."""

    media_type = "text/event-stream"

    def __init__(self, content: AsyncIterator[bytes], send_s: float, ended: Callable[[bool], None]) -> None:
        super().__init__(content, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._send_s = send_s
        self._ended = ended

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        """Send it."""
        slow = False

        async def timed(message: Message) -> None:
            nonlocal slow
            try:
                async with asyncio.timeout(self._send_s):
                    await send(message)
            except TimeoutError:
                slow = True
                raise OSError("the client takes nothing") from None

        try:
            with suppress(OSError):
                await super().__call__(scope, receive, timed)
        finally:
            self._ended(slow)


def event_plain(event: StoredEvent) -> dict[str, Any]:
    """Give an event as plain values; the time in seconds since 1970, as the hash has it."""
    return {
        "sequence": event.sequence, "at": event.at, "pop": event.pop, "kind": event.kind, "fields": event.fields,
        "hash": event.hash.hex(),
    }  # fmt: skip


def frame(event: StoredEvent) -> bytes:
    """Give an event as the stream has it. JSON has no line breaks, so one data line carries it."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (
        event.sequence, _one_line(event.kind), msgspec.json.encode(event_plain(event)),
    )  # fmt: skip


def _one_line(text: str) -> bytes:
    return "".join(letter for letter in text if letter.isprintable()).encode()
