"""The AS path and the origin of every row, in bulk: what a route is known by, at a fraction of the price of all else.

Theory of operation. A message's attributes are read as far as AS_PATH, mostly the second, and no further, once for all
its rows. `locate_paths` gives the origin and where the path's octets are; `decode_paths` also interns them, in the
store and with the numbers of `decode_attributes`: a look at memory far away for each message, which costs several times
as much. Paths of two-octet sessions are merged with AS4_PATH as `mrt_attributes` does it.

Written as `mrt_routes` is: plain Python over things that can be indexed, compiled by `native`.
"""

from typing import Any, Final

from anycastle.kernels.mrt_attributes import (
    AS_TRANS,
    LENGTHS,
    check_path,
    drop_malformed,
    find_attributes,
    intern,
    merge_path,
    number_of_path,
    origin_of,
    put_asn,
    same_octets,
    slot_hash,
)
from anycastle.kernels.mrt_rows import AS4, octet, u16, u32, u64
from anycastle.kernels.native import copy_octets


def find_path(octets: Any, place: int) -> int:
    """Give where the first AS_PATH of a block is, and its length in the lowest 16 bits; 0 for none."""
    if place == 0:
        return 0
    at = place + 2
    end = at + u16(octets, place)
    while at + 3 <= end:
        code = octet(octets, at + 1)
        if octet(octets, at) & 0x10:
            if at + 4 > end:
                return 0
            length = u16(octets, at + 2)
            at += 4
        else:
            length = octet(octets, at + 2)
            at += 3
        if at + length > end:
            return 0
        if code == 2:
            return at << 16 | length
        at += length
    return 0


def origin_in(octets: Any, at: int, length: int) -> int:
    """Give the ASN that a four-octet path ends in, 0 where it ends in a set, -1 where it is malformed."""
    end = at + length
    origin = 0
    while at < end:
        if at + 2 > end:
            return -1
        kind = octet(octets, at)
        asns = octet(octets, at + 1)
        at += 2 + 4 * asns
        if kind < 1 or kind > 4 or asns == 0 or at > end:
            return -1
        origin = u32(octets, at - 4) if kind == 2 else 0
    return origin


def number_of_plain(octets: Any, place: int, kept: Any, starts: Any, slots: Any, stores: Any) -> int:
    """Give the number of a four-octet session's path; 0 for none and for a malformed one, `FULL` without room."""
    found = find_path(octets, place)
    length = found & 0xFFFF
    if length == 0 or check_path(octets, found >> 16, length, 4) < 0:
        return 0
    return intern(octets, found >> 16, length, kept, starts, slots, stores, 0)


def find_merged(octets: Any, place: int, found: Any) -> int:
    """Put the places of a two-octet session's path and AS4_PATH where `merge_path` wants them; give the path's."""
    find_attributes(octets, place, found)
    drop_malformed(octets, found, 2)
    if found[7] and found[18] and u16(octets, found[7]) != AS_TRANS:
        found[17] = 0  # a two-octet speaker has aggregated since: AS4_PATH is stale
    return found[2] + 0


def number_of_merged(
    octets: Any, place: int, kept: Any, starts: Any, slots: Any, stores: Any, scratch: Any, found: Any
) -> int:
    """Give the number of a two-octet session's path, AS4_PATH merged."""
    find_merged(octets, place, found)
    return number_of_path(octets, found, 2, kept, starts, slots, stores, scratch)


def decode_paths(
    octets: Any, count: int, places: Any, forms: Any, first: int, numbers: Any, origin_asns: Any, kept: Any,
    starts: Any, slots: Any, stores: Any, scratch: Any, found: Any,
) -> int:  # fmt: skip
    """Write path and origin of rows `first` to `count`; give the next one to do, less than `count` for a full store.

    `places` uint32, `forms` uint8 are those of rows that `decode_routes` wrote; `numbers` uint32 (0 none) and
    `origin_asns` uint32 (0 for none or a set) are written. `scratch` and `found` are for the kernel's own use.
    """
    before = -1
    number = 0
    origin = 0
    for row in range(first, count):
        place = places[row] + 0
        if place != before:
            if forms[row] & AS4:
                number = number_of_plain(octets, place, kept, starts, slots, stores)
            else:
                number = number_of_merged(octets, place, kept, starts, slots, stores, scratch, found)
            if number < 0:
                return row
            origin = origin_of(kept, starts[number], starts[number + 1])
            before = place
        numbers[row] = number
        origin_asns[row] = origin
    return count


def locate_paths(
    octets: Any, count: int, places: Any, forms: Any, origin_asns: Any, path_places: Any, path_lengths: Any,
    scratch: Any, found: Any,
) -> int:  # fmt: skip
    """Write origin, place and length of each row's path; give `count`.

    `origin_asns` uint32 (0 for none or a set), `path_places` uint32 of AS_PATH's value with four-octet ASNs, and
    `path_lengths` uint16 octets of it; both are 0 for none, and for one that has to be merged first: `decode_paths`.
    """
    before = -1
    origin = 0
    at = 0
    length = 0
    for row in range(count):
        place = places[row] + 0
        if place != before:
            before = place
            origin = 0
            at = 0
            length = 0
            if forms[row] & AS4:
                both = find_path(octets, place)
                if both & 0xFFFF:
                    origin = origin_in(octets, both >> 16, both & 0xFFFF)
                    if origin < 0:
                        origin = 0
                    else:
                        at = both >> 16
                        length = both & 0xFFFF
            elif find_merged(octets, place, found):
                written = merge_path(octets, found[2], found[LENGTHS + 2], found[17], found[LENGTHS + 17], scratch)
                origin = origin_of(scratch, 0, written)
        origin_asns[row] = origin
        path_places[row] = at
        path_lengths[row] = length
    return count


LOCATE_INLINED: Final = (
    octet, u16, u32, u64, check_path, put_asn, merge_path, origin_of, find_attributes, drop_malformed, find_path,
    origin_in, find_merged,
)  # fmt: skip
LOCATE_SIGNATURE: Final = (
    "uint8", "value", "uint32", "uint8", "uint32", "uint32", "uint16", "uint8", "int64",
)  # fmt: skip
"""Of `locate_paths`."""

INLINED: Final = (
    octet, u16, u32, u64, copy_octets, slot_hash, same_octets, intern, check_path, put_asn, merge_path, origin_of,
    find_attributes, drop_malformed, number_of_path, find_path, find_merged, number_of_plain, number_of_merged,
)  # fmt: skip
SIGNATURE: Final = (
    "uint8", "value", "uint32", "uint8", "value", "uint32", "uint32", "uint8", "int64", "uint32", "int64", "uint8",
    "int64",
)  # fmt: skip
"""Of `decode_paths`, as in `mrt_routes`."""
