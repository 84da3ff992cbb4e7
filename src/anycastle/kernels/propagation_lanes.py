"""Valley-free propagation of 64 configurations at once over a collapsed graph.

Theory of operation. The passes are those of `kernels/propagation`, on the cone and the items of `kernels/collapse`.
Each step is done for 64 configurations, the *lanes*, side by side in memory, so that the work of finding a neighbour is
paid once and the rest is vector instructions. The cone's pass upwards pushes; every item then takes the least of its
own, its peers' and its providers' offers.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from anycastle.kernels.admission import row_range
from anycastle.kernels.lane_vectors import LANES, copy_row, fill_row, pass_on, read_groups, take_least
from anycastle.kernels.route_key import AS_PEER, AS_PROVIDER, GROUP, LENGTH_SHIFT, NONE, ZERO


class Cone(NamedTuple):
    """Where routes of customers can be (`kernels/collapse.cone`)."""

    member: NDArray[np.int32]
    rises: NDArray[np.uint8]
    start: NDArray[np.int32]
    above: NDArray[np.int32]


class Items(NamedTuple):
    """The rows of a result, and what each hears (`kernels/collapse.item_rows`)."""

    stands: NDArray[np.int32]
    place: NDArray[np.int32]
    """int32[node]: place in the cone, or -1."""
    transits: int
    above_start: NDArray[np.int32]
    above: NDArray[np.int32]
    beside_start: NDArray[np.int32]
    beside: NDArray[np.int32]


class Seeded(NamedTuple):
    """Seeds by place in the cone; `preferred_*` are sorted by place, the best of a place and lane last."""

    place: NDArray[np.int32]
    lane: NDArray[np.int32]
    key: NDArray[np.unsignedinteger]
    preferred_place: NDArray[np.int32]
    preferred_lane: NDArray[np.int32]
    preferred_key: NDArray[np.unsignedinteger]


class Refusing(NamedTuple):
    """Who drops what (`kernels/admission`), by lane. `care` is empty where nobody drops anything."""

    care: NDArray[np.uint8]
    policy: NDArray[np.uint8]
    fault: NDArray[np.uint8]
    """uint8[class, group, lane]."""
    to: NDArray[np.int32]
    source: NDArray[np.int32]
    group: NDArray[np.int32]
    lane: NDArray[np.int32]


class Room(NamedTuple):
    """Arrays to work in, of the layout's dtype: `risen` and `across` [cone, lane], `down` [transit, lane]."""

    risen: NDArray[np.unsignedinteger]
    across: NDArray[np.unsignedinteger]
    down: NDArray[np.unsignedinteger]


@njit(cache=True, boundscheck=False)
def _refuse(
    offer: NDArray[np.unsignedinteger],
    to: int,
    source: int,
    kind: int,
    layout: NDArray[np.unsignedinteger],
    rules: Refusing,
) -> None:
    """Take out of `offer` (a key a lane) what node `to` does not take from node `source`; see `kernels/admission`."""
    none, group_mask, has = layout[NONE], layout[GROUP], rules.policy[to]
    if has:
        for lane in range(LANES):
            if offer[lane] < none and rules.fault[kind, int(offer[lane] & group_mask), lane] & has:
                offer[lane] = none
    low, high = row_range(rules.to, to)
    for row in range(low, high):
        if rules.source[row] != -1 and rules.source[row] != source:
            continue
        first, last = (0, LANES) if rules.lane[row] < 0 else (rules.lane[row], rules.lane[row] + 1)
        for lane in range(first, last):
            if rules.group[row] == -1 or int(offer[lane] & group_mask) == rules.group[row]:
                offer[lane] = none


@njit(cache=True, boundscheck=False)
def _sow(seeds: Seeded, risen: NDArray[np.unsignedinteger], layout: NDArray[np.unsignedinteger]) -> None:
    """Put the seeds of all lanes into the cone."""
    for at in range(risen.shape[0]):
        for lane in range(LANES):
            risen[at, lane] = layout[NONE]
    for seed in range(seeds.place.shape[0]):
        at, lane = seeds.place[seed], seeds.lane[seed]
        if seeds.key[seed] < risen[at, lane]:
            risen[at, lane] = seeds.key[seed]


@njit(cache=True, boundscheck=False)
def _next_hop(hop: NDArray[np.unsignedinteger], next_hop: NDArray[np.unsignedinteger], node: int) -> None:
    """Fill `hop` (by lane) with a node's rank in its place in a key."""
    if next_hop.shape[1] > 1:
        copy_row(hop, next_hop, node)
    else:
        fill_row(hop, next_hop.ravel(), node)


