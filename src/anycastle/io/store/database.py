"""A database behind one code path: SQLite or PostgreSQL, one writer a process, faults as the world's."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import asyncpg
from sqlalchemy import URL, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.schema import Table

from anycastle.base.errors import MisuseError, WorldError
from anycastle.base.ports import Timestamp

BUSY_S: Final = 10.0
"""How long a statement waits for another process' transaction on SQLite, and for a connection to PostgreSQL."""

STATEMENT_S: Final = 30.0
"""How long PostgreSQL may work on one statement."""

SILENCE_S: Final = 4.0
"""How long PostgreSQL lets a transaction wait for its client, and the holder of a lock be silent: then it ends them."""

READERS: Final = 8
"""Connections that read; one more writes."""

WAL_TRIES: Final = 20
"""How often a connection asks a new file to log ahead, beside others that do."""

LOCK_WAITERS_MAX: Final = 1_000
"""Writes of this process that wait for one another; beyond it they are refused."""

_DRIVERS: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


def wall() -> Timestamp:
    """Give the wall clock."""
    return Timestamp(time.time())


def parse_database(text: str) -> URL:
    """Parse `sqlite:////path`, `postgresql://user@host/name`, or the path of a SQLite file. Raises `MisuseError`."""
    if "://" not in text:
        return URL.create(_DRIVERS["sqlite"], database=text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:  # its text would show the password
        raise MisuseError("the database's address cannot be read: write sqlite:////path/store.db or "
                          "postgresql://user@host/name") from error  # fmt: skip
    driver = _DRIVERS.get(url.drivername)
    if driver is None or not url.database:
        known = "sqlite:////path/store.db or postgresql://user@host/name"
        raise MisuseError(f"{url.render_as_string(hide_password=True)} is no database that is known: write {known}")
    return url.set(drivername=driver)


class Database:
    """Connections to one database."""

    def __init__(self, text: str) -> None:
        self.url = parse_database(text)
        self.name = self.url.render_as_string(hide_password=True).replace("+aiosqlite", "").replace("+asyncpg", "")
        self.is_sqlite = self.url.drivername == _DRIVERS["sqlite"]
        self._write_lock = asyncio.Lock()
        self._waiting = 0
        if self.is_sqlite:
            self._writer, self._reader = _sqlite(self.url, "BEGIN IMMEDIATE"), _sqlite(self.url, "BEGIN")
        else:
            self._writer = self._reader = _postgresql(self.url)

    @property
    def file(self) -> Path:
        """The file of a SQLite database."""
        assert self.url.database is not None
        return Path(self.url.database)

    async def close(self) -> None:
        """Let go of all connections."""
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Give a transaction that writes; it is durable when the block is left, or nothing of it is there."""
        if self._waiting >= LOCK_WAITERS_MAX:
            raise WorldError(f"{self.name}: {self._waiting} writes wait already")
        self._waiting += 1
        try:
            async with self._write_lock, self._faults(), self._writer.begin() as connection:
                yield connection
        finally:
            self._waiting -= 1

    @asynccontextmanager
    async def read(self, *, snapshot: bool = False) -> AsyncIterator[AsyncConnection]:
        """Give a transaction that reads; with `snapshot`, all of its statements see one moment."""
        async with self._faults(), self._reader.connect() as connection:
            if snapshot and not self.is_sqlite:  # SQLite's transactions always see one moment
                await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            async with connection.begin():
                yield connection

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection of its own, outside of transactions, for a lock that lives as long as it."""
        silence = {"idle_session_timeout": f"{SILENCE_S * 1000:.0f}"}
        engine = _postgresql(self.url, silence, isolation_level="AUTOCOMMIT", pool_size=1)
        try:
            async with self._faults(), engine.connect() as connection:
                yield connection
        finally:
            await engine.dispose()

    def insert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """Give an INSERT of this dialect, which can say what to do on a conflict."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    @asynccontextmanager
    async def _faults(self) -> AsyncIterator[None]:
        try:
            yield
        except DBAPIError as error:
            retryable = isinstance(error, OperationalError) or error.connection_invalidated
            raise WorldError(f"{self.name}: {_first_line(error.orig)}", retryable=retryable) from error
        except SQLAlchemyError as error:
            raise WorldError(f"{self.name}: {_first_line(error)}") from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:  # of a connection that could not be made
            raise WorldError(f"{self.name}: {_first_line(error)}") from error
        except OSError as error:
            raise WorldError(f"{self.name}: {error.strerror or error}") from error


def _first_line(error: BaseException | None) -> str:
    """Give the first line of an error: what follows may hold values of rows."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _sqlite(url: URL, begin: str) -> AsyncEngine:
    only = begin != "BEGIN"
    engine = create_async_engine(
        url,
        pool_size=1 if only else READERS,
        max_overflow=0,
        pool_timeout=BUSY_S,
        connect_args={"timeout": BUSY_S},
        hide_parameters=True,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def opened(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin as said below, not when the driver thinks
        cursor = connection.cursor()
        write_ahead(cursor)
        for pragma in ("synchronous = FULL", "foreign_keys = ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def write_ahead(cursor: sqlite3.Cursor) -> None:
    """Log ahead. SQLite refuses a connection at once, however long it may wait, while another asks for that as well.

    So one that was refused waits for a lock, as SQLite lets it, and asks again.
    """
    for left in reversed(range(WAL_TRIES)):
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if not left:
                raise
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("ROLLBACK")
        else:
            return


def _postgresql(url: URL, more: Mapping[str, str] = MappingProxyType({}), **settings: Any) -> AsyncEngine:
    server = {
        **more,
        "application_name": "anycastle",
        "synchronous_commit": "on",  # whatever the server's default: what is acknowledged is on the disk
        "statement_timeout": f"{STATEMENT_S * 1000:.0f}",
        "idle_in_transaction_session_timeout": f"{SILENCE_S * 1000:.0f}",
        # A host that vanished, or a cut cable, gives up its locks within seconds.
        "tcp_keepalives_idle": "1",
        "tcp_keepalives_interval": "1",
        "tcp_keepalives_count": "2",
        "tcp_user_timeout": "3000",
    }
    pool = {"pool_size": READERS + 1, "max_overflow": 0, "pool_timeout": BUSY_S, "pool_pre_ping": True}
    arguments = {"server_settings": server, "timeout": BUSY_S, "command_timeout": STATEMENT_S + 5}
    return create_async_engine(url, connect_args=arguments, hide_parameters=True, **{**pool, **settings})
