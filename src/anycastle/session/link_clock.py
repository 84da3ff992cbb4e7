"""How far the agent's clock is from the controller's: an offset with a bound, from questions and answers.

The controller's clock was read between the question and the answer. So it differs from the middle of the two by at
most half of what they took: the quickest of the last few exchanges says most (Cristian 1989). The span is taken from
the monotonic clock, so that a jump of the wall clock is seen as a jump and not as a slow answer.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from anycastle.base.ports import Instant, Now

SKEW_MAX_S: Final = 1.0
"""Beyond it, times of different PoPs' events can not be put in one order."""

SAMPLES: Final = 8
"""Exchanges of which the quickest counts; with older ones a clock that was just set would look wrong for long."""

JUMP_S: Final = 0.5
"""A difference between the two clocks' progress beyond it means that the wall clock was set."""


@dataclass(frozen=True, slots=True)
class Skew:
    """The controller's clock minus ours, and how much that may be wrong."""

    offset_s: float
    error_s: float

    @property
    def too_large(self) -> bool:
        """Whether it is more than `SKEW_MAX_S`, whatever the error."""
        return abs(self.offset_s) - self.error_s > SKEW_MAX_S


class SkewMeter:
    """Takes exchanges, gives the best estimate."""

    def __init__(self) -> None:
        self._samples: deque[Skew] = deque(maxlen=SAMPLES)
        self._origin: float | None = None

    @property
    def skew(self) -> Skew | None:
        """The best that is known; None before the first answer."""
        return min(self._samples, key=lambda sample: sample.error_s, default=None)

    def answered(self, asked: Now, controller_clock: float, now: Now) -> Skew:
        """Take an exchange, and give the best estimate after it."""
        origin = now.wall - now.monotonic
        if self._origin is not None and abs(origin - self._origin) > JUMP_S:
            self._samples.clear()
        self._origin = origin
        span_s = max(0.0, Instant(now.monotonic - asked.monotonic))
        offset_s = controller_clock - (now.wall - span_s / 2)
        self._samples.append(Skew(offset_s, span_s / 2))
        best = self.skew
        assert best is not None
        return best
