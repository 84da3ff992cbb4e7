"""`anycastle prober`: a vantage point that asks targets on a schedule."""

import sys
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import click

from anycastle.base.errors import MisuseError
from anycastle.cli.lazy_group import Command, FilesGroup, group_of

if TYPE_CHECKING:
    from typing import BinaryIO

SUBCOMMANDS: Final = MappingProxyType(
    {
        "check": Command(__name__, "check", "Read a prober's file, and tell what is wrong in it."),
        "run": Command(__name__, "run", "Probe, until SIGTERM."),
    }
)
"""All subcommands."""

FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
FLEET = click.option(
    "--fleet", "fleet_dir", type=click.Path(path_type=Path, file_okay=False),
    help="A fleet whose objectives are measured too: its services' checks, asked from here.",
)  # fmt: skip
FLEET_INTERVAL = click.option(
    "--fleet-interval", type=click.FloatRange(0.1, 3600), default=10.0, show_default=True, metavar="SECONDS",
    help="From one probe of a fleet's target to the next.",
)  # fmt: skip


@click.group("prober", cls=group_of(SUBCOMMANDS, FilesGroup))
def prober() -> None:
    """Probe targets on a schedule from where this runs: one prober a network.

    \b
    Example:
      anycastle prober run prober.yaml --out results.ndjson
    """


@click.command()
@FILE
@FLEET
@FLEET_INTERVAL
def check(file: Path, fleet_dir: Path | None, fleet_interval: float) -> None:
    """Read a prober's file and tell what it would do; or all that is wrong, each with its place.

    \b
    Example:
      anycastle prober check prober.yaml --fleet /etc/anycastle/fleet
    """
    import asyncio

    from anycastle.cli.output import counted
    from anycastle.daemons.prober_process import ProberSettings, read_all

    found, targets = asyncio.run(read_all(ProberSettings(file, Path(), fleet_dir, fleet_interval)))
    rate = sum(1 / target.interval_s for target in targets)
    where = f" in AS{found.vantage.asn}" if found.vantage.asn else ""
    click.echo(f"{found.vantage.name}{where}: {counted(len(targets), 'target')}, {rate:,.1f} probes a second")


@click.command()
@FILE
@FLEET
@FLEET_INTERVAL
@click.option("--out", type=click.Path(allow_dash=True, dir_okay=False),
              help="Append a line of JSON a result to this file; `-`: standard output.")  # fmt: skip
@click.option("--deliver-to", metavar="URL", help="POST results to a collector; kept on disk while it is away.")
@click.option("--token-file", type=click.Path(path_type=Path, dir_okay=False), help="The collector's bearer token.")
@click.option("--ca-file", type=click.Path(path_type=Path, dir_okay=False), help="The collector's authorities.")
@click.option("--spool-mib", type=click.IntRange(8, 1_000_000), default=1024, show_default=True,
              help="Room for results on disk; beyond it the oldest are let go, and counted.")  # fmt: skip
@click.option("--state-dir", type=click.Path(path_type=Path), envvar="STATE_DIRECTORY",
              help="What outlives a restart. [default: /var/lib/anycastle/prober]")  # fmt: skip
@click.option("--listen", default="127.0.0.1:9479", show_default=True,
              help="ADDRESS:PORT of /metrics and /probe, or `none`.")  # fmt: skip
@click.option("--any-target", is_flag=True, help="Let /probe ask any target, and not those of the file alone.")
@click.option("--seed", type=click.IntRange(0), help="Of the schedule. [default: another one each time]")
def run(
    file: Path,
    fleet_dir: Path | None,
    fleet_interval: float,
    out: str | None,
    deliver_to: str | None,
    token_file: Path | None,
    ca_file: Path | None,
    spool_mib: int,
    state_dir: Path | None,
    listen: str,
    any_target: bool,
    seed: int | None,
) -> None:
    """Probe the targets of a file, until SIGTERM. SIGHUP reads the file anew.

    Probes are spread evenly over each target's interval. One that begins more than 20 ms after its time is counted as
    late; rounds that could not be kept are counted, and never made up in a burst.

    \b
    Example:
      anycastle prober run prober.yaml --deliver-to https://collector.example/results
    """
    import asyncio

    from anycastle.cli.agent import address, directories
    from anycastle.daemons.prober_process import ProberProcess, ProberSettings, read_all

    if deliver_to is None and (token_file or ca_file):
        raise MisuseError("--token-file and --ca-file are of a collector: name it with --deliver-to")
    settings = ProberSettings(
        file=file,
        state_dir=directories("prober", state_dir, None)[0],
        fleet_dir=fleet_dir,
        fleet_interval_s=fleet_interval,
        out=_opened(out),
        deliver_to=deliver_to,
        token_file=token_file,
        ca_file=ca_file,
        spool_octets_max=spool_mib * 1024 * 1024,
        listen=address(listen),
        any_target=any_target,
        seed=seed,
    )

    async def serve() -> None:
        found, targets = await read_all(settings)
        await ProberProcess(settings, found, targets).run()

    asyncio.run(serve())


def _opened(out: str | None) -> "BinaryIO | None":
    from anycastle.base.errors import WorldError

    if out is None:
        return None
    if out == "-":
        return sys.stdout.buffer
    try:
        return Path(out).open("ab", buffering=0)
    except OSError as error:
        raise WorldError(f"{out}: {error.strerror}", retryable=False) from error
