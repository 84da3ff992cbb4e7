"""`anycastle preflight` and `ready`: the checklists before and in production, each row with what it rests on."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from anycastle.base.errors import ParseError
from anycastle.cli.output import Form, counted, message, output_option, print_json, styled
from anycastle.cli.plan_input import REFUSED, read_live, source_options

if TYPE_CHECKING:
    from anycastle.base.ports import Timestamp
    from anycastle.model.prefix import Prefix
    from anycastle.model.rpki import Validity
    from anycastle.rollout.readiness.row import Asked, Row
    from anycastle.rollout.readiness.table import Rows

_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
_SIGN: Final = {"met": ("ok", "green"), "not met": ("NO", "red"), "not known": ("??", "yellow")}


def _sources(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        output_option(Form.TEXT, Form.JSON),
        click.option("--runbooks", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="DIR",
                     help="A folder with hijack.md, route-leak.md, pop-failure.md, ddos.md."),
        click.option("--vrps", envvar="ANYCASTLE_VRPS", metavar="FILE|URL", help="JSON export of a validator."),
        click.option("--store", metavar="DATABASE", help="A controller's log, for rehearsals: sqlite:////PATH or so."),
        click.option("--log", "log", type=_FILE, help="An agent's log, for rehearsals: its events.db."),
        click.option("--catchments", type=_FILE, metavar="FILE",
                     help="What `anycastle probe catchments -o ndjson` printed: who sees which PoP."),
        source_options,
    ):  # fmt: skip
        command = option(command)
    return command


@click.command()
@_sources
def preflight(form: Form, **given: Any) -> None:
    """Go through the checklist before production: sessions, vantage points, health checks, withdrawals.

    What is not known is not met. Exits with 4 unless every row is met.

    \b
    anycastle preflight --fleet fleet/ --controller /run/anycastle/controller --catchments catchments.ndjson
    """
    from anycastle.rollout.readiness.table import PREFLIGHT

    _answer(PREFLIGHT, form, given)


@click.command()
@_sources
def ready(form: Form, **given: Any) -> None:
    """Go through the checklist of production: alerts, objectives, runbooks, RPKI and filters.

    What is not known is not met. Exits with 4 unless every row is met.

    \b
    anycastle ready --fleet fleet/ --vrps vrps.json --runbooks runbooks/
    """
    from anycastle.rollout.readiness.table import READY

    _answer(READY, form, given)


def _answer(rows: "Rows", form: Form, given: Mapping[str, Any]) -> None:
    asked = _asked(given)
    answers = [row(asked) for row in rows]
    unmet = sum(each.state.value != "met" for each in answers)
    if form is Form.JSON:
        print_json({"fleet": asked.fleet.name, "ready": not unmet, "rows": list(map(_plain, answers))})
    else:
        for each in answers:
            _print(each)
    message(f"{counted(len(answers) - unmet, 'row')} of {len(answers)} met")
    sys.exit(REFUSED if unmet else 0)


def _print(row: "Row") -> None:
    sign, colour = _SIGN[row.state.value]
    click.echo(styled(f"{sign}  {row.code}  {row.title}", fg=colour, bold=True))
    for line in row.wrong:
        click.echo(f"      - {line}")
    for line in row.good:
        click.echo(styled(f"      + {line}", dim=True))
    if row.advice:
        click.echo(f"      > {row.advice}")


def _plain(row: "Row") -> dict[str, Any]:
    return {
        "code": row.code,
        "title": row.title,
        "state": row.state.value,
        "wrong": list(row.wrong),
        "good": list(row.good),
        "advice": row.advice,
    }


def _asked(given: Mapping[str, Any]) -> "Asked":
    from anycastle.io.clock import now
    from anycastle.io.fleet_loader import load_here, usable
    from anycastle.rollout.readiness.row import Asked

    fleet = usable(*load_here(given["fleet_dir"]))
    sources = given["files"], given["sockets"], given["controller"]
    live = read_live(fleet, *sources)[0] if any(sources) else None
    return Asked(
        fleet,
        now().wall,
        live=live,
        validity=_validity(given["vrps"], fleet),
        heard_from=_heard_from(given["catchments"]),
        rehearsed=_rehearsed(given["log"], given["store"]),
        runbooks=_runbooks(given["runbooks"]),
    )


def _validity(vrps: str | None, fleet: Any) -> "Mapping[Prefix, Validity] | None":
    if vrps is None:
        return None
    from anycastle.cli.rpki import read
    from anycastle.rollout.check_input import validities

    return validities(fleet, read(vrps, None).vrps.validity)


def _heard_from(path: Path | None) -> dict[str, frozenset[int]] | None:
    """Give PoP -> the networks that it answers. Raises `ParseError` with the line."""
    if path is None:
        return None
    found: dict[str, set[int]] = {}
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                told = json.loads(line)
                pop, asn = told["pop"], told["asn"]
            except (ValueError, KeyError, TypeError) as error:
                wanted = "a line of `anycastle probe catchments -o ndjson`, with its pop and asn"
                raise ParseError(f"{path}:{number}: this is not {wanted}") from error
            if pop is not None and asn is not None:
                found.setdefault(pop, set()).add(asn)
    return {pop: frozenset(networks) for pop, networks in found.items()}


def _rehearsed(log: Path | None, store: str | None) -> "dict[str, Timestamp] | None":
    """Give service -> when a drain last withdrew it, by the log of an agent or a controller."""
    if log is None and store is None:
        return None
    if log is not None and store is not None:
        raise click.UsageError("name one log: --log, or --store")
    from anycastle.cli.event_source import opened

    found: dict[str, Timestamp] = {}
    with opened(log, store) as events:
        for event in events.read(kind="drain_changed"):
            if event.fields.get("step") in ("withdrawn", "stopped"):
                found[str(event.fields.get("scope"))] = event.at
    return found


def _runbooks(folder: Path | None) -> "dict[str, Timestamp] | None":
    from anycastle.base.ports import Timestamp

    if folder is None:
        return None
    return {path.stem: Timestamp(path.stat().st_mtime) for path in sorted(folder.glob("*.md"))}
