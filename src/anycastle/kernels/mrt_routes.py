"""The routes of an archive, in bulk: octets of whole MRT records to columns, a row for each route.

Theory of operation. One pass over the octets finds the records, and in them the prefixes; of path attributes it looks
only at the heads, to find the routes that MP_REACH_NLRI and MP_UNREACH_NLRI hold. A row keeps where its attributes are,
so that they can be read later for the rows that somebody asks for (`mrt_attributes`). Peers become small numbers. A
record that cannot be read leaves no row, but its place in the list of damage.

The functions are plain Python on things that can be indexed: `native` compiles them, with pointers; tests run them as
they are, with bounds checked. So all arithmetic is of 64 bits with a sign, and stays below them where it multiplies.
There is no bounds check in the compiled form: every read is preceded by a comparison with the end of what it reads.

Rows of one record stand in the order: withdrawn, withdrawn in MP_UNREACH_NLRI, announced, announced in MP_REACH_NLRI.
An UPDATE is read as it was sent, whatever RFC 7606 makes a router do about faults in its attributes.
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

_WELL_KNOWN: Final = sum(1 << code for code in (*range(1, 11), *range(14, 19), 32, 35))
"""Attribute codes of `wire.bgp.table`: one that is not among them and not optional cannot be passed over."""


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


def read_update(
    octets: Any, at: int, end: int, size: int, columns: Any, row: int, time_us: int, peer: int, form: int
) -> int:
    """Write the rows of an UPDATE's body; give the next row, or -1 where its routes cannot be told."""
    if at + 4 > end:
        return -1
    add_path = form & ADD_PATH
    withdrawn_end = at + 2 + u16(octets, at)
    if withdrawn_end + 2 > end:
        return -1
    attributes_end = withdrawn_end + 2 + u16(octets, withdrawn_end)
    if attributes_end > end:
        return -1
    row = read_routes(
        octets, at + 2, withdrawn_end, size, columns, row, 1, add_path, time_us, peer, 0, WITHDRAW, form
    )  # fmt: skip
    if row < 0:
        return -1
    reach = 0
    reach_length = 0
    unreach = 0
    unreach_length = 0
    cut = 0
    place = withdrawn_end + 2
    while place < attributes_end:
        if place + 3 > attributes_end:
            cut = 1
            break
        flags = octet(octets, place)
        code = octet(octets, place + 1)
        if flags & 0x10:
            if place + 4 > attributes_end:
                cut = 1
                break
            length = u16(octets, place + 2)
            place += 4
        else:
            length = octet(octets, place + 2)
            place += 3
        if place + length > attributes_end:
            cut = 1
            break
        if code == 14:
            if reach:
                return -1
            reach = place
            reach_length = length
        elif code == 15:
            if unreach:
                return -1
            unreach = place
            unreach_length = length
        elif not flags & 0x80 and (code > 35 or not (_WELL_KNOWN >> code) & 1):
            return -1
        place += length
    if cut and attributes_end == end and not reach:
        return -1
    if unreach:
        row = read_unreach(octets, unreach, unreach_length, size, columns, row, time_us, peer, form)
        if row < 0:
            return -1
    row = read_routes(
        octets, attributes_end, end, size, columns, row, 1, add_path, time_us, peer, withdrawn_end, ANNOUNCE, form
    )  # fmt: skip
    if row >= 0 and reach:
        row = read_reach(octets, reach, reach_length, size, columns, row, time_us, peer, withdrawn_end, form)
    return row


def read_unreach(
    octets: Any, at: int, length: int, size: int, columns: Any, row: int, time_us: int, peer: int, form: int
) -> int:
    """Write the rows of MP_UNREACH_NLRI; give the next row, or -1."""
    if length < 3:
        return -1
    afi = u16(octets, at)
    safi = octet(octets, at + 2)
    if not 1 <= afi <= 2 or not 1 <= safi <= 2:
        return row
    form |= MULTIPROTOCOL | (MULTICAST if safi == 2 else 0)
    add_path = form & ADD_PATH
    return read_routes(
        octets, at + 3, at + length, size, columns, row, afi, add_path, time_us, peer, 0, WITHDRAW, form
    )  # fmt: skip


