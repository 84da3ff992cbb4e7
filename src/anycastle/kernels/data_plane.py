"""Where packets end when hops forward by different routes: a more specific prefix that only some have."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from anycastle.kernels.lane_vectors import LANES

_UNKNOWN, _SAFE, _CAUGHT = 0, 1, 2


@njit(cache=True, boundscheck=False)
def caught_on_the_way(
    specific: NDArray[np.unsignedinteger],
    key: NDArray[np.unsignedinteger],
    layout: NDArray[np.unsignedinteger],
    item_of_rank: NDArray[np.int32],
    weight: NDArray[np.float64],
    caught: NDArray[np.float64],
) -> None:
    """Add up the weight of items whose packets meet an AS that has the specific route: `caught` float64[lane].

    `specific` [item, lane] is below its largest number where an AS has the specific route; `key` are routes to the
    covering prefix, followed hop by hop. Paths end at an item that has neither.
    """
    items, none, largest = key.shape[0], layout[4], specific[0, 0] | ~specific[0, 0]
    state = np.empty(items, np.uint8)
    trail = np.empty(items, np.int32)
    for lane in range(LANES):
        caught[lane] = 0.0
        for item in range(items):
            state[item] = _CAUGHT if specific[item, lane] != largest else _UNKNOWN
        for item in range(items):
            at, length = item, 0
            while state[at] == _UNKNOWN:
                state[at] = _SAFE  # stands if the path ends, or comes round
                trail[length] = at
                length += 1
                if key[at, lane] >= none:
                    break
                to = item_of_rank[int((key[at, lane] >> layout[8]) & layout[7])]
                if to < 0:
                    break
                at = to
            for step in range(length):
                state[trail[step]] = state[at]
            if state[item] == _CAUGHT:
                caught[lane] += weight[item]
