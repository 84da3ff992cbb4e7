"""Valley-free propagation of 64 configurations at once over a collapsed graph.

Theory of operation. The passes are those of `kernels/propagation`, on the cone and the items of `kernels/collapse`.
Each step is done for 64 configurations, the *lanes*, side by side in memory, so that the work of finding a neighbour is
paid once and the rest is vector instructions. The cone's pass upwards pushes; every item then takes the least of its
own, its peers' and its providers' offers.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from anycastle.kernels.admission import row_range
from anycastle.kernels.lane_vectors import LANES, copy_row, fill_row, pass_on, read_groups, take_least
from anycastle.kernels.route_key import AS_PEER, AS_PROVIDER, GROUP, LENGTH_SHIFT, NONE, ZERO


@njit(cache=True, boundscheck=False)
def _refuse(
    offer: NDArray[np.unsignedinteger],
    to: int,
    source: int,
    kind: int,
    layout: NDArray[np.unsignedinteger],
    policy: NDArray[np.uint8],
    fault: NDArray[np.uint8],
    refusal_to: NDArray[np.int32],
    refusal_from: NDArray[np.int32],
    refusal_group: NDArray[np.int32],
    refusal_lane: NDArray[np.int32],
) -> None:
    """Take out of `offer` (a key a lane) what node `to` does not take from node `source`; see `kernels/admission`."""
    none, group_mask, has = layout[NONE], layout[GROUP], policy[to]
    if has:
        for lane in range(LANES):
            if offer[lane] < none and fault[kind, int(offer[lane] & group_mask), lane] & has:
                offer[lane] = none
    low, high = row_range(refusal_to, to)
    for row in range(low, high):
        if refusal_from[row] != -1 and refusal_from[row] != source:
            continue
        first, last = (0, LANES) if refusal_lane[row] < 0 else (refusal_lane[row], refusal_lane[row] + 1)
        for lane in range(first, last):
            if refusal_group[row] == -1 or int(offer[lane] & group_mask) == refusal_group[row]:
                offer[lane] = none


@njit(cache=True, boundscheck=False)
def propagate_lanes(
    member: NDArray[np.int32],
    rises: NDArray[np.uint8],
    cone_start: NDArray[np.int32],
    cone_above: NDArray[np.int32],
    stands: NDArray[np.int32],
    place: NDArray[np.int32],
    transits: int,
    above_start: NDArray[np.int32],
    above: NDArray[np.int32],
    beside_start: NDArray[np.int32],
    beside: NDArray[np.int32],
    next_hop: NDArray[np.unsignedinteger],
    layout: NDArray[np.unsignedinteger],
    seed_place: NDArray[np.int32],
    seed_lane: NDArray[np.int32],
    seed_key: NDArray[np.unsignedinteger],
    preferred_place: NDArray[np.int32],
    preferred_lane: NDArray[np.int32],
    preferred_key: NDArray[np.unsignedinteger],
    care: NDArray[np.uint8],
    policy: NDArray[np.uint8],
    fault: NDArray[np.uint8],
    refusal_to: NDArray[np.int32],
    refusal_from: NDArray[np.int32],
    refusal_group: NDArray[np.int32],
    refusal_lane: NDArray[np.int32],
    risen: NDArray[np.unsignedinteger],
    across: NDArray[np.unsignedinteger],
    down: NDArray[np.unsignedinteger],
    key: NDArray[np.unsignedinteger],
    group: NDArray[np.unsignedinteger],
) -> int:
    """Fill `group` ([item, lane], the largest number where there is no route), and `key` unless it is empty; give the
    longest length passed on.

    `next_hop` is [node, 1] or, for an order of neighbours of its own in each lane, [node, lane]; `fault` is
    uint8[class, group, lane]. `preferred_*` are sorted by place, the best of a place and lane last. `risen`, `across`
    ([cone, lane]) and `down` ([transit, lane]) are scratch of the layout's dtype.
    """
    none = layout[NONE]
    careful, keyed, ordered = care.shape[0] > 0, key.shape[0] > 0, next_hop.shape[1] > 1
    best, offer, top = np.empty_like(risen[0]), np.empty_like(risen[0]), np.zeros_like(risen[0])
    first_hop = next_hop.ravel()
    hop, risen_offer = np.empty_like(risen[0]), np.empty_like(risen[:1])
    for at in range(member.shape[0]):
        for lane in range(LANES):
            risen[at, lane] = none
    for seed in range(seed_place.shape[0]):
        at, lane = seed_place[seed], seed_lane[seed]
        if seed_key[seed] < risen[at, lane]:
            risen[at, lane] = seed_key[seed]
    preferred = 0
    for at in range(member.shape[0]):
        node = member[at]
        while preferred < preferred_place.shape[0] and preferred_place[preferred] == at:
            risen[at, preferred_lane[preferred]] = preferred_key[preferred]
            preferred += 1
        if not rises[at]:
            continue
        if ordered:
            copy_row(hop, next_hop, node)
        else:
            fill_row(hop, first_hop, node)
        copy_row(offer, risen, at)
        pass_on(offer, hop, layout, AS_PEER, AS_PEER, across, at, top)
        pass_on(offer, hop, layout, AS_PEER, ZERO, risen_offer, 0, top)
        copy_row(best, risen_offer, 0)
        for edge in range(cone_start[at], cone_start[at + 1]):
            to = cone_above[edge]
            if careful and care[member[to]]:
                for lane in range(LANES):
                    offer[lane] = best[lane]
                _refuse(offer, member[to], node, 0, layout, policy, fault,
                        refusal_to, refusal_from, refusal_group, refusal_lane)  # fmt: skip
                for lane in range(LANES):
                    risen[to, lane] = min(risen[to, lane], offer[lane])
                continue
            for lane in range(LANES):
                risen[to, lane] = min(risen[to, lane], best[lane])
    for item in range(stands.shape[0]):
        node = stands[item]
        at = place[node]
        if at >= 0:
            copy_row(best, risen, at)
        else:
            fill_row(best, layout, NONE)
        if careful and care[node]:
            for edge in range(beside_start[item], beside_start[item + 1]):
                for lane in range(LANES):
                    offer[lane] = across[beside[edge], lane]
                _refuse(offer, node, member[beside[edge]], 1, layout, policy, fault,
                        refusal_to, refusal_from, refusal_group, refusal_lane)  # fmt: skip
                for lane in range(LANES):
                    best[lane] = min(best[lane], offer[lane])
            for edge in range(above_start[item], above_start[item + 1]):
                for lane in range(LANES):
                    offer[lane] = down[above[edge], lane]
                _refuse(offer, node, stands[above[edge]], 2, layout, policy, fault,
                        refusal_to, refusal_from, refusal_group, refusal_lane)  # fmt: skip
                for lane in range(LANES):
                    best[lane] = min(best[lane], offer[lane])
        else:
            take_least(best, across, beside, beside_start[item], beside_start[item + 1])
            take_least(best, down, above, above_start[item], above_start[item + 1])
        read_groups(best, layout, group, item)
        if keyed:
            for lane in range(LANES):
                key[item, lane] = best[lane]
        if item < transits:
            if ordered:
                copy_row(hop, next_hop, node)
            else:
                fill_row(hop, first_hop, node)
            pass_on(best, hop, layout, NONE, AS_PROVIDER, down, item, top)
    return int(top.max() >> layout[LENGTH_SHIFT])


@njit(cache=True, boundscheck=False)
def lane_stays(
    group: NDArray[np.unsignedinteger],
    pop_of_group: NDArray[np.uint16],
    before: NDArray[np.uint16],
    weight: NDArray[np.float64],
    stays: NDArray[np.float64],
) -> None:
    """Add up the weight that lands where it did: `stays` float64[lane].

    `before` is uint16[item], the PoP of each; `pop_of_group` has a PoP for every number that `group` can hold.
    """
    for lane in range(LANES):
        stays[lane] = 0.0
    for item in range(group.shape[0]):
        for lane in range(LANES):
            stays[lane] += weight[item] if pop_of_group[group[item, lane]] == before[item] else 0.0


@njit(cache=True, boundscheck=False)
def lane_shares(group: NDArray[np.unsignedinteger], weight: NDArray[np.float64], shares: NDArray[np.float64]) -> None:
    """Add up the weight that lands at each group: `shares` float64[group, lane], from `group` [item, lane]."""
    groups = shares.shape[0]
    for row in range(groups):
        for lane in range(LANES):
            shares[row, lane] = 0.0
    for item in range(group.shape[0]):
        for lane in range(LANES):
            if group[item, lane] < groups:
                shares[group[item, lane], lane] += weight[item]
