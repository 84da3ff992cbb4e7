"""Flap dampening (RFC 2439 §4.2, §4.4): a penalty for each failure that changed a route, halved in each half-life.

It never keeps a dead service announced: it only delays the announcement of one that keeps dying. The penalty is
capped, so that no service stays suppressed for longer than `max_suppress_s` after its last withdrawal.
"""

from dataclasses import dataclass
from math import log2

from anycastle.base.ports import FAR_FUTURE, Instant, after
from anycastle.model.service import Dampening


@dataclass(slots=True)
class FlapPenalty:
    """The penalty of one service: `value` as it was at `at`."""

    figures: Dampening
    value: float = 0.0
    at: Instant = Instant(0.0)
    suppressed: bool = False

    def withdrawn(self, now: Instant) -> None:
        """Add the penalty of one withdrawal."""
        figures = self.figures
        ceiling = figures.reuse * 2.0 ** (figures.max_suppress_s / figures.half_life_s)  # RFC 2439 §4.2
        self.value = min(self.current(now) + figures.penalty, ceiling)
        self.at = now
        self.suppressed = self.suppressed or self.value > figures.suppress

    def current(self, now: Instant) -> float:
        """Give the penalty as decayed until `now`."""
        return float(self.value * 0.5 ** (max(0.0, now - self.at) / self.figures.half_life_s))

    def refresh(self, now: Instant) -> bool:
        """Tell whether the service is suppressed at `now`."""
        if self.suppressed and now >= self.reusable_at():
            self.suppressed = False
        return self.suppressed

    def reusable_at(self) -> Instant:
        """Give the instant at which the penalty has decayed to the reuse threshold."""
        halvings = max(0.0, log2(self.value / self.figures.reuse)) if self.value > 0 else 0.0
        return after(self.at, halvings * self.figures.half_life_s)


def next_change(penalty: FlapPenalty) -> Instant:
    """Give the instant at which the suppression ends, or `FAR_FUTURE`."""
    return penalty.reusable_at() if penalty.suppressed else FAR_FUTURE
