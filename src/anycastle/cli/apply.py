"""`anycastle apply` and `adopt`: have the controller roll a fleet folder out."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from anycastle.cli.controller_option import ordering_option
from anycastle.cli.controller_socket import reason_option

if TYPE_CHECKING:
    from anycastle.io.controller_client.port import Controller

FOLDER = click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))


def _read_gates(_context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    """Take gates that can be read; which indicators there are the controller knows."""
    from anycastle.base.errors import ParseError
    from anycastle.rollout.gates import parse_gate

    wrong = []
    for text in texts:
        try:
            parse_gate(text)
        except ParseError as error:
            wrong.append(str(error))
    if wrong:
        raise click.BadParameter("\n".join(wrong))
    return texts


@click.command()
@FOLDER
@reason_option
@click.option("--bake", "bake_s", type=float, default=60.0, show_default=True, help="Seconds that a step is looked at.")
@click.option(
    "--patience", "patience_s", type=float, default=600.0, show_default=True,
    help="Seconds for a PoP to get there, and for a gate to have data, before the rollout goes back.",
)  # fmt: skip
@click.option(
    "--gate", "gates", multiple=True, metavar="EXPRESSION", callback=_read_gates,
    help="Such as 'announced_share >= 100%' or 'sessions_up_share >= 1 x before'; also healthy_checks_share.",
)  # fmt: skip
@click.option("--canary-upstream", "canary_upstreams", multiple=True, help="Through which the canary goes.")
@click.option("--retire", multiple=True, metavar="SERVICE", help="A service that ends everywhere; none does otherwise.")
@click.option(
    "--plan", "plan_file", type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A saved plan; what has moved since it was made refuses the order.",
)  # fmt: skip
@ordering_option
def apply(
    folder: Path,
    reason: str,
    bake_s: float,
    patience_s: float,
    gates: tuple[str, ...],
    canary_upstreams: tuple[str, ...],
    retire: tuple[str, ...],
    plan_file: Path | None,
    controller: "Controller",
) -> None:
    """Roll a fleet folder out: checked, in steps, with gates, and back where it must.

    \b
    anycastle apply fleet/ --reason 'prepend at Amsterdam' --gate 'announced_share >= 100%'
    """
    from anycastle.io.controller_client.port import Asked
    from anycastle.io.plan_file import read_plan

    basis = None if plan_file is None else read_plan(plan_file).basis
    asked = Asked(reason, bake_s, patience_s, gates, canary_upstreams, retire, basis)
    told = controller.roll_out(folder, asked)
    click.echo(f"rollout {told.number} of revision {told.revision}; see: anycastle rollout show {told.number}")


@click.command()
@FOLDER
@reason_option
@ordering_option
def adopt(folder: Path, reason: str, controller: "Controller") -> None:
    """Have the controller take over a fleet that runs by its files: those files, as they are announced."""
    click.echo(f"revision {controller.adopt(folder, reason)} is desired")
