"""`anycastle plan`: what the fleet's files would change, before anything changes."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anycastle.cli.output import Form, message, output_option, print_json
from anycastle.cli.plan_input import CHANGED, REFUSED, Inputs, live_options, read_inputs

if TYPE_CHECKING:
    from anycastle.io.controller_client.port import Controller
    from anycastle.rollout.check_input import Evidence

_SHARE = click.FloatRange(0, 100, min_open=True)


@click.command()
@live_options
@click.option("--graph", metavar="FILE|synthetic[:ASES[:SEED]]", help="AS relationships, for the predicted shift.")
@click.option("--weights", default="equal", show_default=True, metavar="equal|FILE", help="How much each AS counts.")
@click.option("--load", metavar="LOAD", help="What all users offer together, such as 38G; with --graph.")
@click.option("--vrps", envvar="ANYCASTLE_VRPS", metavar="FILE|URL", help="JSON export of a validator, for ROAs.")
@click.option("--canary-upstream", "canaries", multiple=True, metavar="NAME", help="What the first step goes through.")
@click.option("--max-pops", type=_SHARE, default=20, show_default=True, help="Percent of PoPs that a step may touch.")
@click.option(
    "--max-capacity", type=_SHARE, default=25, show_default=True, help="Percent of the capacity that a step may touch."
)
@click.option("--retire", multiple=True, metavar="SERVICE", help="A service without a file that shall end.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan.")
@click.option("--ci", is_flag=True, help="For pipelines: -o json and --detailed-exitcode.")
@output_option(Form.TEXT, Form.JSON)
def plan(
    fleet_dir: Path,
    files: tuple[Path, ...],
    sockets: tuple[str, ...],
    controller: "Controller | None",
    detailed_exitcode: bool,
    out: Path | None,
    ci: bool,
    form: Form,
    **given: Any,
) -> None:
    """Compare the fleet's files with what routers announce, and judge what would change.

    It changes nothing, and needs no server: agents are asked by --socket, or speak through files. Exits with 0, or with
    4 where a check refuses the plan; with --detailed-exitcode 2 where there is something to change.

    Example: anycastle plan --fleet myfleet --live status/
    """
    from anycastle.base.ports import Timestamp
    from anycastle.cli.plan_text import plan_lines, verdict
    from anycastle.io.clock import now
    from anycastle.io.plan_file import plain_plan, write_plan
    from anycastle.rollout.plan import plan_of

    inputs = read_inputs(fleet_dir, files, sockets, controller)
    evidence = _evidence(fleet_dir, inputs, given)
    made = plan_of(inputs.intent, inputs.live, inputs.folder, Timestamp(now().wall // 1), evidence)
    if ci or form is Form.JSON:
        print_json(plain_plan(made))
        message(verdict(made))
    else:
        for line in plan_lines(made):
            click.echo(line)
    if out is not None:
        write_plan(made, out)
        message(f"saved as {out}; nothing is applied yet: see `anycastle apply --plan`")
    if made.refused:
        sys.exit(REFUSED)
    if (detailed_exitcode or ci) and not made.difference.empty:
        sys.exit(CHANGED)


def _evidence(fleet_dir: Path, inputs: Inputs, given: dict[str, Any]) -> "Evidence":
    from anycastle.rollout.check_input import Evidence, validities
    from anycastle.rollout.difference import differ
    from anycastle.rollout.limits import BlastLimits

    fleet = inputs.intent.fleet
    validity = None
    if given["vrps"] is not None:
        from anycastle.cli.rpki import read

        validity = validities(fleet, read(given["vrps"], None).vrps.validity)
    foreseen = None
    if given["graph"] is not None:
        from anycastle.cli.plan_shift import foresee

        foreseen = foresee(fleet_dir, fleet, inputs.live, differ(inputs.intent, inputs.live), given)
    return Evidence(
        limits=BlastLimits(pops_share=given["max_pops"] / 100, capacity_share=given["max_capacity"] / 100),
        validity=validity,
        foreseen=foreseen,
        retiring=frozenset(given["retire"]),
        canary_upstreams=tuple(given["canaries"]),
    )
