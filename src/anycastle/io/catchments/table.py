"""Catchments as plain CSV: a heading line, then one line an AS or prefix.

Columns: `announced` (PoPs parted by `+` or spaces), `pop`, `asn` or `prefix`; and if one likes `weight` (targets) and
`configuration`. Prefixes need the ranges of ASNs (`io.ip_ranges`).
"""

import csv
from collections.abc import Callable
from io import StringIO
from ipaddress import IPv4Network
from pathlib import Path
from typing import Final

from anycastle.base.errors import MisuseError, ParseError
from anycastle.io.catchments.text import read_text
from anycastle.model.asn import parse_asn
from anycastle.model.catchment import Experiment, Measurement, experiment_of

_NEEDED: Final = ("announced", "pop")
_KNOWN: Final = ("announced", "pop", "asn", "prefix", "weight", "configuration")
ASNOf = Callable[[int], int]
"""The ASN of an IPv4 address as a number; 0 where nobody has it."""


def read_table(path: Path, asn_of: ASNOf | None = None) -> tuple[Experiment, ...]:
    """Read a table's experiments. Raises `ParseError` with `FILE:LINE`."""
    return parse_table(read_text(path), str(path), asn_of)


def parse_table(text: str, name: str, asn_of: ASNOf | None = None) -> tuple[Experiment, ...]:
    """Parse a table: an experiment for each announced set and configuration, in the order of their first line."""
    rows = csv.DictReader(StringIO(text))
    try:
        heading = tuple(rows.fieldnames or ())
    except csv.Error as error:
        raise ParseError(f"{name}:1: {error}") from error
    missing = [column for column in _NEEDED if column not in heading]
    if missing or not {"asn", "prefix"} & set(heading):
        raise ParseError(
            f"{name}:1: the heading needs announced, pop, and asn or prefix; it has {', '.join(heading) or 'nothing'}"
        )
    unknown = [column for column in heading if column not in _KNOWN]
    if unknown:
        raise ParseError(f"{name}:1: no column is called {unknown[0]!r}; there are {', '.join(_KNOWN)}")
    groups: dict[tuple[tuple[str, ...], str], list[Measurement]] = {}
    try:
        for row in rows:
            where = f"{name}:{rows.line_num}"
            if None in row or None in row.values():
                raise ParseError(f"{where}: the line has not as many fields as the heading")
            announced = tuple(sorted(set(row["announced"].replace("+", " ").split())))
            measured = _measurement(row, where, asn_of)
            if measured.pop not in announced:
                raise ParseError(f"{where}: {measured.pop!r} was not announced; those were {', '.join(announced)}")
            if measured.asn:
                groups.setdefault((announced, row.get("configuration") or ""), []).append(measured)
    except csv.Error as error:
        raise ParseError(f"{name}:{rows.line_num}: {error}") from error
    try:
        return tuple(
            experiment_of(announced, rows_, source=name, configuration=configuration, method="table")
            for (announced, configuration), rows_ in groups.items()
        )
    except MisuseError as error:
        raise ParseError(f"{name}: {error}") from error


def _measurement(row: dict[str, str], where: str, asn_of: ASNOf | None) -> Measurement:
    try:
        weight = float(row.get("weight") or 1)
    except ValueError as error:
        raise ParseError(f"{where}: {row['weight']!r} is no weight") from error
    if not 0 < weight < 1e12:
        raise ParseError(f"{where}: a weight is above 0, not {row['weight']}")
    if row.get("asn"):
        try:
            return Measurement(parse_asn(row["asn"]), row["pop"], weight)
        except ParseError as error:
            raise ParseError(f"{where}: {error}") from error
    if not row.get("prefix"):
        raise ParseError(f"{where}: the line names neither an AS nor a prefix")
    if asn_of is None:
        raise ParseError(f"{where}: a prefix needs the ranges of ASNs to find its AS; give them with --asn-ranges")
    try:
        network = IPv4Network(row["prefix"])
    except ValueError as error:
        raise ParseError(f"{where}: {error}") from error
    return Measurement(parse_asn(asn_of(int(network.network_address))), row["pop"], weight)
