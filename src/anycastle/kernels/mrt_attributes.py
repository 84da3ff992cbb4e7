"""The path attributes of an archive's rows, in bulk: places that `mrt_routes` gave, to columns.

Theory of operation. AS paths and lists of communities repeat, so each different one is kept once, as octets, and a row
holds its number (0 for none). An AS path is kept as AS_PATH writes it with four-octet ASNs, whatever the session had:
AS4_PATH is merged as RFC 6793 §4.2.3 says. What is malformed is absent, and a flag says so; of an attribute that is
repeated the first counts (RFC 7606 §3 g).

Written as `mrt_routes` is: plain Python over things that can be indexed, compiled by `native`.
"""

from typing import Any, Final

from anycastle.kernels.mrt_routes import (
    ADD_PATH,
    AS4,
    FROM_LEGACY,
    FROM_TABLE_DUMP_V2,
    MULTIPROTOCOL,
    leading,
    octet,
    u16,
    u32,
    u64,
)

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

FULL: Final = -1
"""In place of a number: there is no room in the store."""


def slot_hash(octets: Any, at: int, length: int) -> int:
    """Give a number of 31 bits for octets, equal for equal ones."""
    hashed = length
    end = at + length
    while at + 4 <= end:
        hashed = (hashed * 1000003 + u32(octets, at)) & 0x7FFFFFFF
        at += 4
    while at < end:
        hashed = (hashed * 1000003 + octet(octets, at)) & 0x7FFFFFFF
        at += 1
    return hashed ^ (hashed >> 15)


def intern(octets: Any, at: int, length: int, kept: Any, starts: Any, slots: Any, stores: Any, store: int) -> int:
    """Give the number of these octets, a new one for new octets; `FULL` when there is no room for them."""
    mask = stores[store + MASK]
    slot = slot_hash(octets, at, length) & mask
    while True:
        number = slots[slot] + 0
        if number == 0:
            break
        start = starts[number]
        if starts[number + 1] - start == length:
            same = True
            for step in range(length):
                if kept[start + step] != octets[at + step]:
                    same = False
                    break
            if same:
                return number
        slot = (slot + 1) & mask
    number = stores[store + COUNT]
    start = stores[store + USED]
    if number >= stores[store + COUNT_MAX] or start + length > stores[store + USED_MAX]:
        return FULL
    for step in range(length):
        kept[start + step] = octets[at + step]
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


