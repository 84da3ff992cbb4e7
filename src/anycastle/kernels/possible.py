"""Which PoPs an AS could land at, and with what chance, when equal routes are told apart by what nobody knows.

Theory of operation. Class and length of an AS's route do not depend on how ties are broken, here or elsewhere; only the
neighbour does. So the passes of `kernels/propagation` carry (class, length) and, in place of one group, the set of PoPs
of all equal offers: that set is exact, each PoP in it is reached by some way of breaking ties. Where each AS takes any
of its equal offers with the same chance, the chance of a PoP is the mean of its chances at these neighbours, exactly.
"""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

LEVEL_BITS: Final = 16
"""Bits of the length in a level: class << 16 | length."""
NO_LEVEL: Final = 3 << LEVEL_BITS
_LENGTH = (1 << LEVEL_BITS) - 1
_PEER = 1 << LEVEL_BITS
_PROVIDER = 2 << LEVEL_BITS


@njit(cache=True, boundscheck=False)
def _plant(
    level: NDArray[np.int32], seed_node: NDArray[np.int32], seed_level: NDArray[np.int32], mask: NDArray[np.uint64],
    seed_mask: NDArray[np.uint64],
) -> int:  # fmt: skip
    """Put seeds in; give the lowest node that has one."""
    lowest: int = level.shape[0]
    for seed in range(seed_node.shape[0]):
        node: int = seed_node[seed]
        lowest = min(lowest, node)
        if seed_level[seed] < level[node]:
            level[node] = seed_level[seed]
            mask[node] = seed_mask[seed]
        elif seed_level[seed] == level[node]:
            mask[node] |= seed_mask[seed]
    return lowest


@njit(cache=True, boundscheck=False)
def possible_mask(
    provider_start: NDArray[np.int32],
    provider: NDArray[np.int32],
    peer_start: NDArray[np.int32],
    peer: NDArray[np.int32],
    deaf: NDArray[np.int32],
    seed_node: NDArray[np.int32],
    seed_level: NDArray[np.int32],
    seed_mask: NDArray[np.uint64],
    fixed: NDArray[np.uint8],
    level: NDArray[np.int32],
    mask: NDArray[np.uint64],
    reached: NDArray[np.int32],
) -> None:
    """Fill `level` (int32[node]; `NO_LEVEL` without a route) and `mask` (uint64[node], a bit a PoP).

    `deaf` are nodes that hear nothing; `fixed` (uint8[node]) those that keep their seeds whatever they hear.
    """
    nodes = level.shape[0]
    for node in range(nodes):
        level[node], mask[node] = NO_LEVEL, 0
    lowest = _plant(level, seed_node, seed_level, mask, seed_mask)
    for at in range(deaf.shape[0]):
        level[deaf[at]] = -1
    count = 0
    for node in range(lowest, nodes):
        mine = level[node]
        if mine < 0 or mine >= _PEER:
            continue
        reached[count] = node
        count += 1
        for edge in range(provider_start[node], provider_start[node + 1]):
            to = provider[edge]
            if mine + 1 < level[to] and not fixed[to]:
                level[to], mask[to] = mine + 1, mask[node]
            elif mine + 1 == level[to] and not fixed[to]:
                mask[to] |= mask[node]
    for at in range(count):
        node = reached[at]
        told = (level[node] + 1) | _PEER
        for edge in range(peer_start[node], peer_start[node + 1]):
            to = peer[edge]
            if told < level[to]:
                level[to], mask[to] = told, mask[node]
            elif told == level[to]:
                mask[to] |= mask[node]
    for node in range(nodes - 1, -1, -1):
        best, bits = level[node], mask[node]
        if best < _PROVIDER:
            continue
        for edge in range(provider_start[node], provider_start[node + 1]):
            above = provider[edge]
            if level[above] < 0 or level[above] >= NO_LEVEL:
                continue
            told = ((level[above] & _LENGTH) + 1) | _PROVIDER
            if told < best:
                best, bits = told, mask[above]
            elif told == best:
                bits |= mask[above]
        level[node], mask[node] = best, bits
    for at in range(deaf.shape[0]):
        level[deaf[at]], mask[deaf[at]] = NO_LEVEL, 0


@njit(cache=True, boundscheck=False)
def tie_chances(
    provider_start: NDArray[np.int32],
    provider: NDArray[np.int32],
    customer_start: NDArray[np.int32],
    customer: NDArray[np.int32],
    peer_start: NDArray[np.int32],
    peer: NDArray[np.int32],
    seed_node: NDArray[np.int32],
    seed_level: NDArray[np.int32],
    seed_pop: NDArray[np.int32],
    fixed: NDArray[np.uint8],
    level: NDArray[np.int32],
    chance: NDArray[np.float32],
) -> None:
    """Fill `chance` (float32[node, pop]; a row adds up to 1, or to 0 without a route) from the levels."""
    nodes, pops = chance.shape
    ties = np.zeros(nodes, np.int32)
    for node in range(nodes):
        for pop in range(pops):
            chance[node, pop] = 0.0
    for seed in range(seed_node.shape[0]):
        if seed_level[seed] == level[seed_node[seed]]:
            chance[seed_node[seed], seed_pop[seed]] += 1.0
            ties[seed_node[seed]] += 1
    for upwards in range(2):
        for step in range(nodes):
            node = step if upwards == 0 else nodes - 1 - step
            mine = level[node]
            if mine >= NO_LEVEL or (mine < _PEER) != (upwards == 0):
                continue
            want = (mine & _LENGTH) - 1
            if not fixed[node]:
                if mine < _PEER:
                    start, end, kind = customer_start[node], customer_start[node + 1], 0
                elif mine < _PROVIDER:
                    start, end, kind = peer_start[node], peer_start[node + 1], 1
                else:
                    start, end, kind = provider_start[node], provider_start[node + 1], 2
                for edge in range(start, end):
                    source = customer[edge] if kind == 0 else peer[edge] if kind == 1 else provider[edge]
                    told = level[source]
                    if told >= NO_LEVEL or (told & _LENGTH) != want or (kind < 2 and told >= _PEER):
                        continue
                    ties[node] += 1
                    for pop in range(pops):
                        chance[node, pop] += chance[source, pop]
            if ties[node] > 1:
                for pop in range(pops):
                    chance[node, pop] /= ties[node]
