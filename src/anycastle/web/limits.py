"""Token buckets: so many requests a second, with a burst, for each who asks."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from anycastle.base.ports import Instant

BUCKETS_MAX: Final = 10_000
"""Whom is remembered; of more, those that were not heard for longest are forgotten."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many a second, and so many at once."""

    per_s: float
    burst: float


class RateLimiter:
    """The buckets."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._buckets: OrderedDict[str, tuple[float, Instant]] = OrderedDict()

    def wait_s(self, who: str, now: Instant) -> float:
        """Take one; give 0, or after how many seconds there is one again."""
        left, at = self._buckets.pop(who, (self._rate.burst, now))
        left = min(self._rate.burst, left + (now - at) * self._rate.per_s)
        wait = 0.0 if left >= 1.0 else (1.0 - left) / self._rate.per_s
        self._buckets[who] = (left - 1.0 if wait == 0.0 else left, now)
        while len(self._buckets) > BUCKETS_MAX:
            self._buckets.popitem(last=False)
        return wait
