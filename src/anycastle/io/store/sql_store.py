"""The store on a database: commits behind the term, documents, once-answers, and who leads."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.io.event_log import ChainRow, Head, StoredEvent, VerifyResult, event_row, row_hash
from anycastle.io.store import reading
from anycastle.io.store.database import Database, wall
from anycastle.io.store.leading import LeaderLock
from anycastle.io.store.port import (
    COMMIT_EVENTS_MAX,
    DOCUMENT_BYTES_MAX,
    FOLDER_BYTES_MAX,
    FOLDERS_KEPT,
    ONCE_ROWS_MAX,
    PAGE_ROWS_MAX,
    TERM_MAX,
    FolderNote,
    Leadership,
    Once,
    Repeated,
    Superseded,
)
from anycastle.io.store.tables import DOCUMENTS, EVENTS, FILES, FOLDERS, HEAD, LEADERSHIP, ONCE
from anycastle.model.event import Event

POLL_S: Final = 0.25
"""How often the log is asked whether another process made it grow."""


class SqlStore:
    """`Store` on a `Database`, whose tables are there already."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._lock = LeaderLock(database)
        self._grown = asyncio.Event()

    # -- who leads --------------------------------------------------------------------------------------------------

    async def lead(self, who: str) -> int:
        """Wait for the lock, then give a new term."""
        await self._lock.take()
        return await self._new_term(who, 0)

    async def raise_term(self, who: str, above: int) -> int:
        """Give a new term above one that somebody showed. Raises `MisuseError` where the lock is not held."""
        if not self._lock.held:
            raise MisuseError("the lock of whoever leads is not held")
        return await self._new_term(who, above)

    async def _new_term(self, who: str, above: int) -> int:
        if not 0 <= above < TERM_MAX:
            raise MisuseError(f"{above} is no term")
        async with self.database.write() as connection:
            await _lock_head(connection)
            last = (await connection.execute(select(func.max(LEADERSHIP.c.term)))).scalar_one() or 0
            since = wall()
            term = max(last + 1, above + 1, int(since))
            await connection.execute(insert(LEADERSHIP).values(term=term, who=who, since=since))
        return term

    async def lost(self) -> str:
        """Wait until the lock is lost, and give why."""
        return await self._lock.lost()

    async def resign(self) -> None:
        """Let go of the lock."""
        await self._lock.release()

    async def leadership(self) -> Leadership | None:
        """Give who took the highest term."""
        async with self.database.read() as connection:
            return await _leadership(connection)

    async def close(self) -> None:
        """Let go of the lock and of all connections."""
        await self._lock.release()
        await self.database.close()

    # -- commits ----------------------------------------------------------------------------------------------------

    async def documents(self, *beginnings: str) -> dict[str, bytes]:
        """Give all documents whose key begins in one of these ways; all without any."""
        asked = (DOCUMENTS.c.key.startswith(each, autoescape=True) for each in beginnings or ("",))
        query = select(DOCUMENTS.c.key, DOCUMENTS.c.octets).where(or_(*asked))
        async with self.database.read() as connection:
            return {key: bytes(octets) for key, octets in await connection.execute(query)}

    async def commit(
        self, term: int, documents: Mapping[str, bytes | None], events: Sequence[Event], once: Once | None = None
    ) -> int:
        """Write it all or nothing; give the number of the last event."""
        rows = _checked(documents, events)
        async with self.database.write() as connection:
            head = await self.begin(connection, term, once)
            await self._put_documents(connection, documents)
            if rows:
                head = await _append(connection, head, rows)
        self._grown.set()
        return head.sequence

    async def begin(self, connection: AsyncConnection, term: int | None, once: Once | None) -> Head:
        """Lock, so that no other commit and no other leader comes between; refuse what is over, or was asked before."""
        head = await _lock_head(connection)
        if term is not None:
            leads = await _leadership(connection)
            if leads is None or leads.term != term:
                now, who = (0, "nobody") if leads is None else (leads.term, leads.who)
                raise Superseded(term, now, who)
        if once is not None:
            await _put_once(connection, once)
        return head

    async def _put_documents(self, connection: AsyncConnection, documents: Mapping[str, bytes | None]) -> None:
        gone = [key for key, octets in documents.items() if octets is None]
        for part in _parts(gone):
            await connection.execute(delete(DOCUMENTS).where(DOCUMENTS.c.key.in_(part)))
        put = [{"key": key, "octets": octets} for key, octets in documents.items() if octets is not None]
        if put:
            statement = self.database.insert(DOCUMENTS)
            new = statement.excluded.octets
            await connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"octets": new}), put)

    async def once(self, key: str, now: Timestamp) -> Once | None:
        """Give what was answered under a key."""
        async with self.database.read() as connection:
            return await _once(connection, key, now)

    # -- folders ----------------------------------------------------------------------------------------------------

    async def put_folder(
        self,
        revision: str,
        files: Mapping[str, bytes],
        who: str,
        *,
        term: int | None = None,
        once: Once | None = None,
        needed: Collection[str] | None = None,
    ) -> bool:
        """Keep a revision of the fleet folder; tell whether it is new."""
        octets = sum(map(len, files.values()))
        if octets > FOLDER_BYTES_MAX:
            raise MisuseError(f"{octets} octets in one fleet folder, and {FOLDER_BYTES_MAX} are the most")
        digest = folder_digest(files)
        async with self.database.write() as connection:
            await self.begin(connection, term, once)
            query = select(FOLDERS.c.digest).where(FOLDERS.c.revision == revision)
            kept = (await connection.execute(query)).scalar_one_or_none()
            if kept is not None:
                if bytes(kept) != digest:
                    raise MisuseError(f"revision {revision} is kept already, with other files")
                return False
            note = {"revision": revision, "who": who, "at": wall(), "digest": digest, "octets": octets}
            await connection.execute(insert(FOLDERS).values(**note, files=len(files)))
            if files:
                rows = [{"revision": revision, "path": path, "octets": content} for path, content in files.items()]
                await connection.execute(insert(FILES), rows)
            if needed is not None:
                await _forget_folders(connection, {*needed, revision})
        return True

    async def folder(self, revision: str) -> Mapping[str, bytes]:
        """Give the files of a revision. Raises `KeyError`."""
        query = select(FILES.c.path, FILES.c.octets).where(FILES.c.revision == revision).order_by(FILES.c.path)
        async with self.database.read() as connection:
            files = {path: bytes(octets) for path, octets in await connection.execute(query)}
            known = select(FOLDERS.c.revision).where(FOLDERS.c.revision == revision)
            if not files and (await connection.execute(known)).scalar_one_or_none() is None:
                raise KeyError(revision)
            return files

    async def folders(self, limit: int, before: FolderNote | None = None) -> list[FolderNote]:
        """Give what revisions are kept, the newest first."""
        async with self.database.read() as connection:
            return await reading.folders(connection, limit, before)

    # -- the log ----------------------------------------------------------------------------------------------------

    async def head(self) -> Head:
        """Give the end of the log."""
        async with self.database.read() as connection:
            return await reading.head(connection)

    async def events(
        self,
        after: int = 0,
        limit: int = PAGE_ROWS_MAX,
        *,
        kinds: Collection[str] | None = None,
        pop: str | None = None,
        services: Collection[str] | None = None,
        since: Timestamp | None = None,
        newest: bool = False,
    ) -> list[StoredEvent]:
        """Give events by their numbers, the oldest first."""
        query = reading.EventQuery(after, limit, kinds, pop, services, since, newest)
        async with self.database.read() as connection:
            return await reading.events(connection, query)

    async def wait_beyond(self, sequence: int, timeout_s: float) -> None:
        """Wait until the log may have grown beyond a number, or the time is over."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout_s
        while (await self.head()).sequence <= sequence and (left := end - loop.time()) > 0:
            self._grown.clear()
            try:
                async with asyncio.timeout(min(POLL_S, left)):
                    await self._grown.wait()
            except TimeoutError:
                continue

    async def rows(self, after: int = 0) -> list[ChainRow]:
        """Give a page of the log after a number, as it is stored."""
        async with self.database.read() as connection:
            return await reading.rows(connection, after)

    async def verify(self, remembered: Head | None = None) -> VerifyResult:
        """Follow the chain of the log, as `EventLog.verify` does."""
        async with self.database.read(snapshot=True) as connection:
            return await reading.verify(connection, remembered)


def folder_digest(files: Mapping[str, bytes]) -> bytes:
    """Give a digest of a folder's files: names and octets, each with its length."""
    digest = sha256()
    for path, octets in sorted(files.items()):
        digest.update(f"{len(path.encode())} {path} {len(octets)}\n".encode())
        digest.update(octets)
    return digest.digest()


