"""Adj-RIB-In: what one peer has told us (RFC 4271 §3.2), with the stale marks of graceful restart."""

from collections import Counter
from collections.abc import Iterable, Iterator

from anycastle.model.prefix import Family, Prefix
from anycastle.rib.route import Route

Key = tuple[Prefix, int]


class AdjRIBIn:
    """The routes of one peer, as received, before policy.

    Each change gives the set of prefixes whose routes are others now, for the decision process to look at again.
    """

    def __init__(self) -> None:
        self._routes: dict[Prefix, dict[int, Route]] = {}
        self._stale: set[Key] = set()
        self._counts: Counter[Family] = Counter()

    def __len__(self) -> int:
        return sum(self._counts.values())

    def __iter__(self) -> Iterator[Route]:
        for paths in self._routes.values():
            yield from paths.values()

    def count(self, family: Family) -> int:
        """Give the number of routes of a family."""
        return self._counts[family]

    def routes(self, prefix: Prefix) -> tuple[Route, ...]:
        """Give the peer's routes to a prefix: several only with ADD-PATH."""
        return tuple(self._routes.get(prefix, {}).values())

    def is_stale(self, route: Route) -> bool:
        """Tell whether the route is kept from an earlier session and was not sent again yet."""
        return route.key in self._stale

    def add(self, routes: Iterable[Route]) -> set[Prefix]:
        """Take routes in; one of the same key is replaced (RFC 4271 §9). A stale one that comes again is fresh."""
        changed = set()
        for route in routes:
            prefix, path_id = route.key
            paths = self._routes.setdefault(prefix, {})
            self._stale.discard(route.key)
            earlier = paths.get(path_id)
            if earlier == route:
                continue
            if earlier is None:
                self._counts[prefix.family] += 1
            paths[path_id] = route
            changed.add(prefix)
        return changed

    def withdraw(self, keys: Iterable[Key]) -> set[Prefix]:
        """Take routes out; one that is not there is no error (RFC 4271 §3.1)."""
        changed = set()
        for key in keys:
            prefix, path_id = key
            paths = self._routes.get(prefix, {})
            if paths.pop(path_id, None) is None:
                continue
            if not paths:
                del self._routes[prefix]
            self._counts[prefix.family] -= 1
            self._stale.discard(key)
            changed.add(prefix)
        return changed

    def mark_stale(self, family: Family) -> set[Prefix]:
        """Mark all routes of a family stale, and delete those that already were (RFC 4724 §4.2)."""
        changed = self.delete_stale(family)
        self._stale |= {route.key for route in self if route.prefix.family is family}
        return changed

    def delete_stale(self, family: Family) -> set[Prefix]:
        """Delete the family's routes that are still stale."""
        return self.withdraw([key for key in self._stale if key[0].family is family])

    def delete(self, family: Family) -> set[Prefix]:
        """Delete all routes of a family."""
        return self.withdraw([route.key for route in self if route.prefix.family is family])
