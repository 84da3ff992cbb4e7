"""`anycastle rollout`: look at rollouts, hold them, let them go on, take them back."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from anycastle.base.errors import MisuseError
from anycastle.cli.controller_socket import owner_option, reason_option, run_dir_option, say
from anycastle.cli.output import Form, Table, output_option, print_form


@click.group()
def rollout() -> None:
    """Look at rollouts, hold them, let them go on, take them back."""


@rollout.command("list")
@run_dir_option
@output_option(Form.TABLE, Form.JSON, Form.YAML)
def list_(run_dir: Path, form: Form) -> None:
    """Show all rollouts that are kept."""
    told = say(run_dir, {"command": "status"})["rollouts"]
    rows = [
        (
            each["number"], each["state"] + (" (paused)" if each["paused_by"] else ""),
            f"{each['step']}/{len(each['steps'])}", each["revision"][:12], each["who"], each["why"] or each["reason"],
        )
        for each in told
    ]  # fmt: skip
    print_form(form, {"rollouts": told}, Table(("rollout", "state", "step", "revision", "who", "why"), rows))


@rollout.command()
@click.argument("number", type=int)
@run_dir_option
@output_option(Form.TABLE, Form.JSON, Form.YAML)
def show(number: int, run_dir: Path, form: Form) -> None:
    """Show a rollout, step by step."""
    found = next((each for each in say(run_dir, {"command": "status"})["rollouts"] if each["number"] == number), None)
    if found is None:
        raise MisuseError(f"there is no rollout {number}")
    if form is Form.TABLE:
        since = datetime.fromtimestamp(found["since"], UTC).strftime("%H:%M:%S UTC")
        click.echo(f"rollout {number} of {found['who']}: {found['state']} since {since}  {found['why']}".rstrip())
    print_form(form, found, _steps(found))


def _steps(found: dict[str, Any]) -> Table:
    state = found["state"]
    rows = []
    for each in found["steps"]:
        current = each["number"] == found["step"] and state in ("applying", "baking")
        stands = state if current else "done" if each["number"] <= found["step"] else ""
        rows.append((each["number"], each["units"], ", ".join(each["pops"]), stands))
    return Table(("step", "units", "pops", "state"), rows)


def _order(run_dir: Path, command: str, owner: str, **fields: Any) -> None:
    say(run_dir, {"command": command, "owner": owner, **fields})
    click.echo(f"{command}: done", err=True)


@rollout.command()
@click.argument("number", type=int)
@owner_option
@run_dir_option
def pause(number: int, owner: str, run_dir: Path) -> None:
    """Hold a rollout where it is."""
    _order(run_dir, "pause", owner, rollout=number)


@rollout.command()
@click.argument("number", type=int)
@owner_option
@run_dir_option
def resume(number: int, owner: str, run_dir: Path) -> None:
    """Let a paused rollout go on; its step bakes anew."""
    _order(run_dir, "resume", owner, rollout=number)


@rollout.command()
@click.argument("number", type=int)
@owner_option
@run_dir_option
def promote(number: int, owner: str, run_dir: Path) -> None:
    """End the bake of a step by hand; gates without data are not waited for."""
    _order(run_dir, "promote", owner, rollout=number)


@rollout.command()
@click.argument("number", type=int)
@reason_option
@owner_option
@run_dir_option
def abort(number: int, reason: str, owner: str, run_dir: Path) -> None:
    """End a rollout: what it changed goes back, step by step."""
    _order(run_dir, "abort", owner, rollout=number, reason=reason)


@rollout.command()
@click.argument("number", type=int)
@owner_option
@run_dir_option
def approve(number: int, owner: str, run_dir: Path) -> None:
    """Agree to a rollout as a second person."""
    _order(run_dir, "approve", owner, subject=f"rollout/{number}")
