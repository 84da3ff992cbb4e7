"""A graph made small, and 64 sets of seeds run over it at once: what sweeps, hijacks and leaks have in common."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.kernels.admission import CARE_POLICY, CARE_REFUSAL
from anycastle.kernels.collapse import cone, item_rows, items
from anycastle.kernels.lane_vectors import LANES
from anycastle.kernels.propagation_lanes import Cone, Items, Refusing, Room, Seeded, propagate_lanes
from anycastle.kernels.route_key import WIDE, KeyLayout, choose_layout
from anycastle.twin.deployment import RankSpace
from anycastle.twin.graph import ASGraph
from anycastle.twin.policy import Adopters


@dataclass(frozen=True, slots=True)
class LaneSeeds:
    """Seeds of up to 64 lanes as columns; places are in the cone."""

    place: NDArray[np.int32]
    lane: NDArray[np.int32]
    key: NDArray[np.unsignedinteger]
    preferred_place: NDArray[np.int32]
    preferred_lane: NDArray[np.int32]
    preferred_key: NDArray[np.unsignedinteger]
    """Taken whatever else is offered; sorted by place, the best of a place and lane last."""
    refusals: NDArray[np.int32]
    """int32[row, 4]: to, from, group, lane; sorted; -1 stands for all."""

    @staticmethod
    def of(
        plain: list[tuple[int, int, int]],
        preferred: list[tuple[int, int, int]],
        refusals: Iterable[tuple[int, int, int, int]],
        layout: KeyLayout,
    ) -> "LaneSeeds":
        """Give the columns of rows (place, lane, key)."""
        preferred = sorted(preferred, key=lambda row: (row[0], row[1], -row[2]))
        return LaneSeeds(
            np.array([row[0] for row in plain], np.int32),
            np.array([row[1] for row in plain], np.int32),
            np.array([row[2] for row in plain], layout.dtype),
            np.array([row[0] for row in preferred], np.int32),
            np.array([row[1] for row in preferred], np.int32),
            np.array([row[2] for row in preferred], layout.dtype),
            np.array(sorted(refusals), np.int32).reshape(-1, 4),
        )


@dataclass(slots=True)
class Compact:
    """The cone and the items of a graph, for given places of seeds (`kernels/collapse`)."""

    graph: ASGraph
    adopters: Adopters | None
    member: NDArray[np.int32]
    place: NDArray[np.int32]
    """int32[node]: place in the cone, or -1."""
    rises: NDArray[np.uint8]
    cone_start: NDArray[np.int32]
    cone_above: NDArray[np.int32]
    item_of: NDArray[np.int32]
    """int32[node]: the row of a result that is the node's."""
    stands: NDArray[np.int32]
    """int32[item]: a node of each row."""
    rows: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]
    apart: NDArray[np.uint8]
    """uint8[node]: the node is a row of its own."""
    _scratch: dict[tuple[KeyLayout, str], NDArray[np.unsignedinteger]] = field(default_factory=dict)

    @staticmethod
    def of(
        graph: ASGraph, bottom: set[int], beside: set[int], stay: set[int], adopters: Adopters | None = None
    ) -> "Compact":
        """Make the graph small. `bottom` are nodes that will have seeds as of a customer, `beside` others with seeds;
        `stay` are nodes that will refuse something.
        """
        member, place, rises, cone_start, cone_above = cone(
            graph.provider_start, graph.provider, sorted_nodes(bottom), sorted_nodes(beside)
        )
        rising, apart = np.zeros(len(graph), np.uint8), np.zeros(len(graph), np.uint8)
        rising[member] = rises
        apart[graph.leaves :] = 1
        for nodes in (member, sorted_nodes(stay)):
            apart[nodes] = 1
        policy = adopters.bits if adopters is not None else np.zeros(len(graph), np.uint8)
        rows = (graph.provider_start, graph.provider, graph.peer_start, graph.peer)
        item_of, stands = items(*rows, graph.leaves, rising, apart, policy)
        of_items = item_rows(*rows, rising, place, stands)
        return Compact(
            graph, adopters, member, place, rises, cone_start, cone_above, item_of, stands, of_items, apart
        )  # fmt: skip

    def weights_of_items(self, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Give the weight that each item stands for, float64[item]; by default the count of its ASes."""
        summed: NDArray[np.float64] = np.bincount(self.item_of, weights, len(self.stands)).astype(np.float64)
        return summed

    def scratch(self, layout: KeyLayout, name: str, rows: int) -> NDArray[np.unsignedinteger]:
        """Give an array [rows, lane] of the layout's dtype that is used again and again."""
        if (layout, name) not in self._scratch:
            self._scratch[layout, name] = np.empty((rows, LANES), layout.dtype)
        return self._scratch[layout, name]

    def next_hops(self, ranks: RankSpace, layout: KeyLayout) -> NDArray[np.unsignedinteger]:
        """Give the nodes' ranks in their place in a key, [node, 1]; `ranks` are always the same."""
        if (layout, "hop") not in self._scratch:
            self._scratch[layout, "hop"] = layout.next_hops(ranks.rank).reshape(-1, 1)
        return self._scratch[layout, "hop"]

    def care(self, refusals: NDArray[np.int32], fault: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Give who refuses something, uint8[node], or an empty array if nobody does.

        Raises `MisuseError` where one of them shares its row with others.
        """
        faulty = np.bitwise_or.reduce(fault, axis=None) if self.adopters is not None else np.uint8(0)
        if not faulty and not len(refusals):
            return np.zeros(0, np.uint8)
        care = np.zeros(len(self.graph), np.uint8)
        if self.adopters is not None:
            care[self.adopters.bits & faulty != 0] = CARE_POLICY
        to = refusals[:, 0]
        hidden = np.unique(to[self.apart[to] == 0])
        if len(hidden):
            names = ", ".join(f"AS{self.graph.asn[node]}" for node in hidden)
            raise MisuseError(f"name these when the deployment is compiled, for they refuse routes: {names}")
        care[to] |= CARE_REFUSAL
        return care


def sorted_nodes(nodes: Iterable[int]) -> NDArray[np.int32]:
    """Give nodes in ascending order, int32[n]."""
    return np.array(sorted(nodes), np.int32)


@dataclass(frozen=True, slots=True)
class LaneRows:
    """What a run gives, by items."""

    layout: KeyLayout
    group: NDArray[np.unsignedinteger]
    """uint8 or uint16[item, lane]; the largest number where there is no route."""
    key: NDArray[np.unsignedinteger] | None


def run_lanes(
    compact: Compact,
    ranks: RankSpace,
    seeds: Callable[[KeyLayout], LaneSeeds],
    groups_and_length: tuple[int, int],
    fault: NDArray[np.uint8],
    keep_keys: bool = False,
    orders: NDArray[np.uint32] | None = None,
) -> LaneRows:
    """Run the seeds, with keys as wide as they need to be. `fault` is uint8[class, group, lane]."""
    groups, length = groups_and_length
    layout = choose_layout(len(ranks.asn_of_rank), groups, length)
    rows, longest = _run(compact, ranks, seeds(layout), groups, fault, keep_keys, orders, layout)
    if longest >= layout.length_max:  # a length reached the end of its field: see kernels/route_key
        rows, _ = _run(compact, ranks, seeds(WIDE), groups, fault, keep_keys, orders, WIDE)
    return rows


def _run(
    compact: Compact,
    ranks: RankSpace,
    seeds: LaneSeeds,
    groups: int,
    fault: NDArray[np.uint8],
    keep_keys: bool,
    orders: NDArray[np.uint32] | None,
    layout: KeyLayout,
) -> tuple[LaneRows, int]:
    care, members, items_ = compact.care(seeds.refusals, fault), len(compact.member), len(compact.stands)
    policy = compact.adopters.bits if compact.adopters is not None else np.zeros(len(compact.graph), np.uint8)
    to, source, of_group, of_lane = np.ascontiguousarray(seeds.refusals.T)
    hops = compact.next_hops(ranks, layout) if orders is None else layout.next_hops(orders)
    key = np.empty((items_ if keep_keys else 0, LANES), layout.dtype)
    group = np.empty((items_, LANES), np.uint8 if groups < 255 else np.uint16)
    transits = len(compact.graph) - compact.graph.leaves
    scratch = (("risen", members), ("across", members), ("down", transits))
    longest = propagate_lanes(
        Cone(compact.member, compact.rises, compact.cone_start, compact.cone_above),
        Items(compact.stands, compact.place, transits, *compact.rows),
        Seeded(seeds.place, seeds.lane, seeds.key, seeds.preferred_place, seeds.preferred_lane, seeds.preferred_key),
        hops,
        layout.constants,
        Refusing(care, policy, fault, to, source, of_group, of_lane),
        Room(*(compact.scratch(layout, name, rows) for name, rows in scratch)),
        key,
        group,
    )
    return LaneRows(layout, group, key if keep_keys else None), longest
