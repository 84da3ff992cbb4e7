"""`anycastle rollout`: look at rollouts, hold them, let them go on, take them back."""

from typing import TYPE_CHECKING

import click

from anycastle.base.errors import MisuseError
from anycastle.cli import rollout_text
from anycastle.cli.controller_option import controller_option, ordering_option
from anycastle.cli.controller_socket import reason_option
from anycastle.cli.output import Form, output_option, print_form, print_table

if TYPE_CHECKING:
    from anycastle.io.controller_client.port import Controller, Told


@click.group()
def rollout() -> None:
    """Look at rollouts, hold them, let them go on, take them back."""


@rollout.command("list")
@controller_option
@output_option(Form.TABLE, Form.JSON, Form.YAML)
def list_(controller: "Controller", form: Form) -> None:
    """Show all rollouts that are kept, the newest last: where each is, and what it waits for."""
    told = controller.rollouts()
    if form is Form.TABLE and not told:
        click.echo("there is no rollout", err=True)
        return
    print_form(form, {"rollouts": told}, rollout_text.list_table(told))


@rollout.command()
@click.argument("number", type=int)
@controller_option
@output_option(Form.TABLE, Form.JSON, Form.YAML)
def show(number: int, controller: "Controller", form: Form) -> None:
    """Show a rollout: its state, what it waits for, its steps and their PoPs, and what can be done.

    \b
    anycastle rollout show 7
    """
    told = controller.rollouts()
    found = next((each for each in told if each["number"] == number), None)
    if found is None:
        there = ", ".join(str(each["number"]) for each in told[-10:])
        raise MisuseError(f"there is no rollout {number}" + (f"; the last ones: {there}" if there else ""))
    if form is Form.TABLE:
        _print(found)
    else:
        print_form(form, found, rollout_text.steps_table(found))


def _print(found: "Told") -> None:
    from anycastle.io.clock import now

    for line in rollout_text.heading(found, now().wall):
        click.echo(line)
    print_table(rollout_text.steps_table(found))
    ways = rollout_text.ways_on(found)
    if ways:
        click.echo(f"\n{ways}")


def _order(controller: "Controller", command: str, number: int, reason: str = "") -> None:
    from anycastle.io.controller_client.port import RolloutOrder

    controller.order(RolloutOrder(command), number, reason)
    click.echo(f"{command}: done", err=True)


@rollout.command()
@click.argument("number", type=int)
@ordering_option
def pause(number: int, controller: "Controller") -> None:
    """Hold a rollout where it is."""
    _order(controller, "pause", number)


@rollout.command()
@click.argument("number", type=int)
@ordering_option
def resume(number: int, controller: "Controller") -> None:
    """Let a paused rollout go on; its step bakes anew."""
    _order(controller, "resume", number)


@rollout.command()
@click.argument("number", type=int)
@ordering_option
def promote(number: int, controller: "Controller") -> None:
    """End the bake of a step by hand; gates without data are not waited for."""
    _order(controller, "promote", number)


@rollout.command()
@click.argument("number", type=int)
@reason_option
@ordering_option
def abort(number: int, reason: str, controller: "Controller") -> None:
    """End a rollout: what it changed goes back, step by step."""
    _order(controller, "abort", number, reason)


@rollout.command()
@click.argument("number", type=int)
@ordering_option
def approve(number: int, controller: "Controller") -> None:
    """Agree to a rollout as a second person."""
    _order(controller, "approve", number)