def read_reach(
    octets: Any, at: int, length: int, size: int, columns: Any, row: int, time_us: int, peer: int, attributes: int,
    form: int,
) -> int:  # fmt: skip
    """Write the rows of MP_REACH_NLRI; give the next row, or -1."""
    if length < 5:
        return -1
    afi = u16(octets, at)
    safi = octet(octets, at + 2)
    hop = octet(octets, at + 3)
    if 4 + hop >= length:
        return -1
    if not 1 <= afi <= 2 or not 1 <= safi <= 2:
        return row
    if hop != 16 and hop != 32 and (hop != 4 or afi != 1):
        return -1
    form |= MULTIPROTOCOL | (MULTICAST if safi == 2 else 0)
    add_path = form & ADD_PATH
    start = at + 5 + hop
    return read_routes(
        octets, start, at + length, size, columns, row, afi, add_path, time_us, peer, attributes, ANNOUNCE, form
    )  # fmt: skip


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


def read_bgp4mp(
    octets: Any, at: int, end: int, size: int, columns: Any, row: int, table: Any, state: Any, subtype: int,
    time_us: int, form: int,
) -> int:  # fmt: skip
    """Write the rows of a BGP4MP record; give the next row, or -1."""
    four = subtype in (4, 5, 7, 9, 11)
    width = 4 if four else 2
    is_state = subtype in (0, 5)
    if at + 2 * width > end:
        return -1
    asn = u32(octets, at) if four else u16(octets, at)
    at += 2 * width
    if four:
        form |= AS4
    if subtype >= 8:
        form |= ADD_PATH
    if subtype in (6, 7, 10, 11):
        form |= SENT
    if is_state and end - at == 4:
        peer = intern_peer(table, state, 1, 0, 0, asn)
        return write_state(columns, row, 1, time_us, peer, u16(octets, at), u16(octets, at + 2), form)
    if at + 4 > end:
        return -1
    afi = u16(octets, at + 2)
    high = 0
    low = 0
    if not is_state and afi == 0xFFFF and u16(octets, at) == 0xFFFF:
        afi = 1
        marker = 4  # Zebra left interface, family and addresses out: these are the marker's first octets
        at += 4
    elif afi == 1:
        marker = 0
        at += 4
        if at + 8 > end:
            return -1
        high = u32(octets, at) << 32
        at += 8
    elif afi == 2:
        marker = 0
        at += 4
        if at + 32 > end:
            return -1
        high = u64(octets, at)
        low = u64(octets, at + 8)
        at += 32
    else:
        return -1
    if is_state:
        if at + 4 > end:
            return -1
        peer = intern_peer(table, state, afi, high, low, asn)
        return write_state(columns, row, afi, time_us, peer, u16(octets, at), u16(octets, at + 2), form)
    for place in range(at, min(at + 16 - marker, end)):
        if octets[place] != 0xFF:
            return -1
    at -= marker
    if at + 19 > end:
        return -1
    length = u16(octets, at + 16)
    kind = octet(octets, at + 18)
    if length < 19 or at + length > end or not 1 <= kind <= 5:
        return -1
    state[MESSAGES] += 1
    peer = intern_peer(table, state, afi, high, low, asn)
    if kind != 2:
        return row
    return read_update(octets, at + 19, at + length, size, columns, row, time_us, peer, form)


def read_legacy(
    octets: Any, at: int, end: int, size: int, columns: Any, row: int, table: Any, state: Any, subtype: int,
    time_us: int,
) -> int:  # fmt: skip
    """Write the rows of a record of the deprecated BGP type; give the next row, or -1."""
    if at + (10 if subtype == 3 else 12) > end:
        return -1
    peer = intern_peer(table, state, 1, u32(octets, at + 2) << 32, 0, u16(octets, at))
    if subtype == 3:
        return write_state(columns, row, 1, time_us, peer, u16(octets, at + 6), u16(octets, at + 8), FROM_LEGACY)
    state[MESSAGES] += 1
    if subtype == 7:
        return row
    return read_update(octets, at + 12, end, size, columns, row, time_us, peer, FROM_LEGACY)


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


