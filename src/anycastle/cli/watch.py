"""`anycastle watch`: what the Internet sees of the fleet's prefixes, live or from archives."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anycastle.base.errors import MisuseError
from anycastle.cli.output import Form, message, output_option

if TYPE_CHECKING:
    from anycastle.model.event import Event
    from anycastle.model.fleet import Fleet

FLEET = click.option(
    "--fleet", "fleet_dir", type=click.Path(path_type=Path), required=True, envvar="ANYCASTLE_FLEET",
    help="The fleet folder.",
)  # fmt: skip
COLLECTOR = click.option("--collector", help="Name of the files' collector. [default: as in the path, such as rrc00]")
EVENTS = click.option(
    "--events", "logs", type=click.Path(path_type=Path), multiple=True,
    help="Event log of one of our agents: its announcements explain losses, and start the clock of convergence.",
)  # fmt: skip
FILES = click.argument("files", nargs=-1, required=True)


@click.group()
def watch() -> None:
    """See what the Internet sees of the fleet's prefixes: hijacks, leaks, losses, and when they are over."""


@watch.command()
@FLEET
@COLLECTOR
@EVENTS
@FILES
@output_option(Form.TABLE, Form.NDJSON)
def replay(fleet_dir: Path, collector: str | None, logs: tuple[Path, ...], files: tuple[str, ...], form: Form) -> None:
    """Give the findings of archives: MRT tables and updates, packed or not, or lines of RIS Live JSON.

    Tables are read first; what is wrong in them is said to have been so at the start. Updates follow in the order of
    their times, over all files. `-` is MRT on standard input.
    """
    from anycastle.io.watch_replay import replayed

    run = replayed(load(fleet_dir), files, collector, logs)
    if form is Form.TABLE:
        click.echo(_ROW.format("time", "what", "severity", "kind", "subject", "concerns"))
    for event in run.events():
        click.echo(line_of(event) if form is Form.NDJSON else row_of(event))
    for problem in run.problems:
        message(problem, severity="warning")


_ROW = "{:<24}  {:<8}  {:<8}  {:<18}  {:<16}  {}"


def load(fleet_dir: Path) -> "Fleet":
    """Give the fleet. Raises `MisuseError` with every finding."""
    from anycastle.io.config import load_fleet

    result = load_fleet(fleet_dir)
    if result.fleet is None:
        raise MisuseError("the fleet cannot be used:\n" + "\n".join(str(finding) for finding in result.errors))
    return result.fleet


def line_of(event: "Event") -> str:
    """Give an event as one line of JSON, its time as RFC 3339."""
    return json.dumps(plain(event), ensure_ascii=False, separators=(",", ":"))


def plain(event: "Event") -> dict[str, Any]:
    """Give an event as plain values."""
    from anycastle.model.event import KIND_OF

    return {"at": time_of(event.at), "kind": KIND_OF[type(event.body)], **asdict(event.body)}


def time_of(at: float) -> str:
    """Give a time as RFC 3339, in milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def row_of(event: "Event") -> str:
    """Give an event as a line for people."""
    fields = plain(event)
    what = str(fields["kind"]).removeprefix("finding_")
    prefixes = " ".join(fields.get("prefixes", ()))
    told = "; ".join(_told(fields))
    cells = (fields["at"], what, fields.get("severity", ""), fields.get("finding_kind", ""), fields.get("subject", ""))
    return _ROW.format(*cells, f"{prefixes}  {told}".strip())


def _told(fields: dict[str, Any]) -> Iterator[str]:
    if "lasted_s" in fields:
        yield f"after {fields['lasted_s']:.0f} s"
        return
    yield from fields.get("reasons", ())
    if "peers" in fields and "finding" in fields:
        yield f"{fields['peers']} peers of {fields['asns']} ASes at {fields['collectors']} collectors"
    if fields.get("at_start"):
        yield "so already at the start"
    if "text" in fields:
        yield str(fields["text"])
