"""The steps in which a difference would be rolled out: small first, and never more than the blast radius.

Theory of operation. Two phases: what is added or changed comes before what is withdrawn, so that a service that moves
is there before it leaves. Each phase begins with a canary: the smallest PoP, and of its upstreams only those selected
(by default the smallest). The rest of that PoP follows, then one PoP, and then groups of PoPs, region by region, each
at most twice as large as the one before, within the limits. The steps together are the difference, each change once;
the same input gives the same steps.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf

from anycastle.model.fleet import Fleet
from anycastle.rollout.difference import Change, ChangeKind
from anycastle.rollout.limits import BlastLimits, Extent


class StepKind(Enum):
    """What a step is."""

    CANARY = "canary"
    POP = "pop"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Step:
    """Changes that are made together. `number` counts from 1."""

    number: int
    kind: StepKind
    changes: tuple[Change, ...]

    @property
    def pops(self) -> tuple[str, ...]:
        """Give the PoPs that are touched, in their order."""
        return tuple(dict.fromkeys(change.key.pop for change in self.changes))

    @property
    def upstreams(self) -> tuple[str, ...]:
        """Give the upstreams that are touched."""
        return tuple(sorted({change.key.upstream for change in self.changes}))


def stage(
    changes: Iterable[Change], fleet: Fleet, extent: Extent, limits: BlastLimits, canary_upstreams: Sequence[str] = ()
) -> tuple[Step, ...]:
    """Give the steps, in their order. `canary_upstreams` are those that the canary takes, where it has them."""
    listed = tuple(changes)
    leaving = [change for change in listed if change.kind is ChangeKind.WITHDRAWN]
    coming = [change for change in listed if change.kind is not ChangeKind.WITHDRAWN]
    staging = _Staging(fleet, extent, limits, tuple(canary_upstreams))
    parts = [part for phase in (coming, leaving) for part in staging.phase(phase)]
    return tuple(Step(number, kind, tuple(made)) for number, (kind, made) in enumerate(parts, 1))


_Part = tuple[StepKind, list[Change]]


@dataclass(frozen=True, slots=True)
class _Staging:
    fleet: Fleet
    extent: Extent
    limits: BlastLimits
    canary_upstreams: tuple[str, ...]

    def phase(self, changes: Sequence[Change]) -> Iterator[_Part]:
        """Give the parts of one phase."""
        by_pop: dict[str, list[Change]] = {}
        for change in changes:
            by_pop.setdefault(change.key.pop, []).append(change)
        if not by_pop:
            return
        order = sorted(by_pop, key=self._size)
        canary, rest = self._canary(by_pop[order[0]])
        yield StepKind.CANARY, canary
        if rest:
            yield StepKind.POP, rest
        for group in self._groups(order[1:]):
            kind = StepKind.POP if len(group) == 1 else StepKind.GROUP
            yield kind, [change for pop in group for change in by_pop[pop]]

    def _size(self, pop: str) -> tuple[float, str]:
        return self.extent.of_pop.get(pop, 0.0), pop

    def _canary(self, changes: list[Change]) -> tuple[list[Change], list[Change]]:
        """Part the changes of the first PoP by its upstreams."""
        touched = sorted({change.key.upstream for change in changes}, key=lambda name: self._link(changes, name))
        selected = {name for name in touched if name in self.canary_upstreams} or set(touched[:1])
        first = [change for change in changes if change.key.upstream in selected]
        return first, [change for change in changes if change.key.upstream not in selected]

    def _link(self, changes: list[Change], upstream: str) -> tuple[float, str]:
        for pop in self.fleet.pops:
            if pop.name == changes[0].key.pop:
                for each in pop.upstreams:
                    if each.name == upstream:
                        return each.capacity_bps or inf, upstream
        return inf, upstream

    def _groups(self, order: Sequence[str]) -> Iterator[list[str]]:
        """Give groups of PoPs: region by region, each group at most twice the one before."""
        regions = [*self.fleet.regions, ""]
        ramp = 1
        for region in dict.fromkeys([*regions, *(self.extent.regions.get(pop, "") for pop in order)]):
            group: list[str] = []
            for pop in (pop for pop in order if self.extent.regions.get(pop, "") == region):
                if group and (len(group) >= ramp or not self._fits([*group, pop], region)):
                    yield group
                    group, ramp = [], 2 * len(group)
                group.append(pop)
            if group:
                yield group
                ramp = 2 * len(group)

    def _fits(self, pops: list[str], region: str) -> bool:
        if len(pops) > min(self.limits.pops_max(self.extent), self.limits.region_max(region, self.extent)):
            return False
        return self.limits.capacity_fits(pops, self.extent)
