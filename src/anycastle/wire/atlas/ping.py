"""Ping: firmware 0 and 1 tell only least, mean and greatest time; later ones tell every reply."""

from dataclasses import dataclass
from typing import Any

import msgspec

from anycastle.wire.atlas.result import Origin, convert, milliseconds, words_of


@dataclass(frozen=True, slots=True)
class PingReply:
    """What became of one packet. Without a time and without an error it was lost."""

    rtt_ms: float | None = None
    ttl: int | None = None
    duplicate: bool = False
    """A further answer to a packet that was answered: no packet of its own."""
    late: bool = False
    """It came after the probe had given the packet up."""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Ping:
    """One round of echoes."""

    origin: Origin
    target: str
    name: str
    family: int | None
    protocol: str
    sent: int
    received: int
    duplicates: int
    rtt_ms_min: float | None
    rtt_ms_mean: float | None
    rtt_ms_max: float | None
    replies: tuple[PingReply, ...]
    """Empty where the firmware kept none."""
    error: str


class _Reply(msgspec.Struct):
    rtt: float | None = None
    ttl: int | None = None
    dup: int = 0
    late: int | None = None
    x: str = ""
    error: str = ""
    err: str = ""


class _Raw(msgspec.Struct):
    sent: int
    rcvd: int
    dup: int = 0
    min: float | None = None
    avg: float | None = None
    max: float | None = None
    dst_addr: str = ""
    addr: str = ""
    dst_name: str = ""
    name: str = ""
    af: int | None = None
    proto: str = "ICMP"
    result: list[_Reply] = []
    error: Any = None


def parse_ping(value: dict[str, Any], origin: Origin) -> Ping:
    """Parse a ping. Raises `ParseError`."""
    raw = convert(value, _Raw)
    replies = tuple(
        PingReply(milliseconds(each.rtt), each.ttl, bool(each.dup), each.late is not None, each.error or each.err)
        for each in raw.result
    )
    errors = [reply.error for reply in replies if reply.error]
    return Ping(
        origin,
        raw.dst_addr or raw.addr,
        raw.dst_name or raw.name,
        raw.af,
        raw.proto,
        raw.sent,
        raw.rcvd,
        raw.dup,
        milliseconds(raw.min),
        milliseconds(raw.avg),
        milliseconds(raw.max),
        replies,
        words_of(raw.error) or (errors[0] if errors and not raw.rcvd else ""),
    )
