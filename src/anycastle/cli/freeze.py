"""`anycastle freeze`, `thaw` and `break-glass`: stop what changes by itself, and go on in spite of it."""

from pathlib import Path

import click

from anycastle.cli.controller_socket import owner_option, reason_option, run_dir_option, say


@click.command()
@reason_option
@owner_option
@run_dir_option
def freeze(reason: str, owner: str, run_dir: Path) -> None:
    """Let the controller change nothing by itself. PoPs go on withdrawing what does not serve."""
    say(run_dir, {"command": "freeze", "reason": reason, "owner": owner})
    click.echo("frozen")


@click.command()
@reason_option
@owner_option
@run_dir_option
def thaw(reason: str, owner: str, run_dir: Path) -> None:
    """End a freeze."""
    say(run_dir, {"command": "thaw", "reason": reason, "owner": owner})
    click.echo("thawed")


@click.command("break-glass")
@click.option("--for", "lasts_s", type=float, default=3600.0, show_default=True, help="Seconds; a day at most.")
@click.option("--approve", is_flag=True, help="Agree, as a second person, to what another asked for.")
@click.option("--reason", default="", help="Why; needed by who asks.")
@owner_option
@run_dir_option
def break_glass(lasts_s: float, approve: bool, reason: str, owner: str, run_dir: Path) -> None:
    """Let rollouts go on in spite of a freeze and without gates. It takes two people, and ends by itself."""
    if approve:
        say(run_dir, {"command": "approve", "subject": "break-glass", "owner": owner})
        click.echo("the glass is broken", err=True)
        return
    if not reason:
        raise click.UsageError("--reason is needed")
    say(run_dir, {"command": "break-glass", "reason": reason, "owner": owner, "lasts_s": lasts_s})
    click.echo("a second person must agree: anycastle break-glass --approve", err=True)
