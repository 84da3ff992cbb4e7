"""Adj-RIB-Out: what one peer has been told (RFC 4271 §3.2). Only differences leave it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from anycastle.model.prefix import Family, Prefix
from anycastle.rib.route import Route


@dataclass(frozen=True, slots=True)
class Changes:
    """What must be sent so that the peer has what is wanted."""

    announced: tuple[Route, ...] = ()
    withdrawn: tuple[Prefix, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.announced or self.withdrawn)


class AdjRIBOut:
    """The routes that a peer was sent, ready to send: after policy, with the session's next hop."""

    def __init__(self) -> None:
        self._sent: dict[Prefix, Route] = {}

    def __len__(self) -> int:
        return len(self._sent)

    def __iter__(self) -> Iterator[Route]:
        return iter(self._sent.values())

    def sent(self, prefix: Prefix) -> Route | None:
        """Give what the peer was told of a prefix."""
        return self._sent.get(prefix)

    def apply(self, wanted: Mapping[Prefix, Route | None]) -> Changes:
        """Bring the named prefixes to what is wanted (None: no route); the others stay as they are."""
        announced, withdrawn = [], []
        for prefix, route in wanted.items():
            if self._sent.get(prefix) == route:
                continue
            if route is None:
                del self._sent[prefix]
                withdrawn.append(prefix)
            else:
                self._sent[prefix] = route
                announced.append(route)
        return Changes(tuple(announced), tuple(withdrawn))

    def replace(self, routes: Iterable[Route]) -> Changes:
        """Bring the whole to exactly these routes, at most one to a prefix."""
        wanted: dict[Prefix, Route | None] = dict.fromkeys(self._sent)
        wanted.update((route.prefix, route) for route in routes)
        return self.apply(wanted)

    def of_family(self, family: Family) -> tuple[Route, ...]:
        """Give all that was sent of a family: the answer to a route refresh."""
        return tuple(route for route in self if route.prefix.family is family)

    def reset(self) -> None:
        """Forget everything: the session is gone, and with it what the peer knew."""
        self._sent.clear()
