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
from anycastle.kernels.route_key import WIDE
from anycastle.twin.deployment import Configuration, Seeds
from anycastle.twin.routes import NO_GROUP, Propagation, Routes, SeedArrays

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
    _mark: NDArray[np.uint8] = field(init=False)
    _before: NDArray[np.unsignedinteger] = field(init=False)

    def __post_init__(self) -> None:
        self._plain = _is_plain(self.propagation, self.base)
        self._mark = np.empty(len(self.routes.key), np.uint8)
        self._before = np.empty_like(self.routes.key)

    @staticmethod
    def of(propagation: Propagation, configuration: Configuration | None = None) -> "Repair":
        """Propagate the configuration, to repair it from then on."""
        configuration = configuration or propagation.wiring.deployment.everywhere()
        return Repair(propagation, configuration, propagation.run(configuration), configuration)

    def withdraw(self, pop: str) -> Change:
        """Take all announcements of a PoP away. Raises `MisuseError` for one that announces nothing."""
        groups = self._groups(pop)
        gone = [name for name in groups if name in self.configuration.announced]
        if not gone:
            raise MisuseError(f"PoP {pop} announces nothing")
        rest = {name: how for name, how in self.configuration.announced.items() if name not in gone}
        return self._change(Configuration(rest), set(gone), set())

    def announce(self, pop: str) -> Change:
        """Make the announcements of a PoP again, as they were at the start. Raises `MisuseError` if it makes them."""
        back = [name for name in self._groups(pop) if name in self.base.announced]
        if not back or set(back) & self.configuration.announced.keys():
            raise MisuseError(f"PoP {pop} has nothing to announce that it does not announce already")
        again = dict(self.configuration.announced) | {name: self.base.announced[name] for name in back}
        return self._change(Configuration(again), set(), set(back))

    def _groups(self, pop: str) -> list[str]:
        deployment = self.propagation.wiring.deployment
        if pop not in deployment.pops:
            raise MisuseError(f"no PoP {pop}; there are: {', '.join(deployment.pops)}")
        return [group.name for group in deployment.groups if group.pop == pop]

    def _change(self, configuration: Configuration, gone: set[str], back: set[str]) -> Change:
        wiring, old = self.propagation.wiring, self.routes
        pops = wiring.deployment.pop_of_group()
        numbers = {group.name: index for index, group in enumerate(wiring.deployment.groups)}
        routes = None
        if self._plain:
            routes = self._repair(configuration, {numbers[name] for name in gone}, {numbers[name] for name in back})
            touched = np.flatnonzero(self._mark)
            before = self._before[touched]
            if routes is None:  # a length reached the end of its field: see kernels/route_key
                old.key[touched] = before
            else:
                differs = before != routes.key[touched]
                node, before = touched[differs], before[differs]
        if routes is None:
            routes = self.propagation.run(configuration)
            node = np.flatnonzero(_fields_differ(routes, old))
            before = old.key[node]
            self._before = np.empty_like(routes.key)
        self.routes, self.configuration = routes, configuration
        table = np.full(NO_GROUP + 1, NO_GROUP, np.uint16)
        table[: len(pops)] = pops
        return Change(
            node.astype(np.int32),
            table[_groups(before, old)],
            table[_groups(routes.key[node], routes)],
            frozenset(int(pops[numbers[name]]) for name in gone),
            frozenset(int(pops[numbers[name]]) for name in back),
        )

    def _repair(self, configuration: Configuration, gone: set[int], back: set[int]) -> Routes | None:
        """Repair the keys in place; None where a length reached the end of its field."""
        wiring, routes, graph = self.propagation.wiring, self.routes, self.propagation.wiring.graph
        layout = routes.layout
        seeds = wiring.seeds(configuration, layout)
        arrays = SeedArrays.of(seeds, layout)
        fixed = np.zeros(len(graph), np.uint8)
        fixed[arrays.node] |= _SEEDED
        fixed[arrays.preferred_node] |= _STAYS
        fixed[list(wiring.silent)] |= _STAYS
        rows = (
            graph.provider_start, graph.provider, graph.customer_start, graph.customer, graph.peer_start, graph.peer,
            self.propagation.next_hops(layout), layout.constants,
        )  # fmt: skip
        tail = (arrays.node, arrays.key, fixed, self._mark, self._before, routes.key)
        if gone:
            table = np.zeros(len(wiring.deployment.groups), np.uint8)
            table[list(gone)] = 1
            withdraw(*rows, table, *tail)
        else:
            fresh = SeedArrays.of(Seeds([seed for seed in seeds.seeds if seed.group in back]), layout)
            announce(*rows, fresh.node, fresh.key, fresh.preferred_node, fresh.preferred_key, *tail)
        if int((routes.key & layout.constants[5]).max(initial=0)) >> layout.length_shift >= layout.length_max:
            return None
        return Routes(wiring, layout, routes.key, arrays.own)


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
    found: NDArray[np.uint16] = np.where(key < constants[4], key & constants[6], NO_GROUP).astype(np.uint16)
    return found
