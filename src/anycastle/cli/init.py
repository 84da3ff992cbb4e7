"""`anycastle init`."""

from pathlib import Path

import click

from anycastle.cli.output import message


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
def init(folder: Path, dry_run: bool) -> None:
    """Write a commented example fleet into FOLDER, which must be new or empty.

    Four PoPs, three transits and a DNS service, with addresses and AS numbers that are kept for documentation.
    """
    from anycastle.io.config.start import check_empty, example_files, write_example

    if dry_run:
        check_empty(folder)
        names = tuple(example_files())
    else:
        names = write_example(folder)
    for name in names:
        click.echo(str(folder / name))
    if dry_run:
        message("dry run: nothing was written")
    else:
        message(f"next: anycastle config validate {folder}")