def _checked(documents: Mapping[str, bytes | None], events: Sequence[Event]) -> list[tuple[float, str, str, str]]:
    """Give the events as rows. Raises `MisuseError` for what is beyond a limit."""
    if len(events) > COMMIT_EVENTS_MAX:
        raise MisuseError(f"{len(events)} events in one commit, and {COMMIT_EVENTS_MAX} are the most")
    for key, octets in documents.items():
        if octets is not None and len(octets) > DOCUMENT_BYTES_MAX:
            raise MisuseError(f"document {key} has {len(octets)} octets, and {DOCUMENT_BYTES_MAX} are the most")
    rows = [event_row(event) for event in events]
    return [(at, pop.replace("\0", "�"), kind, body) for at, pop, kind, body in rows]  # no text of PostgreSQL has NUL


async def _lock_head(connection: AsyncConnection) -> Head:
    """Lock the end of the log until the transaction ends, and give it; SQLite's BEGIN IMMEDIATE has locked already."""
    row = (await connection.execute(select(HEAD.c.sequence, HEAD.c.hash).with_for_update())).one()
    return Head(row.sequence, bytes(row.hash))


async def _leadership(connection: AsyncConnection) -> Leadership | None:
    query = select(LEADERSHIP).order_by(LEADERSHIP.c.term.desc()).limit(1)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else Leadership(row.term, row.who, Timestamp(row.since))


