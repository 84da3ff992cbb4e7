"""Rows of an archive as the lines of `bgpdump -m`, in bulk: columns to octets of text.

Each line is `FORMAT|time|kind|peer|ASN|prefix|...`. The lines of one message share their start and their end, so both
are copied from the line before where nothing of them changed. Paths and communities are formatted once (`format_kept`),
and copied from then on.

Written as `mrt_routes` is: plain Python over things that can be indexed, compiled by `native`.
"""

from typing import Any, Final

from anycastle.kernels.mrt_attributes import AGGREGATOR, ATOMIC_AGGREGATE, MALFORMED_PATH
from anycastle.kernels.mrt_rows import (
    ADD_PATH,
    ANNOUNCE,
    EXTENDED_TIME,
    FROM_LEGACY,
    FROM_TABLE_DUMP,
    FROM_TABLE_DUMP_V2,
    MULTIPROTOCOL,
    SENT,
    STATE_CHANGE,
    WITHDRAW,
    octet,
    u16,
    u32,
)
from anycastle.kernels.native import copy_octets

LINE_MAX: Final = 512
"""Octets of a line without path and communities: six addresses and numbers, with room to spare."""

OCTETS_PER_OCTET: Final = 4
"""Octets of text for each octet of a path or of communities, at most: four octets make `no-advertise ` of thirteen."""

PATH, COMMUNITIES = 0, 1
"""What `format_kept` is to format."""

WORDS: Final = (
    b"BGP4MP_ET_LOCAL_AP|TABLE_DUMP2_AP|BGP|INCOMPLETE|IGP|EGP|NAG|no-export|no-advertise|local-AS|STATE|! Error !"
)
"""What lines are made of; the kernel copies from here."""

(_AT_BGP4MP, _AT_ET, _AT_LOCAL, _AT_AP, _AT_TABLE, _AT_TABLE_AP, _AT_LEGACY, _AT_INCOMPLETE, _AT_IGP, _AT_EGP, _AT_NAG,
 _AT_NO_EXPORT, _AT_NO_ADVERTISE, _AT_LOCAL_AS, _AT_STATE, _AT_ERROR) = (
    0, 6, 9, 15, 19, 30, 34, 38, 49, 53, 57, 61, 71, 84, 93, 99
)  # fmt: skip


def put_number(out: Any, at: int, number: int) -> int:
    """Write a number that is not negative, in decimal; give the next place."""
    digits = 1
    limit = 10
    while number >= limit and digits < 19:
        digits += 1
        limit *= 10
    for step in range(digits - 1, -1, -1):
        out[at + step] = 48 + number % 10
        number //= 10
    return at + digits


def put_ipv4(out: Any, at: int, address: int) -> int:
    """Write an IPv4 address; give the next place."""
    for shift in (24, 16, 8, 0):
        at = put_number(out, at, (address >> shift) & 0xFF)
        if shift:
            out[at] = 46
            at += 1
    return at


def group_of(high: int, low: int, number: int) -> int:
    """Give one of the eight groups of an IPv6 address."""
    if number < 4:
        return (high >> (48 - 16 * number)) & 0xFFFF
    return (low >> (48 - 16 * (number - 4))) & 0xFFFF


def put_hexadecimal(out: Any, at: int, number: int) -> int:
    """Write a number of 16 bits in hexadecimal without leading zeros; give the next place."""
    started = False
    for shift in (12, 8, 4, 0):
        digit = (number >> shift) & 0xF
        if digit or started or shift == 0:
            started = True
            out[at] = 48 + digit if digit < 10 else 87 + digit
            at += 1
    return at


