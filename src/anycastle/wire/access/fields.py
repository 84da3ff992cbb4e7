"""Fields that formats share, each bounded: a log is written by software, and read after a disk was full."""

import re
from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address
from math import isfinite
from typing import Any, Final

import msgspec

from anycastle.base.ports import Timestamp
from anycastle.wire.access.record import Handling, LineError, RequestRecord

_EARLIEST: Final = 946_684_800.0
"""The year 2000: no log of interest is older, and a time in milliseconds or of a broken clock is told apart."""
_LATEST: Final = 4_102_444_800.0  # the year 2100
_OCTETS_MAX: Final = 1 << 50
_SECONDS_MAX: Final = 10 * 86_400.0
_COMBINED: Final = re.compile(
    r'(?P<client>\S+) \S+ .*?\[(?P<at>[^\]]{1,40})\] "(?:[^"\\]|\\.)*"'
    r" (?P<status>\d{3}|-) (?P<octets>\d{1,16}|-)(?: |$)"
)
"""NCSA's common format, and the combined one of nginx and varnishncsa which has more fields behind."""


def number(text: object, what: str, greatest: float) -> float:
    """Read a number from 0 on. Raises `LineError`."""
    try:
        value = float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise LineError(f"{what} is {str(text)[:40]!r}, and no number") from None
    if not isfinite(value) or not 0 <= value <= greatest:
        raise LineError(f"{what} is {str(text)[:40]!r}, beyond 0 to {greatest:g}")
    return value


def seconds(text: object, what: str) -> float:
    """Read a span. Raises `LineError`."""
    return number(text, what, _SECONDS_MAX)


def microseconds(text: object, what: str) -> float:
    """Read a span in microseconds, and give it in seconds. Raises `LineError`."""
    return number(text, what, _SECONDS_MAX * 1e6) / 1e6


def octets(text: object, what: str = "octets") -> int:
    """Read a count of octets. Raises `LineError`."""
    return int(number(text, what, _OCTETS_MAX))


def wall(text: object, what: str = "at") -> Timestamp:
    """Read seconds since 1970. Raises `LineError`."""
    value = number(text, what, _LATEST)
    if value < _EARLIEST:
        raise LineError(f"{what} is {str(text)[:40]!r}, before the year 2000")
    return Timestamp(value)


def status(text: object) -> int:
    """Read a status; 0 where no response was sent. Raises `LineError`."""
    value = int(number(text, "status", 999))
    if 0 < value < 100:
        raise LineError(f"status is {str(text)[:40]!r}")
    return value


def address(text: object) -> str:
    """Give an address as it is usually written; '' for what is none, such as `unix:` or a name."""
    try:
        return str(ip_address(str(text).partition("%")[0]))
    except ValueError:
        return ""


def json_object(line: str) -> Mapping[str, Any]:
    """Read a line that is an object. Raises `LineError`."""
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise LineError(f"no JSON: {error}") from None
    if not isinstance(value, dict):
        raise LineError("JSON, and no object")
    return value


def combined(line: str) -> RequestRecord:
    """Read a line of the common or the combined format; it tells neither times nor the cache. Raises `LineError`."""
    found = _COMBINED.match(line)
    if found is None:
        raise LineError("neither the recommended format nor the combined one")
    try:
        at = datetime.strptime(found["at"], "%d/%b/%Y:%H:%M:%S %z").timestamp()
    except (ValueError, OverflowError):
        raise LineError(f"the time {found['at']!r} is not as 27/Nov/2026:19:07:30 +0000") from None
    sent = found["octets"]
    code = 0 if found["status"] == "-" else status(found["status"])
    return RequestRecord(
        wall(at), address(found["client"]), code, 0 if sent == "-" else octets(sent), client_left=code == 499
    )


def handling(words: Mapping[str, Handling | None], text: object) -> Handling | None:
    """Give what a server's word means; None for one that says nothing of a cache. Raises `LineError`."""
    word = str(text).lower()
    if word not in words:
        raise LineError(f"cache is {str(text)[:40]!r}; known are {', '.join(each for each in words if each)}")
    return words[word]


def whole(parse: Mapping[str, Any], *keys: str) -> None:
    """Raise `LineError` where an object lacks a key."""
    lacks = [key for key in keys if key not in parse]
    if lacks:
        raise LineError(f"the object lacks {', '.join(lacks)}")
