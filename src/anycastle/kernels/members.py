"""Counting over the members of an ensemble: millions of (AS, member) cells, each looked at once.

A cell holds a place (a session group, or a PoP), a small number. Arrays are uint16[row, member], rows are ASes that
always choose alike, and weights are by row.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, boundscheck=False)
def rename(number: NDArray[np.unsignedinteger], name: NDArray[np.uint16], out: NDArray[np.uint16], first: int) -> None:
    """Give each lane's numbers their names: `name` uint16[lane, number], numbers beyond it have the last one.

    `number` is [row, lane]; lane 0 becomes column `first` of `out`.
    """
    last = name.shape[1] - 1
    for row in range(number.shape[0]):
        for lane in range(number.shape[1]):
            out[row, first + lane] = name[lane, min(number[row, lane], last)]


@njit(cache=True, boundscheck=False)
def settle(
    group: NDArray[np.uint16],
    old: NDArray[np.int32],
    region: NDArray[np.int8],
    best: NDArray[np.uint16],
    out: NDArray[np.uint16],
) -> None:
    """Put each row at the best group for its region: `best` uint16[member, region, group]; region -1 stays as it is.

    Row r of `out` is row `old[r]` of `group`.
    """
    groups = best.shape[2]
    for row in range(out.shape[0]):
        for member in range(out.shape[1]):
            found = group[old[row], member]
            if region[row] >= 0 and found < groups:
                found = best[member, region[row], found]
            out[row, member] = found


@njit(cache=True, boundscheck=False)
def look_up(cell: NDArray[np.uint16], table: NDArray[np.uint16], out: NDArray[np.uint16]) -> None:
    """Give `table` at each cell; cells beyond it are at its last place."""
    last = len(table) - 1
    for row in range(cell.shape[0]):
        for member in range(cell.shape[1]):
            out[row, member] = table[min(cell[row, member], last)]


@njit(cache=True, boundscheck=False)
def weigh(place: NDArray[np.uint16], weight: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Add up the weight at each place: `out` float64[member, place]; places beyond it are its last."""
    last = out.shape[1] - 1
    out[:] = 0.0
    for row in range(place.shape[0]):
        if weight[row] > 0:
            for member in range(place.shape[1]):
                out[member, min(place[row, member], last)] += weight[row]


@njit(cache=True, boundscheck=False)
def compare(
    one: NDArray[np.uint16],
    other: NDArray[np.uint16],
    weights: NDArray[np.float64],
    kept: NDArray[np.bool_],
    moved: NDArray[np.float64],
    flow: NDArray[np.float64],
) -> None:
    """Add up who differs. `weights` float64[kind, row]; `moved` float64[kind, 2, member]: all, and those whose places
    are both `kept`; `flow` float64[place, place]: the first kind's weight, over all members.
    """
    moved[:] = 0.0
    flow[:] = 0.0
    for row in range(one.shape[0]):
        for member in range(one.shape[1]):
            a, b = one[row, member], other[row, member]
            flow[a, b] += weights[0, row]
            if a != b:
                for kind in range(weights.shape[0]):
                    moved[kind, 0, member] += weights[kind, row]
                    if kept[a] and kept[b]:
                        moved[kind, 1, member] += weights[kind, row]


@njit(cache=True, boundscheck=False)
def likeliest(
    place: NDArray[np.uint16], best: NDArray[np.uint16], count: NDArray[np.int32], room: NDArray[np.int32]
) -> None:
    """Give each row's most frequent place (of several the lowest), and in how many members it is there.

    `room` int32[places] is worked in.
    """
    for row in range(place.shape[0]):
        room[:] = 0
        for member in range(place.shape[1]):
            room[place[row, member]] += 1
        found = 0
        for at in range(1, len(room)):
            if room[at] > room[found]:
                found = at
        best[row] = found
        count[row] = room[found]
