"""`anycastle diff`: how what is announced differs from what is meant."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anycastle.cli.output import Form, message, output_option, print_json
from anycastle.cli.plan_input import CHANGED, live_options, read_inputs

if TYPE_CHECKING:
    from anycastle.io.controller_client.port import Controller


@click.command()
@live_options
@output_option(Form.TEXT, Form.JSON)
def diff(
    fleet_dir: Path,
    files: tuple[Path, ...],
    sockets: tuple[str, ...],
    controller: "Controller | None",
    detailed_exitcode: bool,
    form: Form,
) -> None:
    """Show which routes would change, and what health explains: `plan` without shift, checks and steps.

    Example: anycastle diff --fleet myfleet --socket fra1=/run/anycastle/fra1/agent.sock
    """
    from anycastle.cli.plan_text import difference_lines
    from anycastle.io.plan_file import plain_difference
    from anycastle.rollout.difference import differ

    inputs = read_inputs(fleet_dir, files, sockets, controller)
    difference = differ(inputs.intent, inputs.live)
    if form is Form.JSON:
        print_json(plain_difference(difference))
    else:
        click.echo("\n".join(difference_lines(difference)).strip("\n") or "nothing to change")
    for pop in difference.unheard:
        message(f"{pop} is not heard: what it announces is not known", severity="warning")
    for pop in difference.undefined:
        message(f"{pop} does not say by which definitions it lives: its agent is too old", severity="warning")
    if detailed_exitcode and not difference.empty:
        sys.exit(CHANGED)
