"""Exact repair of all routes after session groups go, or come back.

Theory of operation. Only the difference is followed, in the order of the three passes, so the result equals a new
propagation. Gone: ASes that had the groups' routes choose anew among what is left. Come: offers spread from the new
seeds for as long as they are better. In both, a change can reach ASes that neither had nor get the groups: an AS whose
class improves may have a longer path, one whose class worsens a shorter one, and its customers compare again. So the
pass down looks at each changed AS's customers: whoever used it, or now finds it better, chooses anew.

When groups go, an AS that chooses anew never gains a class that it did not have: customers' and peers' offers only
become fewer. That spares most of the work. A neighbour that improves replaces its own older offer even where the new
one ties with it.
"""

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from anycastle.kernels.route_key import (
    AS_PEER,
    AS_PROVIDER,
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

KEPT: Final = 0
AFRESH: Final = 1
CHANGED: Final = 2
"""Marks of a node: as it was; to choose anew; has chosen."""


@njit(cache=True, boundscheck=False)
def _pull(
    node: int,
    start: NDArray[np.int32],
    target: NDArray[np.int32],
    key: NDArray[np.unsignedinteger],
    next_hop: NDArray[np.unsignedinteger],
    layout: NDArray[np.unsignedinteger],
    below: Any,
    bits: Any,
) -> Any:
    """Give the least that `node` is offered by its neighbours whose keys are less than `below`."""
    one_length, keep, best = layout[ONE_LENGTH], layout[KEEP], layout[NONE]
    for edge in range(start[node], start[node + 1]):
        source = target[edge]
        if key[source] < below:
            best = min(best, ((key[source] & keep) + one_length) | next_hop[source] | bits)
    return best


@njit(cache=True, boundscheck=False)
def _down(
    provider_start: NDArray[np.int32],
    provider: NDArray[np.int32],
    customer_start: NDArray[np.int32],
    customer: NDArray[np.int32],
    next_hop: NDArray[np.unsignedinteger],
    layout: NDArray[np.unsignedinteger],
    seed_node: NDArray[np.int32],
    seed_key: NDArray[np.unsignedinteger],
    fixed: NDArray[np.uint8],
    mark: NDArray[np.uint8],
    words: NDArray[np.uint64],
    before: NDArray[np.unsignedinteger],
    key: NDArray[np.unsignedinteger],
    changed: NDArray[np.int32],
) -> tuple[int, int]:
    """Let marked nodes without a better class choose among providers, and follow what changes to their customers.

    Give how many nodes `changed`, and the longest length that one of them now has.
    """
    one_length, keep, as_provider, none, length = (
        layout[ONE_LENGTH],
        layout[KEEP],
        layout[AS_PROVIDER],
        layout[NONE],
        layout[LENGTH],
    )
    hop_mask, count, longest = layout[RANK] << layout[RANK_SHIFT], 0, layout[ZERO]
    for word in range(words.shape[0] - 1, -1, -1):
        if words[word] == 0:
            continue
        for node in range(min(8 * word + 7, key.shape[0] - 1), 8 * word - 1, -1):
            if mark[node] == KEPT:
                continue
            if mark[node] == AFRESH and key[node] >= as_provider:
                best = _pull(node, provider_start, provider, key, next_hop, layout, none, as_provider)
                if fixed[node] & 2:
                    for seed in range(seed_node.shape[0]):
                        if seed_node[seed] == node:
                            best = min(best, seed_key[seed])
                key[node] = best
            mine = key[node]
            if mine == before[node]:
                continue
            changed[count] = node
            count += 1
            longest = max(longest, mine & length)
            offer = ((mine & keep) + one_length) | next_hop[node] | as_provider if mine < none else none
            for edge in range(customer_start[node], customer_start[node + 1]):
                to = customer[edge]
                if mark[to] == KEPT and key[to] >= as_provider and not fixed[to] & 1:
                    used = key[to] < none and (key[to] & hop_mask) == next_hop[node]
                    if used or offer < key[to]:
                        mark[to] = AFRESH
                        before[to] = key[to]
    return count, int(longest >> layout[LENGTH_SHIFT])


@njit(cache=True, boundscheck=False)
def _mark_group(
    group: Any, layout: NDArray[np.unsignedinteger], key: NDArray[np.unsignedinteger], mark: NDArray[np.uint8]
) -> None:
    """Mark the nodes whose route is the group's."""
    none, group_mask = layout[NONE], layout[GROUP]
    for node in range(key.shape[0]):
        mark[node] |= (key[node] < none) & ((key[node] & group_mask) == group)


@njit(cache=True, boundscheck=False)
def withdraw(
    provider_start: NDArray[np.int32],
    provider: NDArray[np.int32],
    customer_start: NDArray[np.int32],
    customer: NDArray[np.int32],
    peer_start: NDArray[np.int32],
    peer: NDArray[np.int32],
    next_hop: NDArray[np.unsignedinteger],
    layout: NDArray[np.unsignedinteger],
    gone: NDArray[np.unsignedinteger],
    seed_node: NDArray[np.int32],
    seed_key: NDArray[np.unsignedinteger],
    fixed: NDArray[np.uint8],
    mark: NDArray[np.uint8],
    words: NDArray[np.uint64],
    before: NDArray[np.unsignedinteger],
    key: NDArray[np.unsignedinteger],
    changed: NDArray[np.int32],
) -> tuple[int, int]:
    """Take the groups `gone` out of `key`; give how many nodes `changed`, and the longest length that one now has.

    `seed_*` are the seeds that remain, but for origins'. `fixed` is uint8[node]: 1 where the route is never given up
    (an origin that stays, a node that hears nothing), 2 where seeds are. `mark` is uint8[node], to a multiple of 8, and
    `words` the same octets as uint64. `before` ([node]) tells afterwards what the changed nodes had.
    """
    as_peer, as_provider, none = layout[AS_PEER], layout[AS_PROVIDER], layout[NONE]
    words[:] = 0
    for each in range(gone.shape[0]):
        _mark_group(gone[each], layout, key, mark)
    count = 0
    for word in range(words.shape[0]):
        if words[word] == 0:
            continue
        for node in range(8 * word, min(8 * word + 8, key.shape[0])):
            if mark[node]:
                before[node] = key[node]
                key[node] = none
                changed[count] = node
                count += 1
    for seed in range(seed_node.shape[0]):
        if mark[seed_node[seed]]:
            key[seed_node[seed]] = min(key[seed_node[seed]], seed_key[seed])
    for place in range(count):
        node = changed[place]
        if before[node] < as_peer:
            found = _pull(node, customer_start, customer, key, next_hop, layout, as_peer, layout[ZERO])
            key[node] = min(key[node], found)
    for place in range(count):
        node = changed[place]
        if before[node] < as_provider and key[node] >= as_peer:
            key[node] = min(key[node], _pull(node, peer_start, peer, key, next_hop, layout, as_peer, as_peer))
    return _down(provider_start, provider, customer_start, customer, next_hop, layout, seed_node, seed_key, fixed, mark,
                 words, before, key, changed)  # fmt: skip


@njit(cache=True, boundscheck=False)
def _tell(
    node: int,
    start: NDArray[np.int32],
    target: NDArray[np.int32],
    next_hop: NDArray[np.unsignedinteger],
    layout: NDArray[np.unsignedinteger],
    bits: Any,
    fixed: NDArray[np.uint8],
    mark: NDArray[np.uint8],
    before: NDArray[np.unsignedinteger],
    key: NDArray[np.unsignedinteger],
) -> None:
    """Offer the customer's route of `node` to its neighbours of one kind."""
    offer = ((key[node] & layout[KEEP]) + layout[ONE_LENGTH]) | next_hop[node] | bits
    above_hop = ~((layout[RANK] << layout[RANK_SHIFT]) | layout[LENGTH] | layout[GROUP])  # the class bits
    hop_mask = layout[RANK] << layout[RANK_SHIFT]
    for edge in range(start[node], start[node + 1]):
        to = target[edge]
        if fixed[to] & 1:
            continue
        mine = key[to]
        used = (mine & hop_mask) == next_hop[node] and (mine & above_hop) == (offer & above_hop)
        if offer < mine or (used and offer != mine):
            if mark[to] == KEPT:
                before[to] = mine
                mark[to] = CHANGED
            key[to] = offer


@njit(cache=True, boundscheck=False)
def announce(
    provider_start: NDArray[np.int32],
    provider: NDArray[np.int32],
    customer_start: NDArray[np.int32],
    customer: NDArray[np.int32],
    peer_start: NDArray[np.int32],
    peer: NDArray[np.int32],
    next_hop: NDArray[np.unsignedinteger],
    layout: NDArray[np.unsignedinteger],
    new_node: NDArray[np.int32],
    new_key: NDArray[np.unsignedinteger],
    origin_node: NDArray[np.int32],
    origin_key: NDArray[np.unsignedinteger],
    seed_node: NDArray[np.int32],
    seed_key: NDArray[np.unsignedinteger],
    fixed: NDArray[np.uint8],
    mark: NDArray[np.uint8],
    words: NDArray[np.uint64],
    before: NDArray[np.unsignedinteger],
    key: NDArray[np.unsignedinteger],
    changed: NDArray[np.int32],
) -> tuple[int, int]:
    """Bring new seeds into `key`; `origin_*` replace what the node had. The rest is as for `withdraw`.

    `fixed` holds the new origins already; `seed_*` are all seeds, the new ones included.
    """
    as_peer, as_provider, nodes = layout[AS_PEER], layout[AS_PROVIDER], key.shape[0]
    words[:] = 0
    lowest = nodes
    for seed in range(new_node.shape[0]):
        node = new_node[seed]
        if new_key[seed] < key[node] and not fixed[node] & 1:
            if mark[node] == KEPT:
                before[node] = key[node]
                # A provider's route is held against what other providers come to offer.
                mark[node] = AFRESH if new_key[seed] >= as_provider else CHANGED
            key[node] = new_key[seed]
            lowest = min(lowest, node)
    for seed in range(origin_node.shape[0]):
        node = origin_node[seed]
        if mark[node] == KEPT:
            before[node] = key[node]
        mark[node] = CHANGED
        key[node] = origin_key[seed]
        lowest = min(lowest, node)
    count = 0
    for word in range(lowest // 8, words.shape[0]):
        if words[word] == 0:
            continue
        for node in range(8 * word, min(8 * word + 8, nodes)):
            if mark[node] and key[node] < as_peer:
                changed[count] = node
                count += 1
                _tell(node, provider_start, provider, next_hop, layout, layout[ZERO], fixed, mark, before, key)
    for place in range(count):
        _tell(changed[place], peer_start, peer, next_hop, layout, as_peer, fixed, mark, before, key)
    return _down(provider_start, provider, customer_start, customer, next_hop, layout, seed_node, seed_key, fixed, mark,
                 words, before, key, changed)  # fmt: skip
