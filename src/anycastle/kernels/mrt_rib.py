"""Records of a RIB to rows: TABLE_DUMP, and TABLE_DUMP_V2 with its peer table (RFC 6396 §4.2, §4.3; RFC 8050 §4.1).

Part of `mrt_routes`, written as it is.
"""

from typing import Any, Final

from anycastle.kernels.mrt_rows import (
    ADD_PATH,
    AS4,
    FROM_TABLE_DUMP,
    FROM_TABLE_DUMP_V2,
    INDEXED,
    MULTICAST,
    PEER_TABLES,
    RIB_ROUTE,
    intern_peer,
    leading,
    masked_high,
    masked_low,
    octet,
    u16,
    u32,
    u64,
)


def read_table_dump(
    octets: Any, at: int, end: int, columns: Any, row: int, table: Any, state: Any, subtype: int, time_us: int
) -> int:
    """Write the row of a TABLE_DUMP record; give the next row, or -1."""
    times, highs, lows, peers, places, identifiers, kinds, families, lengths, forms = columns
    afi = 2 if subtype in (2, 4) else 1
    octets_of_address = 16 if afi == 2 else 4
    four = subtype >= 3
    place = at + 4 + 2 * octets_of_address + 6 + (4 if four else 2)
    if place + 2 > end or place + 2 + u16(octets, place) > end:
        return -1
    at += 4
    length = octet(octets, at + octets_of_address)
    if length > 8 * octets_of_address:
        return -1
    peer_at = at + octets_of_address + 6
    asn_at = peer_at + octets_of_address
    asn = u32(octets, asn_at) if four else u16(octets, asn_at)
    high = 0
    low = 0
    peer_high = 0
    peer_low = 0
    if afi == 1:
        high = masked_high(u32(octets, at) << 32, length)
        peer_high = u32(octets, peer_at) << 32
    else:
        high = masked_high(u64(octets, at), length)
        low = masked_low(u64(octets, at + 8), length)
        peer_high = u64(octets, peer_at)
        peer_low = u64(octets, peer_at + 8)
    times[row] = time_us
    highs[row] = high
    lows[row] = low
    peers[row] = intern_peer(table, state, afi, peer_high, peer_low, asn)
    places[row] = place
    identifiers[row] = 0
    kinds[row] = RIB_ROUTE
    families[row] = afi
    lengths[row] = length
    forms[row] = FROM_TABLE_DUMP | (AS4 if four else 0)
    return row + 1


def read_peers(octets: Any, at: int, end: int, table: Any, index: Any, state: Any) -> int:
    """Take the peers of a PEER_INDEX_TABLE; give 0, or -1 where it cannot be read."""
    if at + 6 > end:
        return -1
    at += 6 + u16(octets, at + 4)
    if at + 2 > end:
        return -1
    count = u16(octets, at)
    at += 2
    state[INDEXED] = 0
    for number in range(count):
        if at >= end:
            return -1
        kind = octet(octets, at)
        address = at + 5
        octets_of_address = 16 if kind & 1 else 4
        asn_at = address + octets_of_address
        at = asn_at + (4 if kind & 2 else 2)
        if at > end:
            return -1
        asn = u32(octets, asn_at) if kind & 2 else u16(octets, asn_at)
        high = 0
        low = 0
        if kind & 1:
            high = u64(octets, address)
            low = u64(octets, address + 8)
        else:
            high = u32(octets, address) << 32
        index[number] = intern_peer(table, state, 2 if kind & 1 else 1, high, low, asn)
    state[INDEXED] = count
    state[PEER_TABLES] += 1
    return 0


def read_rib(
    octets: Any, at: int, end: int, columns: Any, row: int, index: Any, state: Any, subtype: int, time_us: int
) -> int:
    """Write the rows of a RIB record; give the next row, or -1."""
    times, highs, lows, peers, places, identifiers, kinds, families, lengths, forms = columns
    add_path = subtype >= 8
    form = FROM_TABLE_DUMP_V2 | AS4 | (ADD_PATH if add_path else 0)
    at += 4
    if subtype in (6, 12):
        if at + 3 > end:
            return -1
        afi = u16(octets, at)
        safi = octet(octets, at + 2)
        at += 3
        if not 1 <= afi <= 2 or not 1 <= safi <= 2:
            return row
    else:
        afi = 2 if subtype in (4, 5, 10, 11) else 1
        safi = 2 if subtype in (3, 5, 9, 11) else 1
    if safi == 2:
        form |= MULTICAST
    if at + 1 > end:
        return -1
    length = octet(octets, at)
    at += 1
    count = (length + 7) >> 3
    if length > (32 if afi == 1 else 128) or at + count + 2 > end:
        return -1
    high = masked_high(leading(octets, at, min(count, 8)), length)
    low = 0
    if count > 8:
        low = masked_low(leading(octets, at + 8, count - 8), length)
    at += count
    entries = u16(octets, at)
    at += 2
    head = 10 if add_path else 6
    indexed = state[INDEXED]
    for _ in range(entries):
        place = at + head
        if place + 2 > end:
            return -1
        peer = u16(octets, at)
        if peer >= indexed:
            return -1
        times[row] = time_us
        highs[row] = high
        lows[row] = low
        peers[row] = index[peer]
        places[row] = place
        identifiers[row] = u32(octets, at + 6) if add_path else 0
        kinds[row] = RIB_ROUTE
        families[row] = afi
        lengths[row] = length
        forms[row] = form
        row += 1
        at = place + 2 + u16(octets, place)
        if at > end:
            return -1
    return row


INLINED: Final = (read_table_dump, read_peers, read_rib)
