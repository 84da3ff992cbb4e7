"""Weights and regions of ASes from files: own logs and APNIC's lists as CSV, or ranges of addresses.

A CSV file has a heading line. One column names the AS (`asn`, `as`), another the weight or the region; further columns
are passed over, so that a list of APNIC's or an export of one's own can be read as it is. An AS that comes more than
once (by country, by day) is added up. A file without a heading whose lines are ranges `FIRST,LAST,ASN` (as of
ip-location-db, addresses as numbers) weighs each AS by its addresses.
"""

from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Final

from anycastle.base.errors import ParseError
from anycastle.io.catchments.text import read_text
from anycastle.io.config.units import parse_capacity
from anycastle.io.ip_ranges import country_of_asns, read_ip_ranges
from anycastle.io.rows import Field, heading_of, parse_rows, parse_words, read_rows
from anycastle.model.asn import parse_asn

WEIGHT_MAX: Final = 1e18
"""Of one line; more is a typing error, and would drown all else."""


@dataclass(frozen=True, slots=True)
class ASWeights:
    """What a file says of ASNs."""

    of_asn: dict[int, float]
    source: str
    """For people: `users of logs.csv`."""


def read_weights(path: Path) -> ASWeights:
    """Read a file of weights, CSV or ranges. Raises `ParseError` that names every bad line as `FILE:LINE:COLUMN`."""
    text = read_text(path)
    first = text.split("\n", 1)[0].split(",")
    if len(first) >= 3 and all(field.strip().isdigit() for field in first[:2]):
        return _of_ranges(path)
    return parse_weights(text, str(path))


def _of_ranges(path: Path) -> ASWeights:
    ranges = read_ip_ranges(path)
    found: dict[int, float] = {}
    sizes = (ranges.last - ranges.first + 1).tolist()
    for asn, size in zip(ranges.value.tolist(), sizes, strict=True):
        if asn.isdigit():
            found[int(asn)] = found.get(int(asn), 0.0) + size
    if not found:
        raise ParseError(f"{path}:1:1: no range has an ASN; is this a file by country?")
    return ASWeights(found, f"addresses of {path.name}")


def parse_weights(text: str, name: str) -> ASWeights:
    """Parse a CSV of weights: `AS` and `WEIGHT`."""
    found: dict[int, float] = {}
    for row in parse_rows(text, name, (AS, WEIGHT)):
        asn = int(row.value["asn"])
        found[asn] = found.get(asn, 0.0) + row.value["users"]
    if not sum(found.values()):
        raise ParseError(f"{name}:1:1: no AS has a weight above 0")
    return ASWeights(found, f"{heading_of(text, WEIGHT)} of {Path(name).name}")


def read_labels(path: Path, asn_ranges: Path | None = None) -> dict[int, str]:
    """Read each AS's region: from a CSV, or from ranges by country with those by ASN (then: where most addresses are).

    Raises `ParseError` that names every bad line.
    """
    if asn_ranges is not None:
        return country_of_asns(read_ip_ranges(asn_ranges), read_ip_ranges(path))
    return parse_labels(read_text(path), str(path))


def parse_labels(text: str, name: str) -> dict[int, str]:
    """Parse a CSV of regions: `AS` and `LABEL`."""
    return {int(row.value["asn"]): row.value["region"] for row in parse_rows(text, name, (AS, LABEL))}


def read_loads(path: Path) -> dict[str, float]:
    """Read loads by PoP: CSV with `pop` and `load`, which has a unit as capacities do (`38G`)."""
    rows = read_rows(path, (Field("pop", parse_words), Field("load", _load)))
    return {row.value["pop"]: row.value["load"] for row in rows}


def _load(text: str) -> float:
    return 0.0 if text == "0" else parse_capacity(text)


def parse_weight(text: str) -> float:
    """Parse the weight of one row; groups of thousands may be parted by commas, as APNIC writes them."""
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        raise ParseError(f"{text[:40]!r} is no number") from None
    if not isfinite(value) or not 0 <= value <= WEIGHT_MAX:
        raise ParseError(f"{text[:40]} is not within 0 and {WEIGHT_MAX:g}")
    return value


AS: Final = Field("asn", parse_asn, also=("as",))
WEIGHT: Final = Field(
    "users", parse_weight, also=("weight", "addresses", "queries", "requests", "samples", "users (est.)")
)
LABEL: Final = Field("region", parse_words, also=("country", "label", "cc"))
