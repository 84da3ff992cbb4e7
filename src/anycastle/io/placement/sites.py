"""Candidates for PoPs, and prices of those that are there: YAML (a list under `sites`) or CSV, one row a site."""

from pathlib import Path
from typing import Final

from anycastle.base.errors import ParseError
from anycastle.io.rows import Errors, Field, parse_number, parse_words, read_rows
from anycastle.model.asn import parse_asn
from anycastle.model.pop import Location
from anycastle.twin.deployment import Session, Standing
from anycastle.twin.placement import Site

SITES_MAX: Final = 200
"""With those of today; a key's field for PoPs is wider, but nobody compares more."""
MONEY_MAX: Final = 1e12


def _sessions(text: str) -> tuple[Session, ...]:
    """Parse `ASN[/peer]` separated by blanks or `;`."""
    found = []
    for word in text.replace(";", " ").replace(",", " ").split():
        asn, slash, kind = word.partition("/")
        if slash and kind != "peer":
            raise ParseError(f"{word!r}: after / only peer can stand")
        found.append(Session(parse_asn(asn), Standing.PEER if slash else Standing.CUSTOMER))
    return tuple(dict.fromkeys(found))


def _name(text: str) -> str:
    if not text.replace("-", "").replace("_", "").replace(".", "").isalnum() or len(text) > 63:
        raise ParseError(f"{text!r} is no name: letters, digits, - _ and . only, at most 63")
    return text


_MONEY: Final = parse_number(0, MONEY_MAX, "price")
FIELDS: Final = (
    Field("name", _name),
    Field("city", parse_words, ""),
    Field("latitude", parse_number(-90, 90, "latitude"), also=("lat",)),
    Field("longitude", parse_number(-180, 180, "longitude"), also=("lon", "lng")),
    Field("upstreams", _sessions, ()),
    Field("cost_per_month", _MONEY, 0.0),
    Field("cost_per_mbps", _MONEY, 0.0),
    Field("setup_cost", _MONEY, 0.0),
)
"""Of a row. `upstreams` may be absent for a PoP that is there already."""


def read_sites(path: Path) -> tuple[Site, ...]:
    """Read the sites. Raises `ParseError` with all that is wrong, each with `FILE:LINE:COLUMN`."""
    rows, errors, seen = read_rows(path, FIELDS, "sites"), Errors(), dict[str, int]()
    for row in rows:
        name = row.value["name"]
        if name in seen:
            errors.add(row.place, "name", f"{name!r} stands in line {seen[name]} already")
        seen.setdefault(name, row.place.line)
    if len(rows) > SITES_MAX:
        errors.add(rows[SITES_MAX].place, "", f"more than {SITES_MAX} sites")
    errors.raise_if_any()
    return tuple(
        Site(
            row.value["name"],
            row.value["city"] or row.value["name"],
            Location(row.value["latitude"], row.value["longitude"]),
            row.value["upstreams"],
            row.value["cost_per_month"],
            row.value["cost_per_mbps"],
            row.value["setup_cost"],
        )
        for row in rows
    )
