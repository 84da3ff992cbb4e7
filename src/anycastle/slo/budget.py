"""How much of a budget is spent, and when the rest will be."""

from dataclasses import dataclass
from math import inf

from anycastle.base.ports import Timestamp
from anycastle.model.objective import Objective, Period
from anycastle.slo.calendar import span_at
from anycastle.slo.series import Events, Series
from anycastle.slo.words import span_in_words


@dataclass(frozen=True, slots=True)
class Budget:
    """The budget of one scope over its window."""

    events: Events
    """Of the window, so far."""
    allowance: float
    """Bad events that the whole window allows."""
    left: float | None
    """Share of it that is left; below 0 where more was spent. None while nothing was measured."""
    exhausted_in_s: float
    """Until it is spent at the rate of the last hour; 0 where it is, infinity where it will not be."""
    window_ends_in_s: float
    """Of a calendar window; infinity of a rolling one."""

    @property
    def words(self) -> str:
        """Give the outlook in words."""
        return words_of(self.left, self.exhausted_in_s, self.window_ends_in_s)


def words_of(left: float | None, exhausted_in_s: float, window_ends_in_s: float = inf) -> str:
    """Give an outlook in words; `Budget` says what the three are."""
    if left is None:
        return "no data"
    if left <= 0:
        return "spent"
    if exhausted_in_s == inf:
        return f"{left:.1%} left; at the rate of the last hour it lasts"
    if exhausted_in_s > window_ends_in_s:
        return f"{left:.1%} left; at the rate of the last hour it outlasts the window"
    return f"{left:.1%} left; at the rate of the last hour it is spent in {span_in_words(exhausted_in_s)}"


RATE_S = 3600.0
"""The span whose rate the outlook is made by."""


def budget_at(objective: Objective, series: Series, now: Timestamp) -> Budget:
    """Give the budget of one scope. That of a calendar window is of the events that the whole of it is to have."""
    span = span_at(objective.window, now)
    elapsed_s = now - span.start
    events = series.over(now, elapsed_s)
    calendar = objective.window.period is not Period.ROLLING
    scale = (span.end - span.start) / elapsed_s if calendar and elapsed_s > 0 else 1.0
    allowance = objective.budget * events.total * scale
    left = 1 - events.bad / allowance if allowance > 0 else None
    recent = series.over(now, RATE_S)
    return Budget(
        events,
        allowance,
        left,
        _exhausted_in_s(objective, left, recent),
        span.end - now if calendar else inf,
    )


def _exhausted_in_s(objective: Objective, left: float | None, recent: Events) -> float:
    if left is None or recent.total <= 0:
        return inf
    if left <= 0:
        return 0.0
    burn = recent.bad / recent.total / objective.budget
    return left * objective.window.length_s / burn if burn > 0 else inf
