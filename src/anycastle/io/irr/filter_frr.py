"""Prefix filters as FRR reads them: one prefix-list a family.

The last entry refuses everything. FRR would do so without it, but for a list that has no entry at all: that one permits
everything, and so must not be.
"""

from collections.abc import Iterator

from anycastle.model.prefix import Family
from anycastle.model.prefix_range import PrefixRange
from anycastle.watch.irr.prefix_filter import PrefixFilter

_STEP = 5
"""Between the numbers of two entries, as FRR counts itself."""


def frr_filter(each: PrefixFilter) -> Iterator[str]:
    """Give the lines of a prefix-list."""
    word = "ip" if each.family is Family.IPV4 else "ipv6"
    yield f"! {each.registered} {each.family} prefixes; suggested: neighbor ADDRESS maximum-prefix {each.max_prefix}"
    for number, one in enumerate(each.ranges, 1):
        yield f"{word} prefix-list {each.name} seq {number * _STEP} permit {one.prefix}{_lengths(one)}"
    yield f"{word} prefix-list {each.name} seq {(len(each.ranges) + 1) * _STEP} deny any"


def _lengths(one: PrefixRange) -> str:
    """Give the lengths: `ge` only beyond the prefix's own, since FRR takes no other; `le` wherever one is longer."""
    longer = f" ge {one.shortest}" if one.shortest > one.prefix.length else ""
    return longer + (f" le {one.longest}" if one.longest > one.prefix.length else "")
