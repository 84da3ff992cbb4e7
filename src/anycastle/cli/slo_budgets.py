"""`anycastle slo budgets`: what is left of each budget, as a controller knows it of its Prometheus."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from anycastle.cli.controller_option import api_controller, server_options
from anycastle.cli.output import Form, Table, message, output_option, print_json, print_table

NONE = "no data"


@click.command("budgets")
@click.option("--service", help="Of this service alone.")
@server_options
@output_option(Form.TABLE, Form.JSON)
def budgets(service: str | None, server: str | None, token_file: Path | None, ca_file: Path | None, form: Form) -> None:
    """Show what is left of each budget, how fast it goes, and when it is exhausted at that rate.

    A controller knows it of the Prometheus that its --indicators name, which runs the rules of `anycastle slo export
    prometheus`. With -o json the indicators by region are there too: what clients got, with definitions.

    \b
    Example:
      anycastle slo budgets --server https://ctl1.example.net:8443 --token-file token
    """
    if server is None:
        raise click.UsageError("budgets are told by a controller's API: name it by --server")
    told = api_controller(server, token_file, ca_file).budgets()
    if service is not None:
        told["budgets"] = [each for each in told["budgets"] if each["service"] == service]
        if not told["budgets"]:
            message(f"no service {service!r} that you may see promises anything", severity="warning")
    if form is Form.JSON:
        print_json(told)
        return
    from anycastle.slo.outlook import SPANS

    columns = ("service", "objective", "region", "target", "over", "state", "left", *(f"burn {each}" for each in SPANS))
    print_table(Table((*columns, "outlook"), [_row(each) for each in told["budgets"]]))
    message(_age(told))


def _row(told: Any) -> tuple[str, ...]:
    left = NONE if told["left"] is None else f"{told['left']:.1%}"
    from anycastle.slo.outlook import SPANS

    burn = [f"{told['burn'][span]:.2f}" if span in told["burn"] else NONE for span in SPANS]
    where = told["region"] or "global"
    return (
        told["service"], told["objective"], where, f"{told['target']:.6g}", told["window"], told["state"], left, *burn,
        told["words"],
    )  # fmt: skip


def _age(told: Any) -> str:
    """Say how old it is, and why nothing newer is known."""
    if not told["asked"]:
        return "this controller asks no Prometheus: name one by --indicators of `up` or `controller run`"
    if told["at"] is None:
        return f"the Prometheus has not answered yet: {told['trouble'] or 'it is being asked'}"
    age_s = (datetime.now(UTC) - datetime.fromisoformat(told["at"])).total_seconds()
    trouble = f"; stale: {told['trouble']}" if told["trouble"] else ""
    return f"as of {max(0.0, age_s):.0f} s ago{trouble}"
