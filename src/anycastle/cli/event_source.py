"""Where events are read from: an agent's log, or a controller's, each asked in the same way."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from anycastle.base.ports import Timestamp
from anycastle.io.event_log import ChainRow, EventLog, Head, StoredEvent, VerifyResult

if TYPE_CHECKING:
    from anycastle.io.store import SqlStore

T = TypeVar("T")

_PAGE_ROWS: Final = 500


class Events(Protocol):
    """A log, as the commands read it. See `EventLog`."""

    def head(self) -> Head:
        """Give the end of the log."""
        ...

    def last(self, count: int, *, kind: str | None = None, service: str | None = None) -> list[StoredEvent]:
        """Give the newest rows that fit, oldest first."""
        ...

    def read(
        self, after: int = 0, *, kind: str | None = None, service: str | None = None, since: Timestamp | None = None
    ) -> Iterator[StoredEvent]:
        """Give the rows after a sequence, oldest first."""
        ...

    def rows(self, after: int = 0) -> Iterator[ChainRow]:
        """Give the rows after a sequence, as they are stored."""
        ...

    def verify(self, remembered: Head | None = None) -> VerifyResult:
        """Follow the chain."""
        ...


@contextmanager
def opened(path: Path | None, store: str | None) -> Iterator[Events]:
    """Open the log of a file, or of a store's address. Raises `WorldError`."""
    if store is None:
        assert path is not None
        with EventLog(path, read_only=True) as log:
            yield log
        return
    from anycastle.io.store import read_store

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        runner.run(stack.__aenter__())
        try:
            yield _StoreEvents(runner, runner.run(stack.enter_async_context(read_store(store))))
        finally:
            runner.run(stack.aclose())


PAGE_ROWS_MAX: Final = 1_000
"""Rows that a store gives at once."""


class _StoreEvents:
    """The log of a store, for those who do not wait."""

    def __init__(self, runner: asyncio.Runner, store: "SqlStore") -> None:
        self._runner = runner
        self._store = store

    def _done(self, work: Awaitable[T]) -> T:
        async def wait() -> T:
            return await work

        return self._runner.run(wait())

    def head(self) -> Head:
        """Give the end of the log."""
        return self._done(self._store.head())

    def last(self, count: int, *, kind: str | None = None, service: str | None = None) -> list[StoredEvent]:
        """Give the newest rows that fit, oldest first."""
        if count > PAGE_ROWS_MAX:
            return list(deque(self.read(kind=kind, service=service), count))
        kinds, services = _one(kind), _one(service)
        return self._done(self._store.events(limit=count, kinds=kinds, services=services, newest=True))

    def read(
        self, after: int = 0, *, kind: str | None = None, service: str | None = None, since: Timestamp | None = None
    ) -> Iterator[StoredEvent]:
        """Give the rows after a sequence, oldest first."""
        kinds, services = _one(kind), _one(service)
        while True:
            page = self._done(self._store.events(after, _PAGE_ROWS, kinds=kinds, services=services, since=since))
            yield from page
            if len(page) < _PAGE_ROWS:
                return
            after = page[-1].sequence

    def rows(self, after: int = 0) -> Iterator[ChainRow]:
        """Give the rows after a sequence, as they are stored."""
        while page := self._done(self._store.rows(after)):
            yield from page
            after = page[-1].sequence

    def verify(self, remembered: Head | None = None) -> VerifyResult:
        """Follow the chain."""
        return self._done(self._store.verify(remembered))


def _one(word: str | None) -> list[str] | None:
    return None if word is None else [word]
