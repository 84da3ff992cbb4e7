"""`anycastle telemetry`: what servers, filters and probers tell, counted as indicators."""

from pathlib import Path
from types import MappingProxyType
from typing import Final

import click

from anycastle.cli.lazy_group import Command, FilesGroup, group_of

SUBCOMMANDS: Final = MappingProxyType(
    {
        "check": Command(__name__, "check", "Read a telemetry file, and tell what is wrong in it."),
        "run": Command(__name__, "run", "Collect, until SIGTERM."),
        "show": Command("anycastle.cli.telemetry_show", "show", "Print the indicators of one or more collectors."),
    }
)
"""All subcommands."""

FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.group("telemetry", cls=group_of(SUBCOMMANDS, FilesGroup))
def telemetry() -> None:
    """Count what clients got, of what servers, filters and probers tell: one collector a PoP, or one for all.

    \b
    Example:
      anycastle telemetry run telemetry.yaml
    """


@click.command()
@FILE
def check(file: Path) -> None:
    """Read a telemetry file and tell what would be read; or all that is wrong, each with its place.

    \b
    Example:
      anycastle telemetry check telemetry.yaml
    """
    import asyncio

    from anycastle.cli.output import counted
    from anycastle.io.fleet_loader import load_fleet_apart
    from anycastle.io.telemetry.telemetry_file import read_telemetry_file, require_services

    found = read_telemetry_file(file)
    if found.fleet is not None:
        require_services(found, asyncio.run(load_fleet_apart(found.fleet)))
    parts = [
        counted(len(sources), what)
        for sources, what in (
            (found.access_logs, "access log"),
            (found.filters, "filter"),
            (found.probers, "prober file"),
            (found.watches, "watch log"),
            (found.agents, "agent log"),
            (found.prometheus, "Prometheus"),
        )
        if sources
    ]
    click.echo(f"{found.name}: {', '.join(parts) or 'OTLP alone'}; cells of {found.cell_s:g} s")


@click.command()
@FILE
@click.option("--state-dir", type=click.Path(path_type=Path), envvar="STATE_DIRECTORY",
              help="What was counted, and how far logs were read. [default: /var/lib/anycastle/telemetry]")  # fmt: skip
@click.option("--listen", default="127.0.0.1:4318", show_default=True,
              help="ADDRESS:PORT of OTLP, /results and /metrics, or `none`.")  # fmt: skip
def run(file: Path, state_dir: Path | None, listen: str) -> None:
    """Read the sources of a file, and take OTLP and probers' results, until SIGTERM.

    A line of a log counts once, through rotation and restarts: how far it was read is kept together with what was
    counted. Lines that cannot be read are counted, and told with their place.

    \b
    Example:
      anycastle telemetry run telemetry.yaml --listen 127.0.0.1:4318
    """
    import asyncio
    from dataclasses import replace

    from anycastle.cli.agent import address, directories
    from anycastle.daemons.telemetry_process import TelemetryProcess, TelemetrySettings
    from anycastle.io.fleet_loader import load_fleet_apart
    from anycastle.io.telemetry.telemetry_file import read_telemetry_file, require_services

    settings = TelemetrySettings(
        read_telemetry_file(file), directories("telemetry", state_dir, None)[0], address(listen)
    )

    async def serve() -> None:
        found = settings.file.fleet
        fleet = None if found is None else await load_fleet_apart(found)
        if fleet is not None:
            require_services(settings.file, fleet)
        await TelemetryProcess(replace(settings, fleet=fleet)).run()

    asyncio.run(serve())
