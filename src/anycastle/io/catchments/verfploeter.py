"""Verfploeter rounds: one CSV a configuration, one line an answer, named `CONFIGURATION__SITE+SITE__DATE.csv`."""

import csv
import re
from io import StringIO
from pathlib import Path
from typing import Final

import numpy as np

from anycastle.base.errors import ParseError
from anycastle.io.catchments.text import read_text
from anycastle.model.catchment import Round

_SITE_SUFFIX: Final = re.compile(r"-anycast\d+$")
_NEEDED: Final = ("client_id", "source_address", "source_address_asn", "send_receive_time_diff")


def read_verfploeter(path: Path) -> Round:
    """Read a round. A /24 that answered to several sites counts for the first. Raises `ParseError` with `FILE:LINE`."""
    configuration, announced, date = parse_name(path.name, str(path))
    return parse_round(read_text(path), str(path), configuration, announced, date)


def parse_name(name: str, where: str) -> tuple[str, tuple[str, ...], str]:
    """Give configuration, sorted sites and date of a file's name."""
    parts = name.partition(".csv")[0].split("__")
    if len(parts) != 3 or not all(parts):
        raise ParseError(f"{where}: a round's name is CONFIGURATION__SITE+SITE__DATE.csv")
    return parts[0], tuple(sorted(parts[1].split("+"))), parts[2]


def parse_round(text: str, where: str, configuration: str, announced: tuple[str, ...], date: str) -> Round:
    """Parse a round's lines."""
    rows = csv.DictReader(StringIO(text))
    try:
        missing = [column for column in _NEEDED if column not in (rows.fieldnames or ())]
    except csv.Error as error:
        raise ParseError(f"{where}:1: {error}") from error
    if missing:
        raise ParseError(f"{where}:1: the heading has no {missing[0]}")
    found: dict[int, tuple[int, int, float]] = {}
    try:
        for row in rows:
            block, answer = _answer(row, f"{where}:{rows.line_num}", announced)
            found.setdefault(block, answer)
    except csv.Error as error:
        raise ParseError(f"{where}:{rows.line_num}: {error}") from error
    blocks = sorted(found)
    return Round(
        configuration,
        announced,
        date,
        np.array(blocks, np.uint32),
        np.array([found[each][0] for each in blocks], np.int16),
        np.array([found[each][1] for each in blocks], np.uint32),
        np.array([found[each][2] for each in blocks], np.float32),
    )


def _answer(row: dict[str, str], where: str, announced: tuple[str, ...]) -> tuple[int, tuple[int, int, float]]:
    """Give a line's /24, and its site, ASN and round-trip time."""
    site = _SITE_SUFFIX.sub("", row["client_id"] or "")
    if site not in announced:
        raise ParseError(f"{where}: {site!r} is not announced; those are {', '.join(announced)}")
    asn_text = row["source_address_asn"] or ""
    try:
        block, rtt_ms = _block(row["source_address"]), float(row["send_receive_time_diff"])
    except (TypeError, ValueError) as error:
        raise ParseError(f"{where}: {error}") from error
    asn = int(asn_text) if asn_text.isascii() and asn_text.isdigit() and len(asn_text) <= 20 else 0
    if asn > 0xFFFFFFFF:
        raise ParseError(f"{where}: {asn} is no AS number")
    return block, (announced.index(site), asn, rtt_ms)


def _block(text: str | None) -> int:
    parts = (text or "").split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) <= 3 for part in parts):
        raise ValueError(f"{text!r} is no IPv4 address")
    first, second, third, last = map(int, parts)
    if max(first, second, third, last) > 255:
        raise ValueError(f"{text!r} is no IPv4 address")
    return first << 16 | second << 8 | third
