"""A store as a file, and back: a moment of it, row by row, the same from SQLite as from PostgreSQL.

A line of JSON for each row. The first says what it is; the last counts the rows and has a digest of all before it, so
that a copy that was cut is refused. Browsers' sessions are left out: whoever has one logs in again. No secret is in it,
but the hashes of tokens are.

A store that was put back goes on above every term ever used: see `port`. What was committed after the copy was made is
lost, and no permit depends on it (ADR 22).
"""

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final

import msgspec
from sqlalchemy import delete, func, insert, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import Table
from sqlalchemy.types import LargeBinary

from anycastle.base.errors import MisuseError, ParseError, WorldError
from anycastle.io.event_log import GENESIS, Chain, ChainRow, Head
from anycastle.io.store import reading
from anycastle.io.store.database import Database, wall
from anycastle.io.store.leading import LeaderLock
from anycastle.io.store.migrate import migrate, version
from anycastle.io.store.tables import AUDIT, DOCUMENTS, EVENTS, FILES, FOLDERS, HEAD, LEADERSHIP, ONCE, TOKENS

FORMAT: Final = "anycastle-store"
FORMAT_VERSION: Final = 1
DUMPED: Final = (LEADERSHIP, DOCUMENTS, HEAD, EVENTS, FOLDERS, FILES, ONCE, TOKENS, AUDIT)
"""In the order in which they are put back: what is referred to comes first."""

LINE_BYTES_MAX: Final = 400 * 1024 * 1024
"""Octets of a line: a document of the greatest size, in base 64."""

STOPPED_S: Final = 2.0
"""How long a restore waits for the controller to let go of its lock."""

_PAGE_ROWS: Final = 200
_BY_NAME: Final = {table.name: table for table in DUMPED}


async def dump(database: Database, path: Path, progress: Callable[[int], None] = lambda _rows: None) -> int:
    """Write the store into a new file; give the number of rows. Raises `WorldError`; there is no file then."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                rows = await _write(database, file, progress)
                file.flush()
                os.fsync(descriptor)
            temporary.replace(path)
        except OSError as error:
            raise WorldError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return rows


async def _write(database: Database, file: IO[bytes], progress: Callable[[int], None]) -> int:
    digest, rows = sha256(), 0

    def put(line: dict[str, Any]) -> None:
        octets = msgspec.json.encode(line) + b"\n"
        digest.update(octets)
        file.write(octets)

    made = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    tables = await version(database)
    async with database.read(snapshot=True) as connection:
        put({"format": FORMAT, "version": FORMAT_VERSION, "tables": tables, "made": made})
        for table in DUMPED:
            async for row in _rows(connection, table):
                put({"table": str(table.name), "row": row})
                rows += 1
                if rows % _PAGE_ROWS == 0:
                    progress(rows)
    file.write(msgspec.json.encode({"rows": rows, "digest": digest.hexdigest()}) + b"\n")
    return rows


async def _rows(connection: AsyncConnection, table: Table) -> AsyncIterator[dict[str, Any]]:
    keys = list(table.primary_key.columns)
    last: tuple[Any, ...] | None = None
    while True:
        query = select(table).order_by(*keys).limit(1 if table in (DOCUMENTS, FILES) else _PAGE_ROWS)
        if last is not None:
            query = query.where(tuple_(*keys) > tuple_(*last))
        page = (await connection.execute(query)).all()
        for row in page:
            yield {str(column.name): _plain(getattr(row, column.name)) for column in table.columns}
        if not page:
            return
        last = tuple(getattr(page[-1], key.name) for key in keys)


def _plain(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes | memoryview) else value


async def restore(
    database: Database, path: Path, *, replace: bool = False, progress: Callable[[int], None] = lambda _rows: None
) -> int:
    """Put a dump into a database, all or nothing; give the number of rows.

    Raises `ParseError` for a file that is no whole dump, `MisuseError` for a database that holds something and is not
    to be replaced, or where a controller leads on it, `WorldError` for what the database refuses.
    """
    try:
        with path.open("rb") as file:
            lines = _Lines(file, path)
            await migrate(database)
            async with _stopped(database), database.write() as connection:
                before = await _last_term(connection)
                await _clear(connection, replace=replace, sqlite=database.is_sqlite)
                rows = await _put_back(connection, lines, progress)
                await _end_terms(connection, max(before, await _last_term(connection)))
                if not database.is_sqlite:
                    sequence = "SELECT setval(pg_get_serial_sequence('audit', 'number'), max(number)) FROM audit"
                    await connection.execute(text(sequence))
                found = await reading.verify(connection, None)
                if not found.sound:
                    raise ParseError(f"{path}: the log in it is not whole: {found.problems[0]}")
    except OSError as error:
        raise WorldError(f"{path} cannot be read: {error.strerror}", retryable=False) from error
    return rows


@asynccontextmanager
async def _stopped(database: Database) -> AsyncIterator[None]:
    """Hold the lock of whoever leads, so that none does meanwhile."""
    lock = LeaderLock(database)
    try:
        async with asyncio.timeout(STOPPED_S):
            await lock.take()
    except TimeoutError:
        raise MisuseError("a controller leads on this database: stop it first") from None
    try:
        yield
    finally:
        await lock.release()


async def _last_term(connection: AsyncConnection) -> int:
    last: int | None = (await connection.execute(select(func.max(LEADERSHIP.c.term)))).scalar_one()
    return last or 0


async def _end_terms(connection: AsyncConnection, last: int) -> None:
    """Take a term above those of the copy, those that were here, and the clock's: it ends every leader there was."""
    since = wall()
    row = {"term": max(last + 1, int(since)), "who": "a backup that was restored", "since": since}
    await connection.execute(insert(LEADERSHIP).values(**row))


