"""Many ways in which one announcement could turn out: each member breaks ties in an order of its own.

Theory of operation. Which of two equal routes a network takes is decided by what the graph does not show (the age of a
route, a router id, the nearest exit). So each member of an ensemble draws an order of all neighbours and an order of
all session groups. The latter decides among sessions of ours with one upstream: a transit that hears us at three PoPs
hands its traffic to the nearest, which a graph of ASes cannot tell. Members are lanes of the kernel, 64 of them in one
pass, and a configuration is always run with the same orders: what differs between two configurations is then the
change, and not the draw.

An order holds for all of a member's networks at once, so ties of many networks fall together and intervals are wide
rather than narrow.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.kernels.lane_vectors import LANES
from anycastle.kernels.members import look_up, rename
from anycastle.kernels.route_key import KeyLayout
from anycastle.twin.deployment import Configuration, Deployment, Wiring
from anycastle.twin.lanes import LaneSeeds, run_lanes
from anycastle.twin.nearest import NearestExit, Whereabouts
from anycastle.twin.routes import NO_GROUP
from anycastle.twin.sweep import Compiled, faults_of_lanes, seeds_of_configurations

MEMBERS: Final = 2 * LANES
"""Members unless told otherwise: the 5th and 95th percentile have six members beyond them."""


@dataclass(frozen=True, slots=True)
class Members:
    """What every member gives. Rows are ASes that always choose alike; `row_of_node` leads to them."""

    deployment: Deployment
    group: NDArray[np.uint16]
    """uint16[row, member]: the session group; 65535 where there is no route."""
    row_of_node: NDArray[np.int32]

    @property
    def count(self) -> int:
        """How many members there are."""
        return int(self.group.shape[1])

    def only(self, members: NDArray[np.intp]) -> "Members":
        """Give some of the members."""
        return replace(self, group=self.group[:, members])

    def pops(self) -> NDArray[np.uint16]:
        """Give the PoP, uint16[row, member], an index into `deployment.pops`; their number where there is no route."""
        table = np.append(self.deployment.pop_of_group(), len(self.deployment.pops)).astype(np.uint16)
        found = np.empty_like(self.group)
        look_up(self.group, table, found)
        return found

    def weights_of_rows(self, of_node: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the weight of each row, float64[row]."""
        summed: NDArray[np.float64] = np.bincount(self.row_of_node, of_node, len(self.group)).astype(np.float64)
        return summed


@dataclass(frozen=True, slots=True)
class _Batch:
    """Up to 64 members."""

    orders: NDArray[np.uint32]
    """uint32[node, 64]."""
    wirings: tuple[Wiring, ...]
    group_at: NDArray[np.uint16]
    """uint16[lane, number]: the group that a lane's number stands for."""


@dataclass(frozen=True, slots=True)
class Ensemble:
    """A compiled deployment, and the orders of all members. Made once; runs any configuration."""

    compiled: Compiled
    batches: tuple[_Batch, ...]
    nearest: NearestExit | None = None

    @staticmethod
    def of(
        compiled: Compiled,
        randomness: np.random.Generator,
        members: int = MEMBERS,
        where: Whereabouts | None = None,
    ) -> "Ensemble":
        """Draw the orders; with `where`, ties among sessions of one upstream fall to the nearest PoP.

        Raises `MisuseError` for a number of members that is no multiple of 64.
        """
        if members < LANES or members % LANES:
            raise MisuseError(f"an ensemble has a multiple of {LANES} members, not {members}")
        batches = tuple(_draw(compiled, randomness) for _ in range(members // LANES))
        if where is None:
            return Ensemble(compiled, batches)
        return Ensemble(compiled, batches, NearestExit.of(where, compiled.wiring.deployment, members, randomness))

    @property
    def members(self) -> int:
        """How many members there are."""
        return LANES * len(self.batches)

    def run(self, configuration: Configuration) -> Members:
        """Give every member's groups; 8 ms for 64 members on the graph of 2025."""
        compact, deployment = self.compiled.compact, self.compiled.wiring.deployment
        found = np.empty((len(compact.stands), self.members), np.uint16)
        for number, batch in enumerate(self.batches):
            rename(self._batch(batch, configuration), batch.group_at, found, LANES * number)
        if self.nearest is None:
            return Members(deployment, found, compact.item_of)
        settled, row_of_node = self.nearest.settle(found, compact.item_of, deployment, configuration)
        return Members(deployment, settled, row_of_node)

    def _batch(self, batch: _Batch, configuration: Configuration) -> NDArray[np.unsignedinteger]:
        """Give the numbers of each lane's groups, as that lane orders them."""
        compiled, groups = self.compiled, self.compiled.groups
        fault = faults_of_lanes((), groups)

        def seeds(layout: KeyLayout) -> LaneSeeds:
            return seeds_of_configurations(compiled, [configuration] * LANES, layout, fault, batch.wirings)

        length = compiled.wiring.longest([configuration])
        ranks = compiled.wiring.ranks
        return run_lanes(compiled.compact, ranks, seeds, (groups, length), fault, orders=batch.orders).group


def _draw(compiled: Compiled, randomness: np.random.Generator) -> _Batch:
    wiring, groups = compiled.wiring, compiled.groups
    ranks = wiring.ranks
    orders = np.empty((LANES, len(ranks.rank)), np.uint32)
    group_at = np.full((LANES, groups + 1), NO_GROUP, np.uint16)
    wirings = []
    for lane in range(LANES):
        order = randomness.permutation(len(ranks.asn_of_rank)).astype(np.uint32)
        orders[lane] = order[ranks.rank]
        place = randomness.permutation(groups)
        group_at[lane, :groups] = place
        wirings.append(_reordered(wiring, place.tolist(), order))
    return _Batch(np.ascontiguousarray(orders.T), tuple(wirings), group_at)


def _reordered(wiring: Wiring, place: list[int], order: NDArray[np.uint32]) -> Wiring:
    """Give the wiring with its groups in another order, so that ties among sessions fall otherwise."""
    groups = wiring.deployment.groups
    return replace(
        wiring,
        deployment=Deployment(tuple(groups[at] for at in place)),
        nodes=tuple(wiring.nodes[at] for at in place),
        own_rank=tuple(int(order[wiring.own_rank[at]]) for at in place),
    )
