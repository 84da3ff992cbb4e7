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

from anycastle.kernels import mrt_rib, mrt_rows
from anycastle.kernels.mrt_rib import read_peers, read_rib, read_table_dump
from anycastle.kernels.mrt_rows import (
    ADD_PATH,
    ANNOUNCE,
    AS4,
    AT_END,
    AT_OVERSIZED,
    AT_PEERS,
    AT_ROWS,
    CAPACITY,
    COUNTS,
    DAMAGED,
    DAMAGED_MAX,
    EXTENDED_TIME,
    FROM_LEGACY,
    MESSAGES,
    MULTICAST,
    MULTIPROTOCOL,
    PEERS,
    PEERS_MAX,
    POSITION,
    RECORD_OCTETS_MAX,
    RECORD_ROWS_MAX,
    RECORDS,
    ROWS,
    SENT,
    STOPPED,
    UNKNOWN,
    WITHDRAW,
    intern_peer,
    octet,
    read_routes,
    u16,
    u32,
    u64,
    write_state,
)

_WELL_KNOWN: Final = sum(1 << code for code in (*range(1, 11), *range(14, 19), 32, 35))
"""Attribute codes of `wire.bgp.table`: one that is not among them and not optional cannot be passed over."""


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
    *mrt_rows.INLINED, read_reach, read_unreach, read_update, read_bgp4mp, read_legacy, *mrt_rib.INLINED,
)  # fmt: skip
"""What `decode_routes` calls, callees first."""

SIGNATURE: Final = (
    "uint8", "value", "value", "int64", "int64", "int64", "uint32", "uint32", "uint32", "uint8", "uint8", "uint8",
    "uint8", "int64", "int64", "int64", "uint8", "uint32", "uint32", "int64", "int64",
)  # fmt: skip
"""Of `decode_routes`: `value` is an int64, everything else a pointer."""