def check(path: Path) -> int:
    """Read a dump through, and put it nowhere; give the number of rows. Raises `ParseError` and `WorldError`."""
    chain, end, rows = Chain(None), GENESIS, 0
    try:
        with path.open("rb") as file:
            for table, row in _Lines(file, path):
                rows += 1
                if table is EVENTS:
                    chain.follow(*(row[name] for name in ChainRow._fields))
                elif table is HEAD:
                    end = Head(row["sequence"], row["hash"])
    except OSError as error:
        raise WorldError(f"{path} cannot be read: {error.strerror}", retryable=False) from error
    found = chain.ended(end)
    if not found.sound:
        raise ParseError(f"{path}: the log in it is not whole: {found.problems[0]}")
    return rows


class _Lines:
    """The rows of a dump; its end is checked before the last of them was given."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file, self._path = file, path
        self._digest, self._rows = sha256(), 0
        head = self._next()
        known = head.get("format") == FORMAT and head.get("version") == FORMAT_VERSION
        if not known:
            raise ParseError(f"{path}: this is no backup of a store, or one of a newer version")

    def _next(self) -> dict[str, Any]:
        octets = self._file.readline(LINE_BYTES_MAX)
        try:
            line = msgspec.json.decode(octets, type=dict[str, Any])
        except msgspec.MsgspecError:
            line = {}
        if not octets.endswith(b"\n") or not line:
            raise ParseError(f"{self._path}:{self._rows + 1}: the backup is cut or damaged here")
        if "digest" not in line:
            self._digest.update(octets)
        return line

    def __iter__(self) -> Iterator[tuple[Table, dict[str, Any]]]:
        while True:
            line = self._next()
            if "digest" in line:
                whole = (line.get("rows"), line["digest"]) == (self._rows, self._digest.hexdigest())
                if not whole or self._file.read(1):
                    raise ParseError(f"{self._path}: the backup was altered: its digest does not fit")
                return
            self._rows += 1
            table = _BY_NAME.get(line.get("table", ""))
            row = line.get("row")
            if table is None or not isinstance(row, dict) or row.keys() != set(table.columns.keys()):
                raise ParseError(f"{self._path}:{self._rows + 1}: this is no row of a store's table")
            yield table, {name: _value(table, name, value) for name, value in row.items()}


def _value(table: Table, name: str, value: Any) -> Any:
    if value is not None and isinstance(table.columns[name].type, LargeBinary):
        return base64.b64decode(value)
    return value


async def _clear(connection: AsyncConnection, *, replace: bool, sqlite: bool) -> None:
    """Empty the tables; the log's guard is taken off for it within the transaction, and put back."""
    used = False
    for table in (LEADERSHIP, DOCUMENTS, EVENTS, FOLDERS, TOKENS):
        used = used or (await connection.execute(select(table).limit(1))).first() is not None
    if used and not replace:
        raise MisuseError("this database holds a store already: --replace puts the backup in its place")
    if used:
        await _empty_log(connection, sqlite=sqlite)
    for table in reversed(DUMPED):
        if table is not EVENTS:
            await connection.execute(delete(table))


async def _empty_log(connection: AsyncConnection, *, sqlite: bool) -> None:
    if not sqlite:
        await connection.execute(text("ALTER TABLE event DISABLE TRIGGER event_is_not_changed"))
        await connection.execute(delete(EVENTS))
        await connection.execute(text("ALTER TABLE event ENABLE TRIGGER event_is_not_changed"))
        return
    name = "event_is_not_removed"
    found = await connection.execute(text("SELECT sql FROM sqlite_schema WHERE name = :name"), {"name": name})
    guard = found.scalar_one()
    await connection.execute(text(f"DROP TRIGGER {name}"))
    await connection.execute(delete(EVENTS))
    await connection.exec_driver_sql(guard)


async def _put_back(connection: AsyncConnection, lines: _Lines, progress: Callable[[int], None]) -> int:
    rows = 0
    table: Table | None = None
    page: list[dict[str, Any]] = []
    for into, row in lines:
        if page and (into is not table or len(page) >= _PAGE_ROWS or into in (DOCUMENTS, FILES)):
            assert table is not None
            await connection.execute(insert(table), page)
            page = []
        table = into
        page.append(row)
        rows += 1
        if rows % _PAGE_ROWS == 0:
            progress(rows)
    if page and table is not None:
        await connection.execute(insert(table), page)
    return rows
