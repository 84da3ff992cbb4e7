"""`anycastle backup` and `anycastle restore`: a controller's database as a file, and back."""

import asyncio
import sys
from pathlib import Path

import click

from anycastle.cli.output import counted
from anycastle.cli.store_option import store_option


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@store_option
def backup(file: Path, store: str) -> None:
    """Write all that a controller keeps into FILE, at one moment, while it goes on.

    The file fits SQLite and PostgreSQL alike. It holds no secret but the hashes of tokens.

    \b
    anycastle backup controller-$(date +%F).backup
    """
    from anycastle.io.store import read_store
    from anycastle.io.store.dump import dump

    if file.exists():
        raise click.UsageError(f"{file} is there already; a backup replaces none")

    async def work() -> int:
        async with read_store(store) as opened:
            return await dump(opened.database, file, _say_rows)

    click.echo(f"{file}: {counted(asyncio.run(work()), 'row')}", err=True)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@store_option
@click.option("--replace", is_flag=True, help="Put it in the place of what the database holds.")
@click.option("--dry-run", is_flag=True, help="Read FILE through, its chain of events too, and change nothing.")
def restore(file: Path, store: str, replace: bool, dry_run: bool) -> None:
    """Put a backup into a database where no controller leads: all of it, or nothing.

    The next controller leads by a term above all that were ever used. What was committed after the backup is lost;
    agents go on with what they have, and tell it when they dial.

    \b
    anycastle restore controller-2026-11-27.backup --store postgresql://anycastle@db.example.net/anycastle
    """
    from anycastle.io.store import Database
    from anycastle.io.store.dump import check
    from anycastle.io.store.dump import restore as put_back

    if dry_run:
        click.echo(f"{file}: {counted(check(file), 'row')}, whole", err=True)
        return

    async def work() -> int:
        database = Database(store)
        try:
            return await put_back(database, file, replace=replace, progress=_say_rows)
        finally:
            await database.close()

    click.echo(f"{counted(asyncio.run(work()), 'row')} from {file}", err=True)


def _say_rows(rows: int) -> None:
    """Show how far it is, where somebody looks."""
    if sys.stderr.isatty() and rows % 10_000 == 0:
        click.echo(f"\r{rows} rows", nl=False, err=True)
