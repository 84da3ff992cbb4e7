"""What `nft -j list` prints: named counters, and the elements of sets. Text -> values, nothing run.

Source: libnftables-json(5).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from anycastle.base.errors import ParseError

OBJECTS_MAX: Final = 100_000
"""Counters or elements of one answer."""


@dataclass(frozen=True, slots=True)
class Counter:
    """A named counter as it stands."""

    table: str
    """Family and name: `inet filter`."""
    name: str
    packets: int
    octets: int


def parse_counters(text: str | bytes) -> tuple[Counter, ...]:
    """Read `nft -j list counters`. Raises `ParseError`."""
    found = []
    for each in _objects(text, "counter"):
        try:
            packets, octets = int(each["packets"]), int(each["bytes"])
            found.append(Counter(f"{each['family']} {each['table']}", str(each["name"]), packets, octets))
        except (KeyError, TypeError, ValueError) as error:
            raise ParseError(f"nft: a counter without {error}") from error
    return tuple(found)


def parse_flows(text: str | bytes) -> tuple[tuple[str, int], ...]:
    """Read `nft -j list set` of a set of `ADDRESS . PORT`: each element as address and port. Raises `ParseError`."""
    flows = []
    for each in _objects(text, "set"):
        for element in each.get("elem", ()):
            value = element.get("elem", {}).get("val") if "elem" in element else element
            parts = value.get("concat") if isinstance(value, dict) else None
            if not isinstance(parts, list) or len(parts) < 2 or not isinstance(parts[1], int):
                raise ParseError("nft: an element that is no address with a port")
            flows.append((str(parts[0]), parts[1]))
    return tuple(flows)


def _objects(text: str | bytes, kind: str) -> Iterator[dict[str, Any]]:
    try:
        told = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise ParseError(f"nft: no JSON: {error}") from error
    listed = told.get("nftables") if isinstance(told, dict) else None
    if not isinstance(listed, list) or len(listed) > OBJECTS_MAX:
        raise ParseError("nft: not what `nft -j list` prints")
    for each in listed:
        if isinstance(each, dict) and isinstance(each.get(kind), dict):
            yield each[kind]
