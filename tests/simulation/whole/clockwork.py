"""Virtual time: what is to happen, in its order, and nothing in between."""

import heapq
import random
from collections.abc import Callable
from typing import Any

from anycastle.base.ports import Instant, Now, Timestamp
from tests.unit.health.world import WALL


class Clockwork:
    """Plays what was put into it. Time jumps from one event to the next; a seed always plays the same."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.clock = 0.0
        self.events = 0
        self._queue: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._number = 0

    def at(self, delay_s: float, action: Callable[..., object], *arguments: Any) -> None:
        """Let something happen after a while; what is put in first happens first where the times are equal."""
        self._number += 1
        heapq.heappush(self._queue, (self.clock + delay_s, self._number, action, arguments))

    def play_until(self, end: float) -> None:
        queue, take = self._queue, heapq.heappop
        while queue and queue[0][0] <= end:
            self.clock, _, action, arguments = take(queue)
            self.events += 1
            action(*arguments)
        self.clock = end

    def now(self, wall_offset_s: float = 0.0) -> Now:
        """Give both clocks of a machine whose wall clock is wrong by so much."""
        return Now(Instant(self.clock), Timestamp(WALL + self.clock + wall_offset_s))
