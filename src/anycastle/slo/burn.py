"""Burn rates: how fast a budget is spent, in how many times the rate that would spend it just in its window.

A rule looks at two windows. The long one says that it matters, the short one that it still goes on: so an alert ends
soon after what caused it. Each rule stands for a share of the budget (2 %, 5 %, 10 %, 10 %) spent within its long
window; its factor follows from the objective's window (14.4, 6, 3 and 1 for thirty days).

Beside them stands a rule for services whose usual rate is known: page where the rate is three times what is usual
*and* the budget would be spent within a day. What is usual is the median of the hourly rates of the week before.
"""

from dataclasses import dataclass
from enum import Enum
from statistics import median
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.model.objective import Objective, Window
from anycastle.slo.budget import Budget
from anycastle.slo.minimum_counts import minimum_count
from anycastle.slo.series import Series
from anycastle.slo.words import span_short


class Severity(Enum):
    """Who is told: a person now, or a queue."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class BurnRule:
    """Two windows, and how much of a budget within the long one is too much."""

    long_s: float
    short_s: float
    share: float
    severity: Severity

    @property
    def name(self) -> str:
        """Give it as people write it: `5m/1h`."""
        return f"{span_short(self.short_s)}/{span_short(self.long_s)}"

    def factor(self, window: Window) -> float:
        """Give the rate at which `share` of the budget goes in the long window."""
        return round(self.share * window.length_s / self.long_s, 9)


RULES: Final = (
    BurnRule(3600, 300, 0.02, Severity.PAGE),
    BurnRule(6 * 3600, 1800, 0.05, Severity.PAGE),
    BurnRule(86_400, 2 * 3600, 0.10, Severity.TICKET),
    BurnRule(3 * 86_400, 6 * 3600, 0.10, Severity.TICKET),
)
"""All rules. Source: Site Reliability Workbook, chapter 5."""


class Firing(Enum):
    """What a rule says."""

    YES = "firing"
    NO = "quiet"
    TOO_FEW = "too few"
    NO_DATA = "no data"
    NEVER = "never"
    """The mark is more than all events: with this target and window the rule cannot fire."""


@dataclass(frozen=True, slots=True)
class Burn:
    """A rule's verdict, with what it was made of."""

    name: str
    severity: Severity
    firing: Firing
    factor: float
    long_rate: float | None
    short_rate: float | None
    events: float
    """In the long window."""
    minimum: float
    note: str = ""


def burn_rate(series: Series, now: Timestamp, span_s: float, budget: float) -> float | None:
    """Give the rate over a span; None where nothing happened in it."""
    events = series.over(now, span_s)
    return events.alarming / events.total / budget if events.total > 0 else None


def judge(rule: BurnRule, objective: Objective, series: Series, now: Timestamp) -> Burn:
    """Ask a rule."""
    factor = rule.factor(objective.window)
    long_rate = burn_rate(series, now, rule.long_s, objective.budget)
    short_rate = burn_rate(series, now, rule.short_s, objective.budget)
    events = series.over(now, rule.long_s).total
    try:
        minimum = minimum_of(rule, objective)
    except MisuseError as error:
        return Burn(rule.name, rule.severity, Firing.NEVER, factor, long_rate, short_rate, events, 0, str(error))
    if long_rate is None or short_rate is None:
        firing = Firing.NO_DATA
    elif events < minimum:
        firing = Firing.TOO_FEW
    else:
        firing = Firing.YES if min(long_rate, short_rate) >= factor * (1 - 1e-9) else Firing.NO
    return Burn(rule.name, rule.severity, firing, factor, long_rate, short_rate, events, minimum)


def minimum_of(rule: BurnRule, objective: Objective) -> float:
    """Give the events that a rule's long window needs. Raises `MisuseError` where the rule can never fire."""
    worked_out = minimum_count(objective.budget, rule.factor(objective.window), rule.short_s).events
    return worked_out if objective.minimum_events is None else objective.minimum_events


BASELINE_FACTOR: Final = 3.0
EXHAUSTION_S: Final = 86_400.0
BASELINE_S: Final = 7 * 86_400.0
BASELINE_HOURS_MIN: Final = 24
"""Hours with events that a baseline needs; before that the rule is silent, and says so."""


def judge_guide(objective: Objective, series: Series, budget: Budget, now: Timestamp) -> Burn:
    """Ask the guide's rule: three times the usual rate, and the budget spent within a day."""
    rate = burn_rate(series, now, 3600, objective.budget)
    events = series.over(now, 3600).total
    usual = baseline(objective, series, now)
    try:
        minimum = (
            objective.minimum_events
            if objective.minimum_events is not None
            else float(minimum_count(objective.budget, _guide_factor(objective, budget, usual), 3600).events)
        )
    except MisuseError as error:
        return Burn(GUIDE, Severity.PAGE, Firing.NEVER, 0, rate, rate, events, 0, str(error))
    factor = BASELINE_FACTOR * (usual or 0.0)
    note = "no baseline yet" if usual is None else f"usual rate {usual:.2g}"
    if rate is None:
        firing = Firing.NO_DATA
    elif events < minimum or usual is None:
        firing = Firing.TOO_FEW
    else:
        exceeds = rate > 0 and rate >= factor * (1 - 1e-9)
        firing = Firing.YES if exceeds and budget.exhausted_in_s <= EXHAUSTION_S else Firing.NO
    return Burn(GUIDE, Severity.PAGE, firing, factor, rate, rate, events, minimum, note)


def _guide_factor(objective: Objective, budget: Budget, usual: float | None) -> float:
    """Give the rate from which the guide's rule fires: of what is usual, and of what is left for a day."""
    for_a_day = max(0.0, budget.left or 0.0) * objective.window.length_s / EXHAUSTION_S
    return max(1.0, BASELINE_FACTOR * (usual or 0.0), for_a_day)


GUIDE: Final = "3x/24h"
"""The name of the guide's rule."""


def baseline(objective: Objective, series: Series, now: Timestamp) -> float | None:
    """Give the usual rate: the median of the hours of the week before the last hour; None of too few."""
    hours = (
        burn_rate(series, Timestamp(now - 3600 * number), 3600, objective.budget)
        for number in range(1, int(BASELINE_S // 3600) + 1)
    )
    known = [rate for rate in hours if rate is not None]
    return median(known) if len(known) >= BASELINE_HOURS_MIN else None
