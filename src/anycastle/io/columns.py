"""Two columns of a CSV file, found by their headings, with every bad cell named as `FILE:LINE:COLUMN`."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from anycastle.base.errors import ParseError
from anycastle.io.config.findings import did_you_mean

ERRORS_SHOWN: Final = 20

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Column(Generic[K]):
    """A column that is looked for, and how its cells are read."""

    headings: tuple[str, ...]
    """Any of these, in small letters; the first that is there."""
    parse: Callable[[str], K]
    """Raises `ParseError`."""


def read_columns(
    text: str, name: str, key: Column[K], value: Column[V]
) -> tuple[str, list[tuple[K, V]]]:  # fmt: skip
    """Give the heading of the value's column, and key and value of every line. Lines of blanks and `#` are passed over.

    Raises `ParseError` that names every cell that cannot be read, up to `ERRORS_SHOWN`.
    """
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip() and line[0] != "#"]
    if not lines:
        raise ParseError(f"{name}:1:1: the file has no line; the first names the columns")
    number, heading = lines[0]
    headings = [cell.strip().lower() for cell in _cells(heading)]
    where = f"{name}:{number}:1"
    columns = [_place(where, headings, key.headings), _place(where, headings, value.headings)]
    found, errors = list[tuple[K, V]](), list[str]()
    for number, line in lines[1:]:
        cells = _cells(line)
        row: list[Any] = []
        for place, parse in zip(columns, (key.parse, value.parse), strict=True):
            try:
                row.append(parse(_cell(cells, place)))
            except ParseError as error:
                errors.append(f"{name}:{number}:{_start(line, place)}: {headings[place]}: {error}")
        if len(row) == 2:
            found.append((row[0], row[1]))
    if errors:
        more = [f"and {len(errors) - ERRORS_SHOWN} more"] if len(errors) > ERRORS_SHOWN else []
        raise ParseError("\n".join([*errors[:ERRORS_SHOWN], *more]))
    if not found:
        raise ParseError(f"{name}:{lines[0][0]}:1: no line stands below the heading")
    return headings[columns[1]], found


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:  # a cell beyond the limit of the csv module
        return line.split(",")


def _cell(cells: Sequence[str], place: int) -> str:
    if place >= len(cells):
        raise ParseError("the line ends before this column")
    return cells[place].strip()


def _place(where: str, headings: Sequence[str], wanted: Sequence[str]) -> int:
    for each in wanted:
        if each in headings:
            return headings.index(each)
    near = next((hint for each in headings if (hint := did_you_mean(each, wanted)).startswith("; did")), "")
    raise ParseError(f"{where}: no column {' or '.join(map(repr, wanted))} among {', '.join(headings)}{near}")


def _start(line: str, place: int) -> int:
    """Give the column, from 1, at which a cell begins."""
    quoted, cell = False, 0
    for at, character in enumerate(line):
        if cell == place:
            return at + 1
        quoted ^= character == '"'
        cell += character == "," and not quoted
    return len(line) + 1
