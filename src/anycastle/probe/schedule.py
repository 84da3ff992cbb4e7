"""When which target is probed: spread evenly, shifted by seed, bounded, and honest about what came late.

Each target has a period of its own. Targets of one period share it out: with *n* of them, slot *k* begins at
k / n of the period, and the seed says who gets which slot. So no two probers ask in step, and none asks in bursts.
Within its slot a probe is shifted anew each round, by up to `JITTER_SHARE` of the slot but at most `JITTER_S_MAX`:
what happens at regular times elsewhere (a cron job, a rollover) is not always met, or always missed.

A plan is for times, not for counts. Where the process was held up, rounds that have passed are *missed*: counted, and
never made up in a burst. A target whose last probe is still under way is *skipped* in this round; one for which no
place is free (`under_way_max`) likewise. A probe that begins `LATE_S` after its time is *late*.

The heap holds one entry a target, so `due` costs O(log n) a probe.
"""

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from anycastle.base.errors import MisuseError
from anycastle.base.ports import FAR_FUTURE, Instant, Randomness

TARGETS_MAX: Final = 1_000_000
"""Targets of one prober."""

LATE_S: Final = 0.020
"""A probe that begins so long after its time is late: what the rate of one process is measured by."""

JITTER_SHARE: Final = 0.5
"""Of a slot; with more, neighbours in time would change places."""

JITTER_S_MAX: Final = 1.0
"""With few targets, slots are long; a shift of some seconds would only blur when a thing began."""


class Due(NamedTuple):
    """A probe to begin now."""

    target: int
    """Its place in the list of periods."""
    planned: Instant


class _Entry(NamedTuple):
    at: Instant
    target: int
    round: int


@dataclass(slots=True)
class Counts:
    """What became of all rounds: their sum is the number of rounds that have passed."""

    begun: int = 0
    late: int = 0
    """Begun more than `LATE_S` after their time; part of `begun`."""
    missed: int = 0
    """The process came too late for them by a period or more."""
    skipped: int = 0
    """The probe before was still under way."""
    crowded: int = 0
    """As many probes were under way as may be."""


@dataclass(slots=True)
class Schedule:
    """The plan of one prober."""

    periods_s: Sequence[float]
    randomness: Randomness
    start: Instant
    under_way_max: int
    counts: Counts = field(default_factory=Counts)
    _under_way: set[int] = field(default_factory=set)
    _heap: list[_Entry] = field(default_factory=list)
    _offsets_s: list[float] = field(default_factory=list)
    _jitters_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        if len(self.periods_s) > TARGETS_MAX:
            raise MisuseError(f"{len(self.periods_s):,} targets; one prober has at most {TARGETS_MAX:,}")
        if any(not period > 0 for period in self.periods_s):
            raise MisuseError("a period must be longer than nothing")
        sizes = Counter(self.periods_s)
        slots = {period: self._shuffled(size) for period, size in sizes.items()}
        for target, period in enumerate(self.periods_s):
            slot_s = period / sizes[period]
            self._offsets_s.append(slots[period].pop() * slot_s)
            self._jitters_s.append(min(slot_s * JITTER_SHARE, JITTER_S_MAX))
            self._heap.append(self._entry(target, 0))
        heapq.heapify(self._heap)

    def _shuffled(self, size: int) -> list[int]:
        order = [(self.randomness.random(), slot) for slot in range(size)]
        return [slot for _, slot in sorted(order)]

    def _entry(self, target: int, number: int) -> _Entry:
        jitter_s = self.randomness.random() * self._jitters_s[target]
        at = self.start + number * self.periods_s[target] + self._offsets_s[target] + jitter_s
        return _Entry(Instant(at), target, number)

    @property
    def deadline(self) -> Instant:
        """Give when `due` next has something to say."""
        return self._heap[0].at if self._heap else FAR_FUTURE

    @property
    def under_way(self) -> int:
        """Give how many probes have begun and are not done."""
        return len(self._under_way)

    def due(self, now: Instant) -> list[Due]:
        """Give the probes to begin; each of them is under way until `done`."""
        begun = []
        while self._heap and self._heap[0].at <= now:
            entry = self._heap[0]
            period = self.periods_s[entry.target]
            behind = max(0, int((now - entry.at) / period))  # whole rounds that have passed since
            heapq.heapreplace(self._heap, self._entry(entry.target, entry.round + behind + 1))
            self.counts.missed += behind
            if entry.target in self._under_way:
                self.counts.skipped += 1
            elif len(self._under_way) >= self.under_way_max:
                self.counts.crowded += 1
            else:
                begun.append(self._begin(entry, now, behind * period))
        return begun

    def _begin(self, entry: _Entry, now: Instant, passed_s: float) -> Due:
        planned = Instant(entry.at + passed_s)
        self._under_way.add(entry.target)
        self.counts.begun += 1
        self.counts.late += now - planned > LATE_S
        return Due(entry.target, planned)

    def done(self, target: int) -> None:
        """Take that a probe has ended, however it did."""
        self._under_way.discard(target)
