"""What probes show, for several rules: steps of latency, regions that are cut off, moves between PoPs."""

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
    """Give the greatest rise of each region and target, if it is one: the split that tells two medians most apart."""
    groups: dict[tuple[str, str], list[Probed]] = {}
    for probe in probes:
        if probe.rtt_ms is not None and probe.answered:
            groups.setdefault((probe.region, probe.target), []).append(probe)
    found = []
    for (region, target), some in groups.items():
        best: tuple[float, int, float, float] | None = None
        times = [probe.rtt_ms or 0.0 for probe in some]
        for at in _splits(some):
            before, after = median(times[:at]), median(times[at:])
            if (
                after >= before * STEP_SHARE
                and after - before >= STEP_MS
                and (best is None or after - before > best[0])
            ):
                best = after - before, at, before, after
        if best is not None:
            at = best[1]
            networks = len({probe.network for probe in some[at:]})
            found.append(Step(some[at].at, region, target, best[2], best[3], networks, some[at].where))
    return found


def _splits(some: list[Probed]) -> range:
    """Give the places to split at: all of a short series, some hundred of a long one."""
    last = len(some) - BESIDE + 1
    return range(BESIDE, max(BESIDE, last), max(1, len(some) // 200))


def lost_by_region(probes: Iterable[Probed]) -> dict[str, tuple[int, int, int]]:
    """Give region -> probes without an answer, probes, and networks that asked."""
    counts: dict[str, tuple[int, int, set[str]]] = {}
    for probe in probes:
        lost, asked, networks = counts.get(probe.region, (0, 0, set()))
        counts[probe.region] = lost + (not probe.answered), asked + 1, networks | {probe.network}
    return {region: (lost, asked, len(networks)) for region, (lost, asked, networks) in counts.items()}


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
