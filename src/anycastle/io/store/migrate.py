"""Bring a database's tables to a version: at the start of a controller, and by `anycastle controller migrate`.

All of it happens in one transaction, behind a lock: two controllers that start together do it once, and a process that
is killed within it leaves the tables as they were. Tables of a newer version are refused, as nothing here knows them.
"""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.store.database import Database
from anycastle.io.store.leading import LOCK, MIGRATE

_SCRIPTS: Final = Path(__file__).with_name("migrations")
NEWEST: Final = "head"
NONE: Final = "base"


async def migrate(database: Database, to: str = NEWEST) -> tuple[str | None, str | None]:
    """Bring the tables to a version, up or down; give the versions before and after. Raises `WorldError`."""
    if database.is_sqlite:
        _make_private(database.file)
    async with database.write() as connection:
        if not database.is_sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:one, :two)"), {"one": LOCK, "two": MIGRATE})
        return await _migrate(connection, to, database.name)


async def migrate_at(
    address: str, to: str = NEWEST, *, remove: bool = False, dry_run: bool = False
) -> tuple[str | None, str | None]:
    """Bring the tables at an address to a version; give the versions before and after.

    Raises `MisuseError` for a lower version unless tables may be removed, and `WorldError`.
    """
    database = Database(address)
    try:
        there = not database.is_sqlite or database.file.exists()  # SQLite would make it
        before = await version(database) if there else None
        after = newest() if to == NEWEST else None if to == NONE else to
        if before is not None and (after is None or after < before) and not (remove or dry_run):
            raise MisuseError(f"version {after or 'none'} is below {before}: what it lacks is lost; --remove says so")
        return (before, after) if dry_run else await migrate(database, to)
    finally:
        await database.close()


def _make_private(path: Path) -> None:
    """Make the file before SQLite makes it for all to read."""
    try:
        path.touch(mode=0o600)
    except OSError as error:
        raise WorldError(f"{path} cannot be made: {error.strerror}", retryable=False) from error


async def version(database: Database) -> str | None:
    """Give the version of the tables; None where there are none."""
    async with database.read() as connection:
        return await connection.run_sync(_version)


def newest() -> str | None:
    """Give the newest version that is known."""
    return ScriptDirectory(str(_SCRIPTS)).get_current_head()


async def _migrate(connection: AsyncConnection, to: str, name: str) -> tuple[str | None, str | None]:
    known = {script.revision for script in ScriptDirectory(str(_SCRIPTS)).walk_revisions()}
    before = await connection.run_sync(_version)
    if before is not None and before not in known:
        message = (
            f"{name} has tables of version {before}, and this anycastle knows up to {newest()}: install a newer one"
        )
        raise WorldError(message, retryable=False)
    if to not in {*known, NEWEST, NONE}:
        raise WorldError(f"no version of the tables is named {to}; known: {', '.join(sorted(known))}", retryable=False)
    await connection.run_sync(_run, to, before)
    return before, await connection.run_sync(_version)


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _run(connection: Connection, to: str, before: str | None) -> None:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    down = to == NONE or (before is not None and to != NEWEST and to < before)
    (command.downgrade if down else command.upgrade)(config, to)
