"""The path attributes of an archive's rows, in bulk: places that `mrt_routes` gave, to columns.

Theory of operation. AS paths and lists of communities repeat, so each different one is kept once, as octets, and a row
holds its number (0 for none). An AS path is kept as AS_PATH writes it with four-octet ASNs, whatever the session had:
AS4_PATH is merged as RFC 6793 §4.2.3 says. What is malformed is absent, and a flag says so; of an attribute that is
repeated the first counts (RFC 7606 §3 g).

Written as `mrt_routes` is: plain Python over things that can be indexed, compiled by `native`.
"""

from typing import Any, Final

from anycastle.kernels.mrt_rows import (
    ADD_PATH,
    AS4,
    FROM_LEGACY,
    FROM_TABLE_DUMP,
    FROM_TABLE_DUMP_V2,
    MULTIPROTOCOL,
    octet,
    u16,
    u32,
    u64,
)
from anycastle.kernels.native import copy_octets

NO_ORIGIN: Final = 255
ABSENT: Final = -1
"""Of MED and local preference."""

ATOMIC_AGGREGATE, AGGREGATOR, MALFORMED_PATH, MALFORMED = 1, 2, 4, 8
"""Bits of the column `flags`."""

(PATHS, LISTS) = (0, 6)
"""Two stores of octets, in `stores` from these places on: numbered things, their limit, octets, their limit, and the
mask of the slots."""
COUNT, COUNT_MAX, USED, USED_MAX, MASK = 0, 1, 2, 3, 4
STORES_SIZE: Final = 12

SCRATCH_SIZE: Final = 4 * 65536
"""Octets of a path while it is made: a field of 65535 octets, each ASN twice as long, and as much of AS4_PATH."""

LENGTHS: Final = 36
"""Attribute codes that are looked at are below it."""

FOUND_SIZE: Final = 2 * LENGTHS

AS_TRANS: Final = 23456  # RFC 6793 §9

FULL: Final = -1
"""In place of a number: there is no room in the store."""


def slot_hash(octets: Any, at: int, length: int) -> int:
    """Give a number of 31 bits for octets, equal for equal ones."""
    hashed = length
    end = at + length
    while at + 8 <= end:  # eight at a step: each waits for the multiplication before it
        hashed = (hashed * 1000003 + u32(octets, at) * 31 + u32(octets, at + 4)) & 0x7FFFFFFF
        at += 8
    if at + 4 <= end:
        hashed = (hashed * 1000003 + u32(octets, at)) & 0x7FFFFFFF
        at += 4
    while at < end:
        hashed = (hashed * 1000003 + octet(octets, at)) & 0x7FFFFFFF
        at += 1
    return hashed ^ (hashed >> 15)


def same_octets(octets: Any, at: int, others: Any, start: int, length: int) -> bool:
    """Tell whether octets are the same in two places."""
    step = 0
    while step + 8 <= length:
        if u64(octets, at + step) != u64(others, start + step):
            return False
        step += 8
    while step < length:
        if octets[at + step] != others[start + step]:
            return False
        step += 1
    return True


def intern(octets: Any, at: int, length: int, kept: Any, starts: Any, slots: Any, stores: Any, store: int) -> int:
    """Give the number of these octets, a new one for new octets; `FULL` when there is no room for them."""
    mask = stores[store + MASK]
    slot = slot_hash(octets, at, length) & mask
    while True:
        number = slots[slot] + 0
        if number == 0:
            break
        start = starts[number]
        if starts[number + 1] - start == length and same_octets(kept, start, octets, at, length):
            return number
        slot = (slot + 1) & mask
    number = stores[store + COUNT]
    start = stores[store + USED]
    if number >= stores[store + COUNT_MAX] or start + length > stores[store + USED_MAX]:
        return FULL
    copy_octets(kept, start, octets, at, length)
    starts[number] = start
    starts[number + 1] = start + length
    stores[store + COUNT] = number + 1
    stores[store + USED] = start + length
    slots[slot] = number
    return number


