"""What probes show, for several rules: steps of latency, regions that are cut off, moves between PoPs."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.response.evidence import Probed

STEP_SHARE: Final = 1.3
STEP_MS: Final = 5.0
"""A step is a rise of the median by so much and so many ms: below both lies the noise of queues."""

BESIDE: Final = 5
"""Round trips on each side of a step, at least."""

CUT_SHARE: Final = 0.8
"""Of a region's probes without an answer: it is cut off."""


@dataclass(frozen=True, slots=True)
class Step:
    """Round trips of a region to a target rose."""

    at: Timestamp
    region: str
    target: str
    before_ms: float
    after_ms: float
    networks: int
    where: str

    def __str__(self) -> str:
        return (
            f"{self.target} from {self.region or 'a region that is not known'}: median {self.before_ms:.1f} ms before, "
            f"{self.after_ms:.1f} ms after, {self.networks} networks [{self.where}]"
        )


def latency_steps(probes: Iterable[Probed]) -> list[Step]:
    """Give the rise of each region and target, where the round trips of at least half of its vantage points rose.

    Each vantage point is held against itself: those that ask seldom, or fall silent, shift no median of others.
    """
    groups: dict[tuple[str, str, str], list[Probed]] = {}
    for probe in probes:
        if probe.rtt_ms is not None and probe.answered:
            groups.setdefault((probe.region, probe.target, probe.vantage), []).append(probe)
    asking: dict[tuple[str, str], int] = {}
    risen: dict[tuple[str, str], list[tuple[float, float, Probed]]] = {}
    for (region, target, _), some in groups.items():
        asking[region, target] = asking.get((region, target), 0) + 1
        step = _step(some)
        if step is not None:
            risen.setdefault((region, target), []).append(step)
    found = []
    for key, steps in risen.items():
        if 2 * len(steps) >= asking[key]:
            before, after = median(step[0] for step in steps), median(step[1] for step in steps)
            first = min((step[2] for step in steps), key=lambda probe: probe.at)
            networks = len({step[2].network for step in steps})
            found.append(Step(first.at, *key, before, after, networks, first.where))
    return found


def _step(some: list[Probed]) -> tuple[float, float, Probed] | None:
    """Give the medians before and after the greatest rise of one vantage point, and its first probe after it."""
    times = [probe.rtt_ms or 0.0 for probe in some]
    best: tuple[float, float, Probed] | None = None
    for at in _splits(some):
        before, after = median(times[:at]), median(times[at:])
        rise = after - before
        if after >= before * STEP_SHARE and rise >= STEP_MS and (best is None or rise > best[1] - best[0]):
            best = before, after, some[at]
    return best


def _splits(some: list[Probed]) -> range:
    """Give the places to split at: each side has a tenth of the series, and at least `BESIDE`; some forty in all."""
    edge = max(BESIDE, len(some) // 10)
    return range(edge, max(edge, len(some) - edge + 1), max(1, len(some) // 40))


def lost_by_region(probes: Iterable[Probed]) -> dict[str, tuple[int, int, int]]:
    """Give region -> probes without an answer, probes, and networks that asked."""
    lost, asked = Counter[str](), Counter[str]()
    networks: dict[str, set[str]] = {}
    for probe in probes:
        asked[probe.region] += 1
        lost[probe.region] += not probe.answered
        networks.setdefault(probe.region, set()).add(probe.network)
    return {region: (lost[region], count, len(networks[region])) for region, count in asked.items()}


def worst_span(probes: tuple[Probed, ...], region: str, length_s: float = 60.0) -> tuple[int, int, str]:
    """Give the lost and all probes of a region's worst minute, and where that begins."""
    some = [probe for probe in probes if probe.region == region]
    best, best_share, start, lost = (0, 0, ""), -1.0, 0, 0
    for end, probe in enumerate(some):
        lost += not probe.answered
        while probe.at - some[start].at > length_s:
            lost -= not some[start].answered
            start += 1
        asked = end - start + 1
        if asked >= 3 and lost / asked > best_share:
            best, best_share = (lost, asked, some[start].where), lost / asked
    return best


@dataclass(frozen=True, slots=True)
class Move:
    """A vantage point was answered by another PoP than before."""

    at: Timestamp
    vantage: str
    target: str
    before: str
    after: str
    where: str

    def __str__(self) -> str:
        return f"{self.vantage} went from {self.before} to {self.after} [{self.where}]"


def moves(probes: Iterable[Probed]) -> list[Move]:
    """Give all moves, oldest first."""
    last: dict[tuple[str, str], str] = {}
    found = []
    for probe in probes:
        if not probe.pop:
            continue
        key = probe.vantage, probe.target
        before = last.get(key)
        if before is not None and before != probe.pop:
            found.append(Move(probe.at, probe.vantage, probe.target, before, probe.pop, probe.where))
        last[key] = probe.pop
    return found
