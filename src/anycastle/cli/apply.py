"""`anycastle apply` and `adopt`: have the controller roll a fleet folder out."""

from pathlib import Path
from typing import Any

import click

from anycastle.cli.controller_socket import owner_option, reason_option, run_dir_option, say

FOLDER = click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))


def _read_gates(_context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[str, ...]:
    from anycastle.base.errors import ParseError
    from anycastle.rollout.gates import gate_to_ask

    wrong = []
    for text in texts:
        try:
            gate_to_ask(text)
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
@owner_option
@run_dir_option
def apply(
    folder: Path,
    reason: str,
    bake_s: float,
    patience_s: float,
    gates: tuple[str, ...],
    canary_upstreams: tuple[str, ...],
    retire: tuple[str, ...],
    plan_file: Path | None,
    owner: str,
    run_dir: Path,
) -> None:
    """Roll a fleet folder out: checked, in steps, with gates, and back where it must.

    \b
    anycastle apply fleet/ --reason 'prepend at Amsterdam' --gate 'announced_share >= 100%'
    """
    request: dict[str, Any] = {
        "command": "apply", "folder": str(folder.absolute()), "reason": reason, "owner": owner, "bake_s": bake_s,
        "patience_s": patience_s, "gates": gates, "canary_upstreams": canary_upstreams, "retire": retire,
    }  # fmt: skip
    if plan_file is not None:
        import msgspec

        from anycastle.io.plan_file import read_plan

        request["basis"] = msgspec.to_builtins(read_plan(plan_file).basis)
    told = say(run_dir, request)
    click.echo(f"rollout {told['number']} of revision {told['revision']}; see: anycastle rollout show {told['number']}")


@click.command()
@FOLDER
@reason_option
@owner_option
@run_dir_option
def adopt(folder: Path, reason: str, owner: str, run_dir: Path) -> None:
    """Have the controller take over a fleet that runs by its files: those files, as they are announced."""
    told = say(run_dir, {"command": "adopt", "folder": str(folder.absolute()), "reason": reason, "owner": owner})
    click.echo(f"revision {told['revision']} is desired")
