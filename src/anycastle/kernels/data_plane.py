"""Where packets end when hops forward by different routes: a more specific prefix that only some have.

Theory of operation. Packets follow the covering route hop by hop, until a hop has the specific one. A hop's answer is
thus its own, or that of its next hop, and the passes of propagation tell in which order the next hop's is known: a
customer's route leads down, so up through the cone; then, from the top down, a peer's leads to an AS with a customer's
route, a provider's to one that stands before.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from anycastle.kernels.lane_vectors import LANES
from anycastle.kernels.route_key import AS_PEER, NONE, RANK, RANK_SHIFT


@njit(cache=True, boundscheck=False)
def caught_on_the_way(
    specific: NDArray[np.unsignedinteger],
    key: NDArray[np.unsignedinteger],
    layout: NDArray[np.unsignedinteger],
    item_of_rank: NDArray[np.int32],
    climbing: NDArray[np.int32],
    weight: NDArray[np.float64],
    state: NDArray[np.uint8],
    caught: NDArray[np.float64],
) -> None:
    """Add up the weight of items whose packets meet an AS that has the specific route: `caught` float64[lane].

    `specific` [item, lane] is below its largest number where an AS has the specific route; `key` [item, lane] are
    routes to the covering prefix. `climbing` are the items of the cone, from its bottom. `state` uint8[item, lane] is
    scratch.
    """
    none, as_peer, rank_mask, rank_shift = layout[NONE], layout[AS_PEER], layout[RANK], layout[RANK_SHIFT]
    largest = specific[0, 0] | ~specific[0, 0]
    for item in range(key.shape[0]):
        for lane in range(LANES):
            state[item, lane] = specific[item, lane] != largest
    for item in climbing:
        for lane in range(LANES):
            if key[item, lane] < as_peer:
                below = item_of_rank[int((key[item, lane] >> rank_shift) & rank_mask)]
                state[item, lane] |= state[below, lane]
    for lane in range(LANES):
        caught[lane] = 0.0
    for item in range(key.shape[0]):
        for lane in range(LANES):
            if as_peer <= key[item, lane] < none:
                above = item_of_rank[int((key[item, lane] >> rank_shift) & rank_mask)]
                state[item, lane] |= state[above, lane]
        for lane in range(LANES):
            caught[lane] += weight[item] if state[item, lane] else 0.0
