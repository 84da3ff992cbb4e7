"""Loc-RIB: the best route to each prefix (RFC 4271 §3.2)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from anycastle.model.prefix import Address, Prefix
from anycastle.rib.decision import DEFAULT_RULES, Rules, select
from anycastle.rib.route import Route


@dataclass(frozen=True, slots=True)
class BestChange:
    """The best route to a prefix is another one; None stands for no route."""

    prefix: Prefix
    old: Route | None
    new: Route | None


class LocRIB:
    """The best routes."""

    def __init__(self, rules: Rules = DEFAULT_RULES) -> None:
        self._rules = rules
        self._best: dict[Prefix, Route] = {}

    def __len__(self) -> int:
        return len(self._best)

    def __iter__(self) -> Iterator[Route]:
        return iter(self._best.values())

    def best(self, prefix: Prefix) -> Route | None:
        """Give the best route to exactly this prefix."""
        return self._best.get(prefix)

    def lookup(self, address: Address) -> Route | None:
        """Give the route that a packet to `address` takes: the longest prefix that holds it. Cost: all prefixes."""
        holding = (route for route in self if route.prefix.contains(address))
        return max(holding, key=lambda route: route.prefix.length, default=None)

    def decide(self, prefix: Prefix, candidates: Iterable[Route]) -> BestChange | None:
        """Select among the eligible routes to `prefix`; give what changed, or None."""
        old, new = self._best.get(prefix), select(candidates, self._rules)
        if old == new:
            return None
        if new is None:
            del self._best[prefix]
        else:
            self._best[prefix] = new
        return BestChange(prefix, old, new)
