"""Which of our prefixes a route concerns: asked of every route on the Internet, so it must cost next to nothing.

Theory of operation. A route concerns a watched prefix when it is that prefix, lies within it, or covers it. For the
watched prefixes that contain a route, each length that is watched is tried once in a dictionary, longest first; a
fleet has few lengths, however many prefixes. For those that a route covers, the watched networks are kept sorted,
and the ones within the route's span stand side by side. Feeds that speak text (RIS Live) ask with text: those that
concern nobody are kept as a set, which a reader tests a whole message against, and only a new text is parsed.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from anycastle.model.prefix import Family, Prefix, parse_prefix
from anycastle.watch.intent import WatchedPrefix

TEXTS_KEPT_MAX: Final = 262_144
"""Texts that are kept: a quarter of a full table, about 30 MB; beyond it all are forgotten, and learnt anew."""


class Concern(Enum):
    """How a route stands to a watched prefix."""

    EXACT = "exact"
    MORE_SPECIFIC = "more_specific"
    COVERING = "covering"


@dataclass(frozen=True, slots=True)
class Concerned:
    """A route's prefix, and the watched one that it concerns most closely."""

    prefix: Prefix
    watched: WatchedPrefix
    concern: Concern


class WatchedTable:
    """The watched prefixes, ready to be asked. Feeds share one; it changes by `replace` alone."""

    def __init__(self, prefixes: Iterable[WatchedPrefix]) -> None:
        self.nobodys: set[str] = set()
        """Texts of prefixes that concern nobody: what most of the Internet's messages are full of."""
        self.replace(prefixes)

    def replace(self, prefixes: Iterable[WatchedPrefix]) -> None:
        """Watch these prefixes from now on, and no others."""
        self._watched = {each.prefix: each for each in prefixes}
        self._lengths = {
            family: sorted({p.length for p in self._watched if p.family is family}, reverse=True) for family in Family
        }
        self._sorted = {family: sorted(p for p in self._watched if p.family is family) for family in Family}
        self._networks = {family: [p.network for p in found] for family, found in self._sorted.items()}
        self.nobodys.clear()

    def __len__(self) -> int:
        return len(self._watched)

    def __iter__(self) -> Iterator[WatchedPrefix]:
        return iter(self._watched.values())

    @property
    def prefixes(self) -> frozenset[Prefix]:
        """The watched prefixes themselves."""
        return frozenset(self._watched)

    def get(self, prefix: Prefix) -> WatchedPrefix | None:
        """Give the watched prefix that equals `prefix`."""
        return self._watched.get(prefix)

    def concern(self, prefix: Prefix) -> Concerned | None:
        """Give what a route concerns: the longest watched prefix that contains it, else the first that it covers.

        A default route covers everything and concerns nothing.
        """
        for watched in self.containing(prefix):
            concern = Concern.EXACT if watched.prefix == prefix else Concern.MORE_SPECIFIC
            return Concerned(prefix, watched, concern)
        for watched in self.within(prefix):
            return Concerned(prefix, watched, Concern.COVERING)
        return None

    def containing(self, prefix: Prefix) -> Iterable[WatchedPrefix]:
        """Give the watched prefixes that contain `prefix`, longest first, itself included."""
        bits = prefix.family.bits
        for length in self._lengths[prefix.family]:
            if length > prefix.length:
                continue
            network = prefix.network >> (bits - length) << (bits - length)
            found = self._watched.get(Prefix(prefix.family, network, length))
            if found is not None:
                yield found

    def within(self, prefix: Prefix) -> Iterable[WatchedPrefix]:
        """Give the watched prefixes that lie within `prefix`, itself excluded; none for a default route."""
        if not prefix.length:
            return
        networks, found = self._networks[prefix.family], self._sorted[prefix.family]
        last = prefix.network | prefix.host_mask
        for position in range(bisect_left(networks, prefix.network), len(networks)):
            if networks[position] > last:
                return
            if found[position].length > prefix.length:
                yield self._watched[found[position]]

    def concern_of_text(self, text: str) -> Concerned | None:
        """Give what a route written as text concerns, and remember if it is nothing. Raises `ParseError`."""
        if text in self.nobodys:
            return None
        found = self.concern(parse_prefix(text))
        if found is None:
            if len(self.nobodys) >= TEXTS_KEPT_MAX:
                self.nobodys.clear()
            self.nobodys.add(text)
        return found