def decode_routes(
    octets: Any, start: int, size: int, times: Any, highs: Any, lows: Any, peers: Any, places: Any, identifiers: Any,
    kinds: Any, families: Any, lengths: Any, forms: Any, peer_highs: Any, peer_lows: Any, peer_asns: Any,
    peer_families: Any, slots: Any, index: Any, damage: Any, state: Any,
) -> int:  # fmt: skip
    """Read records from `start` as far as they are whole and there is room; give why it stopped (`AT_...`).

    `octets` uint8[size]; `times` int64 µs since 1970, `highs` and `lows` int64 bits of the prefix, left-aligned in 128;
    `peers`, `places` (of the attributes' length field, 0 for none), `identifiers` uint32; `kinds`, `families` (AFI),
    `lengths`, `forms` uint8: all [state[CAPACITY]]. `damage` int64[state[DAMAGED_MAX]] takes positions of records that
    cannot be read; those beyond are only counted. Rows start at 0 with each call; counts go on.
    """
    columns = (times, highs, lows, peers, places, identifiers, kinds, families, lengths, forms)
    table = (peer_highs, peer_lows, peer_asns, peer_families, slots)
    position = start
    row = 0
    stopped = AT_END
    while position + 12 <= size:
        length = u32(octets, position + 8)
        if length > RECORD_OCTETS_MAX:
            stopped = AT_OVERSIZED
            break
        at = position + 12
        end = at + length
        if end > size:
            break
        if row + min(length, RECORD_ROWS_MAX) > state[CAPACITY]:
            stopped = AT_ROWS
            break
        kind = u16(octets, position + 4)
        subtype = u16(octets, position + 6)
        time_us = u32(octets, position) * 1000000
        is_table = kind == 13 and subtype == 1
        if state[PEERS] + (min(length, RECORD_ROWS_MAX) if is_table else 1) > state[PEERS_MAX]:
            stopped = AT_PEERS
            break
        state[RECORDS] += 1
        after = row
        if kind == 16 and subtype <= 11 and subtype != 2 and subtype != 3:
            after = read_bgp4mp(octets, at, end, size, columns, row, table, state, subtype, time_us, 0)
        elif kind == 17 and length < 4:
            after = -1
        elif kind == 17 and subtype <= 11 and subtype != 2 and subtype != 3:
            time_us += u32(octets, at)
            after = read_bgp4mp(
                octets, at + 4, end, size, columns, row, table, state, subtype, time_us, EXTENDED_TIME
            )  # fmt: skip
        elif is_table:
            if read_peers(octets, at, end, table, index, state) < 0:
                after = -1
        elif kind == 13 and 2 <= subtype <= 12 and subtype != 7:
            after = read_rib(octets, at, end, columns, row, index, state, subtype, time_us)
        elif kind == 12 and 1 <= subtype <= 4:
            after = read_table_dump(octets, at, end, columns, row, table, state, subtype, time_us)
        elif kind == 5 and (subtype == 1 or subtype == 3 or subtype == 7):
            after = read_legacy(octets, at, end, size, columns, row, table, state, subtype, time_us)
        elif kind != 13 or subtype != 7:
            state[UNKNOWN] += 1
        if after < 0:
            if state[DAMAGED] < state[DAMAGED_MAX]:
                damage[state[DAMAGED]] = position
            state[DAMAGED] += 1
        else:
            for written in range(row, after):
                state[COUNTS + 2 * kinds[written] + families[written] - 1] += 1
            row = after
        position = end
    state[POSITION] = position
    state[ROWS] = row
    state[STOPPED] = stopped
    return stopped


INLINED: Final = (
    octet, u16, u32, leading, u64, masked_high, masked_low, read_routes, intern_peer, read_reach, read_unreach,
    read_update, write_state, read_bgp4mp, read_legacy, read_table_dump, read_peers, read_rib,
)  # fmt: skip
"""What `decode_routes` calls, callees first."""

SIGNATURE: Final = (
    "uint8", "value", "value", "int64", "int64", "int64", "uint32", "uint32", "uint32", "uint8", "uint8", "uint8",
    "uint8", "int64", "int64", "int64", "uint8", "uint32", "uint32", "int64", "int64",
)  # fmt: skip
"""Of `decode_routes`: `value` is an int64, everything else a pointer."""
