"""`anycastle twin`: who will land where, before anything changes.

Each subcommand is a module `twin_NAME` of its own and a line in `SUBCOMMANDS`, imported when it is run: a command that
only reads text shall not wait for compiled kernels.
"""

from types import MappingProxyType
from typing import Final

import click

from anycastle.cli.lazy_group import Command, FilesGroup, group_of

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


@click.group("twin", cls=group_of(SUBCOMMANDS, FilesGroup))
def twin() -> None:
    """Predict catchments on a graph of ASes: routes, failures, hijacks, leaks.

    GRAPH is a file of AS relationships (CAIDA serial-1 or serial-2; plain, gz, bz2 or xz), or `synthetic:ASES[:SEED]`
    for one made here. What a file gives is kept as arrays in ~/.cache/anycastle, so that it loads in milliseconds.
    """