def decode_attributes(
    octets: Any, count: int, places: Any, forms: Any, families: Any, first: int, origins: Any, paths: Any,
    origin_asns: Any, hop_families: Any, hop_highs: Any, hop_lows: Any, meds: Any, preferences: Any,
    communities: Any, large: Any, extended: Any, customers: Any, aggregator_asns: Any, aggregators: Any, flags_of: Any,
    originated: Any, kept_paths: Any, path_starts: Any, path_slots: Any, kept_lists: Any, list_starts: Any,
    list_slots: Any, stores: Any, scratch: Any,
) -> int:  # fmt: skip
    """Decode the attributes at `places[first:count]`; give the next one to do: `count`, or less when a store is full.

    `places` uint32, `forms` and `families` uint8 are those of rows that `decode_routes` wrote.
    All columns have `count` rows: `origins` uint8 (255 none), `paths`, `communities`, `large`, `extended` uint32
    numbers, `origin_asns`, `customers`, `aggregator_asns`, `aggregators` uint32 (0 none), `hop_families` uint8 (AFI,
    0 none) with `hop_highs` and `hop_lows` int64 bits left-aligned in 128, `meds` and `preferences` int64 (-1 none),
    `flags_of` uint8, `originated` uint32 seconds (0 but in RIBs). A place of 0 has no attributes.
    """
    for row in range(first, count):
        place = places[row] + 0
        form = forms[row] + 0
        source = form & FROM_LEGACY
        origin = NO_ORIGIN
        path = 0
        path_length = 0
        path_4 = 0
        path_4_length = 0
        path_number = 0
        origin_asn = 0
        hop = 0
        hop_length = 0
        reach_hop = 0
        reach_hop_length = 0
        med = ABSENT
        preference = ABSENT
        community = 0
        community_length = 0
        large_at = 0
        large_length = 0
        extended_at = 0
        extended_length = 0
        customer = 0
        aggregator = 0
        aggregator_4 = 0
        flags = 0
        end = 0
        at = 0
        seen = 0
        width = 4 if form & AS4 else 2
        came_at = 0
        if place > 0:
            at = place + 2
            end = at + u16(octets, place)
            if source == FROM_TABLE_DUMP_V2:
                came_at = u32(octets, place - (8 if form & ADD_PATH else 4))
            elif source and source != FROM_LEGACY:
                back = width + (16 if families[row] == 2 else 4)
                came_at = u32(octets, place - back - 4)
        while at < end:
            if at + 3 > end:
                flags |= MALFORMED
                break
            head = octet(octets, at)
            code = octet(octets, at + 1)
            if head & 0x10:
                if at + 4 > end:
                    flags |= MALFORMED
                    break
                length = u16(octets, at + 2)
                at += 4
            else:
                length = octet(octets, at + 2)
                at += 3
            if at + length > end:
                flags |= MALFORMED
                break
            if code < 63:
                bit = 1 << code
                if seen & bit:
                    flags |= MALFORMED
                    at += length
                    continue
                seen |= bit
            if code == 1:
                if length == 1 and octets[at] <= 2:
                    origin = octet(octets, at)
                else:
                    flags |= MALFORMED
            elif code == 2:
                if check_path(octets, at, length, width) < 0:
                    flags |= MALFORMED | MALFORMED_PATH
                else:
                    path = at
                    path_length = length
            elif code == 3:
                if length == 4:
                    hop = at
                    hop_length = 4
                else:
                    flags |= MALFORMED
            elif code == 4:
                if length == 4:
                    med = u32(octets, at)
                else:
                    flags |= MALFORMED
            elif code == 5:
                if length == 4:
                    preference = u32(octets, at)
                else:
                    flags |= MALFORMED
            elif code == 6:
                flags |= ATOMIC_AGGREGATE
            elif code == 7:
                if length == width + 4:
                    aggregator = at
                else:
                    flags |= MALFORMED
            elif code == 8:
                if length and length % 4 == 0:
                    community = at
                    community_length = length
                else:
                    flags |= MALFORMED
            elif code == 14:
                if source and source != FROM_LEGACY and length and octets[at] and length == 1 + octet(octets, at):
                    reach_hop = at + 1
                    reach_hop_length = length - 1
                elif length >= 4 and 4 + octet(octets, at + 3) <= length:
                    reach_hop = at + 4
                    reach_hop_length = octet(octets, at + 3)
                else:
                    flags |= MALFORMED
            elif code == 16:
                if length and length % 8 == 0:
                    extended_at = at
                    extended_length = length
                else:
                    flags |= MALFORMED
            elif code == 17:
                if check_path(octets, at, length, 4) < 0:
                    flags |= MALFORMED
                else:
                    path_4 = at
                    path_4_length = length
            elif code == 18:
                if length == 8:
                    aggregator_4 = at
                else:
                    flags |= MALFORMED
            elif code == 32:
                if length and length % 12 == 0:
                    large_at = at
                    large_length = length
                else:
                    flags |= MALFORMED
            elif code == 35:
                if length == 4:
                    customer = u32(octets, at)
                else:
                    flags |= MALFORMED
            at += length
        hop_family = 0
        hop_high = 0
        hop_low = 0
        if reach_hop and (form & MULTIPROTOCOL or (source and source != FROM_LEGACY)):
            hop = reach_hop
            hop_length = reach_hop_length
        if hop_length == 4:
            hop_family = 1
            hop_high = u32(octets, hop) << 32
        elif hop_length == 16 or hop_length == 32:
            hop_family = 2
            hop_high = u64(octets, hop)
            hop_low = u64(octets, hop + 8)
        aggregator_asn = 0
        aggregator_address = 0
        if aggregator:
            flags |= AGGREGATOR
            aggregator_asn = u32(octets, aggregator) if width == 4 else u16(octets, aggregator)
            aggregator_address = u32(octets, aggregator + width)
            if width == 2 and aggregator_4:
                if aggregator_asn == 23456:
                    aggregator_asn = u32(octets, aggregator_4)
                    aggregator_address = u32(octets, aggregator_4 + 4)
                else:
                    path_4 = 0
        if path_length:
            if width == 4:
                path_number = intern(octets, path, path_length, kept_paths, path_starts, path_slots, stores, PATHS)
            else:
                written = merge_path(octets, path, path_length, path_4, path_4_length, scratch)
                path_number = intern(scratch, 0, written, kept_paths, path_starts, path_slots, stores, PATHS)
            if path_number == FULL:
                return row
            origin_asn = origin_of(kept_paths, path_starts[path_number], path_starts[path_number + 1])
        community_number = 0
        large_number = 0
        extended_number = 0
        if community_length:
            community_number = intern(
                octets, community, community_length, kept_lists, list_starts, list_slots, stores, LISTS
            )  # fmt: skip
        if large_length:
            large_number = intern(
                octets, large_at, large_length, kept_lists, list_starts, list_slots, stores, LISTS
            )  # fmt: skip
        if extended_length:
            extended_number = intern(
                octets, extended_at, extended_length, kept_lists, list_starts, list_slots, stores, LISTS
            )  # fmt: skip
        if community_number == FULL or large_number == FULL or extended_number == FULL:
            return row
        origins[row] = origin
        paths[row] = path_number
        origin_asns[row] = origin_asn
        hop_families[row] = hop_family
        hop_highs[row] = hop_high
        hop_lows[row] = hop_low
        meds[row] = med
        preferences[row] = preference
        communities[row] = community_number
        large[row] = large_number
        extended[row] = extended_number
        customers[row] = customer
        aggregator_asns[row] = aggregator_asn
        aggregators[row] = aggregator_address
        flags_of[row] = flags
        originated[row] = came_at
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
    octet, u16, u32, leading, u64, slot_hash, intern, check_path, put_asn, merge_path, origin_of,
)  # fmt: skip
SIGNATURE: Final = (
    "uint8", "value", "uint32", "uint8", "uint8", "value", "uint8", "uint32", "uint32", "uint8", "int64", "int64",
    "int64", "int64", "uint32", "uint32", "uint32", "uint32", "uint32", "uint32", "uint8", "uint32", "uint8", "int64",
    "uint32", "uint8", "int64", "uint32", "int64", "uint8",
)  # fmt: skip
"""Of `decode_attributes`, as in `mrt_routes`."""
