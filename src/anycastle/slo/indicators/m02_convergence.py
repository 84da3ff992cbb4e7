"""M2: how long the Internet needs to follow a change of ours."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from anycastle.slo.indicators.indicator import Indicator
from anycastle.slo.reading import GLOBAL, Reading, state_of

INDICATOR: Final = Indicator(
    "M2",
    "convergence",
    "Time from the router's own UPDATE to the last update of a full-feed collector peer before it is quiet; p95 over"
    " peers and changes.",
    "route collectors, by `anycastle watch`",
    "s",
    (
        ("peers that had no route before and none after", "the change does not concern them"),
        ("peers whose session was down", "their silence says nothing"),
    ),
    "peers times changes",
    60,
    "p95 needs 59 for one beyond it to be seen with 95 %: ln 0.05 / ln 0.95.",
    higher_is_better=False,
    target="p95 below 30 s for critical services",
    gotcha="Peers that have not converged when the measurement ends are censored, not dropped: dropping the slowest is"
    " how a bad figure looks good. The product-limit estimate (Kaplan and Meier 1958) counts them as at least so long.",
)


@dataclass(frozen=True, slots=True)
class Course:
    """One peer after one change."""

    seconds: float
    converged: bool
    """False: it was still changing, or stuck, when the measurement ended after `seconds`."""


def quantile(courses: Sequence[Course], level: float) -> tuple[float, bool] | None:
    """Give the product-limit quantile; or, where it lies beyond what was watched, the longest time and False."""
    if not courses:
        return None
    ordered = sorted(courses, key=lambda each: (each.seconds, not each.converged))
    left, surviving = len(ordered), 1.0
    for course in ordered:
        if course.converged:
            surviving *= 1 - 1 / left
            if surviving <= 1 - level + 1e-12:
                return course.seconds, True
        left -= 1
    return ordered[-1].seconds, False


def reading(courses: Iterable[Course], level: float = 0.95, scope: str = GLOBAL) -> Reading:
    """Give the quantile as a reading; a bound from below says so."""
    known = list(courses)
    found = quantile(known, level)
    censored = sum(not each.converged for each in known)
    note = f"p{level * 100:g}"
    if found and not found[1]:
        note += ": more than this; so many had not converged when the measurement ended"
    return Reading(
        INDICATOR.id, scope, state_of(len(known), INDICATOR.minimum), found[0] if found else None, None, len(known),
        INDICATOR.minimum, {}, f"{note}; {censored} of {len(known)} censored",
    )  # fmt: skip