def check_path(octets: Any, at: int, length: int, width: int) -> int:
    """Give the length of a path as routes are compared (RFC 4271 §9.1.2.2 a), -1 where it is malformed."""
    end = at + length
    counted = 0
    while at < end:
        if at + 2 > end:
            return -1
        kind = octet(octets, at)
        asns = octet(octets, at + 1)
        at += 2 + asns * width
        if kind < 1 or kind > 4 or asns == 0 or at > end:
            return -1
        if kind == 2:
            counted += asns
        elif kind == 1:
            counted += 1
    return counted


def put_asn(scratch: Any, at: int, asn: int) -> int:
    """Write a four-octet ASN; give the next place."""
    scratch[at] = (asn >> 24) & 0xFF
    scratch[at + 1] = (asn >> 16) & 0xFF
    scratch[at + 2] = (asn >> 8) & 0xFF
    scratch[at + 3] = asn & 0xFF
    return at + 4


def merge_path(octets: Any, path: int, path_length: int, path_4: int, path_4_length: int, scratch: Any) -> int:
    """Write a two-octet path with four octets each, and what AS4_PATH restores of it; give the octets written.

    `path_4` is 0 where there is none. Both are well-formed.
    """
    excess = check_path(octets, path, path_length, 2)
    if path_4:
        excess -= check_path(octets, path_4, path_4_length, 4)
        if excess < 0:
            path_4 = 0
    at = path
    end = path + path_length
    written = 0
    last = -1
    while at < end:
        kind = octet(octets, at)
        asns = octet(octets, at + 1)
        taken = asns
        if path_4 and kind <= 2:
            if excess == 0:
                break
            if kind == 2:
                taken = min(asns, excess)
                excess -= taken
            else:
                excess -= 1
        last = written
        scratch[written] = kind
        scratch[written + 1] = taken
        written += 2
        for number in range(taken):
            written = put_asn(scratch, written, u16(octets, at + 2 + 2 * number))
        at += 2 + 2 * asns
        if taken < asns:
            break
    if path_4 and path_4_length:
        start = path_4
        if last >= 0 and octet(scratch, last) == 2 and octet(octets, path_4) == 2:
            both = octet(scratch, last + 1) + octet(octets, path_4 + 1)
            if both <= 255:
                scratch[last + 1] = both
                start += 2
        for place in range(start, path_4 + path_4_length):
            scratch[written] = octets[place]
            written += 1
    return written


def origin_of(kept: Any, start: int, end: int) -> int:
    """Give the ASN that a path ends in, 0 where it is empty or ends in a set."""
    origin = 0
    while start < end:
        kind = octet(kept, start)
        asns = octet(kept, start + 1)
        start += 2 + 4 * asns
        origin = u32(kept, start - 4) if kind == 2 else 0
    return origin


def find_attributes(octets: Any, place: int, found: Any) -> int:
    """Note where a block's values are: `found[code]`, 0 for none, and the length `LENGTHS` places further on.

    `place` is that of the block's length, 0 for no block. Give the flag of what is malformed.
    """
    for code in range(2 * LENGTHS):
        found[code] = 0
    if place == 0:
        return 0
    flags = 0
    at = place + 2
    end = at + u16(octets, place)
    while at < end:
        if at + 3 > end:
            return MALFORMED
        head = octet(octets, at)
        code = octet(octets, at + 1)
        if head & 0x10:
            if at + 4 > end:
                return MALFORMED
            length = u16(octets, at + 2)
            at += 4
        else:
            length = octet(octets, at + 2)
            at += 3
        if at + length > end:
            return MALFORMED
        if code < LENGTHS:
            if found[code]:
                flags = MALFORMED
            else:
                found[code] = at
                found[LENGTHS + code] = length
        at += length
    return flags


