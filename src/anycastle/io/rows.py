"""Rows of a file that a person made: CSV with a heading, or a list of mappings in YAML; each bad cell with its place.

A field has one parser, for both. Everything that is wrong is told at once as `FILE:LINE:COLUMN: PATH: what`, up to
`ERRORS_SHOWN`. Keys that no field knows are refused in YAML, where they are typing errors. In CSV, where exports have
more columns than one needs, further headings are passed over, unless they look like a mistyped one that is missing.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import accumulate
from pathlib import Path
from typing import Any, Final, NamedTuple

from anycastle.base.errors import ParseError
from anycastle.io.catchments.text import read_text
from anycastle.io.config.document import read_document
from anycastle.io.config.findings import Findings, Place, did_you_mean
from anycastle.io.config.nodes import Mapping, Scalar
from anycastle.io.config.nodes import Sequence as NodeList

ERRORS_SHOWN: Final = 20
ROWS_MAX: Final = 5_000_000
CELL_CHARACTERS_MAX: Final = 4096
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Field:
    """A column or key, and how its text is read."""

    name: str
    parse: Callable[[str], Any]
    """Raises `ParseError` that says what is wanted."""
    default: Any = _ABSENT
    """Where it is absent or empty; a field without is needed."""
    also: tuple[str, ...] = ()
    """Other headings that mean it."""

    @property
    def needed(self) -> bool:
        """Tell whether a row must have it."""
        return self.default is _ABSENT


class Row(NamedTuple):
    """A row's values by field, and where it stands."""

    value: dict[str, Any]
    place: Place


class _Cell(NamedTuple):
    text: str
    place: Place
    path: str


class Errors:
    """Collects what is wrong, to be raised at once."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, place: Place, path: str, words: str) -> None:
        """Add one."""
        self.found.append(f"{place}: {path}: {words}" if path else f"{place}: {words}")

    def raise_if_any(self) -> None:
        """Raise `ParseError` that names all, or the first ones."""
        if self.found:
            more = [f"and {len(self.found) - ERRORS_SHOWN} more"] if len(self.found) > ERRORS_SHOWN else []
            raise ParseError("\n".join([*self.found[:ERRORS_SHOWN], *more]))


def read_rows(path: Path, fields: Sequence[Field], key: str = "") -> list[Row]:
    """Read a file's rows; one that ends in .yaml or .yml holds them as a list under `key`, where a key is given.

    Raises `WorldError` where it cannot be read, `ParseError` for what stands in it.
    """
    packed = [suffix for suffix in path.suffixes if suffix not in (".gz", ".bz2", ".xz")]
    yaml = bool(key and packed and packed[-1] in (".yaml", ".yml"))
    return parse_rows(read_text(path), str(path), fields, key, yaml=yaml)


def parse_rows(text: str, file: str, fields: Sequence[Field], key: str = "", *, yaml: bool = False) -> list[Row]:
    """Parse a text's rows; `file` is its name, for people. Raises `ParseError` for all that is wrong."""
    errors = Errors()
    cells = _yaml_rows(text, file, fields, key, errors) if yaml else _csv_rows(text, file, fields, errors)
    rows = []
    for place, row in cells:
        before = len(errors.found)
        value = {field.name: _value(field, row.get(field.name), place, errors) for field in fields}
        if len(errors.found) == before:
            rows.append(Row(value, place))
        if len(rows) > ROWS_MAX:
            raise ParseError(f"{place}: more than {ROWS_MAX:,} rows")
    if not rows and not errors.found:
        errors.add(Place(file), key, "no row stands here")
    errors.raise_if_any()
    return rows


def _value(field: Field, cell: _Cell | None, place: Place, errors: Errors) -> Any:
    if cell is None or not cell.text:
        if field.needed:
            errors.add(cell.place if cell else place, cell.path if cell else field.name, "a value is needed")
            return None
        return field.default
    if len(cell.text) > CELL_CHARACTERS_MAX:
        errors.add(cell.place, cell.path, f"more than {CELL_CHARACTERS_MAX} characters")
        return None
    try:
        return field.parse(cell.text)
    except ParseError as error:
        errors.add(cell.place, cell.path, str(error))
    return None


