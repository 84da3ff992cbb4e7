"""What a neighbour may announce: a filter of one family, made of the prefixes that registries hold for it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from anycastle.model.irr import Member, format_member
from anycastle.model.prefix import Family, Prefix
from anycastle.model.prefix_range import PrefixRange
from anycastle.watch.irr.aggregation import aggregate

HEADROOM: Final = 1.25
"""Routes that a neighbour may have beyond those registered before its session is shut: a quarter more, and at least
`HEADROOM_ROUTES`. A leak brings many times as many; growth between two runs brings a few."""

HEADROOM_ROUTES: Final = 10


@dataclass(frozen=True, slots=True)
class PrefixFilter:
    """The ranges that are accepted; everything else is refused, also where there are none."""

    name: str
    family: Family
    ranges: tuple[PrefixRange, ...]
    registered: int
    """Prefixes that it was made of."""
    left_out: int
    """Prefixes that are registered and longer than what is accepted."""

    @property
    def max_prefix(self) -> int:
        """A limit for the session: beyond it something is wrong."""
        most = max(int(self.registered * HEADROOM), self.registered + HEADROOM_ROUTES)
        return -(-most // 10) * 10

    def accepts(self, prefix: Prefix) -> bool:
        """Tell whether a prefix passes."""
        return any(each.matches(prefix) for each in self.ranges)


def prefix_filter(name: str, family: Family, prefixes: Iterable[Prefix], max_length: int | None) -> PrefixFilter:
    """Make the filter of a family. With `max_length` more-specifics pass up to it, and nothing that is longer."""
    of_family = [prefix for prefix in prefixes if prefix.family is family]
    kept = [prefix for prefix in of_family if max_length is None or prefix.length <= max_length]
    up_to: Mapping[Family, int] | None = None if max_length is None else {family: max_length}
    return PrefixFilter(name, family, aggregate(kept, up_to), len(kept), len(of_family) - len(kept))


def symbol(members: Iterable[Member]) -> str:
    """Give a name that routers take for what a filter is made of: `AS64500:AS-ALL` -> `AS64500_AS_ALL`."""
    return re.sub(r"[^A-Za-z0-9]+", "_", "_".join(map(format_member, members)))
