"""Who refuses what: the one rule by which every propagation kernel drops an offer.

Theory of operation. Two tables. *Faults*: a group's routes are at fault in the eyes of a policy (bits, such as ROV),
depending on whom they come from; an AS drops what is at fault in a policy that it has. *Refusals*: single rows (to,
from, group) for what is asked of single ASes: a poisoned ASN drops a group whoever offers it, a neighbour keeps a
group from one AS, an AS finds itself in the path. -1 stands for every from, every group. Rows are sorted by `to`.
`care` marks the nodes for which either can matter; for all others nothing is looked up.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

CARE_POLICY = 1
CARE_REFUSAL = 2
"""Bits of `care`: the node has a policy; it has rows of refusals."""


@njit(cache=True, inline="always")
def row_range(nodes: NDArray[np.int32], node: int) -> tuple[int, int]:
    """Give the rows of `node` in a sorted column."""
    low, high = 0, nodes.shape[0]
    while low < high:
        middle = (low + high) // 2
        if nodes[middle] < node:
            low = middle + 1
        else:
            high = middle
    end = low
    while end < nodes.shape[0] and nodes[end] == node:
        end += 1
    return low, end


@njit(cache=True)
def admits(
    to: int,
    source: int,
    group: int,
    kind: int,
    policy: NDArray[np.uint8],
    fault: NDArray[np.uint8],
    refusal_to: NDArray[np.int32],
    refusal_from: NDArray[np.int32],
    refusal_group: NDArray[np.int32],
) -> bool:
    """Tell whether node `to` takes a route of `group` from node `source`; `kind` is the class that it would have.

    `policy` uint8[node], `fault` uint8[class, group].
    """
    if policy[to] & fault[kind, group]:
        return False
    low, high = row_range(refusal_to, to)
    for row in range(low, high):
        if (refusal_from[row] == -1 or refusal_from[row] == source) and (
            refusal_group[row] == -1 or refusal_group[row] == group
        ):
            return False
    return True
