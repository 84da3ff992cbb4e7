"""Durations and capacities as text with a unit."""

import re
from decimal import Decimal
from typing import Final

from anycastle.base.errors import ParseError

SECONDS: Final = {"us": Decimal("1e-6"), "ms": Decimal("1e-3"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600)}
MULTIPLES: Final = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}

DURATION_PATTERN: Final = r"^[0-9]{1,9}(\.[0-9]{1,9})?(us|ms|s|m|h)$"
CAPACITY_PATTERN: Final = r"^[0-9]{1,9}(\.[0-9]{1,9})?[kMGT]$"
_WORDS: Final = {
    "sec": "s", "second": "s", "min": "m", "minute": "m", "hr": "h", "hour": "h", "msec": "ms", "milli": "ms",
    "millisecond": "ms", "usec": "us", "µ": "us", "μ": "us", "microsecond": "us",
}  # fmt: skip
"""What units of time are called elsewhere, without the plural's s."""

_QUANTITY: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)[ ]?([A-Za-zµμ/]*)")


class UnitError(ParseError):
    """The number is right; its unit is missing or unknown."""


def parse_duration(text: str) -> float:
    """Give seconds. Raises `UnitError` or `ParseError`."""
    number, unit = _split(text, "a duration; write 1s, 250ms or 5m")
    if not unit:
        raise UnitError(f"{text} has no unit; write {text}s, {text}ms or {text}m")
    if unit not in SECONDS:
        meant = _WORDS.get(unit.lower().removesuffix("s"), unit.lower())
        hint = f"did you mean {number}{meant}?" if meant in SECONDS else f"known: {', '.join(SECONDS)}"
        raise UnitError(f"{unit!r} is not a unit of time; {hint}")
    return float(number * SECONDS[unit])


def parse_capacity(text: str) -> float:
    """Give the number without its multiple. Raises `UnitError` or `ParseError`."""
    number, unit = _split(text, "a capacity; write 10G, 400M or 50k")
    if not unit:
        raise UnitError(f"{text} has no unit; write {text}G, {text}M or {text}k")
    if unit not in MULTIPLES:
        near = next((known for known in MULTIPLES if known.lower() == unit[0].lower()), None)
        hint = f"; did you mean {number}{near}?" if near else f"; known: {', '.join(MULTIPLES)}"
        raise UnitError(f"{unit!r} is not a unit of capacity{hint}")
    return float(number * MULTIPLES[unit])


def _split(text: str, what: str) -> tuple[Decimal, str]:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ParseError(f"{text[:40]!r} is not {what}")
    return Decimal(match[1]), match[2]


def format_duration(seconds: float) -> str:
    """Give the shortest exact text: `250ms`, `90s`, `5m`."""
    exact = Decimal(repr(seconds))
    for unit in ("h", "m", "s", "ms"):
        count = exact / SECONDS[unit]
        if count == int(count) and (count or unit == "s"):
            return f"{int(count)}{unit}"
    return f"{(exact / SECONDS['us']).normalize():f}us"
