"""Reads what probers wrote, a line of JSON a result, as sightings of PoPs."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from anycastle.base.ports import Timestamp
from anycastle.io.atlas import Sightings, location_of
from anycastle.io.catchments.text import read_text
from anycastle.model.asn import ASN
from anycastle.model.vantage_point import VantagePoint
from anycastle.probe.result import FailureKind
from anycastle.probe.sighting import Sighting
from anycastle.probe.site import SiteRule

_ROUND_TRIPS: Final = ("connect", "echo", "answer")
"""Phases of one round trip each, the first that there is: an answer over TCP waits for more than the way."""

_FIRST_LINES: Final = 10


def is_of_prober(path: Path) -> bool:
    """Tell whether a file's first lines are results of a prober."""
    lines = [line for line in islice(read_text(path).splitlines(), _FIRST_LINES) if line.strip()]
    return bool(lines) and all(fields_of(line) is not None for line in lines)


def sightings_of_lines(path: Path, rule: SiteRule | None) -> Sightings:
    """Give which PoP answered each probe: by `rule` where it is given, else as the prober found it.

    Probes that could not ask (`ours`) and those whose host had no address are passed over. Raises `WorldError`.
    """
    found = Sightings([], {})
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        value = fields_of(line)
        if value is None:
            found.garbage.append(f"{path}:{number}: no result of a prober")
            continue
        sighting = sighting_of(value, rule)
        if sighting is None:
            found.passed_over += 1
        else:
            found.rows.append(sighting)
    return found


def fields_of(line: str) -> dict[str, Any] | None:
    """Give a result's fields; None where it is none."""
    try:
        value = json.loads(line)
    except (json.JSONDecodeError, RecursionError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("vantage_point"), str):
        return None
    failure, phases = value.get("failure"), value.get("phases")
    if not isinstance(phases, dict) or not isinstance(failure, dict | None):
        return None
    if not isinstance(value.get("at"), int | float):
        return None
    return value if all(isinstance(each, int | float) for each in phases.values()) else None


def sighting_of(value: dict[str, Any], rule: SiteRule | None) -> Sighting | None:
    """Give which PoP answered a probe, by its fields; None where it could not ask."""
    failure = value.get("failure") or {}
    address = value.get("address")
    if failure.get("kind") == FailureKind.OURS.value or not isinstance(address, str):
        return None
    server = str(value.get("server") or "")
    pop = rule.pop_of(server) if rule is not None else str(value.get("pop") or "")
    answered = value.get("seen") is not None
    return Sighting(
        vantage_of(value),
        address,
        Timestamp(float(value["at"])),
        pop if answered else "",
        next(_round_trips(value["phases"]), None) if answered else None,
        server,
        "" if answered else str(failure.get("words") or "no answer"),
    )


def _round_trips(phases: dict[str, Any]) -> Iterator[float]:
    return (float(phases[name]) for name in _ROUND_TRIPS if name in phases)


def vantage_of(value: dict[str, Any]) -> VantagePoint:
    """Give who probed."""
    asn, place = value.get("asn"), value.get("location")
    return VantagePoint(
        value["vantage_point"],
        ASN(asn) if isinstance(asn, int) and 0 < asn <= 0xFFFFFFFF else None,
        location_of(*place) if isinstance(place, list) and len(place) == 2 else None,
        str(value.get("country") or ""),
    )
