"""AS relationship files in bulk: octets -> links, links -> ranks.

Theory of operation. A serial-1 or serial-2 file has one link a line, `a|b|relation` with an optional fourth field, and
comments after `#`. One pass over the octets reads all of them; a line that is none of these is noted by its number, and
the caller says what it was. The level of an AS is the length of the longest chain of customers below it, found by
taking away ASes without remaining customers (Kahn's algorithm); what remains stands in a circle of providers.

Source: the CAIDA AS relationships datasets, serial-1 and serial-2 (README of each).
"""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

PROVIDER_TO_CUSTOMER: Final = -1
PEER_TO_PEER: Final = 0
BAD_LINES_MAX: Final = 1000
"""Line numbers kept of lines that could not be read."""

_HASH, _BAR, _MINUS, _CR, _LF, _ZERO = 35, 124, 45, 13, 10, 48  # ASCII
_ASN_MAX = 0xFFFFFFFF


@njit(cache=True)
def _read_number(octets: NDArray[np.uint8], start: int, end: int) -> tuple[int, int]:
    """Give the number at `start` and where it ends; the end is `start` where no number is."""
    position, value = start, 0
    while position < end and position - start < 10:
        digit = int(octets[position]) - _ZERO
        if digit < 0 or digit > 9:
            break
        value = value * 10 + digit
        position += 1
    return value, position


@njit(cache=True)
def _read_line(octets: NDArray[np.uint8], start: int, end: int) -> tuple[int, int, int]:
    """Give the link of one line: two ASNs and the relation, or -2 where the line is none."""
    left, position = _read_number(octets, start, end)
    if position == start or position >= end or octets[position] != _BAR or left > _ASN_MAX:
        return 0, 0, -2
    begin = position + 1
    right, position = _read_number(octets, begin, end)
    if position == begin or position >= end or octets[position] != _BAR or right > _ASN_MAX or left == right:
        return 0, 0, -2
    begin = position + 1
    negative = begin < end and octets[begin] == _MINUS
    if negative:
        begin += 1
    value, position = _read_number(octets, begin, end)
    if position != begin + 1 or value != (1 if negative else 0):
        return 0, 0, -2
    if position < end and octets[position] != _BAR:
        return 0, 0, -2
    return left, right, -value


@njit(cache=True)
def parse_links(
    octets: NDArray[np.uint8], lines: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.int8], NDArray[np.int64], NDArray[np.int64], int]:
    """Give left and right ASN (uint32[link]), relation (int8[link]), line (int64[link], from 1), the numbers of bad
    lines (at most `BAD_LINES_MAX`) and how many there are. `lines` is a bound of the file's lines.
    """
    left, right = np.empty(lines, np.uint32), np.empty(lines, np.uint32)
    relation, line_of = np.empty(lines, np.int8), np.empty(lines, np.int64)
    bad = np.empty(BAD_LINES_MAX, np.int64)
    links, bads, line, position, size = 0, 0, 0, 0, octets.shape[0]
    while position < size:
        end = position
        while end < size and octets[end] != _LF:
            end += 1
        line += 1
        stop = end - 1 if end > position and octets[end - 1] == _CR else end
        if stop > position and octets[position] != _HASH:
            one, other, kind = _read_line(octets, position, stop)
            if kind == -2:
                if bads < BAD_LINES_MAX:
                    bad[bads] = line
                bads += 1
            else:
                left[links], right[links], relation[links], line_of[links] = one, other, kind, line
                links += 1
        position = end + 1
    return left[:links], right[:links], relation[:links], line_of[:links], bad[: min(bads, BAD_LINES_MAX)], bads


@njit(cache=True)
def levels(
    provider_start: NDArray[np.int32], provider: NDArray[np.int32], customers: NDArray[np.int64]
) -> tuple[NDArray[np.int32], int]:
    """Give the level of each AS (int32[as]; 0 has no customer) and how many ASes got one.

    Fewer than all: those with a level of -1 are in a circle of providers, or above one. `customers` is int64[as].
    """
    ases = provider_start.shape[0] - 1
    level, open_customers = np.zeros(ases, np.int32), customers.copy()
    queue, head, tail = np.empty(ases, np.int32), 0, 0
    for each in range(ases):
        if open_customers[each] == 0:
            queue[tail] = each
            tail += 1
    while head < tail:
        each = queue[head]
        head += 1
        for edge in range(provider_start[each], provider_start[each + 1]):
            above = provider[edge]
            level[above] = max(level[above], level[each] + 1)
            open_customers[above] -= 1
            if open_customers[above] == 0:
                queue[tail] = above
                tail += 1
    for each in range(ases):
        if open_customers[each] > 0:
            level[each] = -1
    return level, tail


@njit(cache=True)
def place(start: NDArray[np.int32], source: NDArray[np.int32], target: NDArray[np.int32]) -> NDArray[np.int32]:
    """Give `target` grouped by `source` (int32[edge]), a group in the order of the input; `start` counts them."""
    fill, out = start[:-1].copy(), np.empty(target.shape[0], np.int32)
    for edge in range(target.shape[0]):
        out[fill[source[edge]]] = target[edge]
        fill[source[edge]] += 1
    return out
