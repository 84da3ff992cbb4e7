"""`anycastle drift`: what a human changed on a router."""

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
def drift(
    fleet_dir: Path,
    files: tuple[Path, ...],
    sockets: tuple[str, ...],
    controller: "Controller | None",
    detailed_exitcode: bool,
    form: Form,
) -> None:
    """Show what routers announce that neither the files nor the health of a PoP explain.

    Example: anycastle drift --fleet myfleet --live status/ --detailed-exitcode
    """
    from anycastle.cli.plan_text import drift_lines
    from anycastle.io.plan_file import plain_difference
    from anycastle.rollout.difference import differ

    inputs = read_inputs(fleet_dir, files, sockets, controller)
    difference = differ(inputs.intent, inputs.live)
    if form is Form.JSON:
        print_json({"drifts": plain_difference(difference)["drifts"], "unheard": list(difference.unheard)})
    else:
        click.echo("\n".join(drift_lines(difference)).strip("\n") or "no drift")
    for pop in difference.unheard:
        message(f"{pop} is not heard: what it announces is not known", severity="warning")
    if detailed_exitcode and difference.drifts:
        sys.exit(CHANGED)
