"""The controller's memory: SQLite or PostgreSQL behind one code path."""

from anycastle.io.store.database import Database
from anycastle.io.store.migrate import migrate
from anycastle.io.store.port import Once, Repeated, Store, Superseded
from anycastle.io.store.sql_store import SqlStore

__all__ = ["Database", "Once", "Repeated", "SqlStore", "Store", "Superseded", "open_store"]


async def open_store(address: str) -> SqlStore:
    """Give the store at an address, its tables brought up to date. Raises `MisuseError` and `WorldError`."""
    database = Database(address)
    try:
        await migrate(database)
    except BaseException:
        await database.close()
        raise
    return SqlStore(database)
