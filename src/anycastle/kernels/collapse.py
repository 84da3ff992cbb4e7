"""A graph made small for one deployment: what never differs is computed once, what is never used is left out.

Theory of operation. Only ASes above a session or an origin (its *cone*, by chains of providers) can have a customer's
route, so only they tell peers; all other peer links are left out. A leaf tells nobody, so leaves with the same
providers, the same peers in the cone and the same policies always choose alike: they become one *item*. Items are the
transit ASes from the top down, one each, and then the leaves' classes; leaves in the cone or named by the caller stay
for themselves.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

_HASH_SEED = np.uint64(0xCBF29CE484222325)  # FNV-1a, 64 bits
_HASH_PRIME = np.uint64(0x100000001B3)


@njit(cache=True, boundscheck=False)
def cone(
    provider_start: NDArray[np.int32], provider: NDArray[np.int32], bottom: NDArray[np.int32], beside: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8], NDArray[np.int32], NDArray[np.int32]]:
    """Give the cone: its nodes, ascending; each node's place in it or -1; whether it can rise (uint8[cone]); the rows
    of providers as places in the cone (start, place).

    `bottom` are nodes with customers' routes of ours, `beside` nodes that have ours as a peer's or provider's only:
    they belong to the cone, and nothing of theirs rises.
    """
    nodes = provider_start.shape[0] - 1
    state = np.zeros(nodes, np.uint8)
    for node in beside:
        state[node] = 1
    for node in bottom:
        state[node] = 2
    edges = 0
    for node in range(nodes):
        if state[node] == 2:
            for edge in range(provider_start[node], provider_start[node + 1]):
                state[provider[edge]] = 2
                edges += 1
    place = np.full(nodes, -1, np.int32)
    members = np.flatnonzero(state).astype(np.int32)
    rises = np.empty(members.shape[0], np.uint8)
    for at in range(members.shape[0]):
        place[members[at]] = at
        rises[at] = state[members[at]] == 2
    start, above = np.zeros(members.shape[0] + 1, np.int32), np.empty(edges, np.int32)
    count = 0
    for at in range(members.shape[0]):
        if rises[at]:
            node = members[at]
            for edge in range(provider_start[node], provider_start[node + 1]):
                above[count] = place[provider[edge]]
                count += 1
        start[at + 1] = count
    return members, place, rises, start, above


@njit(cache=True, boundscheck=False)
def _same_row(
    one: int, other: int, start: NDArray[np.int32], target: NDArray[np.int32], chosen: NDArray[np.uint8]
) -> bool:
    """Tell whether two nodes have the same neighbours among the chosen; rows are in the same order."""
    a, b, end_a, end_b = start[one], start[other], start[one + 1], start[other + 1]
    while True:
        while a < end_a and not chosen[target[a]]:
            a += 1
        while b < end_b and not chosen[target[b]]:
            b += 1
        if a == end_a or b == end_b:
            return bool(a == end_a and b == end_b)
        if target[a] != target[b]:
            return False
        a += 1
        b += 1


@njit(cache=True, boundscheck=False)
def items(
    provider_start: NDArray[np.int32],
    provider: NDArray[np.int32],
    peer_start: NDArray[np.int32],
    peer: NDArray[np.int32],
    leaves: int,
    rising: NDArray[np.uint8],
    apart: NDArray[np.uint8],
    policy: NDArray[np.uint8],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Give the item of each node (int32[node]) and the node that stands for each item (int32[item]).

    `rising` is uint8[node], the cone's nodes that rise; `apart` marks leaves that stay for themselves.
    """
    nodes = provider_start.shape[0] - 1
    item_of, stands = np.empty(nodes, np.int32), np.empty(nodes, np.int32)
    count = 0
    for node in range(nodes - 1, leaves - 1, -1):
        item_of[node] = count
        stands[count] = node
        count += 1
    everyone = np.ones(nodes, np.uint8)
    size = 16
    while size < 2 * leaves:
        size *= 2
    table = np.full(size, -1, np.int32)
    for node in range(leaves):
        if apart[node]:
            item_of[node] = count
            stands[count] = node
            count += 1
            continue
        hashed = (_HASH_SEED ^ np.uint64(policy[node])) * _HASH_PRIME
        for edge in range(provider_start[node], provider_start[node + 1]):
            hashed = (hashed ^ np.uint64(provider[edge])) * _HASH_PRIME
        for edge in range(peer_start[node], peer_start[node + 1]):
            if rising[peer[edge]]:
                hashed = (hashed ^ np.uint64(peer[edge] + nodes)) * _HASH_PRIME
        slot = np.int64((hashed ^ (hashed >> np.uint64(29))) & np.uint64(size - 1))
        while True:
            other = table[slot]
            if other < 0:
                table[slot] = node
                item_of[node] = count
                stands[count] = node
                count += 1
                break
            if (
                policy[other] == policy[node]
                and _same_row(node, other, provider_start, provider, everyone)
                and _same_row(node, other, peer_start, peer, rising)
            ):
                item_of[node] = item_of[other]
                break
            slot = (slot + 1) & (size - 1)
    return item_of, stands[:count].copy()


@njit(cache=True, boundscheck=False)
def item_rows(
    provider_start: NDArray[np.int32],
    provider: NDArray[np.int32],
    peer_start: NDArray[np.int32],
    peer: NDArray[np.int32],
    rising: NDArray[np.uint8],
    place: NDArray[np.int32],
    stands: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Give the rows of providers (as items) and of rising peers (as places in the cone) of each item."""
    nodes, count = provider_start.shape[0] - 1, stands.shape[0]
    above_start, beside_start = np.zeros(count + 1, np.int32), np.zeros(count + 1, np.int32)
    for item in range(count):
        node = stands[item]
        rising_peers = 0
        for edge in range(peer_start[node], peer_start[node + 1]):
            rising_peers += rising[peer[edge]]
        beside_start[item + 1] = beside_start[item] + rising_peers
        above_start[item + 1] = above_start[item] + provider_start[node + 1] - provider_start[node]
    above, beside = np.empty(above_start[count], np.int32), np.empty(beside_start[count], np.int32)
    for item in range(count):
        node, at = stands[item], above_start[item]
        for edge in range(provider_start[node], provider_start[node + 1]):
            above[at] = nodes - 1 - provider[edge]
            at += 1
        at = beside_start[item]
        for edge in range(peer_start[node], peer_start[node + 1]):
            if rising[peer[edge]]:
                beside[at] = place[peer[edge]]
                at += 1
    return above_start, above, beside_start, beside
