"""Who would believe a hijack: shares caught by an attacker, with and without those who verify.

Theory of operation. A lane holds one attacker and one victim. Three attacks are known: the attacker originates the
victim's prefix; a more specific part of it, which wins wherever it is heard; or the prefix with a path that ends in the
victim's ASN, so that the origin is right and the path one longer. Adopters of ROV drop the first two; adopters of ASPA
drop the third, unless the victim did attest the attacker as its provider, or the forged route only went down from the
attacker: then the false hop could be a peering at the top of the path, and no record says otherwise. All networks are
taken to have published their ASPA records.

For a more specific prefix, what an AS believes is not where its packets go: one that dropped the route still sends to
a next hop that may have it. There, shares are those of packets, followed hop by hop.

Source: draft-ietf-sidrops-aspa-verification §5; RFC 6811 §2.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.kernels.data_plane import caught_on_the_way
from anycastle.kernels.lane_vectors import LANES
from anycastle.kernels.propagation_lanes import lane_shares
from anycastle.kernels.route_key import KeyLayout
from anycastle.model.asn import ASN
from anycastle.twin.deployment import Deployment, RankSpace
from anycastle.twin.graph import ASGraph
from anycastle.twin.lanes import Compact, LaneRows, LaneSeeds, run_lanes
from anycastle.twin.policy import Adopters, Fault, Policy, fault_table


class Attack(Enum):
    """How the attacker announces."""

    ORIGIN = "origin"
    SUBPREFIX = "subprefix"
    FORGED = "forged"
    """The victim's ASN stands at the end of the path."""


class Pair(NamedTuple):
    """Who attacks whom."""

    attacker: ASN
    victim: ASN


@dataclass(frozen=True, slots=True)
class Caught:
    """What attacks would catch: shares of the weight of all ASes but the two, float64[pair]."""

    pairs: tuple[Pair, ...]
    share: NDArray[np.float64]


_VICTIM: Final = 0
_ATTACKER: Final = 1
_DOWNHILL: Final = 2
"""Groups of a lane. What an attacker with a forged path tells its customers is a group of its own."""
_GROUPS: Final = 3


def hijack(
    graph: ASGraph,
    pairs: Sequence[Pair],
    attack: Attack = Attack.ORIGIN,
    adopters: Adopters | None = None,
    weights: NDArray[np.float64] | None = None,
) -> Caught:
    """Give the share that each attacker would catch. Raises `MisuseError` where an ASN is not in the graph."""
    parts = list(hijack_batches(graph, pairs, attack, adopters, weights))
    return Caught(tuple(pairs), np.concatenate(parts) if parts else np.zeros(0))


def hijack_batches(
    graph: ASGraph,
    pairs: Sequence[Pair],
    attack: Attack = Attack.ORIGIN,
    adopters: Adopters | None = None,
    weights: NDArray[np.float64] | None = None,
) -> Iterator[NDArray[np.float64]]:
    """Give the shares of 64 pairs at a time, as `hijack` does."""
    nodes = _nodes(graph, pairs)
    weight = np.ones(len(graph)) if weights is None else weights
    ranks = RankSpace.of(graph, Deployment(()))
    for start in range(0, len(pairs), LANES):
        batch = _Batch(graph, nodes[start : start + LANES], attack, adopters, ranks)
        yield batch.caught(weight)


def _nodes(graph: ASGraph, pairs: Sequence[Pair]) -> NDArray[np.int32]:
    asns = np.array(pairs, np.int64).reshape(-1, 2)
    same = [f"AS{pair.victim}" for pair in pairs if pair.attacker == pair.victim]
    if same:
        raise MisuseError(f"nobody attacks itself: {', '.join(sorted(set(same)))}")
    nodes = np.stack([graph.nodes(asns[:, 0].astype(np.uint32)), graph.nodes(asns[:, 1].astype(np.uint32))], axis=1)
    absent = sorted(set(asns[nodes < 0].tolist()))
    if absent:
        raise MisuseError(f"not in the graph {graph.origin.name}: {', '.join(f'AS{asn}' for asn in absent)}")
    return nodes


