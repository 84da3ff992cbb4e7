"""`anycastle incidents show`, `ack`, `note`, and what `list` says without files: a controller's, on its machine."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from anycastle.cli.controller_socket import owner_option, run_dir_option, say
from anycastle.cli.output import Form, Table, counted, message, output_option, print_json, print_table


def list_live(everything: bool, run_dir: Path, form: Form) -> None:
    """Print a controller's incidents."""
    known = say(run_dir, {"command": "incidents"})["incidents"]
    found = [each for each in known if everything or each["status"] != "cleared"]
    if form is Form.JSON:
        print_json(found)
        return
    rows = [
        (str(each["id"]), _time(each["opened"]), each["status"], each["urgency"], each["acknowledged_by"] or "",
         ", ".join(each["pops"]), each["title"])
        for each in found
    ]  # fmt: skip
    if rows:
        print_table(Table(("id", "opened", "status", "urgency", "by", "PoPs", "what"), rows))
    message(f"{counted(len(rows), 'incident')}{'' if everything else ' open'}")


@click.command()
@click.argument("number", type=click.IntRange(1))
@run_dir_option
@output_option(Form.TABLE, Form.JSON)
def show(number: int, run_dir: Path, form: Form) -> None:
    """Show one incident with its timeline.

    \b
    anycastle incidents show 3
    """
    found = say(run_dir, {"command": "incident", "incident": number})
    if form is Form.JSON:
        print_json(found)
        return
    message(f"incident {number}, {found['status']}, {found['urgency']}: {found['title']}")
    rows = [(_time(each["at"]), each["kind"], each["text"]) for each in found["timeline"]]
    print_table(Table(("at", "kind", "what"), rows))


@click.command()
@click.argument("number", type=click.IntRange(1))
@owner_option
@run_dir_option
def ack(number: int, owner: str, run_dir: Path) -> None:
    """Say that you look at an incident: nobody is reminded of it any more.

    \b
    anycastle incidents ack 3
    """
    say(run_dir, {"command": "acknowledge", "owner": owner, "incident": number})
    message(f"{owner} looks at incident {number}")


@click.command()
@click.argument("number", type=click.IntRange(1))
@click.argument("text")
@owner_option
@run_dir_option
def note(number: int, text: str, owner: str, run_dir: Path) -> None:
    """Add words to an incident's timeline.

    \b
    anycastle incidents note 3 "the carrier confirms a cut"
    """
    say(run_dir, {"command": "annotate", "owner": owner, "incident": number, "text": text})


def _time(at: Any) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
