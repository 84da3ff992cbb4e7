"""How every command prints: data on standard output in the form asked for, messages on standard error."""

import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeVar

import click

_PLAIN_WORD: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_YAML_WORDS: Final = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})

F = TypeVar("F", bound=Callable[..., Any])


class Form(Enum):
    """A form of output, as `-o` names it."""

    TABLE = "table"
    TEXT = "text"
    JSON = "json"
    YAML = "yaml"
    NDJSON = "ndjson"


def output_option(*forms: Form) -> Callable[[F], F]:
    """Give the option `-o` with the forms that a command has, the first one as default; passed as `form`."""
    names = [form.value for form in forms]

    def convert(_context: click.Context, _parameter: click.Parameter, value: str) -> Form:
        return Form(value)

    return click.option(
        "-o", "--output", "form", type=click.Choice(names), default=names[0], show_default=True, callback=convert,
        help="Form of the output.",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """Rows for people. Every cell is text without line breaks."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def print_json(value: Any) -> None:
    """Print one JSON value, readable."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_ndjson(values: Iterable[Any]) -> None:
    """Print one JSON value a line."""
    for value in values:
        click.echo(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def print_yaml(value: Any) -> None:
    """Print one YAML document that YAML 1.1 and 1.2 read alike: text is quoted unless it is a plain word."""
    click.echo("\n".join(_yaml_lines(value)))


def _yaml_lines(value: Any) -> list[str]:
    lines: list[str] = []
    if isinstance(value, dict) and value:
        for key, each in value.items():
            nested = isinstance(each, dict | list) and bool(each)
            lines += (
                [f"{_yaml_scalar(key)}:", *_indented(each)]
                if nested
                else [f"{_yaml_scalar(key)}: {_yaml_scalar(each)}"]
            )
    elif isinstance(value, list) and value:
        for each in value:
            first, *rest = _yaml_lines(each)
            lines += [f"- {first}", *(f"  {line}" for line in rest)]
    else:
        lines.append(_yaml_scalar(value))
    return lines


def _indented(value: Any) -> list[str]:
    return [f"  {line}" for line in _yaml_lines(value)]


def _yaml_scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN_WORD.fullmatch(value) and value.lower() not in _YAML_WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)  # JSON is a subset of YAML


def print_table(table: Table) -> None:
    """Print aligned columns, the headings bold on a terminal."""
    rows = [table.columns, *table.rows]
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        cells = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        line = "  ".join(cells).rstrip()
        click.echo(styled(line, bold=True) if number == 0 else line)


def print_form(form: Form, value: Any, table: Table) -> None:
    """Print a value in the form asked for; `table` is its form for people."""
    match form:
        case Form.JSON:
            print_json(value)
        case Form.YAML:
            print_yaml(value)
        case Form.NDJSON:
            print_ndjson(value if isinstance(value, list) else [value])
        case _:
            print_table(table)


def nothing_read(names: Sequence[str], what: str) -> str:
    """Give the error for files of which nothing could be read."""
    return f"nothing in {', '.join(names)} can be read as {what}"


def one_line(text: str) -> str:
    """Give a text that somebody else wrote as one line: a terminal obeys nothing of it."""
    return "".join(each if each.isprintable() else "?" for each in " ".join(text.split()))


def counted(number: int, what: str) -> str:
    """Give a number with its noun: 1 PoP, 2 PoPs."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _width(text: str) -> int:
    """Give the columns that a text takes on a terminal."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def message(text: str, *, severity: str = "info") -> None:
    """Print one line on standard error; `error` and `warning` are coloured on a terminal."""
    colour = _COLOURS.get(severity)
    click.echo(styled(text, stream=sys.stderr, fg=colour) if colour else text, err=True)


_COLOURS: Final = {"error": "red", "warning": "yellow"}


def styled(text: str, *, stream: Any = None, **style: Any) -> str:
    """Give a text in colour or bold, where the stream is a terminal and NO_COLOR is not set (no-color.org)."""
    stream = stream or sys.stdout
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return text
    return click.style(text, **style)