class _Batch:
    """Up to 64 pairs, each in a lane."""

    def __init__(
        self,
        graph: ASGraph,
        nodes: NDArray[np.int32],
        attack: Attack,
        adopters: Adopters | None,
        ranks: RankSpace,
    ) -> None:
        self._graph, self._nodes, self._attack, self._ranks = graph, nodes, attack, ranks
        attackers, victims = nodes[:, 0].tolist(), nodes[:, 1].tolist()
        self._apart = attack is Attack.FORGED and adopters is not None and adopters.count(Policy.ASPA) > 0
        bottom, beside = {*attackers, *victims}, set[int]()
        if self._apart:
            beside.update(*(graph.customers(node).tolist() for node in attackers))
        self._compact = Compact.of(graph, bottom, beside - bottom, bottom | beside, adopters)

    def caught(self, weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the share that each attacker catches, float64[pair]."""
        of_items = self._compact.weights_of_items(weight)
        count, fault = len(self._nodes), self._faults()
        rows = self._run(self._attack, fault)
        if self._attack is Attack.SUBPREFIX:
            sums = self._on_the_way(rows, of_items)
        else:
            shares = np.empty((_GROUPS, LANES))
            lane_shares(rows.group, of_items, shares)
            sums = shares[_ATTACKER] + shares[_DOWNHILL]
        own = weight[self._nodes]  # the attacker always has its own route, the victim of a forged one never
        others = weight.sum() - own.sum(axis=1)
        share: NDArray[np.float64] = (sums[:count] - self._of_the_two(rows, own)) / others
        return share

    def _of_the_two(self, rows: LaneRows, own: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the weight of attacker and victim that was counted as caught."""
        lanes = np.arange(len(self._nodes))
        counted = np.zeros(len(self._nodes))
        for column in range(2):
            group = rows.group[self._compact.item_of[self._nodes[:, column]], lanes]
            counted += np.where((group == _ATTACKER) | (group == _DOWNHILL), own[:, column], 0.0)
        return counted

    def _on_the_way(self, rows: LaneRows, of_items: NDArray[np.float64]) -> NDArray[np.float64]:
        covering = self._run(None, np.zeros((3, _GROUPS, LANES), np.uint8))
        assert covering.key is not None
        caught = np.empty(LANES)
        compact = self._compact
        caught_on_the_way(
            rows.group, covering.key, covering.layout.constants, compact.item_of[self._graph.by_rank],
            compact.item_of[compact.member], of_items, np.empty(rows.group.shape, np.uint8), caught,
        )  # fmt: skip
        return caught

    def _faults(self) -> NDArray[np.uint8]:
        table = np.zeros((3, _GROUPS, LANES), np.uint8)
        for lane, (attacker, victim) in enumerate(self._nodes.tolist()):
            if self._attack is not Attack.FORGED:
                table[:, :, lane] = fault_table([Fault(_ATTACKER, Policy.ROV)], _GROUPS)
            elif attacker not in self._graph.providers(victim):
                table[:, :, lane] = fault_table([Fault(_ATTACKER, Policy.ASPA)], _GROUPS)
        return table

    def _run(self, attack: Attack | None, fault: NDArray[np.uint8]) -> LaneRows:
        """Run an attack; None: the victim's covering prefix alone, with its keys."""
        longest = 3
        return run_lanes(
            self._compact,
            self._ranks,
            lambda layout: self._seeds(attack, layout),
            (_GROUPS, longest),
            fault,
            keep_keys=attack is None,
        )

    def _seeds(self, attack: Attack | None, layout: KeyLayout) -> LaneSeeds:
        plain, preferred = list[tuple[int, int, int]](), list[tuple[int, int, int]]()
        refusals = set[tuple[int, int, int, int]]()
        place, rank = self._compact.place, self._graph.rank
        for lane, (attacker, victim) in enumerate(self._nodes.tolist()):
            if attack is not Attack.SUBPREFIX:
                key = layout.key(0, 1, int(rank[victim]), _VICTIM)
                preferred.append((int(place[victim]), lane, key))
            else:
                refusals.add((victim, -1, _ATTACKER, lane))
            if attack is None:
                continue
            length = 2 if attack is Attack.FORGED else 1
            key = layout.key(0, length, int(rank[attacker]), _ATTACKER)
            preferred.append((int(place[attacker]), lane, key))
            if self._apart:
                refusals.update((int(to), attacker, _ATTACKER, lane) for to in self._graph.customers(attacker).tolist())
                down = layout.key(2, length + 1, int(rank[attacker]), _DOWNHILL)
                plain += [(int(place[to]), lane, down) for to in self._graph.customers(attacker).tolist()]
        return LaneSeeds.of(plain, preferred, refusals, layout)
