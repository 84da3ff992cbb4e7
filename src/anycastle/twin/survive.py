"""N-1 and N-2: what every failure of one PoP, or of two, would do.

Each failure is a lane of a sweep. Beside the shares that remain, it tells who moves. Those whose PoP failed have to;
and some move although their PoP goes on, since what their neighbours now hear is different. A plan that counts only the
former is surprised by the latter.

`survive` breaks each tie by the lowest number; among our own sessions with one upstream that is the one that stands
first. This is right for comparing many configurations, and no forecast. `survive_ties` gives what is expected over all
members of an ensemble.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.kernels.lane_vectors import LANES
from anycastle.kernels.propagation_lanes import lane_stays
from anycastle.twin.deployment import Configuration
from anycastle.twin.ensemble import Ensemble
from anycastle.twin.load import shares_by_pop
from anycastle.twin.routes import NO_GROUP
from anycastle.twin.sweep import WITHHELD, Compiled, Lanes, Table


@dataclass(frozen=True, slots=True)
class Survival:
    """What each failure does. Shares are of all weight."""

    pops: tuple[str, ...]
    base: NDArray[np.float64]
    """float64[pop]: shares with every PoP."""
    failed: NDArray[np.int32]
    """int32[failure, PoPs of one failure]: indices into `pops`."""
    shares: NDArray[np.float64]
    """float64[failure, pop]."""
    moved_though_kept: NDArray[np.float64]
    """float64[failure]: weight that changes its PoP although that one did not fail."""

    @property
    def moved(self) -> NDArray[np.float64]:
        """Give the weight whose PoP failed, float64[failure]: it lands elsewhere, or nowhere."""
        moved: NDArray[np.float64] = self.base[self.failed].sum(axis=1)
        return moved

    @property
    def unreached(self) -> NDArray[np.float64]:
        """Give the weight that had a route and has none, float64[failure]."""
        lost: NDArray[np.float64] = np.maximum(0.0, self.base.sum() - self.shares.sum(axis=1))
        return lost


def survive(
    compiled: Compiled,
    depth: int = 1,
    weights: NDArray[np.float64] | None = None,
    prepends: Sequence[int] | None = None,
) -> Survival:
    """Let every set of `depth` PoPs fail (1 or 2). `prepends` are those of each group, `WITHHELD` where it is silent.

    Raises `MisuseError` where there are not more PoPs than fail.
    """
    deployment = compiled.wiring.deployment
    pops, failed = len(deployment.pops), _sets(len(deployment.pops), depth)
    of_group = deployment.pop_of_group()
    row = np.zeros(len(of_group), np.int16) if prepends is None else np.array(prepends, np.int16)
    table = np.concatenate([row[None, :], failures(row, failed, of_group)])
    of_items = compiled.compact.weights_of_items(weights)
    shares, stays = np.empty((len(table), pops)), np.empty(len(table))
    before: NDArray[np.uint16] | None = None
    for start, lanes in _batches(compiled, table):
        lookup = _pops_of_groups(lanes, of_group)
        if before is None:
            before = lookup[lanes.group[:, 0]]
        kept = np.empty(LANES)
        lane_stays(lanes.group, lookup, before, of_items, kept)
        end = start + lanes.count
        shares[start:end], stays[start:end] = lanes.shares(of_items), kept[: lanes.count]
    moved = 1.0 - stays / of_items.sum()
    base = shares[0]
    though_kept = np.maximum(0.0, moved[1:] - base[failed].sum(axis=1))
    return Survival(deployment.pops, base, failed, shares[1:], np.where(though_kept < 1e-12, 0.0, though_kept))


def survive_ties(
    ensemble: Ensemble,
    configuration: Configuration,
    depth: int = 1,
    weights: NDArray[np.float64] | None = None,
    told: Callable[[int], None] = lambda _: None,
) -> Survival:
    """Give the same as means over an ensemble's members; 16 ms a failure on the graph of 2025, with 128 members.

    `told` hears how many failures were worked out since it last did. Raises `MisuseError` as `survive`.
    """
    compiled, deployment = ensemble.compiled, ensemble.compiled.wiring.deployment
    failed = _sets(len(deployment.pops), depth)
    of_node = np.ones(len(compiled.graph)) if weights is None else weights
    of_node = of_node / of_node.sum()
    standing = ensemble.run(configuration)
    before, of_row = standing.pops(), standing.weights_of_rows(of_node)
    shares, though_kept = np.empty((len(failed), len(deployment.pops))), np.empty(len(failed))
    for at, gone in enumerate(failed.tolist()):
        less = deployment.without(*(deployment.pops[pop] for pop in gone), base=configuration)
        members = ensemble.run(less)
        shares[at] = shares_by_pop(members, of_node)[:, :-1].mean(axis=0)
        though_kept[at] = float((of_row @ ((members.pops() != before) & ~np.isin(before, gone))).mean())
        told(1)
    base = shares_by_pop(standing, of_node)[:, :-1].mean(axis=0)
    return Survival(deployment.pops, base, failed, shares, though_kept)


def _sets(pops: int, depth: int) -> NDArray[np.int32]:
    """Give the PoPs of each failure, int32[failure, depth]."""
    if depth not in (1, 2) or pops <= depth:
        raise MisuseError(f"{depth} of {pops} PoPs cannot fail; 1 or 2 can, of at least one more")
    return np.array(list(combinations(range(pops), depth)), np.int32)


def failures(row: Table, failed: NDArray[np.int32], pop_of_group: NDArray[np.int32]) -> Table:
    """Give the table's rows of each failure: `row` (int16[group]) less the groups of the PoPs that fail."""
    down = (pop_of_group[None, :, None] == failed[:, None, :]).any(axis=2)
    table: Table = np.where(down, WITHHELD, row[None, :]).astype(np.int16)
    return table


def _batches(compiled: Compiled, table: Table) -> Iterator[tuple[int, Lanes]]:
    for start in range(0, len(table), LANES):
        yield start, compiled.run(table[start : start + LANES])


def _pops_of_groups(lanes: Lanes, pop_of_group: NDArray[np.int32]) -> NDArray[np.uint16]:
    """Give the PoP of every number that a result can hold, uint16[number]; 65535 is no route."""
    lookup = np.full(int(np.iinfo(lanes.group.dtype).max) + 1, NO_GROUP, np.uint16)
    lookup[: len(pop_of_group)] = pop_of_group
    return lookup
