"""The lock of whoever leads: an advisory lock of PostgreSQL, or a lock on a file beside SQLite's.

PostgreSQL's lock lives as long as the connection that took it, which does nothing else. It is asked every second
whether it still lives, and a server that does not hear that question for four seconds ends the connection: so the lock
of a process that hangs, or of a host that vanished, goes to the next within five. Whatever it would still write when it
wakes fails by its term.
"""

import asyncio
import os
from contextlib import AsyncExitStack
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from anycastle.base.errors import WorldError
from anycastle.io.lock import lock_file
from anycastle.io.store.database import Database

LOCK: Final = 0x616E7963
"""The first number of the advisory lock, "anyc"; the second says what it is for."""

LEAD, MIGRATE = 1, 2

ASK_S: Final = 0.1
"""How often a lock that another has is asked for."""

BEAT_S: Final = 1.0
"""How often the connection that holds the lock is asked whether it lives."""

ANSWER_S: Final = 3.0
"""How long it may take to answer."""


class LeaderLock:
    """The lock, while it is held: `take`, then `lost` or `release`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: AsyncExitStack | None = None
        self._lost: asyncio.Future[str] | None = None

    @property
    def held(self) -> bool:
        """Whether it is held, as far as is known."""
        return self._held is not None and self._lost is not None and not self._lost.done()

    async def take(self) -> None:
        """Wait for the lock. Raises `WorldError` when the database cannot be reached."""
        await self.release()
        async with AsyncExitStack() as stack:
            lost = asyncio.get_running_loop().create_future()
            if self._database.is_sqlite:
                await self._take_file(stack)
            else:
                await self._take_advisory(stack, lost)
            self._lost = lost
            self._held = stack.pop_all()

    async def _take_file(self, stack: AsyncExitStack) -> None:
        path = self._database.file.with_name(f"{self._database.file.name}.lead")
        while True:
            try:
                descriptor = lock_file(path)
            except OSError as error:
                raise WorldError(f"{path} cannot be locked: {error.strerror}", retryable=False) from error
            if descriptor is not None:
                stack.callback(os.close, descriptor)
                return
            await asyncio.sleep(ASK_S)

    async def _take_advisory(self, stack: AsyncExitStack, lost: "asyncio.Future[str]") -> None:
        connection = await stack.enter_async_context(self._database.connection())
        while not await _ask(connection):  # noqa: ASYNC110  (whoever has it tells nobody)
            await asyncio.sleep(ASK_S)
        beat = asyncio.create_task(self._beat(connection, lost))
        stack.push_async_callback(_ended, beat)

    async def _beat(self, connection: AsyncConnection, lost: "asyncio.Future[str]") -> None:
        """Ask the connection until it does not answer."""
        why = f"{self._database.name}: the connection that holds the lock of whoever leads"
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                async with asyncio.timeout(ANSWER_S):
                    await connection.execute(text("SELECT 1"))
            except TimeoutError:
                why += f" did not answer within {ANSWER_S:g} s"
                break
            except (SQLAlchemyError, OSError):
                why += " broke"
                break
        if not lost.done():
            lost.set_result(why)

    async def lost(self) -> str:
        """Wait until the lock is lost, and give why."""
        assert self._lost is not None
        return await asyncio.shield(self._lost)

    async def release(self) -> None:
        """Let go of it."""
        held, self._held = self._held, None
        if self._lost is not None and not self._lost.done():
            self._lost.set_result("it was let go of")
        if held is not None:
            try:
                await held.aclose()
            except WorldError:
                return  # the connection is gone, and the lock with it


async def _ask(connection: AsyncConnection) -> bool:
    asked = await connection.execute(text("SELECT pg_try_advisory_lock(:one, :two)"), {"one": LOCK, "two": LEAD})
    return bool(asked.scalar_one())


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])
