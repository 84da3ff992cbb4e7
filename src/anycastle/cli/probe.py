"""`anycastle probe`: what probes outside saw of an anycast address."""

from types import MappingProxyType
from typing import Any, Final

import click

from anycastle.base.errors import MisuseError, ParseError
from anycastle.cli.lazy_group import Command, LazyGroup

SUBCOMMANDS: Final = MappingProxyType(
    {
        "atlas": Command("anycastle.cli.probe_atlas", "atlas", "Read results of RIPE Atlas."),
        "catchments": Command("anycastle.cli.probe_catchments", "catchments", "Which PoP answered whom, and how fast."),
        "run": Command("anycastle.cli.probe_run", "run", "Probe a target now, and show the phases."),
    }
)
"""All subcommands."""


class _Probe(LazyGroup):
    """The subcommands, with one answer to what they are asked wrongly."""

    table = SUBCOMMANDS

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand. What cannot be read or followed is wrong usage, in a file as in an option."""
        try:
            return super().invoke(ctx)
        except (MisuseError, ParseError) as error:
            raise click.UsageError(str(error)) from error


@click.group("probe", cls=_Probe)
def probe() -> None:
    """Read what probes outside saw: round trips, paths, and which PoP answered whom.

    \b
    Example:
      anycastle probe catchments results.json.gz
    """
