"""Propagate one configuration, and what every AS then has."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.kernels.admission import CARE_POLICY, CARE_REFUSAL
from anycastle.kernels.propagation import propagate_one, take_apart
from anycastle.kernels.route_key import GROUP, NONE, WIDE, KeyLayout, choose_layout
from anycastle.twin.deployment import Configuration, Deployment, Seeds, Wiring
from anycastle.twin.graph import ASGraph
from anycastle.twin.policy import Adopters, Fault, fault_table

NO_GROUP: Final = 65535
"""In place of a group or PoP where an AS has no route."""

CLASS_NAMES: Final = ("none", "provider", "peer", "customer", "origin")
"""What `RouteFields.class_` stands for."""


@dataclass(frozen=True, slots=True)
class RouteFields:
    """Routes taken apart, one row an AS. `class_`: see `CLASS_NAMES`; without a route, the rest is 0, `group` 65535."""

    asn: NDArray[np.uint32]
    class_: NDArray[np.uint8]
    length: NDArray[np.uint16]
    """AS_PATH length with the AS's own number: 1 at an origin that does not prepend."""
    next_hop: NDArray[np.uint32]
    """ASN of the neighbour; at an origin its own."""
    group: NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Routes:
    """The route of every AS under one configuration, in the order of the graph's nodes."""

    wiring: Wiring
    layout: KeyLayout
    key: NDArray[np.unsignedinteger]
    own: NDArray[np.int32]
    """Nodes that originate."""

    @property
    def graph(self) -> ASGraph:
        """The graph that the routes are on."""
        return self.wiring.graph

    def fields(self) -> RouteFields:
        """Give class, length, next hop and group of each node."""
        count = len(self.key)
        class_, length = np.empty(count, np.uint8), np.empty(count, np.uint16)
        next_hop, group = np.empty(count, np.uint32), np.empty(count, np.uint16)
        ranks = self.wiring.ranks.asn_of_rank
        take_apart(self.key, self.layout.constants, ranks, class_, length, next_hop, group)
        own = self.own[(next_hop[self.own] == self.graph.asn[self.own]) & (class_[self.own] > 0)]
        class_[own] = 4  # but for one that was asked to prefer a session of ours to its own
        return RouteFields(self.graph.asn, class_, length, next_hop, group)

    def by_asn(self) -> RouteFields:
        """Give the same in ascending order of ASN."""
        fields, order = self.fields(), self.graph.by_rank
        return RouteFields(
            fields.asn[order], fields.class_[order], fields.length[order], fields.next_hop[order], fields.group[order]
        )

    def group(self) -> NDArray[np.uint16]:
        """Give the session group that each node's traffic ends at, uint16[node]; 65535 where it has no route."""
        constants = self.layout.constants
        group: NDArray[np.uint16] = np.where(
            self.key < constants[NONE], self.key & constants[GROUP], constants.dtype.type(NO_GROUP)
        ).astype(np.uint16)
        return group

    def pop(self) -> NDArray[np.uint16]:
        """Give the PoP that each node's traffic ends at, as an index into `deployment.pops`; 65535 without a route."""
        table = np.full(NO_GROUP + 1, NO_GROUP, np.uint16)
        pops = self.wiring.deployment.pop_of_group()
        table[: len(pops)] = pops
        return table[self.group()]

    def shares(self, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Give each PoP's share of the weight (or of all ASes), float64[pop]; what is missing to 1 has no route."""
        pop, pops = self.pop(), len(self.wiring.deployment.pops)
        landed = pop != NO_GROUP
        total = float(len(pop)) if weights is None else float(weights.sum())
        counted = np.bincount(pop[landed], None if weights is None else weights[landed], minlength=pops)
        shares: NDArray[np.float64] = counted / total
        return shares

    def path(self, node: int) -> tuple[int, ...]:
        """Give the nodes from `node` to the AS that hears us or originates; empty without a route."""
        fields, path = self.fields(), list[int]()
        while fields.class_[node] and node not in path:
            path.append(node)
            above = int(self.graph.nodes(fields.next_hop[node : node + 1])[0])
            if above < 0 or above in self.wiring.silent:
                break
            node = above
        return tuple(path)


@dataclass(frozen=True, slots=True)
class Rules:
    """What is refused in one configuration, as the kernels take it. `care` is empty where nothing is."""

    care: NDArray[np.uint8]
    policy: NDArray[np.uint8]
    fault: NDArray[np.uint8]
    refusal_to: NDArray[np.int32]
    refusal_from: NDArray[np.int32]
    refusal_group: NDArray[np.int32]

    @staticmethod
    def of(
        nodes: int, refusals: Iterable[tuple[int, int, int]], adopters: Adopters | None, fault: NDArray[np.uint8]
    ) -> "Rules":
        """Bring refusals, adopters and faults together."""
        rows = np.array(sorted(refusals), np.int32).reshape(-1, 3)
        policy = np.zeros(1, np.uint8)
        care = np.zeros(0, np.uint8)
        if len(rows) or (adopters is not None and fault.any()):
            policy = adopters.bits if adopters is not None else np.zeros(nodes, np.uint8)
            care = np.where(policy & np.bitwise_or.reduce(fault, axis=None), CARE_POLICY, 0).astype(np.uint8)
            care[rows[:, 0]] |= CARE_REFUSAL
        return Rules(care, policy, fault, *(np.ascontiguousarray(rows[:, column]) for column in range(3)))


@dataclass(slots=True)
class Propagation:
    """One deployment on one graph, ready for one configuration after another."""

    wiring: Wiring
    adopters: Adopters | None = None
    faults: tuple[Fault, ...] = ()
    _next_hops: dict[KeyLayout, NDArray[np.unsignedinteger]] = field(default_factory=dict)
    _told: dict[KeyLayout, NDArray[np.unsignedinteger]] = field(default_factory=dict)
    _reached: NDArray[np.int32] = field(init=False)
    _first_two: tuple[NDArray[np.int32], NDArray[np.int32]] = field(init=False)

    def __post_init__(self) -> None:
        graph = self.wiring.graph
        self._reached = np.empty(len(graph), np.int32)
        self._first_two = _first_two(graph)

    def run(self, configuration: Configuration | None = None) -> Routes:
        """Give every AS's route. Raises `MisuseError` where the configuration asks what cannot be."""
        wiring = self.wiring
        configuration = configuration or wiring.deployment.everywhere()
        groups = len(wiring.deployment.groups)
        layout = choose_layout(len(wiring.ranks.asn_of_rank), groups, wiring.longest([configuration]))
        routes, longest = self.with_layout(configuration, layout)
        if longest >= layout.length_max:  # a length reached the end of its field: see kernels/route_key
            routes, _ = self.with_layout(configuration, WIDE)
        return routes

    def next_hops(self, layout: KeyLayout) -> NDArray[np.unsignedinteger]:
        """Give the nodes' ranks in their place in a key, [node]."""
        if layout not in self._next_hops:
            self._next_hops[layout] = layout.next_hops(self.wiring.ranks.rank)
        return self._next_hops[layout]

    def with_layout(self, configuration: Configuration, layout: KeyLayout) -> tuple[Routes, int]:
        """Give the routes by keys of one layout, and the longest length in them.

        The routes stand only where that is below the layout's `length_max`.
        """
        wiring, graph = self.wiring, self.wiring.graph
        fault = fault_table(self.faults, len(wiring.deployment.groups))
        seeds = wiring.seeds(configuration, layout)
        rules = Rules.of(len(graph), seeds.refusals, self.adopters, fault)
        if layout not in self._told:
            self._told[layout] = np.empty(len(graph) + 1, layout.dtype)
        arrays = SeedArrays.of(seeds, layout, self.adopters, fault)
        key = np.empty(len(graph), layout.dtype)
        longest = propagate_one(
            graph.provider_start, graph.provider, graph.peer_start, graph.peer, self.next_hops(layout),
            layout.constants, arrays.node, arrays.key, arrays.preferred_node, arrays.preferred_key, rules.care,
            rules.policy, rules.fault, rules.refusal_to, rules.refusal_from, rules.refusal_group, graph.leaves,
            *self._first_two, key, self._told[layout], self._reached,
        )  # fmt: skip
        return Routes(wiring, layout, key, arrays.own), longest


def _first_two(graph: ASGraph) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Give each node's first and second provider, int32[node]: the number of nodes for none, the first for one."""
    start, count = graph.provider_start[:-1], np.diff(graph.provider_start)
    rows = np.append(graph.provider, np.int32(len(graph)))  # for a last row without any
    first = np.where(count > 0, rows[np.minimum(start, len(rows) - 1)], len(graph)).astype(np.int32)
    second = np.where(count > 1, rows[np.minimum(start + 1, len(rows) - 1)], first).astype(np.int32)
    return first, second


@dataclass(frozen=True, slots=True)
class SeedArrays:
    """Seeds as columns, less those that an adopter drops."""

    node: NDArray[np.int32]
    key: NDArray[np.unsignedinteger]
    preferred_node: NDArray[np.int32]
    preferred_key: NDArray[np.unsignedinteger]
    own: NDArray[np.int32]

    @staticmethod
    def of(
        seeds: Seeds, layout: KeyLayout, adopters: Adopters | None = None, fault: NDArray[np.uint8] | None = None
    ) -> "SeedArrays":
        """Give the columns; preferred ones by node, the best of a node last."""
        taken = seeds.seeds
        if adopters is not None and fault is not None and fault.any():
            taken = [s for s in taken if s.origin or not adopters.bits[s.node] & fault[s.kind, s.group]]
        plain = [seed for seed in taken if not seed.preferred]
        preferred = sorted((seed for seed in taken if seed.preferred), key=lambda seed: (seed.node, -seed.key))
        return SeedArrays(
            np.array([seed.node for seed in plain], np.int32),
            np.array([seed.key for seed in plain], layout.dtype),
            np.array([seed.node for seed in preferred], np.int32),
            np.array([seed.key for seed in preferred], layout.dtype),
            np.array(sorted({seed.node for seed in taken if seed.origin}), np.int32),
        )


def propagate(
    graph: ASGraph,
    deployment: Deployment,
    configuration: Configuration | None = None,
    adopters: Adopters | None = None,
    faults: tuple[Fault, ...] = (),
) -> Routes:
    """Give every AS's route under one configuration; by default every group announces.

    Raises `MisuseError` where a neighbour is not in the graph, or the configuration asks what cannot be.
    """
    return Propagation(Wiring.of(graph, deployment), adopters, faults).run(configuration)
