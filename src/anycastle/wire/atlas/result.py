"""What results of every kind have, and how their fields are read."""

from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from anycastle.base.errors import ParseError

TEXT_MAX: Final = 4096
"""Characters kept of an error or a name."""

RTT_MS_MAX: Final = 1e7
"""Milliseconds beyond which a round-trip time is no measurement: no probe waits for three hours."""

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Garbage:
    """What came is no result of a kind that is known, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose result it is."""

    measurement: int
    probe: int
    at_s: int
    """Seconds since 1970-01-01 UTC, by the probe's clock."""
    firmware: int
    address: str
    """The probe's address as the collector saw it; empty where that is not told."""
    clock_unsure_s: int | None
    """Seconds since the probe's clock was last set right; None where that is not told or not known."""


class RawOrigin(msgspec.Struct):
    """The fields of every kind."""

    msm_id: int
    prb_id: int
    timestamp: int
    fw: int = 0
    from_: str = msgspec.field(default="", name="from")
    lts: int | None = None


def convert(value: Any, kind: type[S]) -> S:
    """Give a raw result as a struct; numbers may stand as text. Raises `ParseError` that names the field."""
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ParseError(str(error)) from error


def origin_of(value: Any) -> Origin:
    """Give whose result it is. Raises `ParseError`."""
    raw = convert(value, RawOrigin)
    if raw.prb_id < 0 or raw.msm_id < 0 or not 0 <= raw.timestamp < 1 << 40:
        raise ParseError("a probe, a measurement and a time are counted from 0")
    unsure = raw.lts if raw.lts is not None and raw.lts >= 0 else None  # -1: the probe does not know
    return Origin(raw.msm_id, raw.prb_id, raw.timestamp, raw.fw, raw.from_[:TEXT_MAX], unsure)


def milliseconds(value: float | None) -> float | None:
    """Give a time; -1 stands for none. Raises `ParseError` for what no clock can say."""
    if value is None or value == -1:
        return None
    if not 0 <= value <= RTT_MS_MAX:
        raise ParseError(f"{value:g} ms is no time")
    return value


def words_of(error: Any) -> str:
    """Give an error as one line, in whatever shape the firmware put it: text, or a mapping of words."""
    if error is None or error == "":
        return ""
    if isinstance(error, dict):
        return ", ".join(f"{name}: {words_of(value) or value}" for name, value in list(error.items())[:8])[:TEXT_MAX]
    return " ".join(str(error).split())[:TEXT_MAX]
