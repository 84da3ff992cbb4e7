"""`anycastle twin`: who will land where, before anything changes.

Each subcommand is a module `twin_NAME` of its own and a line in `SUBCOMMANDS`, imported when it is run: a command that
only reads text shall not wait for compiled kernels.
"""

from importlib import import_module
from types import MappingProxyType
from typing import Final

import click

from anycastle.cli.main import Command

SUBCOMMANDS: Final = MappingProxyType(
    {
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
        "routes": Command("anycastle.cli.twin_routes", "routes", "The route of every AS under one announcement."),
        "score": Command("anycastle.cli.twin_score", "score", "How good a calibrated model is."),
        "shifts": Command("anycastle.cli.twin_shifts", "shifts", "What each prepend or community moves, predicted."),
        "survive": Command("anycastle.cli.twin_survive", "survive", "What each failure of one PoP, or of two, does."),
        "sweep": Command("anycastle.cli.twin_sweep", "sweep", "The shares of many configurations of prepends."),
    }
)
"""All subcommands."""


class _Twin(click.Group):
    """Imports a subcommand's module when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        entry = SUBCOMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = getattr(import_module(entry.module), entry.attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, SUBCOMMANDS[name].summary) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in SUBCOMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], SUBCOMMANDS, n=1)
            ctx.fail(f"No such command {args[0]!r}.{f' Did you mean {near[0]!r}?' if near else ''}")
        return super().resolve_command(ctx, args)


@click.group("twin", cls=_Twin)
def twin() -> None:
    """Predict catchments on a graph of ASes: routes, failures, hijacks, leaks.

    GRAPH is a file of AS relationships (CAIDA serial-1 or serial-2; plain, gz, bz2 or xz), or `synthetic:ASES[:SEED]`
    for one made here. What a file gives is kept as arrays in ~/.cache/anycastle, so that it loads in milliseconds.
    """
