"""`anycastle probe`: what probes outside saw of an anycast address."""

from types import MappingProxyType
from typing import Final

import click

from anycastle.cli.lazy_group import Command, FilesGroup, group_of

SUBCOMMANDS: Final = MappingProxyType(
    {
        "atlas": Command("anycastle.cli.probe_atlas", "atlas", "Order measurements of RIPE Atlas, read results."),
        "catchments": Command("anycastle.cli.probe_catchments", "catchments", "Which PoP answered whom, and how fast."),
        "run": Command("anycastle.cli.probe_run", "run", "Probe a target now, and show the phases."),
    }
)
"""All subcommands."""


@click.group("probe", cls=group_of(SUBCOMMANDS, FilesGroup))
def probe() -> None:
    """Read what probes outside saw: round trips, paths, and which PoP answered whom.

    \b
    Example:
      anycastle probe catchments results.json.gz
    """
