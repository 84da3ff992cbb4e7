"""Files of RIPE Atlas results: a JSON list, or one JSON object a line; plain or packed.

Some files carry what their maker looked up for each probe beside the result (`asn_v4`, `country_code`, `src_lat`,
`src_lon`, and of the site that answered `dst_city`, `dst_lat`, `dst_lon`); where they stand, they are read as well.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from anycastle.base.errors import ParseError
from anycastle.base.ports import Timestamp
from anycastle.io.catchments.text import read_text
from anycastle.model.asn import ASN
from anycastle.model.pop import Location
from anycastle.model.vantage_point import VantagePoint
from anycastle.probe.sighting import Sighting
from anycastle.probe.site import SiteRule
from anycastle.wire.atlas.dns import DNS
from anycastle.wire.atlas.parse import Result, parse_result, result_of
from anycastle.wire.atlas.result import Garbage, Origin


class Row(NamedTuple):
    """One result of a file, where it stands, and its JSON value as it is."""

    where: str
    result: Result | Garbage
    value: dict[str, Any]


def read_results(path: Path) -> Iterator[Row]:
    """Give a file's results. Raises `WorldError` where it cannot be read, `ParseError` where it is no JSON list."""
    text = read_text(path)
    if not text.lstrip().startswith("["):
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield _of_line(f"{path}:{number}", line)
        return
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise ParseError(f"{path}:{error.lineno}:{error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise ParseError(f"{path}: nested too deeply") from error
    for number, value in enumerate(values, 1):
        yield Row(f"{path}: result {number}", result_of(value), value if isinstance(value, dict) else {})


def _of_line(where: str, line: str) -> Row:
    result = parse_result(line)
    return Row(where, result, {} if isinstance(result, Garbage) else json.loads(line))


@dataclass(slots=True)
class Sightings:
    """What results of DNS tell of catchments, and what was passed over."""

    rows: list[Sighting]
    sites: dict[str, Location]
    """Places of PoPs, where the file tells them."""
    passed_over: int = 0
    """Results of other kinds."""
    garbage: list[str] = field(default_factory=list)
    """What is no result, each with its place."""


def sightings_of(rows: Iterable[Row], rule: SiteRule, probes: Mapping[int, VantagePoint] | None = None) -> Sightings:
    """Give which PoP answered each probe, of DNS results; a probe is as `probes` has it, else as its row tells."""
    found = Sightings([], {})
    for row in rows:
        if isinstance(row.result, Garbage):
            found.garbage.append(f"{row.where}: {row.result.reason}")
        elif isinstance(row.result, DNS):
            origin = row.result.origin
            vantage = (probes or {}).get(origin.probe) or vantage_of(origin, row.value)
            for exchange in row.result.exchanges:
                pop = rule.pop_of(exchange.server)
                at = Timestamp(float(origin.at_s))
                found.rows.append(
                    Sighting(vantage, exchange.target, at, pop, exchange.rtt_ms, exchange.server, exchange.error)
                )
                _note_site(found.sites, pop, row.value)
        else:
            found.passed_over += 1
    return found


def vantage_of(origin: Origin, value: Mapping[str, Any]) -> VantagePoint:
    """Give a probe as its row tells it."""
    asn = value.get("asn_v4") or value.get("asn_v6")
    country = value.get("country_code")
    return VantagePoint(
        str(origin.probe),
        ASN(asn) if isinstance(asn, int) and 0 < asn <= 0xFFFFFFFF else None,
        location_of(value.get("src_lat"), value.get("src_lon")),
        country.upper() if isinstance(country, str) else "",
    )


def location_of(latitude: Any, longitude: Any) -> Location | None:
    """Give a place; None where the numbers are none."""
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        return None
    return Location(latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def _note_site(sites: dict[str, Location], pop: str, value: Mapping[str, Any]) -> None:
    place = location_of(value.get("dst_lat"), value.get("dst_lon"))
    if pop and place is not None and value.get("dst_city") == pop:
        sites.setdefault(pop, place)
