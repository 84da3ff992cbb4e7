"""`anycastle incidents`: what alerts become, tried on a file of them; the incidents of logs, and their timelines."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anycastle.cli import incidents_live
from anycastle.cli.controller_option import controller_option
from anycastle.cli.evidence_input import evidence_options, read_evidence
from anycastle.cli.output import Form, Table, counted, message, one_line, output_option, print_json, print_table

if TYPE_CHECKING:
    from anycastle.base.ports import Timestamp
    from anycastle.io.controller_client.port import Controller

SECONDS_MAX = 86_400 * 3650
"""Times up to this are seconds from some beginning, and shown so."""


@click.group()
def incidents() -> None:
    """See what becomes of alerts: pages, tickets, incidents, and the timeline of each."""


@incidents.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--fleet", type=click.Path(exists=True, path_type=Path), envvar="ANYCASTLE_FLEET",
              help="The fleet folder: which PoP serves what, and in which region.")  # fmt: skip
@click.option("--after", type=click.FloatRange(0), default=3600.0, show_default=True,
              help="Seconds that pass after the last line.")  # fmt: skip
@output_option(Form.TABLE, Form.JSON)
def replay(file: Path, fleet: Path | None, after: float, form: Form) -> None:
    """Play a file of alerts, causes and people's words, and tell who would have been told what, and when.

    FILE has a JSON object a line, in the order of time. With -o json incidents come with their timelines.

    \b
    Example, as FILE:
      {"at": 0, "begin": "drain", "id": "d1", "pop": "fra1", "summary": "drain of fra1"}
      {"at": 9, "alert": "withdrawn", "pop": "fra1", "prefix": "192.0.2.0/24", "urgency": "page"}
      {"at": 20, "alert": "pop_down", "pop": "iad1", "urgency": "page"}
    """
    from anycastle.base.errors import ParseError
    from anycastle.base.ports import Timestamp
    from anycastle.io.response_json import plain_incident
    from anycastle.io.response_log import play, read_steps, topology_of
    from anycastle.response.engine import ResponseEngine
    from anycastle.response.signal import Topology

    try:
        steps = read_steps(file)
        engine = ResponseEngine(topology_of(_fleet(fleet)) if fleet else Topology())
        notices = play(engine, steps, Timestamp(steps[-1].at + after))
    except ParseError as error:
        raise click.UsageError(str(error)) from error
    if form is Form.JSON:
        print_json(
            {
                "notices": [
                    {"at": each.at, "kind": each.kind.value, "incident": each.incident or None, "text": each.text,
                     "folded": each.folded}
                    for each in notices
                ],
                "incidents": [plain_incident(each) for each in engine.incidents.values()],
                "held": [{"alert": " ".join(filter(None, key)), "why": why} for key, why in engine.held.items()],
            }
        )  # fmt: skip
        return
    rows = [(_time(each.at), each.kind.value, str(each.incident or ""), each.text) for each in notices]
    if rows:
        print_table(Table(("at", "notice", "incident", "what"), rows))
    else:
        click.echo("nobody is told anything")
    message(f"{counted(len(engine.incidents), 'incident')}; {counted(len(engine.held), 'alert')} explained or silenced")


@incidents.command("list")
@click.option("--all", "everything", is_flag=True, help="Of a controller: those that are over too.")
@controller_option
@evidence_options
@output_option(Form.TABLE, Form.JSON)
def list_incidents(everything: bool, controller: "Controller", form: Form, **files: Any) -> None:
    """List the incidents that a controller has open; or, with files, those that logs, probes and alerts amount to.

    The same files give the same numbers; a file more may give others.

    \b
    anycastle incidents list
    anycastle incidents list --fleet fleet --events fra1.db --probes results.ndjson
    """
    if not any(value for name, value in files.items() if name != "fleet"):
        incidents_live.list_live(everything, controller, form)
        return
    from anycastle.io.response_json import plain_incident

    found = list(read_evidence(**files).story.engine.incidents.values())
    if form is Form.JSON:
        print_json([plain_incident(each) for each in found])
        return
    rows = [
        (str(each.id), _time(each.opened), "-" if each.cleared is None else _time(each.cleared), each.status.value,
         each.urgency.value, each.title)
        for each in found
    ]  # fmt: skip
    if rows:
        print_table(Table(("id", "opened", "cleared", "status", "urgency", "title"), rows))
    else:
        click.echo("no incident")


@incidents.command()
@click.argument("number", type=click.IntRange(1), metavar="ID")
@evidence_options
@output_option(Form.TABLE, Form.JSON)
def timeline(number: int, form: Form, **files: Any) -> None:
    """Show one timeline of an incident: routes, findings, changes, probes, alerts, and what automation did.

    It begins 15 minutes before the incident opened and ends 5 minutes after it was cleared.

    \b
    anycastle incidents timeline 1 --fleet fleet --events fra1.db --probes results.ndjson
    """
    from anycastle.io.response_json import plain_lines, plain_row
    from anycastle.response.timeline import timeline_of

    known = read_evidence(**files)
    found = timeline_of(known.incident(number), known.case, known.story)
    if form is Form.JSON:
        print_json(plain_row(found.incident) | plain_lines(found))
        return
    rows = [(_time_ms(each.at), each.lane, one_line(each.text), each.where) for each in found.lines]
    print_table(Table(("at", "lane", "what", "where"), rows))
    if found.beyond:
        message(f"{found.beyond} further lines")


def _fleet(folder: Path) -> Any:
    from anycastle.io.fleet_loader import load_here, usable

    return usable(*load_here(folder))


def _time_ms(at: "Timestamp") -> str:
    if at < SECONDS_MAX:
        return f"{at:.3f} s"
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _time(at: "Timestamp") -> str:
    if at < SECONDS_MAX:
        return f"{at:g} s"
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


for _command in (incidents_live.show, incidents_live.ack, incidents_live.note):
    incidents.add_command(_command)
