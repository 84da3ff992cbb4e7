"""The steps in which a difference would be rolled out: small first, and never more than the blast radius.

Theory of operation. Two phases: what is added or changed comes before what is withdrawn, so that a service that moves
is there before it leaves. Each phase begins with a canary: the smallest PoP, and of its upstreams only those selected
(by default the smallest). The rest of that PoP follows, then one PoP, and then groups of PoPs, region by region, each
at most twice as large as the one before, within the limits. The steps together are the difference, each change once;
the same input gives the same steps.

Plans stage changes; a controller stages the units behind them (`stage_units`). Definitions go with the rest of their
PoP, after its canary; where no route of it changes they are the canary. Those of a service that ends go last.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Generic, TypeVar

from anycastle.model.fleet import Fleet
from anycastle.rollout.desired import Unit
from anycastle.rollout.difference import Change, ChangeKind, DefinitionChange, Difference
from anycastle.rollout.intent import RouteKey
from anycastle.rollout.limits import BlastLimits, Extent


class StepKind(Enum):
    """What a step is."""

    CANARY = "canary"
    POP = "pop"
    GROUP = "group"


Staged = Change | DefinitionChange
"""What a plan stages."""


@dataclass(frozen=True, slots=True)
class Step:
    """Changes that are made together. `number` counts from 1."""

    number: int
    kind: StepKind
    changes: tuple[Change, ...]
    definitions: tuple[DefinitionChange, ...] = ()

    @property
    def pops(self) -> tuple[str, ...]:
        """Give the PoPs that are touched, in their order."""
        touched = [*(change.key.pop for change in self.changes), *(each.pop for each in self.definitions)]
        return tuple(dict.fromkeys(touched))

    @property
    def upstreams(self) -> tuple[str, ...]:
        """Give the upstreams that are touched."""
        return tuple(sorted({change.key.upstream for change in self.changes}))


def stage(
    difference: Difference, fleet: Fleet, extent: Extent, limits: BlastLimits, canary_upstreams: Sequence[str] = ()
) -> tuple[Step, ...]:
    """Give the steps, in their order. `canary_upstreams` are those that the canary takes, where it has them."""
    staging = _Staging(fleet, extent, limits, tuple(canary_upstreams))
    routes: list[_Item[Staged]] = [_Item(each.key.pop, each.key.upstream, each) for each in difference.changes]
    leaving = [item for item in routes if _ends(item.what)]
    coming = [item for item in routes if not _ends(item.what)]
    coming += [_Item(each.pop, None, each) for each in difference.definitions]
    parts = [part for phase in (coming, leaving) for part in staging.phase(phase)]
    return tuple(_step(number, kind, made) for number, (kind, made) in enumerate(parts, 1))


def _ends(what: Staged) -> bool:
    return isinstance(what, Change) and what.kind is ChangeKind.WITHDRAWN


def _step(number: int, kind: StepKind, made: Sequence[Staged]) -> Step:
    changes = tuple(each for each in made if isinstance(each, Change))
    return Step(number, kind, changes, tuple(each for each in made if isinstance(each, DefinitionChange)))


def stage_units(
    units: Iterable[Unit],
    leaving: Collection[Unit],
    fleet: Fleet,
    extent: Extent,
    limits: BlastLimits,
    canary_upstreams: Sequence[str] = (),
) -> tuple[frozenset[Unit], ...]:
    """Give the steps of units, in their order. `leaving` are those that are nothing any more after it."""
    staging = _Staging(fleet, extent, limits, tuple(canary_upstreams))
    items = [_Item(unit.pop, unit.upstream if isinstance(unit, RouteKey) else None, unit) for unit in units]
    phases = ([item for item in items if (item.what in leaving) is last] for last in (False, True))
    return tuple(frozenset(made) for phase in phases for _, made in staging.phase(phase))


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Item(Generic[T]):
    """What is staged: where it is, and by which upstream; None for what is no route."""

    pop: str
    upstream: str | None
    what: T


@dataclass(frozen=True, slots=True)
class _Staging:
    fleet: Fleet
    extent: Extent
    limits: BlastLimits
    canary_upstreams: tuple[str, ...]

    def phase(self, items: Sequence[_Item[T]]) -> Iterator[tuple[StepKind, list[T]]]:
        """Give the parts of one phase."""
        by_pop: dict[str, list[_Item[T]]] = {}
        for item in items:
            by_pop.setdefault(item.pop, []).append(item)
        if not by_pop:
            return
        order = sorted(by_pop, key=self._size)
        canary, rest = self._canary(by_pop[order[0]])
        yield StepKind.CANARY, canary
        if rest:
            yield StepKind.POP, rest
        for group in self._groups(order[1:]):
            kind = StepKind.POP if len(group) == 1 else StepKind.GROUP
            yield kind, [item.what for pop in group for item in by_pop[pop]]

    def _size(self, pop: str) -> tuple[float, str]:
        return self.extent.of_pop.get(pop, 0.0), pop

    def _canary(self, items: list[_Item[T]]) -> tuple[list[T], list[T]]:
        """Part what is staged at the first PoP by its upstreams; without any route it is the canary as a whole."""
        pop = items[0].pop
        touched = sorted({each.upstream for each in items if each.upstream}, key=lambda name: self._link(pop, name))
        selected = {name for name in touched if name in self.canary_upstreams} or set(touched[:1])
        first = [item.what for item in items if not touched or item.upstream in selected]
        return first, [item.what for item in items if touched and item.upstream not in selected]

    def _link(self, at: str, upstream: str) -> tuple[float, str]:
        for pop in self.fleet.pops:
            if pop.name == at:
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