def heading_of(text: str, field: Field) -> str:
    """Give the word by which a CSV text names a field; the field's own where it does not have it."""
    names = _names(next(_lines(text), (1, ""))[1])
    return next((name for name in (field.name, *field.also) if name in names), field.name)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Give the lines that count, with their numbers."""
    return ((number, line) for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1)
            if line.strip() and not line.startswith("#"))  # fmt: skip


def _csv_rows(
    text: str, file: str, fields: Sequence[Field], errors: Errors
) -> Iterator[tuple[Place, dict[str, _Cell]]]:
    lines = _lines(text)
    number, heading = next(lines, (1, ""))
    if not heading:
        errors.add(Place(file), "", "the file has no line; the first names the columns")
        return
    at, names = _headings(heading, Place(file, number), fields, errors), _names(heading)
    if errors.found:
        return
    for number, line in lines:
        cells, starts = _split(line)
        if len(cells) > len(names):
            errors.add(Place(file, number, starts[-1]), "", f"more cells than the heading has; {len(cells)} stand here")
            continue
        row = {
            name: _Cell(cells[column].strip(), Place(file, number, starts[column]), names[column])
            for name, column in at.items()
            if column < len(cells)
        }
        yield Place(file, number), row


def _headings(line: str, place: Place, fields: Sequence[Field], errors: Errors) -> dict[str, int]:
    """Give each field's column; needed ones that are missing are told, with what may have been meant."""
    names = _names(line)
    at = {}
    for field in fields:
        column = next((names.index(name) for name in (field.name, *field.also) if name in names), None)
        if column is not None:
            at[field.name] = column
    known = {name for field in fields for name in (field.name, *field.also)}
    starts = dict(zip(names, _split(line)[1], strict=True))
    for field in (field for field in fields if field.name not in at):
        strangers = [name for name in names if name not in known]
        # Also where the field is not needed: a price that is passed over is a wrong answer. Its other headings are
        # looked at where it is: `country` is no mistyped `count`.
        meant, near = _mistyped((field.name, *field.also) if field.needed else (field.name,), strangers)
        if near:
            errors.add(
                Place(place.file, place.line, starts[near]), "", f"no column is named {near!r}; did you mean {meant!r}?"
            )
        elif field.needed:
            errors.add(place, "", f"the heading has no column {' or '.join(map(repr, (field.name, *field.also)))}")
    return at


def _mistyped(wanted: Sequence[str], strangers: Sequence[str]) -> tuple[str, str]:
    """Give the first wanted heading that a strange one is like, and the strange one; empty where none is."""
    found = ((each, get_close_matches(each, strangers, n=1, cutoff=0.75)) for each in wanted)
    return next(((each, near[0]) for each, near in found if near), ("", ""))


def _names(line: str) -> list[str]:
    return [cell.strip().lower() for cell in _split(line)[0]]


def _split(line: str) -> tuple[list[str], list[int]]:
    """Give the cells of a line of CSV, and the column, from 1, at which each begins."""
    if '"' not in line:
        cells = line.split(",")
        return cells, list(accumulate((len(cell) + 1 for cell in cells[:-1]), initial=1))
    try:
        cells = next(csv.reader([line]), [])
    except csv.Error:  # a cell beyond the limit of the csv module
        return _split(line.replace('"', " "))
    starts, quoted = [1], False
    for at, character in enumerate(line):
        quoted ^= character == '"'
        if character == "," and not quoted:
            starts.append(at + 2)
    return (cells, starts) if len(cells) == len(starts) else (line.split(","), starts)


def _yaml_rows(
    text: str, file: str, fields: Sequence[Field], key: str, errors: Errors
) -> Iterator[tuple[Place, dict[str, _Cell]]]:
    findings = Findings()
    root = read_document(file, text.encode(), findings)
    for finding in findings.sorted():
        errors.add(Place(finding.file, finding.line, finding.column), finding.path, finding.message)
    if root is None:
        return
    for name in root.entries.keys() - {key}:
        errors.add(root.keys[name], name, f"no such key here{did_you_mean(name, [key])}")
    listed = root.entries.get(key)
    if not isinstance(listed, NodeList):
        errors.add(Place(file) if listed is None else listed.place, key, "a list is needed")
        return
    for item in listed.items:
        if isinstance(item, Mapping):
            yield item.place, _yaml_row(item, fields, errors)
        else:
            errors.add(item.place, item.path(), "a mapping of keys to values is needed")


def _yaml_row(item: Mapping, fields: Sequence[Field], errors: Errors) -> dict[str, _Cell]:
    names = {name: field.name for field in fields for name in (field.name, *field.also)}
    row = {}
    for key, node in item.entries.items():
        if key not in names:
            errors.add(item.keys[key], item.path_of(key), f"no such key{did_you_mean(key, list(names))}")
        elif isinstance(node, Scalar):
            row[names[key]] = _Cell("" if node.value is None else node.text, node.place, node.path())
        elif isinstance(node, NodeList) and all(isinstance(each, Scalar) for each in node.items):
            words = " ".join(each.text for each in node.items if isinstance(each, Scalar))
            row[names[key]] = _Cell(words, node.place, node.path())
        else:
            errors.add(node.place, node.path(), "one value, or a list of such, is needed")
    return row


def parse_number(low: float, high: float, what: str) -> Callable[[str], float]:
    """Give a parser of finite numbers from `low` to `high`; `what` is the unit or meaning, for the message."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high or "_" in text:
            raise ParseError(f"{text!r} is no {what} from {low:g} to {high:g}")
        return value

    return parse


def parse_words(text: str) -> str:
    """Give a text as it stands."""
    return text
