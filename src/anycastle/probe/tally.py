"""What became of a target's probes, in counts that can be added up: outcomes, times in buckets, answers by PoP."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from anycastle.probe.result import ProbeResult

BOUNDS_MS: Final = (1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0)
"""Upper bounds of the buckets. RSSAC047 asks for 250 ms over UDP and 500 ms over TCP: both are bounds."""

POPS_MAX: Final = 1_000
"""PoPs counted apart of one target: a server may call itself something else each time."""


@dataclass(slots=True)
class Tally:
    """Of one target."""

    outcomes: Counter[str] = field(default_factory=Counter)
    """`ok`, or the kind of failure."""
    pops: Counter[str] = field(default_factory=Counter)
    """Answers by PoP; '' where it is not known."""
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_MS) + 1))
    """Of probes that are right, by their whole time; the last one is of those beyond all bounds."""
    sum_ms: float = 0.0
    phases_ms: dict[str, float] = field(default_factory=dict)
    """Sums by phase, of probes that are right."""
    last: ProbeResult | None = None

    def take(self, result: ProbeResult) -> None:
        """Count a result."""
        self.last = result
        self.outcomes["ok" if result.failure is None else result.failure.kind.value] += 1
        if result.seen is not None and (result.pop in self.pops or len(self.pops) < POPS_MAX):
            self.pops[result.pop] += 1
        if result.failure is None:
            duration_ms = 0.0
            for phase in result.phases:
                self.phases_ms[phase.name] = self.phases_ms.get(phase.name, 0.0) + phase.duration_ms
                duration_ms += phase.duration_ms
            self.buckets[bisect_left(BOUNDS_MS, duration_ms)] += 1
            self.sum_ms += duration_ms