def drop_malformed(octets: Any, found: Any, width: int) -> int:
    """Take what is malformed for absent; give flags. `width` is the octets of an ASN."""
    flags = 0
    for code, size in ((1, 1), (3, 4), (4, 4), (5, 4), (7, width + 4), (18, 8), (35, 4)):
        if found[code] and found[LENGTHS + code] != size:
            found[code] = 0
            flags |= MALFORMED
    if found[1] and octets[found[1]] > 2:
        found[1] = 0
        flags |= MALFORMED
    for code, unit in ((8, 4), (16, 8), (32, 12)):
        if found[code] and (found[LENGTHS + code] == 0 or found[LENGTHS + code] % unit):
            found[code] = 0
            flags |= MALFORMED
    for code, octets_of_asn in ((2, width), (17, 4)):
        if found[code] and check_path(octets, found[code], found[LENGTHS + code], octets_of_asn) < 0:
            found[code] = 0
            flags |= MALFORMED | (MALFORMED_PATH if code == 2 else 0)
    return flags


def find_next_hop(octets: Any, found: Any, form: int) -> int:
    """Put place and length of the next hop where NEXT_HOP's were, 0 for none; give the flag of what is malformed.

    In a RIB MP_REACH_NLRI may be the next hop alone, after its length (RFC 6396 §4.3.4).
    """
    source = form & FROM_LEGACY
    rib = source in (FROM_TABLE_DUMP, FROM_TABLE_DUMP_V2)
    reach = found[14]
    length = found[LENGTHS + 14]
    if reach == 0:
        return 0
    if rib and length and octets[reach] and length == 1 + octet(octets, reach):
        found[3] = reach + 1
        found[LENGTHS + 3] = length - 1
    elif length >= 4 and 4 + octet(octets, reach + 3) <= length:
        if rib or form & MULTIPROTOCOL:
            found[3] = reach + 4
            found[LENGTHS + 3] = octet(octets, reach + 3)
    else:
        return MALFORMED
    return 0


def number_of_path(
    octets: Any, found: Any, width: int, kept: Any, starts: Any, slots: Any, stores: Any, scratch: Any
) -> int:
    """Give the number of the AS path, AS4_PATH merged; 0 for none, `FULL` when there is no room."""
    length = found[LENGTHS + 2]
    if found[2] == 0 or length == 0:
        return 0
    if width == 4:
        return intern(octets, found[2], length, kept, starts, slots, stores, PATHS)
    written = merge_path(octets, found[2], length, found[17], found[LENGTHS + 17], scratch)
    return intern(scratch, 0, written, kept, starts, slots, stores, PATHS)


def number_of_list(octets: Any, found: Any, code: int, kept: Any, starts: Any, slots: Any, stores: Any) -> int:
    """Give the number of a list of communities; 0 for none, `FULL` when there is no room."""
    if found[code] == 0:
        return 0
    return intern(octets, found[code], found[LENGTHS + code], kept, starts, slots, stores, LISTS)


def came_at(octets: Any, place: int, form: int, afi: int) -> int:
    """Give when the route of a RIB came, in seconds; it stands before the block of attributes."""
    source = form & FROM_LEGACY
    if place and source == FROM_TABLE_DUMP_V2:
        return u32(octets, place - (8 if form & ADD_PATH else 4))
    if place and source == FROM_TABLE_DUMP:
        return u32(octets, place - (4 if form & AS4 else 2) - (16 if afi == 2 else 4) - 4)
    return 0


