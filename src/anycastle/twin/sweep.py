"""Many configurations of one deployment: compile once, then sweep them, 64 at a time.

Theory of operation. `compile_deployment` makes the graph small for the deployment (`kernels/collapse`); that is the
same for every configuration, and paid once. A sweep then puts each configuration's seeds into a lane of its own.
Configurations that differ in prepends and in who announces are rows of a table of integers, and cost no Python each;
others are given as `Configuration`s. Every result equals that of `twin.routes.propagate`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.kernels.lane_vectors import LANES
from anycastle.kernels.propagation_lanes import lane_shares
from anycastle.kernels.route_key import GROUP, KeyLayout
from anycastle.twin.deployment import Configuration, Deployment, Seed, Wiring
from anycastle.twin.graph import ASGraph
from anycastle.twin.lanes import Compact, LaneSeeds, run_lanes
from anycastle.twin.policy import Adopters, Fault, fault_table
from anycastle.twin.routes import NO_GROUP, Routes

WITHHELD: Final = -1
"""In place of prepends, in a table: the group announces nothing."""

Table = NDArray[np.int16]
"""int16[configuration, group]: the prepends of each group, or `WITHHELD`."""


@dataclass(slots=True)
class Compiled:
    """A deployment on a graph, made small. `run` takes up to 64 configurations."""

    wiring: Wiring
    compact: Compact

    @property
    def graph(self) -> ASGraph:
        """The graph that was compiled."""
        return self.wiring.graph

    @property
    def groups(self) -> int:
        """How many session groups the deployment has."""
        return len(self.wiring.deployment.groups)

    def run(
        self,
        configurations: Sequence[Configuration] | Table,
        keep_keys: bool = False,
        faults: Sequence[Sequence[Fault]] | None = None,
        orders: NDArray[np.uint32] | None = None,
    ) -> "Lanes":
        """Give the results of up to 64 configurations.

        `faults` are those of each lane; `orders` (uint32[node, 64]) is the order in which each lane prefers equal
        neighbours, in place of the lowest ASN. Raises `MisuseError` for what cannot be asked, or what refuses at an AS
        that was not named to `compile_deployment`.
        """
        if len(configurations) > LANES:
            raise MisuseError(f"{len(configurations)} configurations at once; the most are {LANES}")
        fault = faults_of_lanes(faults or (), self.groups)

        def seeds(layout: KeyLayout) -> LaneSeeds:
            if isinstance(configurations, np.ndarray):
                return seeds_of_table(self, configurations, layout)
            return seeds_of_configurations(self, configurations, layout, fault)

        length = self._longest(configurations)
        rows = run_lanes(self.compact, self.wiring.ranks, seeds, (self.groups, length), fault, keep_keys, orders)
        return Lanes(self, rows.layout, len(configurations), rows.group, rows.key)

    def _longest(self, configurations: Sequence[Configuration] | Table) -> int:
        if isinstance(configurations, np.ndarray):
            return 2 + int(configurations.max(initial=0))
        return self.wiring.longest(configurations)


@dataclass(frozen=True, slots=True)
class Lanes:
    """Results of up to 64 configurations, by items; `item_of` of the compiled deployment leads from nodes to rows."""

    compiled: Compiled
    layout: KeyLayout
    count: int
    group: NDArray[np.unsignedinteger]
    """uint8 or uint16[item, lane]: the session group; the largest number where there is no route."""
    key: NDArray[np.unsignedinteger] | None

    def groups_of(self, lane: int) -> NDArray[np.uint16]:
        """Give the session group of each node, uint16[node]; 65535 where it has no route."""
        column = self.group[:, lane].astype(np.uint16)
        column[self.group[:, lane] == np.iinfo(self.group.dtype).max] = NO_GROUP
        return column[self.compiled.compact.item_of]

    def pops_of(self, lane: int) -> NDArray[np.uint16]:
        """Give the PoP of each node as an index into `deployment.pops`; 65535 where it has no route."""
        table = np.full(NO_GROUP + 1, NO_GROUP, np.uint16)
        table[: self.compiled.groups] = self.compiled.wiring.deployment.pop_of_group()
        return table[self.groups_of(lane)]

    def routes(self, lane: int) -> Routes:
        """Give the lane's routes in full. Raises `MisuseError` where the keys were not kept."""
        if self.key is None:
            raise MisuseError("only runs with keep_keys=True know more than session groups")
        key = self.key[:, lane][self.compiled.compact.item_of]
        present = set(np.unique(self.groups_of(lane)).tolist())
        own = [
            nodes[0]
            for index, (group, nodes) in enumerate(
                zip(self.compiled.wiring.deployment.groups, self.compiled.wiring.nodes, strict=True)
            )
            if not group.sessions
            and index in present
            and (int(key[nodes[0]]) & int(self.layout.constants[GROUP])) == index
        ]
        return Routes(self.compiled.wiring, self.layout, key, np.array(sorted(set(own)), np.int32))

    def shares(self, weights_of_items: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give each PoP's share of the weight, float64[lane, pop]; what is missing to 1 has no route."""
        summed = np.empty((self.compiled.groups, LANES))
        lane_shares(self.group, weights_of_items, summed)
        by_pop = np.zeros((len(self.compiled.wiring.deployment.pops), LANES))
        np.add.at(by_pop, self.compiled.wiring.deployment.pop_of_group(), summed)
        shares: NDArray[np.float64] = by_pop[:, : self.count].T / weights_of_items.sum()
        return shares


def faults_of_lanes(faults: Sequence[Sequence[Fault]], groups: int) -> NDArray[np.uint8]:
    """Give the policies that drop a group's route in each lane, uint8[class, group, lane]."""
    table = np.zeros((3, max(1, groups), LANES), np.uint8)
    for lane, each in enumerate(faults):
        table[:, :, lane] = fault_table(each, groups)
    return table


def compile_deployment(
    graph: ASGraph, deployment: Deployment, adopters: Adopters | None = None, named: Iterable[int] = ()
) -> Compiled:
    """Make the graph small for the deployment; milliseconds.

    `named` are the ASNs that configurations will poison, or keep a route from; those of the graph stay for themselves.
    Raises `MisuseError` where a neighbour is not in the graph.
    """
    wiring = Wiring.of(graph, deployment)
    bottom, beside = wiring.seeded()
    asked = graph.nodes(sorted(set(named)))
    stay = {*wiring.silent, *map(int, asked[asked >= 0])}
    return Compiled(wiring, Compact.of(graph, bottom, beside, stay, adopters))


def seeds_of_configurations(
    compiled: Compiled,
    configurations: Sequence[Configuration],
    layout: KeyLayout,
    fault: NDArray[np.uint8],
    wirings: Sequence[Wiring] | None = None,
) -> LaneSeeds:
    """Give the seeds of single configurations; those that an adopter drops are left out.

    `wirings` give each lane an order of groups of its own.
    """
    plain: list[tuple[int, int, int]] = []
    preferred: list[tuple[int, int, int]] = []
    refusals: set[tuple[int, int, int, int]] = set()
    for lane, configuration in enumerate(configurations):
        seeds = (wirings[lane] if wirings else compiled.wiring).seeds(configuration, layout)
        for seed in seeds.seeds:
            if not _dropped(compiled.compact.adopters, seed, fault[:, :, lane]):
                (preferred if seed.preferred else plain).append(
                    (int(compiled.compact.place[seed.node]), lane, seed.key)
                )
        refusals.update((*row, lane) for row in seeds.refusals if row[2] >= 0)
    refusals.update((node, -1, -1, -1) for node in compiled.wiring.silent)
    return LaneSeeds.of(plain, preferred, refusals, layout)


def _dropped(adopters: Adopters | None, seed: Seed, fault: NDArray[np.uint8]) -> bool:
    return adopters is not None and not seed.origin and bool(adopters.bits[seed.node] & fault[seed.kind, seed.group])


def seeds_of_table(compiled: Compiled, table: Table, layout: KeyLayout) -> LaneSeeds:
    """Give the seeds of rows of a table, by columns: no Python for single configurations."""
    wiring = compiled.wiring
    if table.shape[1] != compiled.groups:
        raise MisuseError(f"a table with {table.shape[1]} columns for {compiled.groups} session groups")
    rows = [
        (int(compiled.compact.place[node]), index, not group.sessions, session)
        for index, (group, nodes) in enumerate(zip(wiring.deployment.groups, wiring.nodes, strict=True))
        for node, session in zip(nodes, [s.standing.value for s in group.sessions] or [0], strict=True)
        if not group.sessions or node not in wiring.silent
    ]
    rows.sort()
    halves = []
    for origins in (False, True):
        mine = [row for row in rows if row[2] is origins]
        groups = np.array([row[1] for row in mine], np.intp)
        places = np.array([row[0] for row in mine], np.int32)
        lengths = [1 if origins else 2] * len(mine)
        bases = [
            layout.key(row[3], length, wiring.own_rank[row[1]], row[1])
            for row, length in zip(mine, lengths, strict=True)
        ]
        asked = table[:, groups].T  # [session, lane]
        at, lane = np.nonzero(asked >= 0)
        key = np.array(bases, layout.dtype)[at] + (
            asked[at, lane].astype(layout.dtype) << layout.dtype(layout.length_shift)
        )
        if origins and len(np.unique(places)) < len(places):  # two groups at one origin: the best goes last
            order = np.lexsort((np.iinfo(layout.dtype).max - key, lane, places[at]))
            at, lane, key = at[order], lane[order], key[order]
        halves.append((places[at], lane.astype(np.int32), key))
    refusals = np.array(sorted((node, -1, -1, -1) for node in wiring.silent), np.int32).reshape(-1, 4)
    return LaneSeeds(*halves[0], *halves[1], refusals)


def sweep(compiled: Compiled, table: Table, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Give each PoP's share of the weight (or of all ASes) under each row of the table, float64[configuration, pop]."""
    of_items = compiled.compact.weights_of_items(weights)
    parts = [lanes.shares(of_items) for lanes in batches(compiled, table)]
    return np.concatenate(parts) if parts else np.zeros((0, len(compiled.wiring.deployment.pops)))


def batches(compiled: Compiled, table: Table) -> Iterator[Lanes]:
    """Run the table's rows, 64 at a time."""
    for start in range(0, len(table), LANES):
        yield compiled.run(table[start : start + LANES])
