"""`anycastle rollout`: look at rollouts, hold them, let them go on, take them back."""

from pathlib import Path
from typing import Any

import click

from anycastle.base.errors import MisuseError
from anycastle.cli import rollout_text
from anycastle.cli.controller_socket import owner_option, reason_option, run_dir_option, say
from anycastle.cli.output import Form, output_option, print_form, print_table


@click.group()
def rollout() -> None:
    """Look at rollouts, hold them, let them go on, take them back."""


@rollout.command("list")
@run_dir_option
@output_option(Form.TABLE, Form.JSON, Form.YAML)
def list_(run_dir: Path, form: Form) -> None:
    """Show all rollouts that are kept, the newest last: where each is, and what it waits for."""
    told = say(run_dir, {"command": "status"})["rollouts"]
    if form is Form.TABLE and not told:
        click.echo("there is no rollout", err=True)
        return
    print_form(form, {"rollouts": told}, rollout_text.list_table(told))


@rollout.command()
@click.argument("number", type=int)
@run_dir_option
@output_option(Form.TABLE, Form.JSON, Form.YAML)
def show(number: int, run_dir: Path, form: Form) -> None:
    """Show a rollout: its state, what it waits for, its steps and their PoPs, and what can be done.

    \b
    anycastle rollout show 7
    """
    told = say(run_dir, {"command": "status"})["rollouts"]
    found = next((each for each in told if each["number"] == number), None)
    if found is None:
        there = ", ".join(str(each["number"]) for each in told[-10:])
        raise MisuseError(f"there is no rollout {number}" + (f"; the last ones: {there}" if there else ""))
    if form is Form.TABLE:
        _print(found)
    else:
        print_form(form, found, rollout_text.steps_table(found))


def _print(found: dict[str, Any]) -> None:
    from anycastle.io.clock import now

    for line in rollout_text.heading(found, now().wall):
        click.echo(line)
    print_table(rollout_text.steps_table(found))
    ways = rollout_text.ways_on(found)
    if ways:
        click.echo(f"\n{ways}")


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
