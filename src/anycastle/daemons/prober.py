"""The prober's loop: the schedule says who is due, each probe is a task, each result goes to who takes it.

One timer waits for the next that is due. It may fire late where the loop is busy: the schedule counts that.
"""

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final

from anycastle.base.ports import FAR_FUTURE, Instant, Randomness
from anycastle.io.probe.attempt import attempt
from anycastle.model.vantage_point import VantagePoint
from anycastle.probe.result import ProbeResult
from anycastle.probe.schedule import Due, Schedule
from anycastle.probe.target import ProbeTarget

TICK_S: Final = 0.002
"""What is due within it begins together: at 5,000 a second ten at a time, for half of the loop's rounds. A tenth of
what counts as late."""


class Prober:
    """Probes targets until it is stopped."""

    def __init__(
        self,
        vantage: VantagePoint,
        targets: Sequence[ProbeTarget],
        under_way_max: int,
        randomness: Randomness,
        take: Callable[[ProbeResult], None],
    ) -> None:
        self._take = take
        self._randomness = randomness
        self._under_way_max = under_way_max
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.vantage = vantage
        self.targets = tuple(targets)
        self.schedule = self._planned()

    def _planned(self) -> Schedule:
        periods_s = [target.interval_s for target in self.targets]
        return Schedule(periods_s, self._randomness, Instant(monotonic()), self._under_way_max)

    def start(self) -> None:
        """Begin; the first round begins now."""
        self.schedule = self._planned()
        self._wait()

    async def stop(self) -> None:
        """Begin no more probes, and end those that are under way."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def replace(self, vantage: VantagePoint, targets: Sequence[ProbeTarget], under_way_max: int) -> None:
        """Go on with other targets; counts of the schedule go on too."""
        await self.stop()
        counts = self.schedule.counts
        self.vantage, self.targets, self._under_way_max = vantage, tuple(targets), under_way_max
        self.start()
        self.schedule.counts = counts

    def _wait(self) -> None:
        deadline = self.schedule.deadline
        if deadline != FAR_FUTURE:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(deadline, loop.time() + TICK_S), self._due)

    def _due(self) -> None:
        loop = asyncio.get_running_loop()
        for due in self.schedule.due(Instant(monotonic())):
            task = loop.create_task(self._probe(due, self.schedule))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._wait()

    async def _probe(self, due: Due, schedule: Schedule) -> None:
        try:
            self._take(await attempt(self.targets[due.target], self.vantage, due.planned))
        finally:
            schedule.done(due.target)