def put_ipv6(out: Any, at: int, high: int, low: int) -> int:
    """Write an IPv6 address as bgpdump does; give the next place.

    Not quite as RFC 5952 has it: `::` also stands for one group of zeros alone (§4.2.2), and IPv4-compatible addresses
    are dotted, not only IPv4-mapped ones.
    """
    best = -1
    best_length = 0
    start = -1
    for number in range(9):
        if number < 8 and group_of(high, low, number) == 0:
            if start < 0:
                start = number
        elif start >= 0:
            if number - start > best_length:
                best = start
                best_length = number - start
            start = -1
    number = 0
    while number < 8:
        if number == best:
            out[at] = 58
            at += 1
            number += best_length
            if number == 8:
                out[at] = 58
                at += 1
            continue
        if number:
            out[at] = 58
            at += 1
        dotted = best_length == 6 or (best_length == 5 and group_of(high, low, 5) == 0xFFFF)
        if number == 6 and best == 0 and dotted:
            return put_ipv4(out, at, low & 0xFFFFFFFF)
        at = put_hexadecimal(out, at, group_of(high, low, number))
        number += 1
    return at


def put_address(out: Any, at: int, afi: int, high: int, low: int) -> int:
    """Write an address that is left-aligned in 128 bits; give the next place."""
    if afi == 2:
        return put_ipv6(out, at, high, low)
    return put_ipv4(out, at, (high >> 32) & 0xFFFFFFFF)


def put_path(out: Any, at: int, kept: Any, start: int, end: int) -> int:
    """Write an AS path: sequences plain, sets in braces, those of a confederation in parentheses and brackets."""
    spaced = False
    while start < end:
        kind = octet(kept, start)
        asns = octet(kept, start + 1)
        start += 2
        if spaced:
            out[at] = 32
            at += 1
        spaced = True
        if kind != 2:
            out[at] = 123 if kind == 1 else 40 if kind == 3 else 91
            at += 1
        for number in range(asns):
            if number:
                out[at] = 32 if kind == 2 or kind == 3 else 44
                at += 1
            at = put_number(out, at, u32(kept, start))
            start += 4
        if kind != 2:
            out[at] = 125 if kind == 1 else 41 if kind == 3 else 93
            at += 1
    return at


def put_communities(out: Any, at: int, words: Any, kept: Any, start: int, end: int) -> int:
    """Write communities, the three well-known ones of RFC 1997 by name; give the next place."""
    spaced = False
    while start < end:
        if spaced:
            out[at] = 32
            at += 1
        spaced = True
        community = u32(kept, start)
        if community == 0xFFFFFF01:
            at = copy_octets(out, at, words, _AT_NO_EXPORT, 9)
        elif community == 0xFFFFFF02:
            at = copy_octets(out, at, words, _AT_NO_ADVERTISE, 12)
        elif community == 0xFFFFFF03:
            at = copy_octets(out, at, words, _AT_LOCAL_AS, 8)
        else:
            at = put_number(out, at, community >> 16)
            out[at] = 58
            at = put_number(out, at + 1, community & 0xFFFF)
        start += 4
    return at


