"""`anycastle freeze`, `thaw` and `break-glass`: stop what changes by itself, and go on in spite of it."""

from typing import TYPE_CHECKING

import click

from anycastle.cli.controller_option import ordering_option
from anycastle.cli.controller_socket import reason_option

if TYPE_CHECKING:
    from anycastle.io.controller_client.port import Controller


@click.command()
@reason_option
@ordering_option
def freeze(reason: str, controller: "Controller") -> None:
    """Let the controller change nothing by itself. PoPs go on withdrawing what does not serve."""
    controller.freeze(reason)
    click.echo("frozen")


@click.command()
@reason_option
@ordering_option
def thaw(reason: str, controller: "Controller") -> None:
    """End a freeze."""
    controller.thaw(reason)
    click.echo("thawed")


@click.command("break-glass")
@click.option("--for", "lasts_s", type=float, default=3600.0, show_default=True, help="Seconds; a day at most.")
@click.option("--approve", is_flag=True, help="Agree, as a second person, to what another asked for.")
@click.option("--reason", default="", help="Why; needed by who asks.")
@ordering_option
def break_glass(lasts_s: float, approve: bool, reason: str, controller: "Controller") -> None:
    """Let rollouts go on in spite of a freeze and without gates. It takes two people, and ends by itself."""
    if approve:
        controller.break_glass()
        click.echo("the glass is broken", err=True)
        return
    if not reason:
        raise click.UsageError("--reason is needed")
    controller.ask_for_glass(reason, lasts_s)
    click.echo("a second person must agree: anycastle break-glass --approve", err=True)
