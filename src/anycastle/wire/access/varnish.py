"""Varnish: objects of JSON by `varnishncsa -j` and the recommended format, or the combined format.

Source: varnishncsa(1) of Varnish 7, `%{Varnish:hitmiss}x`, `%{Varnish:handling}x`, `%{Varnish:time_firstbyte}x`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from anycastle.wire.access.fields import (
    address,
    combined,
    handling,
    json_object,
    microseconds,
    octets,
    seconds,
    status,
    wall,
    whole,
)
from anycastle.wire.access.record import Handling, RequestRecord

FORMAT: Final = (
    """{"at":"%{%s}t","client":"%h","status":"%s","octets":"%O","micros":"%D","""
    """"first_byte":"%{Varnish:time_firstbyte}x","cache":"%{Varnish:handling}x","request":"%r"}"""
)
"""What the documentation recommends, as `varnishncsa -j -F` takes it."""

_CACHE: Final[Mapping[str, Handling | None]] = MappingProxyType(
    {
        "": None,
        "-": None,
        "hit": Handling.HIT,
        "streaming-hit": Handling.COLLAPSED,
        "miss": Handling.MISS,
        "hitmiss": Handling.MISS,
        "pass": Handling.PASS,
        "hitpass": Handling.PASS,
        "pipe": Handling.PASS,
        "synth": None,
        "error": None,
    }
)


def parse(line: str) -> RequestRecord:
    """Read a line. Raises `LineError`."""
    if not line.startswith("{"):
        return combined(line)
    told = json_object(line)
    whole(told, "at", "client", "status", "octets")
    micros = told.get("micros")
    first_byte = told.get("first_byte")
    return RequestRecord(
        at=wall(told["at"]),
        client=address(told["client"]),
        status=status(told["status"] or 0),
        octets=octets(told["octets"] or 0),
        duration_s=microseconds(micros, "micros") if micros not in (None, "", "-") else None,
        first_byte_s=seconds(first_byte, "first_byte") if first_byte not in (None, "", "-") else None,
        handling=handling(_CACHE, told.get("cache") or ""),
    )