def decode_attributes(
    octets: Any, count: int, places: Any, forms: Any, families: Any, first: int, origins: Any, paths: Any,
    origin_asns: Any, hop_families: Any, hop_highs: Any, hop_lows: Any, meds: Any, preferences: Any,
    communities: Any, large: Any, extended: Any, customers: Any, aggregator_asns: Any, aggregators: Any, flags_of: Any,
    originated: Any, kept_paths: Any, path_starts: Any, path_slots: Any, kept_lists: Any, list_starts: Any,
    list_slots: Any, stores: Any, scratch: Any, found: Any,
) -> int:  # fmt: skip
    """Decode the attributes at `places[first:count]`; give the next one to do: `count`, or less when a store is full.

    `places` uint32, `forms` and `families` uint8 are those of rows that `decode_routes` wrote. All columns have `count`
    rows: `origins` uint8 (255 none), `paths`, `communities`, `large`, `extended` uint32 numbers, `origin_asns`,
    `customers`, `aggregator_asns`, `aggregators` uint32 (0 none), `hop_families` uint8 (AFI, 0 none) with `hop_highs`
    and `hop_lows` int64 bits left-aligned in 128, `meds` and `preferences` int64 (-1 none), `flags_of` uint8,
    `originated` uint32 seconds (0 but in RIBs). `scratch` and `found` are for the kernel's own use.
    """
    for row in range(first, count):
        place = places[row] + 0
        form = forms[row] + 0
        width = 4 if form & AS4 else 2
        flags = find_attributes(octets, place, found)
        flags |= drop_malformed(octets, found, width)
        flags |= find_next_hop(octets, found, form)
        aggregator = found[7]
        aggregator_asn = 0
        address = 0
        if aggregator:
            flags |= AGGREGATOR
            aggregator_asn = u32(octets, aggregator) if width == 4 else u16(octets, aggregator)
            address = u32(octets, aggregator + width)
            if width == 2 and found[18]:
                if aggregator_asn == AS_TRANS:
                    aggregator_asn = u32(octets, found[18])
                    address = u32(octets, found[18] + 4)
                else:
                    found[17] = 0  # a two-octet speaker has aggregated since: AS4_PATH is stale
        path = number_of_path(octets, found, width, kept_paths, path_starts, path_slots, stores, scratch)
        plain = number_of_list(octets, found, 8, kept_lists, list_starts, list_slots, stores)
        wide = number_of_list(octets, found, 32, kept_lists, list_starts, list_slots, stores)
        typed = number_of_list(octets, found, 16, kept_lists, list_starts, list_slots, stores)
        if path == FULL or plain == FULL or wide == FULL or typed == FULL:
            return row
        hop = found[3]
        length = found[LENGTHS + 3]
        hop_family = 1 if length == 4 else 2 if length == 16 or length == 32 else 0
        hop_families[row] = hop_family
        hop_highs[row] = u64(octets, hop) if hop_family == 2 else u32(octets, hop) << 32 if hop_family else 0
        hop_lows[row] = u64(octets, hop + 8) if hop_family == 2 else 0
        origins[row] = octet(octets, found[1]) if found[1] else NO_ORIGIN
        paths[row] = path
        origin_asns[row] = origin_of(kept_paths, path_starts[path], path_starts[path + 1])
        meds[row] = u32(octets, found[4]) if found[4] else ABSENT
        preferences[row] = u32(octets, found[5]) if found[5] else ABSENT
        communities[row] = plain
        large[row] = wide
        extended[row] = typed
        customers[row] = u32(octets, found[35]) if found[35] else 0
        aggregator_asns[row] = aggregator_asn
        aggregators[row] = address
        flags_of[row] = flags | (ATOMIC_AGGREGATE if found[6] else 0)
        originated[row] = came_at(octets, place, form, families[row] + 0)
    return count


def fill_slots(kept: Any, starts: Any, slots: Any, count: int, mask: int) -> int:
    """Put the things numbered from 1 to `count` into empty slots; give `count`."""
    for number in range(1, count):
        slot = slot_hash(kept, starts[number], starts[number + 1] - starts[number]) & mask
        while slots[slot]:
            slot = (slot + 1) & mask
        slots[slot] = number
    return count


FILL_INLINED: Final = (octet, u16, u32, slot_hash)
FILL_SIGNATURE: Final = ("uint8", "int64", "uint32", "value", "value")
"""Of `fill_slots`."""

INLINED: Final = (
    octet, u16, u32, u64, copy_octets, slot_hash, same_octets, intern, check_path, put_asn, merge_path, origin_of,
    find_attributes, drop_malformed, find_next_hop, number_of_path, number_of_list, came_at,
)  # fmt: skip
SIGNATURE: Final = (
    "uint8", "value", "uint32", "uint8", "uint8", "value", "uint8", "uint32", "uint32", "uint8", "int64", "int64",
    "int64", "int64", "uint32", "uint32", "uint32", "uint32", "uint32", "uint32", "uint8", "uint32", "uint8", "int64",
    "uint32", "uint8", "int64", "uint32", "int64", "uint8", "int64",
)  # fmt: skip
"""Of `decode_attributes`, as in `mrt_routes`."""
