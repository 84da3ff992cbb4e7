"""One PoP goes, or comes back: all routes repaired in place, and who moved.

A change of one PoP touches a part of the Internet, so a repair costs a part of a propagation and gives the same. It is
made for plain announcements; where something is refused, preferred, or announced twice from one AS, everything is
propagated anew.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.kernels.repair import announce, withdraw
from anycastle.kernels.route_key import GROUP, NONE, WIDE
from anycastle.twin.deployment import Configuration
from anycastle.twin.routes import NO_GROUP, Propagation, Routes

_STAYS: Final = 1
_SEEDED: Final = 2


@dataclass(frozen=True, slots=True)
class Change:
    """What a repair changed: each AS whose route differs, and its PoP before and after (65535: none)."""

    node: NDArray[np.int32]
    pop_before: NDArray[np.uint16]
    pop_after: NDArray[np.uint16]
    withdrawn: frozenset[int]
    """PoPs that went, as indices."""
    returned: frozenset[int]

    @property
    def moved(self) -> NDArray[np.bool_]:
        """Tell which of the changed ASes land at another PoP, or at none."""
        moved: NDArray[np.bool_] = self.pop_before != self.pop_after
        return moved

    @property
    def moved_though_kept(self) -> NDArray[np.bool_]:
        """Tell which moved although their PoP went on, and the one they moved to was there before."""
        kept = ~np.isin(self.pop_before, list(self.withdrawn)) & ~np.isin(self.pop_after, list(self.returned))
        both: NDArray[np.bool_] = self.moved & kept
        return both

    @property
    def path_only(self) -> NDArray[np.bool_]:
        """Tell which land where they did, by another path."""
        return ~self.moved


@dataclass(slots=True)
class Repair:
    """Routes that are kept right while PoPs go and come back."""

    propagation: Propagation
    configuration: Configuration
    routes: Routes
    base: Configuration
    _plain: bool = field(init=False)
    _room: "_Room" = field(init=False)

    def __post_init__(self) -> None:
        self._plain = _is_plain(self.propagation, self.base)
        self._room = _Room.of(self.propagation, self.base, self.routes)

    @staticmethod
    def of(propagation: Propagation, configuration: Configuration | None = None) -> "Repair":
        """Propagate the configuration, to repair it from then on."""
        configuration = configuration or propagation.wiring.deployment.everywhere()
        return Repair(propagation, configuration, propagation.run(configuration), configuration)

    def withdraw(self, pop: str) -> Change:
        """Take all announcements of a PoP away. Raises `MisuseError` for one that announces nothing."""
        gone = {name: group for name, group in self._groups(pop).items() if name in self.configuration.announced}
        if not gone:
            raise MisuseError(f"PoP {pop} announces nothing")
        rest = {name: how for name, how in self.configuration.announced.items() if name not in gone}
        return self._change(Configuration(rest), list(gone.values()), [])

    def announce(self, pop: str) -> Change:
        """Make the announcements of a PoP again, as they were at the start. Raises `MisuseError` if it makes them."""
        back = {name: group for name, group in self._groups(pop).items() if name in self.base.announced}
        if not back or back.keys() & self.configuration.announced.keys():
            raise MisuseError(f"PoP {pop} has nothing to announce that it does not announce already")
        again = dict(self.configuration.announced) | {name: self.base.announced[name] for name in back}
        return self._change(Configuration(again), [], list(back.values()))

    def _groups(self, pop: str) -> dict[str, int]:
        groups = self.propagation.wiring.deployment.groups
        found = {group.name: index for index, group in enumerate(groups) if group.pop == pop}
        if not found:
            raise MisuseError(f"no PoP {pop}; there are: {', '.join(self.propagation.wiring.deployment.pops)}")
        return found

    def _change(self, configuration: Configuration, gone: list[int], back: list[int]) -> Change:
        old, room = self.routes, self._room
        routes = None
        if self._plain:
            routes, node = room.repair(self.propagation, old, gone, back)
            before = room.before[node]
            if routes is None:  # a length reached the end of its field: see kernels/route_key
                old.key[node] = before
        if routes is None:
            routes = self.propagation.run(configuration)
            node = np.flatnonzero(_fields_differ(routes, old)).astype(np.int32)
            before = old.key[node]
        if routes.layout is not old.layout:
            self._room = _Room.of(self.propagation, self.base, routes, configuration)
        self.routes, self.configuration = routes, configuration
        pops = room.pop_of_group
        return Change(
            node,
            pops[_groups(before, old)],
            pops[_groups(routes.key[node], routes)],
            frozenset(int(pops[group]) for group in gone),
            frozenset(int(pops[group]) for group in back),
        )


@dataclass(slots=True)
class _Room:
    """What repairs need of a deployment, made once: its seeds as columns, and arrays to work in."""

    node: NDArray[np.int32]
    key: NDArray[np.unsignedinteger]
    group: NDArray[np.int32]
    origin: NDArray[np.bool_]
    announced: NDArray[np.bool_]
    """bool[group]."""
    fixed: NDArray[np.uint8]
    mark: NDArray[np.uint8]
    before: NDArray[np.unsignedinteger]
    changed: NDArray[np.int32]
    pop_of_group: NDArray[np.uint16]
    """uint16[number]: the PoP of each group; 65535 is no route."""

    @staticmethod
    def of(propagation: Propagation, base: Configuration, routes: Routes, now: Configuration | None = None) -> "_Room":
        wiring, count = propagation.wiring, len(routes.key)
        seeds = wiring.seeds(base, routes.layout).seeds
        fixed = np.zeros(count, np.uint8)
        fixed[[seed.node for seed in seeds]] |= _SEEDED
        fixed[list(wiring.silent)] |= _STAYS
        pops = np.full(NO_GROUP + 1, NO_GROUP, np.uint16)
        pops[: len(wiring.deployment.groups)] = wiring.deployment.pop_of_group()
        names = [group.name for group in wiring.deployment.groups]
        room = _Room(
            np.array([seed.node for seed in seeds], np.int32),
            np.array([seed.key for seed in seeds], routes.layout.dtype),
            np.array([seed.group for seed in seeds], np.int32),
            np.array([seed.origin for seed in seeds], np.bool_),
            np.array([name in (now or base).announced for name in names], np.bool_),
            fixed,
            np.zeros(count + (-count % 8), np.uint8),
            np.empty_like(routes.key),
            np.empty(count, np.int32),
            pops,
        )
        fixed[room.node[room.origin & room.announced[room.group]]] |= _STAYS
        return room

    def repair(
        self, propagation: Propagation, routes: Routes, gone: list[int], back: list[int]
    ) -> tuple[Routes | None, NDArray[np.int32]]:
        """Repair the keys in place; give the routes, None where a length reached its field's end, and who changed."""
        graph, layout = propagation.wiring.graph, routes.layout
        self.announced[gone], self.announced[back] = False, True
        of_gone, of_back = self._are_of(gone), self._are_of(back)
        self.fixed[self.node[self.origin & of_gone]] &= ~np.uint8(_STAYS)
        self.fixed[self.node[self.origin & of_back]] |= _STAYS
        stays = self.announced[self.group]
        plain = stays & ~self.origin
        rows = (
            graph.provider_start, graph.provider, graph.customer_start, graph.customer, graph.peer_start, graph.peer,
            propagation.next_hops(layout), layout.constants,
        )  # fmt: skip
        tail = (self.node[plain], self.key[plain], self.fixed, self.mark, self.mark.view(np.uint64), self.before,
                routes.key, self.changed)  # fmt: skip
        if gone:
            count, longest = withdraw(*rows, np.array(gone, layout.dtype), *tail)
        else:
            new, origin = of_back & ~self.origin, of_back & self.origin
            count, longest = announce(*rows, self.node[new], self.key[new], self.node[origin], self.key[origin], *tail)
        repaired = Routes(propagation.wiring, layout, routes.key, self.node[stays & self.origin])
        return repaired if longest < layout.length_max else None, self.changed[:count].copy()

    def _are_of(self, groups: list[int]) -> NDArray[np.bool_]:
        """Tell which seeds are of these groups."""
        chosen = np.zeros(len(self.announced), np.bool_)
        chosen[groups] = True
        return chosen[self.group]


def _is_plain(propagation: Propagation, base: Configuration) -> bool:
    """Tell whether no group of the configuration is refused, preferred, or announced from an AS that another is."""
    seeds = propagation.wiring.seeds(base, WIDE)
    origins = [seed.node for seed in seeds.seeds if seed.origin]
    return (
        not propagation.faults
        and len(set(origins)) == len(origins)
        and all(group < 0 for _, _, group in seeds.refusals)
        and all(seed.origin for seed in seeds.seeds if seed.preferred)
    )


def _fields_differ(one: Routes, other: Routes) -> NDArray[np.bool_]:
    """Tell where two routes differ; their keys need not have the same layout."""
    a, b = one.fields(), other.fields()
    differs: NDArray[np.bool_] = (
        (a.class_ != b.class_) | (a.length != b.length) | (a.next_hop != b.next_hop) | (a.group != b.group)
    )
    return differs


def _groups(key: NDArray[np.unsignedinteger], routes: Routes) -> NDArray[np.uint16]:
    constants = routes.layout.constants
    found: NDArray[np.uint16] = np.where(key < constants[NONE], key & constants[GROUP], NO_GROUP).astype(np.uint16)
    return found