def put_head(out: Any, at: int, words: Any, time_us: int, kind: int, form: int) -> int:
    """Write format, time and kind, each with its bar; give the next place."""
    source = form & FROM_LEGACY
    if source == 0:
        at = copy_octets(out, at, words, _AT_BGP4MP, 6)
        if form & EXTENDED_TIME:
            at = copy_octets(out, at, words, _AT_ET, 3)
        if form & SENT and kind != STATE_CHANGE:
            at = copy_octets(out, at, words, _AT_LOCAL, 6)
        if form & ADD_PATH:
            at = copy_octets(out, at, words, _AT_AP, 3)
    elif source == FROM_TABLE_DUMP:
        at = copy_octets(out, at, words, _AT_TABLE, 10)
    elif source == FROM_TABLE_DUMP_V2:
        at = copy_octets(out, at, words, _AT_TABLE, 11)
        if form & ADD_PATH:
            at = copy_octets(out, at, words, _AT_TABLE_AP, 3)
    else:
        at = copy_octets(out, at, words, _AT_LEGACY, 3)
    out[at] = 124
    at = put_number(out, at + 1, time_us // 1000000)
    if form & EXTENDED_TIME:
        out[at] = 46
        part = time_us % 1000000
        for step in range(6, 0, -1):
            out[at + step] = 48 + part % 10
            part //= 10
        at += 7
    out[at] = 124
    at += 1
    if kind == STATE_CHANGE:
        at = copy_octets(out, at, words, _AT_STATE, 5)
    else:
        out[at] = 65 if kind == ANNOUNCE else 87 if kind == WITHDRAW else 66
        at += 1
    out[at] = 124
    return at + 1


def put_tail(
    out: Any, at: int, words: Any, form: int, afi: int, block: int, origins: Any, paths: Any, hop_families: Any,
    hop_highs: Any, hop_lows: Any, meds: Any, preferences: Any, communities: Any, aggregator_asns: Any,
    aggregators: Any, flags_of: Any, path_texts: Any, path_starts: Any, list_texts: Any, list_starts: Any,
) -> int:  # fmt: skip
    """Write what follows the prefix of a route; give the next place."""
    flags = flags_of[block] + 0
    out[at] = 124
    at += 1
    if flags & MALFORMED_PATH:
        at = copy_octets(out, at, words, _AT_ERROR, 9)
    number = paths[block] + 0
    at = copy_octets(out, at, path_texts, path_starts[number], path_starts[number + 1] - path_starts[number])
    out[at] = 124
    at += 1
    origin = origins[block] + 0
    if origin == 0:
        at = copy_octets(out, at, words, _AT_IGP, 3)
    elif origin == 1:
        at = copy_octets(out, at, words, _AT_EGP, 3)
    else:
        at = copy_octets(out, at, words, _AT_INCOMPLETE, 10)
    out[at] = 124
    at += 1
    hop = hop_families[block] + 0
    at = put_address(out, at, hop, hop_highs[block], hop_lows[block]) if hop else put_ipv4(out, at, 0xFFFFFFFF)
    signed = form & MULTIPROTOCOL and afi == 1  # bgpdump prints them with a sign there
    for value in (preferences[block], meds[block]):
        out[at] = 124
        at += 1
        number = max(value, 0)
        if signed and number > 0x7FFFFFFF:
            out[at] = 45
            at += 1
            number = 0x100000000 - number
        at = put_number(out, at, number)
    out[at] = 124
    number = communities[block] + 0
    at = copy_octets(out, at + 1, list_texts, list_starts[number], list_starts[number + 1] - list_starts[number])
    out[at] = 124
    at += 1
    start = _AT_NAG + 1 if flags & ATOMIC_AGGREGATE else _AT_NAG
    at = copy_octets(out, at, words, start, _AT_NAG + 3 - start)
    out[at] = 124
    at += 1
    if flags & AGGREGATOR and aggregators[block] != 0xFFFFFFFF:
        at = put_number(out, at, aggregator_asns[block] + 0)
        out[at] = 32
        at = put_ipv4(out, at + 1, aggregators[block] + 0)
    out[at] = 124
    out[at + 1] = 10
    return at + 2


def format_rows(
    out: Any, capacity: int, words: Any, count: int, first: int, rows: Any, blocks: Any, times: Any, highs: Any,
    lows: Any, peers: Any, identifiers: Any, kinds: Any, families: Any, lengths: Any, forms: Any, peer_highs: Any,
    peer_lows: Any, peer_asns: Any, peer_families: Any, origins: Any, paths: Any, hop_families: Any, hop_highs: Any,
    hop_lows: Any, meds: Any, preferences: Any, communities: Any, aggregator_asns: Any, aggregators: Any,
    flags_of: Any, path_texts: Any, path_starts: Any, list_texts: Any, list_starts: Any, written: Any,
) -> int:  # fmt: skip
    """Write the lines of `rows[first:count]` to `out`; give the next one to do, `count` when all are written.

    `rows` uint32 are places in the columns of routes, `blocks` uint32 those in the columns of attributes, for each of
    `rows`; texts and starts are those that `format_kept` wrote. `written[0]` takes the octets written.
    """
    at = 0
    head = 0
    head_length = 0
    tail = 0
    tail_length = 0
    last_row = 0
    last_block = -1
    done = first
    while done < count:
        row = rows[done] + 0
        block = blocks[done] + 0
        kind = kinds[row] + 0
        form = forms[row] + 0
        afi = families[row] + 0
        routed = kind != WITHDRAW and kind != STATE_CHANGE
        room = LINE_MAX
        if routed:
            number = paths[block] + 0
            room += path_starts[number + 1] - path_starts[number]
            number = communities[block] + 0
            room += list_starts[number + 1] - list_starts[number]
        if at + room > capacity:
            break
        if (
            head_length
            and times[row] == times[last_row]
            and peers[row] == peers[last_row]
            and kind == kinds[last_row]
            and (form ^ forms[last_row]) & ~MULTIPROTOCOL == 0
        ):
            copy_octets(out, at, out, head, head_length)
            head = at
            at += head_length
        else:
            head = at
            at = put_head(out, at, words, times[row], kind, form)
            peer = peers[row] + 0
            at = put_address(out, at, peer_families[peer] + 0, peer_highs[peer], peer_lows[peer])
            out[at] = 124
            at = put_number(out, at + 1, peer_asns[peer])
            out[at] = 124
            at += 1
            head_length = at - head
        if kind == STATE_CHANGE:
            at = put_number(out, at, highs[row])
            out[at] = 124
            at = put_number(out, at + 1, lows[row])
            out[at] = 10
            at += 1
        else:
            at = put_address(out, at, afi, highs[row], lows[row])
            out[at] = 47
            at = put_number(out, at + 1, lengths[row] + 0)
            if form & ADD_PATH:
                out[at] = 124
                at = put_number(out, at + 1, identifiers[row] + 0)
            if not routed:
                out[at] = 10
                at += 1
            elif block == last_block:
                copy_octets(out, at, out, tail, tail_length)
                tail = at
                at += tail_length
            else:
                tail = at
                at = put_tail(
                    out, at, words, form, afi, block, origins, paths, hop_families, hop_highs, hop_lows, meds,
                    preferences, communities, aggregator_asns, aggregators, flags_of, path_texts, path_starts,
                    list_texts, list_starts,
                )  # fmt: skip
                tail_length = at - tail
                last_block = block
        last_row = row
        done += 1
    written[0] = at
    return done


def format_kept(
    what: int, words: Any, kept: Any, kept_starts: Any, first: int, count: int, texts: Any, text_starts: Any
) -> int:
    """Write the texts of the things numbered from `first` to `count`, as `PATH` or as `COMMUNITIES`; give `count`.

    `text_starts[first]` says where; there is room for `OCTETS_PER_OCTET` times what is kept.
    """
    for number in range(first, count):
        at = text_starts[number]
        start = kept_starts[number]
        end = kept_starts[number + 1]
        if what == PATH:
            at = put_path(texts, at, kept, start, end)
        else:
            at = put_communities(texts, at, words, kept, start, end)
        text_starts[number + 1] = at
    return count


KEPT_INLINED: Final = (octet, u16, u32, copy_octets, put_number, put_path, put_communities)
KEPT_SIGNATURE: Final = ("value", "uint8", "uint8", "int64", "value", "value", "uint8", "int64")
"""Of `format_kept`, as in `mrt_routes`."""

INLINED: Final = (
    octet, u16, u32, copy_octets, put_number, put_ipv4, group_of, put_hexadecimal, put_ipv6, put_address, put_head,
    put_tail,
)  # fmt: skip
SIGNATURE: Final = (
    "uint8", "value", "uint8", "value", "value", "uint32", "uint32", "int64", "int64", "int64", "uint32", "uint32",
    "uint8", "uint8", "uint8", "uint8", "int64", "int64", "int64", "uint8", "uint8", "uint32", "uint8", "int64",
    "int64", "int64", "int64", "uint32", "uint32", "uint32", "uint8", "uint8", "int64", "uint8", "int64", "int64",
)  # fmt: skip
"""Of `format_rows`, as in `mrt_routes`."""
