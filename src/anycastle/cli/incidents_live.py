"""`anycastle incidents show`, `ack`, `note`, and what `list` says without files: a controller's, here or elsewhere."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from anycastle.cli.controller_option import controller_option, ordering_option
from anycastle.cli.output import Form, Table, counted, message, one_line, output_option, print_json, print_table

if TYPE_CHECKING:
    from anycastle.io.controller_client.port import Controller


def list_live(everything: bool, controller: "Controller", form: Form) -> None:
    """Print a controller's incidents."""
    found = [each for each in controller.incidents() if everything or each["status"] != "cleared"]
    if form is Form.JSON:
        print_json(found)
        return
    rows = [
        (str(each["id"]), _time(each["opened"]), each["status"], each["severity"], each["acknowledged_by"] or "",
         ", ".join(each["pops"]), each["title"])
        for each in found
    ]  # fmt: skip
    if rows:
        print_table(Table(("id", "opened", "status", "severity", "by", "PoPs", "what"), rows))
    message(f"{counted(len(rows), 'incident')}{'' if everything else ' open'}")


@click.command()
@click.argument("number", type=click.IntRange(1))
@controller_option
@output_option(Form.TABLE, Form.JSON)
def show(number: int, controller: "Controller", form: Form) -> None:
    """Show one incident: its timeline, likely causes with their evidence, the runbook, and who was not told.

    \b
    anycastle incidents show 3
    """
    found = controller.incident(number)
    if form is Form.JSON:
        print_json(found)
        return
    message(f"incident {number}, {found['status']}, {found['severity']}: {found['title']}")
    rows = [(_time(each["at"]), each["lane"], one_line(each["text"]), each["where"]) for each in found["timeline"]]
    print_table(Table(("at", "lane", "what", "where"), rows))
    for each in found["causes"]:
        click.echo(f"{each['state']}: {each['cause']} ({each['name']}); seen: {each['evidence'][0]}")
    for each in found["deliveries"]:
        message(f"{each['notifier']} was not told ({each['state']}): {each['why'] or 'under way'}", severity="warning")
    message(f"runbook: anycastle runbook show {found['runbook']['name']}")


@click.command()
@click.argument("number", type=click.IntRange(1))
@ordering_option
def ack(number: int, controller: "Controller") -> None:
    """Say that you look at an incident: nobody is reminded of it any more.

    \b
    anycastle incidents ack 3
    """
    controller.acknowledge(number)
    message(f"incident {number} is acknowledged")


@click.command()
@click.argument("number", type=click.IntRange(1))
@click.argument("text")
@ordering_option
def note(number: int, text: str, controller: "Controller") -> None:
    """Add words to an incident's timeline.

    \b
    anycastle incidents note 3 "the carrier confirms a cut"
    """
    controller.annotate(number, text)


def _time(at: Any) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
