"""`anycastle slo rssac047`: a month of root service, reported as RSSAC047 has it."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anycastle.cli.output import Form, Table, counted, message, output_option, print_form

if TYPE_CHECKING:
    from anycastle.io.root_results import LeftOut, RootResults
    from anycastle.slo.rssac047 import Way
    from anycastle.slo.rssac047_month import Month

READ = click.Path(exists=True, dir_okay=False, path_type=Path)
FAILS = 4
GARBAGE_SHOWN = 10


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=READ)
@click.option("--hints", type=READ, required=True, help="Identifiers and their addresses: root hints, a master file.")
@click.option("--month", required=True, metavar="YYYY-MM", help="Which month, by UTC.")
@click.option("--zones", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="A folder with a copy of each version of the zone, as master files: judges answers.")  # fmt: skip
@click.option("--leave-out", "spans", multiple=True, metavar="WHO,FROM,TO,REASON",
              help="Leave out a vantage point or identifier for a time, with the reason, which is told.")  # fmt: skip
@output_option(Form.TABLE, Form.JSON)
def rssac047(
    files: tuple[Path, ...], hints: Path, month: str, zones: Path | None, spans: tuple[str, ...], form: Form
) -> None:
    """Report on a month of root service: availability, latency, correctness, publication latency.

    FILE... are results of probers. Of an identifier only pass or fail is told, of the whole system the value as well.
    Exit code 4 where a threshold is not met; a month without measurements is an error.

    \b
    Example:
      anycastle slo rssac047 --hints named.root --month 2026-11 --zones zones results/*.ndjson.gz
    """
    from anycastle.base.errors import MisuseError
    from anycastle.io.root_results import read_answers, read_identifiers, read_measurements, read_zones
    from anycastle.slo.rssac047_month import first_seen, month_of

    identifiers, span, left_out = read_identifiers(hints), _span(month), [_left_out(each) for each in spans]
    found = read_measurements(files, identifiers, span, left_out)
    if zones is not None:
        versions = read_zones(zones)
        read_answers(files, identifiers, span, versions, first_seen(found.measurements), found, left_out)
    if not found.measurements:
        _tell(found)
        raise MisuseError(f"nothing to report: no measurement of {hints} in {month}")
    known = len(set(identifiers.values()))
    report = month_of(found.measurements, found.answers, *([known] if known > 1 else []))
    _tell(found)
    print_form(form, _plain(report, found, month), Table(_COLUMNS, list(_rows(report))))
    results = [*report.system, *(each for rows in report.identifiers.values() for each in rows)]
    if any(each.passes is False for each in results):
        raise click.exceptions.Exit(FAILS)


def _span(month: str) -> tuple[float, float]:
    from datetime import UTC, datetime

    try:
        start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    except ValueError as error:
        raise click.BadParameter(f"{month!r} is no month such as 2026-11", param_hint="--month") from error
    end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return start.timestamp(), end.timestamp()


def _left_out(text: str) -> "LeftOut":
    from datetime import UTC, datetime

    from anycastle.base.ports import Timestamp
    from anycastle.io.root_results import LeftOut

    parts = [each.strip() for each in text.split(",", 3)]
    try:
        who, *moments, reason = parts
        start, end = (datetime.fromisoformat(each) for each in moments)
    except ValueError as error:
        words = f"{text!r} is not WHO,FROM,TO,REASON with times such as 2026-11-03T06:00Z"
        raise click.BadParameter(words, param_hint="--leave-out") from error
    moments_s = [each.replace(tzinfo=each.tzinfo or UTC).timestamp() for each in (start, end)]
    if not reason or not who or moments_s[0] >= moments_s[1]:
        raise click.BadParameter(f"{text!r}: a reason is needed, and FROM before TO", param_hint="--leave-out")
    return LeftOut(who, Timestamp(moments_s[0]), Timestamp(moments_s[1]), reason)


_COLUMNS = ("what", "metric", "way", "result", "value", "measurements")


def _rows(report: "Month") -> Iterable[tuple[str, ...]]:
    from anycastle.slo.rssac047 import report_of_identifier, report_of_system

    for name, results in report.identifiers.items():
        for metric, way, word, count in report_of_identifier(results):
            yield name, metric, _way(way), word, "", f"{count:,}"
    for metric, way, word, value, count in report_of_system(report.system):
        yield "the system", metric, _way(way), word, _value(metric, value), f"{count:,}"


def _way(way: "Way | None") -> str:
    return "" if way is None else f"IPv{way[1]} {way[0].value.upper()}"


def _value(metric: str, value: float | None) -> str:
    if value is None:
        return ""
    unit = {"latency": "ms", "publication_latency": "min"}.get(metric)
    return f"{value:.1f} {unit}" if unit else f"{value:.5%}"


def _plain(report: "Month", found: "RootResults", month: str) -> dict[str, Any]:
    from anycastle.slo.rssac047 import report_of_identifier, report_of_system

    identifiers = {
        name: [
            {"metric": metric, "way": _way(way) or None, "result": word, "measurements": count}
            for metric, way, word, count in report_of_identifier(results)
        ]
        for name, results in report.identifiers.items()
    }
    system = [
        {"metric": metric, "way": _way(way) or None, "result": word, "value": value, "measurements": count}
        for metric, way, word, value, count in report_of_system(report.system)
    ]
    wrong = [
        {"at": at, "vantage_point": vantage, "identifier": who, "requirement": fault.mark, "words": fault.words}
        for at, vantage, who, fault in found.faults
    ]
    return {
        "month": month,
        "identifiers": identifiers,
        "system": system,
        "left_out": dict(found.left_out),
        "wrong_answers": wrong,
    }


def _tell(found: "RootResults") -> None:
    """Say what the figures do not."""
    from anycastle.cli.when import moment

    for line in found.garbage[:GARBAGE_SHOWN]:
        message(line, severity="warning")
    for reason, count in found.left_out.items():
        message(f"{counted(count, 'measurement')} left out: {reason}", severity="warning")
    for serial, count in sorted(found.unjudged.items()):
        words = f"{counted(count, 'answer')} not judged: there is no copy of zone {serial}, which was in use"
        message(words, severity="warning")
    for at, vantage, identifier, fault in found.faults:
        message(
            f"{moment(at)}: {identifier} answered {vantage} wrongly: {fault.words} [{fault.mark}]", severity="warning"
        )
