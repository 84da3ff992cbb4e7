"""The controller's memory: SQLite or PostgreSQL behind one code path."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anycastle.base.errors import WorldError
from anycastle.io.store.database import Database
from anycastle.io.store.migrate import migrate, newest, version
from anycastle.io.store.port import Once, Repeated, Store, Superseded
from anycastle.io.store.sql_store import SqlStore

__all__ = ["Database", "Once", "Repeated", "SqlStore", "Store", "Superseded", "open_store", "read_store"]


async def open_store(address: str) -> SqlStore:
    """Give the store at an address, its tables brought up to date. Raises `MisuseError` and `WorldError`."""
    database = Database(address)
    try:
        await migrate(database)
    except BaseException:
        await database.close()
        raise
    return SqlStore(database)


@asynccontextmanager
async def read_store(address: str) -> AsyncIterator[SqlStore]:
    """Give the store at an address as it is, for reading. Raises `WorldError` where there is none of this version."""
    database = Database(address)
    try:
        if database.is_sqlite and not database.file.exists():  # SQLite would make it
            raise WorldError(f"{database.name} is not there", retryable=False)
        found = await version(database)
        if found != newest():
            has = "no tables of a store" if found is None else f"tables of version {found}, and not {newest()}"
            raise WorldError(f"{database.name} has {has}: `anycastle controller migrate` brings it there")
        yield SqlStore(database)
    finally:
        await database.close()
