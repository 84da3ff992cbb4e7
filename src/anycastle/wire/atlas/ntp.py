"""NTP: what a server says of itself, and the clock's offset by each packet (RFC 5905)."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from anycastle.base.errors import ParseError
from anycastle.wire.atlas.result import Origin, convert, milliseconds, words_of

CLOCK_S_MAX: Final = 2.0**33
"""Seconds between two clocks: two eras of NTP (RFC 5905 §6)."""


@dataclass(frozen=True, slots=True)
class NTPReply:
    """What became of one packet. Without a time it was lost."""

    rtt_ms: float | None = None
    offset_ms: float | None = None
    """The server's clock less the probe's."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class NTP:
    """An NTP result."""

    origin: Origin
    target: str
    name: str
    family: int | None
    stratum: int | None
    """None where the server is not synchronised, or said nothing."""
    reference: str
    root_delay_ms: float | None
    replies: tuple[NTPReply, ...]
    error: str


class _Reply(msgspec.Struct):
    rtt: float | None = None
    offset: float | None = None
    x: str = ""
    error: Any = None


class _Raw(msgspec.Struct):
    dst_addr: str = ""
    dst_name: str = ""
    af: int | None = None
    stratum: int | str | None = None
    reference: str = msgspec.field(default="", name="ref-id")
    root_delay: float | None = msgspec.field(default=None, name="root-delay")
    result: list[_Reply] = []
    dnserr: Any = None
    error: Any = None


def parse_ntp(value: dict[str, Any], origin: Origin) -> NTP:
    """Parse an NTP result; the probe tells seconds. Raises `ParseError`."""
    raw = convert(value, _Raw)
    replies = tuple(
        NTPReply(
            milliseconds(_thousandfold(each.rtt)),
            _thousandfold(each.offset),
            words_of(each.error),
        )
        for each in raw.result
    )
    errors = [reply.error for reply in replies if reply.error]
    return NTP(
        origin,
        raw.dst_addr,
        raw.dst_name,
        raw.af,
        raw.stratum if isinstance(raw.stratum, int) else None,
        raw.reference,
        milliseconds(_thousandfold(raw.root_delay)),
        replies,
        words_of(raw.error) or words_of(raw.dnserr) or (errors[0] if len(errors) == len(replies) > 0 else ""),
    )


def _thousandfold(seconds: float | None) -> float | None:
    if seconds is not None and not abs(seconds) <= CLOCK_S_MAX:
        raise ParseError(f"{seconds:g} s is no difference of clocks")
    return None if seconds is None else seconds * 1000