@njit(cache=True, boundscheck=False)
def _climb(
    cone: Cone,
    seeds: Seeded,
    next_hop: NDArray[np.unsignedinteger],
    layout: NDArray[np.unsignedinteger],
    rules: Refusing,
    room: Room,
    longest: NDArray[np.unsignedinteger],
) -> None:
    """Pass routes up the cone, and note what peers are offered: fill `room.risen` and `room.across`."""
    risen, preferred = room.risen, 0
    told, hop, offer = np.empty_like(risen[:1]), np.empty_like(risen[0]), np.empty_like(risen[0])
    for at in range(cone.member.shape[0]):
        node = cone.member[at]
        while preferred < seeds.preferred_place.shape[0] and seeds.preferred_place[preferred] == at:
            risen[at, seeds.preferred_lane[preferred]] = seeds.preferred_key[preferred]
            preferred += 1
        if not cone.rises[at]:
            continue
        _next_hop(hop, next_hop, node)
        copy_row(offer, risen, at)
        pass_on(offer, hop, layout, AS_PEER, AS_PEER, room.across, at, longest)
        pass_on(offer, hop, layout, AS_PEER, ZERO, told, 0, longest)
        for edge in range(cone.start[at], cone.start[at + 1]):
            to = cone.above[edge]
            copy_row(offer, told, 0)
            if rules.care.shape[0] > 0 and rules.care[cone.member[to]]:
                _refuse(offer, cone.member[to], node, 0, layout, rules)
            for lane in range(LANES):
                risen[to, lane] = min(risen[to, lane], offer[lane])


@njit(cache=True, boundscheck=False)
def _hear_with_care(
    item: int,
    items: Items,
    cone: Cone,
    layout: NDArray[np.unsignedinteger],
    rules: Refusing,
    room: Room,
    best: NDArray[np.unsignedinteger],
) -> None:
    """Let an item that refuses some offers hear the others: `best` becomes the least."""
    node, offer = items.stands[item], np.empty_like(best)
    for edge in range(items.beside_start[item], items.beside_start[item + 1]):
        copy_row(offer, room.across, items.beside[edge])
        _refuse(offer, node, cone.member[items.beside[edge]], 1, layout, rules)
        for lane in range(LANES):
            best[lane] = min(best[lane], offer[lane])
    for edge in range(items.above_start[item], items.above_start[item + 1]):
        copy_row(offer, room.down, items.above[edge])
        _refuse(offer, node, items.stands[items.above[edge]], 2, layout, rules)
        for lane in range(LANES):
            best[lane] = min(best[lane], offer[lane])


@njit(cache=True, boundscheck=False)
def propagate_lanes(
    cone: Cone,
    items: Items,
    seeds: Seeded,
    next_hop: NDArray[np.unsignedinteger],
    layout: NDArray[np.unsignedinteger],
    rules: Refusing,
    room: Room,
    key: NDArray[np.unsignedinteger],
    group: NDArray[np.unsignedinteger],
) -> int:
    """Fill `group` ([item, lane], the largest number where there is no route), and `key` unless it is empty; give the
    longest length passed on.

    `next_hop` is [node, 1] or, for an order of neighbours of its own in each lane, [node, lane].
    """
    careful, keyed = rules.care.shape[0] > 0, key.shape[0] > 0
    best, hop = np.empty_like(room.down[0]), np.empty_like(room.down[0])
    longest = np.zeros_like(room.down[0])
    _sow(seeds, room.risen, layout)
    _climb(cone, seeds, next_hop, layout, rules, room, longest)
    for item in range(items.stands.shape[0]):
        node = items.stands[item]
        if items.place[node] >= 0:
            copy_row(best, room.risen, items.place[node])
        else:
            fill_row(best, layout, NONE)
        if careful and rules.care[node]:
            _hear_with_care(item, items, cone, layout, rules, room, best)
        else:
            take_least(best, room.across, items.beside, items.beside_start[item], items.beside_start[item + 1])
            take_least(best, room.down, items.above, items.above_start[item], items.above_start[item + 1])
        read_groups(best, layout, group, item)
        if keyed:
            for lane in range(LANES):
                key[item, lane] = best[lane]
        if item < items.transits:
            _next_hop(hop, next_hop, node)
            pass_on(best, hop, layout, NONE, AS_PROVIDER, room.down, item, longest)
    return int(longest.max() >> layout[LENGTH_SHIFT])


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
