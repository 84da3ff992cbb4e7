"""Results as sets and chances: which PoPs an AS could land at, how likely, and how we know."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.kernels.lane_vectors import LANES
from anycastle.kernels.possible import LEVEL_BITS, NO_LEVEL, possible_mask, tie_chances
from anycastle.kernels.route_key import WIDE
from anycastle.twin.deployment import Configuration, Seed, Wiring
from anycastle.twin.provenance import Provenance
from anycastle.twin.sweep import Compiled, Lanes

POPS_OF_A_WORD: Final = 64
"""PoPs in one word of a mask."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A chance for each AS and PoP, and how it is known."""

    chance: NDArray[np.float32]
    """float32[node, pop]; a row adds up to 1, or to 0 where there is no route."""
    provenance: NDArray[np.uint8]
    """uint8[node]: values of `Provenance`."""

    def shares(self, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Give the expected share of each PoP, float64[pop]."""
        weight = np.ones(len(self.chance)) if weights is None else weights
        shares: NDArray[np.float64] = weight @ self.chance.astype(np.float64) / weight.sum()
        return shares


@dataclass(frozen=True, slots=True)
class Possible:
    """All PoPs that each AS could land at."""

    pops: tuple[str, ...]
    mask: NDArray[np.uint64]
    """uint64[node, word]: PoP i is bit i % 64 of word i // 64; 0 where there is no route."""
    level: NDArray[np.int32]
    """int32[node]: class << 16 | length, which no tie changes."""

    def contains(self, pop: int) -> NDArray[np.bool_]:
        """Tell for each node whether it could land at a PoP (an index into `pops`)."""
        word, bit = divmod(pop, POPS_OF_A_WORD)
        held: NDArray[np.bool_] = (self.mask[:, word] >> np.uint64(bit)) & np.uint64(1) != 0
        return held

    def count(self) -> NDArray[np.int64]:
        """Give how many PoPs are possible for each node, int64[node]: 1 is certain, 0 has no route."""
        counted: NDArray[np.int64] = np.bitwise_count(self.mask).sum(axis=1).astype(np.int64)
        return counted


@dataclass(frozen=True, slots=True)
class _Planted:
    """Seeds without an order among equals."""

    node: NDArray[np.int32]
    level: NDArray[np.int32]
    pop: NDArray[np.int32]
    deaf: NDArray[np.int32]
    fixed: NDArray[np.uint8]


def possible_pops(wiring: Wiring, configuration: Configuration | None = None) -> Possible:
    """Give every AS's possible PoPs.

    Raises `MisuseError` where the configuration poisons or keeps routes from some: what then passes depends on how ties
    are broken, and only an ensemble tells.
    """
    graph, pops = wiring.graph, wiring.deployment.pops
    planted = _plant(wiring, configuration or wiring.deployment.everywhere())
    words = []
    level, reached = np.empty(len(graph), np.int32), np.empty(len(graph), np.int32)
    for first in range(0, max(1, len(pops)), POPS_OF_A_WORD):
        bits = planted.pop - first
        here = (bits >= 0) & (bits < POPS_OF_A_WORD)
        seed_mask = np.where(here, np.uint64(1) << np.where(here, bits, 0).astype(np.uint64), np.uint64(0))
        mask = np.empty(len(graph), np.uint64)
        possible_mask(
            graph.provider_start, graph.provider, graph.peer_start, graph.peer, planted.deaf, planted.node,
            planted.level, seed_mask, planted.fixed, level, mask, reached,
        )  # fmt: skip
        words.append(mask)
    return Possible(pops, np.stack(words, axis=1), level)


def tie_prediction(wiring: Wiring, configuration: Configuration | None = None) -> Prediction:
    """Give the chances where every AS takes any of its equal offers alike. Raises as `possible_pops`."""
    graph = wiring.graph
    configuration = configuration or wiring.deployment.everywhere()
    planted, level = _plant(wiring, configuration), possible_pops(wiring, configuration).level
    chance = np.empty((len(graph), len(wiring.deployment.pops)), np.float32)
    tie_chances(
        graph.provider_start, graph.provider, graph.customer_start, graph.customer, graph.peer_start, graph.peer,
        planted.node, planted.level, planted.pop, planted.fixed, level, chance,
    )  # fmt: skip
    return Prediction(chance, np.full(len(graph), Provenance.ASSUMED, np.uint8))


def _plant(wiring: Wiring, configuration: Configuration) -> _Planted:
    seeds = wiring.seeds(configuration, WIDE)
    if any(group >= 0 for _, _, group in seeds.refusals):
        raise MisuseError("the possible PoPs of a configuration that poisons or keeps routes from ASes are not known")
    taken = [seed for seed in seeds.seeds if not seed.preferred]
    best: dict[int, int] = {}
    for seed in seeds.seeds:
        if seed.preferred:
            best[seed.node] = min(best.get(seed.node, NO_LEVEL), _level(seed))
    taken = [seed for seed in taken if seed.node not in best]
    taken += [seed for seed in seeds.seeds if seed.preferred and _level(seed) == best[seed.node]]
    fixed = np.zeros(len(wiring.graph), np.uint8)
    fixed[list(best)] = 1
    pop_of_group = wiring.deployment.pop_of_group()
    return _Planted(
        np.array([seed.node for seed in taken], np.int32),
        np.array([_level(seed) for seed in taken], np.int32),
        np.array([pop_of_group[seed.group] for seed in taken], np.int32),
        np.array(sorted(wiring.silent), np.int32),
        fixed,
    )


def _level(seed: Seed) -> int:
    length = (seed.key >> WIDE.length_shift) & WIDE.length_max
    return (seed.key >> WIDE.class_shift) << LEVEL_BITS | length


def tie_ensemble(compiled: Compiled, configuration: Configuration, randomness: np.random.Generator) -> Lanes:
    """Give 64 ways in which it could turn out, each with an order of its own among equal neighbours.

    The lanes hold session groups only. Their spread is that of shares; for the chance of one AS, `tie_prediction` is
    exact.
    """
    ranks = len(compiled.wiring.ranks.asn_of_rank)
    orders = np.stack([randomness.permutation(ranks)[compiled.wiring.ranks.rank] for _ in range(LANES)], axis=1)
    return compiled.run([configuration] * LANES, orders=orders.astype(np.uint32))
