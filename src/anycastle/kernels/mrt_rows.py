"""What the kernels for routes share: the columns of a row, peers as numbers, octets as numbers, and prefixes.

See `mrt_routes` for the theory of operation.
"""

from typing import Any, Final

ANNOUNCE, WITHDRAW, RIB_ROUTE, STATE_CHANGE = 0, 1, 2, 3
"""Values of the column `kind`."""

AS4, EXTENDED_TIME, ADD_PATH, MULTIPROTOCOL, MULTICAST, SENT = 1, 2, 4, 8, 16, 32
"""Bits of the column `form`: four-octet ASNs in the attributes, microseconds, path identifiers, the route stands in a
multiprotocol attribute, its SAFI is 2, and the collector itself sent it."""

FROM_TABLE_DUMP, FROM_TABLE_DUMP_V2, FROM_LEGACY = 64, 128, 192
"""Upper two bits of `form`: the type of record; 0 is BGP4MP."""

(POSITION, ROWS, CAPACITY, PEERS, PEERS_MAX, SLOT_MASK, INDEXED, DAMAGED, DAMAGED_MAX, STOPPED, RECORDS, UNKNOWN,
 MESSAGES, PEER_TABLES, LAST_PEER, COUNTS) = range(16)  # fmt: skip
"""Places in `state`; from `COUNTS` on, rows by kind and family: `COUNTS + 2 * kind + afi - 1`."""
STATE_SIZE: Final = COUNTS + 8

AT_END, AT_ROWS, AT_PEERS, AT_OVERSIZED = 0, 1, 2, 3
"""Why the kernel stopped: the octets end (within a record), no room for rows, none for peers, a record too long."""

RECORD_ROWS_MAX: Final = 65536
"""Rows of one record at most: a RIB record counts entries in two octets, and no UPDATE is longer than 65535 octets."""

RECORD_OCTETS_MAX: Final = 16 * 1024 * 1024
"""As `RECORD_MAX` of `wire.mrt.record`."""


def octet(octets: Any, at: int) -> int:
    """Give one octet as a number of 64 bits: unsigned ones of eight become unsigned when they are shifted."""
    return octets[at] + 0


def u16(octets: Any, at: int) -> int:
    """Give two octets as a number."""
    return (octet(octets, at) << 8) | octet(octets, at + 1)


def u32(octets: Any, at: int) -> int:
    """Give four octets as a number."""
    return (u16(octets, at) << 16) | u16(octets, at + 2)


def leading(octets: Any, at: int, count: int) -> int:
    """Give up to eight octets, left-aligned in 64 bits."""
    value = 0
    for place in range(count):
        value |= octet(octets, at + place) << (56 - 8 * place)
    return value


def u64(octets: Any, at: int) -> int:
    """Give eight octets as 64 bits."""
    return (u32(octets, at) << 32) | u32(octets, at + 4)


def masked_high(high: int, length: int) -> int:
    """Clear what lies beyond a length in the first 64 bits."""
    if length >= 64:
        return high
    if length == 0:
        return 0
    return high & (-1 << (64 - length))


def masked_low(low: int, length: int) -> int:
    """Clear what lies beyond a length in the last 64 bits."""
    if length >= 128:
        return low
    if length <= 64:
        return 0
    return low & (-1 << (128 - length))


def read_routes(
    octets: Any, at: int, end: int, size: int, columns: Any, row: int, afi: int, add_path: int, time_us: int,
    peer: int, attributes: int, kind: int, form: int,
) -> int:  # fmt: skip
    """Write a row for each prefix from `at` to `end`; give the next row, or -1 where a prefix cannot be read."""
    times, highs, lows, peers, places, identifiers, kinds, families, lengths, forms = columns
    longest = 32 if afi == 1 else 128
    while at < end:
        identifier = 0
        if add_path:
            if at + 4 >= end:
                return -1
            identifier = u32(octets, at)
            at += 4
        length = octet(octets, at)
        at += 1
        count = (length + 7) >> 3
        if length > longest or at + count > end:
            return -1
        high = 0
        low = 0
        if afi == 1:
            if at + 4 <= size:
                high = (u32(octets, at) >> (32 - length)) << (32 - length) << 32
            else:
                high = masked_high(leading(octets, at, count), length)
        elif at + 16 <= size:
            high = masked_high(u64(octets, at), length)
            low = masked_low(u64(octets, at + 8), length)
        else:
            high = masked_high(leading(octets, at, min(count, 8)), length)
            if count > 8:
                low = masked_low(leading(octets, at + 8, count - 8), length)
        at += count
        times[row] = time_us
        highs[row] = high
        lows[row] = low
        peers[row] = peer
        places[row] = attributes
        identifiers[row] = identifier
        kinds[row] = kind
        families[row] = afi
        lengths[row] = length
        forms[row] = form
        row += 1
    return row


def intern_peer(table: Any, state: Any, afi: int, high: int, low: int, asn: int) -> int:
    """Give the number of a peer, a new one for a new peer. `table` has room for it."""
    peer_highs, peer_lows, peer_asns, peer_families, slots = table
    last = state[LAST_PEER]
    if (
        last < state[PEERS]
        and peer_highs[last] == high
        and peer_lows[last] == low
        and peer_asns[last] == asn
        and peer_families[last] == afi
    ):
        return last
    mask = state[SLOT_MASK]
    slot = asn & 0x7FFFFFFF
    for word in (high >> 32, high, low >> 32, low):
        slot = (slot * 1000003 + (word & 0xFFFFFFFF)) & 0x7FFFFFFF
    slot = (slot ^ (slot >> 15)) & mask
    while True:
        number = slots[slot]
        if number == 0:
            peer = state[PEERS]
            peer_highs[peer] = high
            peer_lows[peer] = low
            peer_asns[peer] = asn
            peer_families[peer] = afi
            slots[slot] = peer + 1
            state[PEERS] = peer + 1
            state[LAST_PEER] = peer
            return peer
        peer = number - 1
        if (
            peer_highs[peer] == high
            and peer_lows[peer] == low
            and peer_asns[peer] == asn
            and peer_families[peer] == afi
        ):
            state[LAST_PEER] = peer
            return peer
        slot = (slot + 1) & mask


def write_state(columns: Any, row: int, afi: int, time_us: int, peer: int, old: int, new: int, form: int) -> int:
    """Write the row of a state change: the old state in `high`, the new one in `low`."""
    times, highs, lows, peers, places, identifiers, kinds, families, lengths, forms = columns
    times[row] = time_us
    highs[row] = old
    lows[row] = new
    peers[row] = peer
    places[row] = 0
    identifiers[row] = 0
    kinds[row] = STATE_CHANGE
    families[row] = afi
    lengths[row] = 0
    forms[row] = form
    return row + 1


INLINED: Final = (
    octet, u16, u32, leading, u64, masked_high, masked_low, read_routes, intern_peer, write_state,
)  # fmt: skip
"""Callees first."""
