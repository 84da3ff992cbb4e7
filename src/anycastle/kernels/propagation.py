"""Valley-free propagation of one configuration over the whole graph.

Theory of operation. Nodes are in an order in which each provider stands after its customers (`twin.graph`). Three
passes give every AS the least key that it is offered, hence its route by Gao and Rexford's rules:

1. Up: from the lowest seed on, whoever has a route from a customer or of its own offers it to its providers.
2. Across: the same ASes offer it to their peers. A peer's route goes no further than down.
3. Down: from the top, whoever has no better class takes the best that its providers offer.

Each pass ends with final routes for its class, because what it reads was final before: so the result is the one stable
state. Seeds are routes put in by hand: an origin's own, or what a session brings to a neighbour.

Source: L. Gao, J. Rexford, Stable Internet Routing Without Global Coordination, 2001.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from anycastle.kernels.admission import admits
from anycastle.kernels.route_key import (
    AS_PEER,
    AS_PROVIDER,
    CLASS_SHIFT,
    GROUP,
    KEEP,
    LENGTH,
    LENGTH_SHIFT,
    NONE,
    ONE_LENGTH,
    RANK,
    RANK_SHIFT,
    ZERO,
)


@njit(cache=True, boundscheck=False)
def propagate_one(
    provider_start: NDArray[np.int32],
    provider: NDArray[np.int32],
    peer_start: NDArray[np.int32],
    peer: NDArray[np.int32],
    next_hop: NDArray[np.unsignedinteger],
    layout: NDArray[np.unsignedinteger],
    seed_node: NDArray[np.int32],
    seed_key: NDArray[np.unsignedinteger],
    preferred_node: NDArray[np.int32],
    preferred_key: NDArray[np.unsignedinteger],
    care: NDArray[np.uint8],
    policy: NDArray[np.uint8],
    fault: NDArray[np.uint8],
    refusal_to: NDArray[np.int32],
    refusal_from: NDArray[np.int32],
    refusal_group: NDArray[np.int32],
    leaves: int,
    first: NDArray[np.int32],
    second: NDArray[np.int32],
    key: NDArray[np.unsignedinteger],
    told: NDArray[np.unsignedinteger],
    reached: NDArray[np.int32],
) -> int:
    """Fill `key` (of the layout's dtype, [node]) with each node's route; give the longest length of any.

    `care` is uint8[node], or empty where nobody refuses. `preferred_*` are seeds that their node
    takes whatever else it is offered, sorted by node, the best of a node last. The first `leaves` nodes have no
    customers. `first` and `second` (int32[node]) are each node's first two providers; one that is not there is the
    number of nodes, or the first again. `told` ([node + 1], of the same dtype) and `reached` (int32[node]) are scratch.
    """
    nodes, careful, longest = key.shape[0], care.shape[0] > 0, layout[ZERO]
    one_length, keep, as_peer, as_provider, none = (
        layout[ONE_LENGTH],
        layout[KEEP],
        layout[AS_PEER],
        layout[AS_PROVIDER],
        layout[NONE],
    )
    length_mask, group_mask = layout[LENGTH], layout[GROUP]
    for node in range(nodes):
        key[node] = none
    lowest = nodes
    for seed in range(seed_node.shape[0]):
        node = seed_node[seed]
        key[node] = min(key[node], seed_key[seed])
        lowest = min(lowest, node)
    preferred, preferences = 0, preferred_node.shape[0]
    if preferences:
        lowest = min(lowest, preferred_node[0])
    count = 0
    for node in range(lowest, nodes):
        while preferred < preferences and preferred_node[preferred] == node:
            key[node] = preferred_key[preferred]
            preferred += 1
        if key[node] >= as_peer:
            continue
        reached[count] = node
        count += 1
        longest = max(longest, key[node] & length_mask)
        offer = ((key[node] & keep) + one_length) | next_hop[node]
        group = int(offer & group_mask)
        for edge in range(provider_start[node], provider_start[node + 1]):
            to = provider[edge]
            if careful and care[to] and not admits(
                to, node, group, 0, policy, fault, refusal_to, refusal_from, refusal_group
            ):  # fmt: skip
                continue
            if offer < key[to]:
                key[to] = offer
    for place in range(count):
        node = reached[place]
        offer = ((key[node] & keep) + one_length) | next_hop[node] | as_peer
        if not careful:
            for edge in range(peer_start[node], peer_start[node + 1]):
                key[peer[edge]] = min(key[peer[edge]], offer)  # without a branch: there is no telling which is less
            continue
        group = int(offer & group_mask)
        for edge in range(peer_start[node], peer_start[node + 1]):
            to = peer[edge]
            if care[to] and not admits(
                to, node, group, 1, policy, fault, refusal_to, refusal_from, refusal_group
            ):  # fmt: skip
                continue
            key[to] = min(key[to], offer)
    told[nodes] = none
    for node in range(nodes - 1, -1, -1):
        best = key[node]
        if best >= as_provider:
            start, end = provider_start[node], provider_start[node + 1]
            if not careful or care[node] == 0:
                # most have one provider or two; a loop of so few turns is slow, for nobody can guess its end
                best = min(best, told[first[node]], told[second[node]])
                for edge in range(start + 2, end):
                    best = min(best, told[provider[edge]])
            else:
                for edge in range(start, end):
                    offer = told[provider[edge]]
                    if admits(
                        node, provider[edge], int(offer & group_mask), 2,
                        policy, fault, refusal_to, refusal_from, refusal_group,
                    ):  # fmt: skip
                        best = min(best, offer)
            key[node] = best
        longest = max(longest, best & length_mask)
        if node >= leaves:
            told[node] = ((best & keep) + one_length) | next_hop[node] | as_provider if best < none else none
    return int(longest >> layout[LENGTH_SHIFT])


@njit(cache=True, boundscheck=False)
def take_apart(
    key: NDArray[np.unsignedinteger],
    layout: NDArray[np.unsignedinteger],
    asn_of_rank: NDArray[np.uint32],
    class_: NDArray[np.uint8],
    length: NDArray[np.uint16],
    next_hop: NDArray[np.uint32],
    group: NDArray[np.uint16],
) -> None:
    """Take keys apart. Class: 0 none, 1 provider, 2 peer, 3 customer; without a route the rest is 0, group 65535."""
    for place in range(key.shape[0]):
        value = key[place]
        if value >= layout[NONE]:
            class_[place], length[place], next_hop[place], group[place] = 0, 0, 0, 65535
            continue
        class_[place] = 3 - np.int64(value >> layout[CLASS_SHIFT])
        length[place] = np.int64((value & layout[LENGTH]) >> layout[LENGTH_SHIFT])
        next_hop[place] = asn_of_rank[np.int64((value >> layout[RANK_SHIFT]) & layout[RANK])]
        group[place] = np.int64(value & layout[GROUP])
