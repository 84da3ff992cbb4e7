"""What was promised to clients: an indicator, a target, and the time over which it is to hold."""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Final

from anycastle.base.errors import ParseError

DAY_S: Final = 86_400.0

INDICATOR_NAMES: Final = (
    "edge_latency",
    "convergence",
    "routing_success",
    "visibility",
    "client_errors",
    "session_disruption",
    "cache_hits",
    "scrubbed",
    "check_fidelity",
    "policy_compliance",
)
"""M1 to M10: what an objective can be about. What each one is stands in `slo.indicators`."""

TIMED: Final = frozenset({"edge_latency", "convergence"})
"""Indicators whose events are good by their time, and so need a threshold."""


class Period(Enum):
    """What a window's end is counted by."""

    ROLLING = "rolling"
    """The last `days`, at every moment."""
    WEEK = "week"
    """From Monday, midnight UTC."""
    MONTH = "month"
    """From the first, midnight UTC."""
    QUARTER = "quarter"
    """From the first of January, April, July, October."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time over which a target is to hold; `days` counts for a rolling one only."""

    period: Period = Period.ROLLING
    days: float = 30.0

    @property
    def length_s(self) -> float:
        """Give its length; a calendar one's nominal length (30 days a month, 91 a quarter)."""
        nominal = {Period.WEEK: 7.0, Period.MONTH: 30.0, Period.QUARTER: 91.0}
        return nominal.get(self.period, self.days) * DAY_S


class Planned(Enum):
    """What becomes of what was measured during planned maintenance."""

    COUNTED = "counted"
    EXCLUDED = "excluded"
    """It spends no budget; how much was left out is always told."""


@dataclass(frozen=True, slots=True)
class Objective:
    """One promise about one service."""

    name: str
    service: str
    indicator: str
    """A name of the table of indicators, such as `routing_success`."""
    target: float
    """Share of good events, between 0 and 1."""
    threshold_ms: float | None = None
    """Of indicators that call an event good by its time: at most this."""
    window: Window = Window()
    by_region: bool = False
    """Each region has a budget of its own, beside the global one."""
    maintenance: Planned = Planned.COUNTED
    convergence_s: float = 0.0
    """After a change of our own, for so long, bad events are told apart as allowed: they spend budget and page nobody.

    0: none. What the Internet needs to converge is no news to anybody."""
    minimum_events: float | None = None
    """Events in a burn rate's long window below which it says nothing; None: worked out from target and factor."""

    @property
    def budget(self) -> float:
        """Give the share of events that may be bad."""
        return 1.0 - self.target


_NUMBER: Final = r"\d{1,12}(?:\.\d{1,9})?"
_SPAN: Final = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(s|m|h|d|w)")
_SECONDS: Final = MappingProxyType({"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0})


def parse_span(text: str) -> float:
    """Give seconds of `90s`, `5m`, `1h`, `3d`, `1h30m`. Raises `ParseError`."""
    parts = _SPAN.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ParseError(f"{text!r} is no span of time; write 90s, 5m, 1h30m or 3d")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def parse_share(text: str) -> float:
    """Give 0.999 of `99.9%` or `0.999`. Raises `ParseError`."""
    found = re.fullmatch(rf"(-?{_NUMBER})(%?)", text)
    if not found:
        raise ParseError(f"{text!r} is no share; write 99.9% or 0.999")
    return round(float(found[1]) / 100, 12) if found[2] else float(found[1])


def parse_window(text: str) -> Window:
    """Give a window of `30d`, `week`, `month` or `quarter`. Raises `ParseError`."""
    calendar = {period.value: period for period in Period if period is not Period.ROLLING}
    if text in calendar:
        return Window(calendar[text])
    try:
        days = parse_span(text) / 86_400
    except ParseError as error:
        raise ParseError(f"{text!r} is no window; write 30d, {', '.join(calendar)}") from error
    if not 1 <= days <= 366:
        raise ParseError(f"a window is from 1 day to 366 days long, not {text}")
    return Window(Period.ROLLING, days)


def format_share(share: float) -> str:
    """Give `99.9%`."""
    return f"{(Decimal(repr(share)) * 100).normalize():f}%"


def format_window(window: Window) -> str:
    """Give `30d`, or the calendar's word."""
    return f"{Decimal(repr(window.days)).normalize():f}d" if window.period is Period.ROLLING else window.period.value
