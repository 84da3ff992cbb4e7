"""What is read from the database's tables: pages of events and folders, and the chain from end to end."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from anycastle.base.ports import Timestamp
from anycastle.io.event_log import Chain, ChainRow, Head, StoredEvent, VerifyResult, stored_event
from anycastle.io.store.port import PAGE_ROWS_MAX, FolderNote
from anycastle.io.store.tables import EVENTS, FOLDERS, HEAD


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events are asked for; see `Store.events`."""

    after: int
    limit: int
    kinds: Collection[str] | None
    pop: str | None
    services: Collection[str] | None
    since: Timestamp | None
    newest: bool

    def statement(self) -> Select[Any]:
        """Give the query."""
        columns = EVENTS.c
        query = select(columns.sequence, columns.at, columns.pop, columns.kind, columns.body, columns.hash)
        query = query.where(columns.sequence > self.after).limit(max(0, min(self.limit, PAGE_ROWS_MAX)))
        if self.kinds is not None:
            query = query.where(columns.kind.in_(list(self.kinds)))
        if self.pop is not None:
            query = query.where(columns.pop == self.pop)
        if self.services is not None:
            query = query.where(columns.service.in_(list(self.services)))
        if self.since is not None:
            query = query.where(columns.at >= self.since)
        return query.order_by(columns.sequence.desc() if self.newest else columns.sequence)


async def events(connection: AsyncConnection, query: EventQuery) -> list[StoredEvent]:
    """Give the events that fit, the oldest first."""
    rows = [(*row[:5], bytes(row[5])) for row in await connection.execute(query.statement())]
    return [stored_event(*row) for row in (reversed(rows) if query.newest else rows)]


async def head(connection: AsyncConnection) -> Head:
    """Give the end of the log."""
    row = (await connection.execute(select(HEAD.c.sequence, HEAD.c.hash))).one()
    return Head(row.sequence, bytes(row.hash))


async def folders(connection: AsyncConnection, limit: int, before: FolderNote | None) -> list[FolderNote]:
    """Give what revisions are kept, the newest first."""
    columns = FOLDERS.c
    query = select(columns.revision, columns.who, columns.at, columns.files, columns.octets)
    if before is not None:
        query = query.where(tuple_(columns.at, columns.revision) < (before.at, before.revision))
    query = query.order_by(columns.at.desc(), columns.revision.desc()).limit(max(0, min(limit, PAGE_ROWS_MAX)))
    return [FolderNote(row.revision, row.who, row.at, row.files, row.octets) for row in await connection.execute(query)]


def service_of(body: str) -> str | None:
    """Give the service that an event's body names."""
    try:
        fields = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    service = fields.get("service") if isinstance(fields, dict) else None
    return service.replace("\0", "�") if isinstance(service, str) else None


async def rows(connection: AsyncConnection, after: int) -> list[ChainRow]:
    """Give a page of rows after a number, as they are stored."""
    columns = EVENTS.c
    query = select(*(columns[name] for name in ChainRow._fields)).where(columns.sequence > after)
    query = query.order_by(columns.sequence).limit(PAGE_ROWS_MAX)
    return [
        ChainRow(row.sequence, row.at, row.pop, row.kind, row.body, bytes(row.previous), bytes(row.hash))
        for row in await connection.execute(query)
    ]


async def verify(connection: AsyncConnection, remembered: Head | None) -> VerifyResult:
    """Follow the chain from its start to its head."""
    chain, columns = Chain(remembered), EVENTS.c
    after = 0
    while True:
        page = (
            await connection.execute(
                select(EVENTS).where(columns.sequence > after).order_by(columns.sequence).limit(PAGE_ROWS_MAX)
            )
        ).all()
        for row in page:
            chain.follow(row.sequence, row.at, row.pop, row.kind, row.body, bytes(row.previous), bytes(row.hash))
            if row.service != service_of(row.body):
                chain.blame(row.sequence, "the service that it is looked up by is not the one in its body")
            after = row.sequence
        if len(page) < PAGE_ROWS_MAX:
            return chain.ended(await head(connection))