async def _append(connection: AsyncConnection, head: Head, rows: Iterable[tuple[float, str, str, str]]) -> Head:
    values: list[dict[str, Any]] = []
    for at, pop, kind, body in rows:
        sequence, previous = head.sequence + 1, head.hash
        head = Head(sequence, row_hash(sequence, at, pop, kind, body, previous))
        row = {"sequence": sequence, "at": at, "pop": pop, "kind": kind, "body": body, "previous": previous}
        values.append({**row, "hash": head.hash, "service": reading.service_of(body)})
    await connection.execute(insert(EVENTS), values)
    await connection.execute(update(HEAD).values(sequence=head.sequence, hash=head.hash))
    return head


async def _put_once(connection: AsyncConnection, once: Once) -> None:
    """Keep an answer. Raises `Repeated` where one is kept under its key."""
    now = wall()
    kept = await _once(connection, once.key, now)
    if kept is not None:
        raise Repeated(kept)
    await connection.execute(delete(ONCE).where((ONCE.c.expires <= now) | (ONCE.c.key == once.key)))
    count = (await connection.execute(select(func.count()).select_from(ONCE))).scalar_one()
    if count >= ONCE_ROWS_MAX:
        oldest = select(ONCE.c.key).order_by(ONCE.c.expires).limit(count - ONCE_ROWS_MAX + 1)
        await connection.execute(delete(ONCE).where(ONCE.c.key.in_(oldest)))
    row = {"key": once.key, "request": once.request, "answer": once.answer, "expires": once.expires}
    await connection.execute(insert(ONCE).values(**row))


async def _once(connection: AsyncConnection, key: str, now: Timestamp) -> Once | None:
    row = (await connection.execute(select(ONCE).where(ONCE.c.key == key, ONCE.c.expires > now))).one_or_none()
    return None if row is None else Once(row.key, bytes(row.request), bytes(row.answer), Timestamp(row.expires))


async def _forget_folders(connection: AsyncConnection, needed: Collection[str]) -> None:
    """Forget the oldest revisions that nothing needs, down to what is kept."""
    names = (await connection.execute(select(FOLDERS.c.revision).order_by(FOLDERS.c.at))).scalars().all()
    surplus = len(names) - FOLDERS_KEPT
    gone = [name for name in names if name not in needed][:surplus] if surplus > 0 else []
    for part in _parts(gone):
        await connection.execute(delete(FILES).where(FILES.c.revision.in_(part)))
        await connection.execute(delete(FOLDERS).where(FOLDERS.c.revision.in_(part)))


def _parts(names: Sequence[str], size: int = 500) -> Iterable[Sequence[str]]:
    """Give names in parts that fit one statement."""
    return (names[start : start + size] for start in range(0, len(names), size))
