"""`anycastle twin`: who will land where, before anything changes.

Each subcommand is a module `twin_NAME` of its own and a line in `SUBCOMMANDS`, imported when it is run: a command that
only reads text shall not wait for compiled kernels.
"""

from types import MappingProxyType
from typing import Any, Final

import click

from anycastle.base.errors import MisuseError, ParseError
from anycastle.cli.lazy_group import Command, LazyGroup

SUBCOMMANDS: Final = MappingProxyType(
    {
        "attack": Command("anycastle.cli.twin_attack", "attack", "What to announce against an attack, ranked."),
        "calibrate": Command(
            "anycastle.cli.twin_calibrate", "calibrate", "Learn from measured catchments, and score it."
        ),
        "hijack": Command(
            "anycastle.cli.twin_hijack", "hijack", "Who would believe a hijack, and what verifying changes."
        ),
        "leak": Command("anycastle.cli.twin_leak", "leak", "Who would be drawn through a route leak."),
        "next-experiment": Command(
            "anycastle.cli.twin_next_experiment", "next_experiment", "What to announce, or whom to probe, next."
        ),
        "pilot": Command(
            "anycastle.cli.twin_pilot", "pilot", "What a pilot did to round trips, and if it was foretold."
        ),
        "place": Command("anycastle.cli.twin_place", "place", "What further PoPs would give users, and cost."),
        "predict": Command("anycastle.cli.twin_predict", "predict", "What a change of the fleet moves, and its loads."),
        "routes": Command("anycastle.cli.twin_routes", "routes", "The route of every AS under one announcement."),
        "score": Command("anycastle.cli.twin_score", "score", "How good a calibrated model is."),
        "shifts": Command("anycastle.cli.twin_shifts", "shifts", "What each prepend or community moves, predicted."),
        "survive": Command("anycastle.cli.twin_survive", "survive", "What each failure of one PoP, or of two, does."),
        "sweep": Command("anycastle.cli.twin_sweep", "sweep", "The shares of many configurations of prepends."),
    }
)
"""All subcommands."""


class _Twin(LazyGroup):
    """The subcommands, with one answer to what they are asked wrongly."""

    table = SUBCOMMANDS

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand. What cannot be read or followed is wrong usage, in a file as in an option."""
        try:
            return super().invoke(ctx)
        except (MisuseError, ParseError) as error:
            raise click.UsageError(str(error)) from error


@click.group("twin", cls=_Twin)
def twin() -> None:
    """Predict catchments on a graph of ASes: routes, failures, hijacks, leaks.

    GRAPH is a file of AS relationships (CAIDA serial-1 or serial-2; plain, gz, bz2 or xz), or `synthetic:ASES[:SEED]`
    for one made here. What a file gives is kept as arrays in ~/.cache/anycastle, so that it loads in milliseconds.
    """
