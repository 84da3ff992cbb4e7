"""Where probes are, from RIPE Atlas's archive of them; and where PoPs are, from a table or the fleet's files."""

import json
from pathlib import Path
from typing import Any

from anycastle.base.errors import ParseError
from anycastle.io.atlas import location_of
from anycastle.io.catchments.text import read_text
from anycastle.io.rows import Field, parse_number, parse_words, read_rows
from anycastle.model.asn import ASN
from anycastle.model.pop import Location
from anycastle.model.vantage_point import VantagePoint


def read_probes(path: Path) -> dict[int, VantagePoint]:
    """Read probes by their number: the archive's JSON (`{"objects": [...]}`), or a list. Raises `ParseError`."""
    try:
        value = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ParseError(f"{path}:{error.lineno}:{error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise ParseError(f"{path}: nested too deeply") from error
    listed = value.get("objects", value.get("results")) if isinstance(value, dict) else value
    if not isinstance(listed, list):
        raise ParseError(f"{path}: a list of probes is needed, or an object that has one as `objects`")
    probes = {}
    for number, each in enumerate(listed, 1):
        if not isinstance(each, dict) or not isinstance(each.get("id"), int):
            raise ParseError(f"{path}: probe {number} has no id")
        probes[each["id"]] = _probe(each)
    return probes


def _probe(value: dict[str, Any]) -> VantagePoint:
    latitude, longitude = value.get("latitude"), value.get("longitude")
    geometry = value.get("geometry")
    if latitude is None and isinstance(geometry, dict) and isinstance(geometry.get("coordinates"), list):
        longitude, latitude = (*geometry["coordinates"], None, None)[:2]  # GeoJSON has the longitude first
    asn = value.get("asn_v4") or value.get("asn_v6")
    return VantagePoint(
        str(value["id"]),
        ASN(asn) if isinstance(asn, int) and 0 < asn <= 0xFFFFFFFF else None,
        location_of(latitude, longitude),
        str(value.get("country_code") or ""),
    )


_SITE_FIELDS = (
    Field("pop", parse_words, also=("site", "name")),
    Field("latitude", parse_number(-90, 90, "latitude"), also=("lat",)),
    Field("longitude", parse_number(-180, 180, "longitude"), also=("lon", "lng")),
)


def read_sites(path: Path) -> dict[str, Location]:
    """Read where PoPs are: CSV with pop, latitude, longitude. Raises `ParseError` for all that is wrong."""
    return {
        row.value["pop"]: Location(row.value["latitude"], row.value["longitude"])
        for row in read_rows(path, _SITE_FIELDS)
    }
