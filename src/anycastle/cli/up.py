"""`anycastle up`: all that a fleet needs in one place, by one command."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from anycastle.cli.twin_files_option import twin_files_options

if TYPE_CHECKING:
    from anycastle.io.foretelling import TwinFiles


@click.command()
@click.argument("fleet", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path("anycastle-data"),
    show_default=True, help="Where all is kept: the authority, certificates, the database, the socket.",
)  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="A name or address by which agents dial it.")
@click.option("--listen", default="[::]:9479", show_default=True, help="Where agents dial: ADDRESS:PORT.")
@click.option("--api", default="127.0.0.1:8080", show_default=True, help="Where the API is served: a loopback address.")
@click.option("--vrps", metavar="FILE|URL", help="JSON export of a validator: what is rolled out is checked by it.")
@click.option("--findings", multiple=True, type=click.Path(path_type=Path, dir_okay=False),
              help="A watch's event log on this machine: what it finds opens incidents too.")  # fmt: skip
@click.option("--watch", "watches", multiple=True, type=click.Path(path_type=Path, file_okay=False),
              help="The --run-dir of a watch on this machine: the API tells the routes that it sees.")  # fmt: skip
@twin_files_options
@click.option("--indicators", type=click.Path(path_type=Path, dir_okay=False),
              help="A file that names a Prometheus: of budgets, of charts, and of what gates ask.")  # fmt: skip
def up(
    fleet: Path,
    folder: Path,
    host: str,
    listen: str,
    api: str,
    vrps: str | None,
    findings: tuple[Path, ...],
    watches: tuple[Path, ...],
    twin: "TwinFiles | None",
    indicators: Path | None,
) -> None:
    """Run a controller for the fleet in FLEET, with all that it needs in one folder.

    The first start makes an authority, the certificates of the controller and of each PoP, a database, and a token of
    the API; and it adopts the files. Later starts find all of that, and change no route. Certificates of new PoPs, and
    those that are about to end, are made at each start.

    \b
    anycastle init fleet && anycastle up fleet
    """
    import asyncio

    from anycastle.base.errors import MisuseError, ParseError
    from anycastle.cli.output import message
    from anycastle.daemons.all_in_one import Place
    from anycastle.daemons.all_in_one import up as bring_up
    from anycastle.daemons.api_place import ApiPlace, require_safe
    from anycastle.io.config.indicators_file import load_indicators
    from anycastle.model.controller_access import host_and_port

    try:
        asked = None if indicators is None else load_indicators(indicators)
        place = Place(
            fleet, folder, host, host_and_port(listen), host_and_port(api), vrps, findings, watches, twin, asked
        )
        require_safe(ApiPlace(*place.api))
    except (ParseError, MisuseError) as error:
        raise click.UsageError(str(error)) from error
    asyncio.run(bring_up(place, message))
