"""Options of a playbook from a CSV file: a line each, a column for each PoP or session that it changes."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from anycastle.base.errors import ParseError
from anycastle.base.limits import AS_PATH_PREPEND_MAX
from anycastle.io.config.findings import did_you_mean
from anycastle.twin.deployment import PLAIN, Configuration, Deployment
from anycastle.twin.playbook import Option

OPTIONS_MAX: Final = 10_000


def read_options(text: str, name: str, deployment: Deployment, present: Configuration) -> tuple[Option, ...]:
    """Give the options of a table: `name` and then PoPs or `POP/UPSTREAM`s in the first line, below them prepends.

    `-` withdraws; an empty cell, and a session without a column, stay as they are now. A column of a session overrules
    that of its PoP. Raises `ParseError` that names every bad cell as `FILE:LINE:COLUMN`.
    """
    lines = list(csv.reader(text.splitlines()))
    if not lines or not lines[0] or lines[0][0].strip().lower() != "name":
        raise ParseError(f"{name}:1:1: the first line is: name, then PoPs or POP/UPSTREAMs")
    columns = [cell.strip() for cell in lines[0]]
    errors = _bad_columns(columns, deployment, name)
    options = []
    for number, cells in enumerate(lines[1:], 2):
        if not any(cells):
            continue
        bad = _bad_cells(cells, columns, f"{name}:{number}")
        errors += bad
        if not bad and not errors:
            options.append(_option(cells, columns, deployment, present))
    if len(options) > OPTIONS_MAX:
        errors.append(f"{name}:1:1: {len(options)} options; at most {OPTIONS_MAX} are worked out")
    if errors:
        raise ParseError("\n".join(errors[:20]))
    if not options:
        raise ParseError(f"{name}:1:1: no option stands below the first line")
    return tuple(options)


def _bad_columns(columns: Sequence[str], deployment: Deployment, name: str) -> list[str]:
    known = [*deployment.pops, *(group.name for group in deployment.groups)]
    errors, at = [], len(columns[0]) + 2
    for column in columns[1:]:
        if column not in known:
            errors.append(f"{name}:1:{at}: no PoP or session {column!r}{did_you_mean(column, known)}")
        elif columns.count(column) > 1:
            errors.append(f"{name}:1:{at}: {column!r} stands twice")
        at += len(column) + 1
    return errors


def _bad_cells(cells: Sequence[str], columns: Sequence[str], where: str) -> list[str]:
    if len(cells) != len(columns):
        return [f"{where}:1: {len(cells)} cells for {len(columns)} columns"]
    errors, at = [], len(cells[0]) + 2
    for cell, column in zip(cells[1:], columns[1:], strict=True):
        text = cell.strip()
        if text not in ("", "-") and not (text.isascii() and text.isdigit() and int(text) <= AS_PATH_PREPEND_MAX):
            errors.append(
                f"{where}:{at}: {column}: {cell!r} is no number of prepends, 0 to {AS_PATH_PREPEND_MAX}, nor -"
            )
        at += len(cell) + 1
    if not cells[0].strip():
        errors.append(f"{where}:1: name: an option needs a name")
    return errors


def _option(cells: Sequence[str], columns: Sequence[str], deployment: Deployment, present: Configuration) -> Option:
    asked = {column: cell.strip() for column, cell in zip(columns[1:], cells[1:], strict=True) if cell.strip()}
    announced = dict(present.announced)
    for group in deployment.groups:
        text = asked.get(group.name, asked.get(group.pop))
        if text == "-":
            announced.pop(group.name, None)
        elif text is not None:
            announced[group.name] = replace(announced.get(group.name, PLAIN), prepend=int(text))
    return Option(cells[0].strip(), Configuration(announced))
