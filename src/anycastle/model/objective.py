"""What was promised to clients: an indicator, a target, and the time over which it is to hold."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

DAY_S: Final = 86_400.0


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
