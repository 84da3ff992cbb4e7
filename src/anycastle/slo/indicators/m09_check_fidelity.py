"""M9: how often a health check is wrong."""

from dataclasses import dataclass
from typing import Final

from anycastle.slo.indicators.indicator import Indicator
from anycastle.slo.tally import Tally

INDICATOR: Final = Indicator(
    "M9",
    "check_fidelity",
    "Check-intervals in which the PoP's check said down while the service served clients outside, over all in which it"
    " served them; beside it the whole confusion matrix and false withdrawals a day.",
    "agents' verdicts beside outside probes of the same PoP",
    "ratio",
    (
        ("intervals without outside truth", "who checks the checker was silent; told"),
        ("intervals in which both changed", "which came first within one interval is not known"),
    ),
    "check-intervals with outside truth",
    3_000,
    "At 0.1 % three false ones are expected of 3,000.",
    higher_is_better=False,
    target="below 0.1 % false positives",
    gotcha="A false positive of single checks matters by what follows: 3 of 3 failures at 1 s withdraw. A check that"
    " fails 1 % falsely so withdraws 0.09 times a day, one that fails 5 % ten times.",
)


@dataclass(frozen=True, slots=True)
class Confusion:
    """Check-intervals by what was said and what was so."""

    true_up: float = 0.0
    false_down: float = 0.0
    true_down: float = 0.0
    false_up: float = 0.0

    @property
    def false_positive_rate(self) -> float | None:
        """Give false alarms over all intervals in which the service was up; None of none."""
        up = self.true_up + self.false_down
        return self.false_down / up if up else None

    @property
    def miss_rate(self) -> float | None:
        """Give failures not seen over all intervals in which it was down; None of none."""
        down = self.true_down + self.false_up
        return self.false_up / down if down else None


def false_withdrawals_per_day(failure: float, interval_s: float, fall: int) -> float:
    """Give how often `fall` checks in a row fail falsely, each alone with chance `failure`: renewals of success runs.

    The mean wait for a run of n failures is (1 - p^n) / (p^n (1 - p)) trials (Feller 1968, XIII.7).
    """
    if failure <= 0:
        return 0.0
    run = failure**fall
    trials = fall if failure >= 1 else (1 - run) / (run * (1 - failure))
    return 86_400 / (trials * interval_s)


def count(tally: Tally, check: str, *, said_up: bool, was_up: bool | None) -> None:
    """Count an interval of one check; None is no outside truth."""
    if was_up is None:
        tally.exclude("no outside truth")
    elif not was_up:
        tally.exclude("service was down" if not said_up else "service was down and the check did not see it")
    else:
        tally.add(check, good=said_up)
