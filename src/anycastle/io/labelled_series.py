"""Histories of one metric as CSV (timestamp,value), and the spans that people labelled in them."""

import csv
from datetime import UTC, datetime
from io import StringIO
from math import isfinite
from pathlib import Path

from anycastle.base.errors import ParseError
from anycastle.base.ports import Timestamp
from anycastle.io.catchments.text import read_json, read_text
from anycastle.slo.replay import Incident


def read_series(path: Path) -> list[tuple[Timestamp, float]]:
    """Read a history; times without a zone are UTC. Raises `ParseError` with `FILE:LINE`."""
    rows: list[tuple[Timestamp, float]] = []
    lines = csv.reader(StringIO(read_text(path)))
    heading = next(lines, [])
    if heading[:2] != ["timestamp", "value"]:
        raise ParseError(f"{path}:1: the heading is timestamp,value, not {','.join(heading[:4])}")
    for number, row in enumerate(lines, 2):
        if len(row) < 2:
            raise ParseError(f"{path}:{number}: a time and a value are needed")
        at, value = _time(row[0], f"{path}:{number}"), _number(row[1], f"{path}:{number}")
        if rows and at == rows[-1][0]:
            continue  # clocks that are put back, and exports that repeat a line
        if rows and at < rows[-1][0]:
            raise ParseError(f"{path}:{number}: {row[0]} is before the line above")
        rows.append((at, value))
    if len(rows) < 2:
        raise ParseError(f"{path}: a history has at least two lines")
    return rows


def read_incidents(path: Path, series: Path) -> list[Incident]:
    """Read the spans labelled for a series: JSON, name -> list of [start, end]; the name ends as the series' file."""
    value = read_json(path)
    name = series.name.partition(".csv")[0]
    spans = next(
        (each for key, each in value.items() if Path(key).name.partition(".csv")[0] == name), None
    ) if isinstance(value, dict) else None  # fmt: skip
    if not isinstance(spans, list):
        raise ParseError(f"{path}: nothing is labelled for {name}")
    found = []
    for span in spans:
        if not isinstance(span, list) or len(span) != 2 or not all(isinstance(each, str) for each in span):
            raise ParseError(f"{path}: {name}: a span is a start and an end")
        found.append(Incident(_time(span[0], f"{path}: {name}"), _time(span[1], f"{path}: {name}")))
    return found


def _time(text: str, where: str) -> Timestamp:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ParseError(f"{where}: {text!r} is no time") from error
    return Timestamp((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise ParseError(f"{where}: {text!r} is no number")
    return value
