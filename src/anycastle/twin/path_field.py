"""What collector paths of each PoP alone say of all ASes: how far each PoP is, and which of two is nearer.

Theory of operation. A PoP that is announced alone is seen at a few hundred vantage points. Each path gives the route of
every AS on it: its length from there, prepends included. Those ASes are the core, and nearly all others stand below
them. So lengths are taken as measured where a path passes, set to one at the PoP's own neighbours, and carried on: one
hop to the peers of ASes that have a customer's route, and down from providers to customers, where the shortest wins.

That beats preference by class (measured at vantage points: the shorter path is right for 79 to 100 % of ASes by pair,
customer before peer before provider for 48 to 93 %): relations of a graph that is years old are wrong just where a
research network leaks to its transit.

For a pair of PoPs the core decides by the difference of lengths, softly, and the choice goes down: a customer chooses
as the mean of its nearest providers.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.kernels.relations import PROVIDER_TO_CUSTOMER
from anycastle.model.catchment import CollectorPath, Neighbour
from anycastle.twin.graph import ASGraph

UNKNOWN: Final = 255.0
"""Length where no route is known."""
LENGTH_MAX: Final = 20.0
"""Lengths beyond count as this: nobody prefers a path of 20 to one of 25 for its length."""
STEEPNESS: Final = 1.5
"""Log odds for each hop of difference, at the core; fitted on collectors of the PEERING experiments."""
ODDS_MAX: Final = 4.0


@dataclass(frozen=True, slots=True)
class PathField:
    """Lengths to each PoP over a set of ASes."""

    pops: tuple[str, ...]
    asn: NDArray[np.uint32]
    """uint32[as], ascending."""
    length: NDArray[np.float64]
    """float64[pop, as]; `UNKNOWN` where no route is known."""
    seen: NDArray[np.bool_]
    """bool[pop, as]: on a path, or the PoP's neighbour."""
    by_customer: NDArray[np.bool_]
    """bool[pop, as]: the route came from a customer, so that peers hear of it."""
    transit: NDArray[np.int64]
    """int64[link, 2]: provider, customer; by the customer's depth below the providers that have none."""
    steps: NDArray[np.int64]
    """int64[depth + 1]: where each depth begins in `transit`."""
    beside: NDArray[np.int64]
    """int64[link, 2]: peers, each pair in both directions."""

    @property
    def known(self) -> NDArray[np.bool_]:
        """Tell where any PoP is reached, bool[as]."""
        return np.asarray(self.length.min(axis=0, initial=UNKNOWN) < UNKNOWN)

    def nearer(self, first: int, second: int) -> NDArray[np.float64]:
        """Give by how many hops `first` is nearer than `second`, float64[as]; 0 where one of them is unknown."""
        one, other = np.minimum(self.length[[first, second]], LENGTH_MAX)
        both = (self.length[[first, second]] < UNKNOWN).all(axis=0)
        return np.where(both, other - one, 0.0)


def make_field(
    graph: ASGraph,
    paths: Sequence[CollectorPath],
    neighbours: Iterable[Neighbour],
    pops: Sequence[str],
    asns: NDArray[np.uint32],
) -> PathField:
    """Give the field over the ASes of graph, paths and `asns`. Paths of more than one announced PoP are not used."""
    links = graph.links()
    alone = [each for each in paths if len(each.announced) == 1 and each.announced[0] in pops]
    extra = np.unique(np.array([asn for each in alone for asn in each.path], np.uint32))
    asn = np.unique(np.concatenate([graph.asn, asns, extra]))
    left, right = np.searchsorted(asn, links.left), np.searchsorted(asn, links.right)
    is_transit = links.relation == PROVIDER_TO_CUSTOMER
    transit, steps = _by_depth(np.column_stack([left, right])[is_transit].astype(np.int64), len(asn))
    one = np.column_stack([left, right])[~is_transit].astype(np.int64)
    beside = np.concatenate([one, one[:, ::-1]])
    provides = set(map(tuple, np.column_stack([links.left, links.right])[is_transit].tolist()))
    shape = (len(pops), len(asn))
    length, by_customer = np.full(shape, UNKNOWN), np.zeros(shape, np.bool_)
    sessions = [each for each in neighbours if each.pop in pops]
    place = {int(each): at for at, each in enumerate(asn)}
    for each in sessions:
        if each.asn in place:
            at = (list(pops).index(each.pop), place[int(each.asn)])
            length[at] = 1.0
            by_customer[at] |= each.transit
    for pop, name in enumerate(pops):
        for holder, route in _routes([each.path for each in alone if each.announced[0] == name]).items():
            length[pop, place[holder]] = len(route)
            if len(route) > 1:
                by_customer[pop, place[holder]] = (holder, route[1]) in provides
    seen = length < UNKNOWN
    for pop in range(len(pops)):
        _carry(length[pop], seen[pop], by_customer[pop], transit, steps, beside)
    return PathField(tuple(pops), asn, length, seen, by_customer, transit, steps, beside)


def _routes(paths: Iterable[tuple[int, ...]]) -> dict[int, tuple[int, ...]]:
    """Give the route of each AS on these paths: the one most often seen, then the shortest, then the lowest."""
    seen: dict[int, Counter[tuple[int, ...]]] = {}
    for path in paths:
        for at, asn in enumerate(path):
            if at == 0 or path[at - 1] != asn:
                seen.setdefault(int(asn), Counter())[path[at:]] += 1
    return {asn: min(routes, key=lambda route: (-routes[route], len(route), route)) for asn, routes in seen.items()}


def _by_depth(transit: NDArray[np.int64], ases: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the links from the top down, and where each depth begins. The graph has no circle of providers."""
    depth = np.zeros(ases, np.int64)
    while True:
        deeper = depth.copy()
        np.maximum.at(deeper, transit[:, 1], depth[transit[:, 0]] + 1)
        if np.array_equal(deeper, depth):
            break
        depth = deeper
    below = depth[transit[:, 1]]
    order = np.argsort(below, kind="stable")
    return transit[order], np.searchsorted(below[order], np.arange(1, int(depth.max(initial=0)) + 2))


def _carry(
    length: NDArray[np.float64],
    seen: NDArray[np.bool_],
    by_customer: NDArray[np.bool_],
    transit: NDArray[np.int64],
    steps: NDArray[np.int64],
    beside: NDArray[np.int64],
) -> None:
    """Carry lengths from where they were seen to all others, in place."""
    told = beside[by_customer[beside[:, 0]] & seen[beside[:, 0]] & ~seen[beside[:, 1]]]
    np.minimum.at(length, told[:, 1], length[told[:, 0]] + 1)
    for begin, end in pairwise(steps):
        links = transit[begin:end]
        links = links[~seen[links[:, 1]] & (length[links[:, 0]] < UNKNOWN)]
        np.minimum.at(length, links[:, 1], length[links[:, 0]] + 1)


def lean(field: PathField, first: int, second: int) -> NDArray[np.float64]:
    """Give the log odds float64[as] with which ASes would take `first` rather than `second` by length alone."""
    one, other = field.length[first], field.length[second]
    fixed = field.seen[first] | field.seen[second]
    gap = np.minimum(other, 2 * LENGTH_MAX) - np.minimum(one, 2 * LENGTH_MAX)
    chance = np.where(fixed, 0.5 * (1 + np.tanh(0.5 * STEEPNESS * gap)), 0.5)
    nearest = np.where(fixed, np.minimum(one, other), UNKNOWN)
    told = field.by_customer[first] & (one <= other) | field.by_customer[second] & (other <= one)
    links = field.beside[told[field.beside[:, 0]] & fixed[field.beside[:, 0]] & ~fixed[field.beside[:, 1]]]
    _choose(chance, nearest, links)
    for begin, end in pairwise(field.steps):
        links = field.transit[begin:end]
        links = links[~fixed[links[:, 1]] & (nearest[links[:, 0]] < UNKNOWN)]
        _choose(chance, nearest, links)
    odds = np.log(np.clip(chance, 1e-9, 1)) - np.log(np.clip(1 - chance, 1e-9, 1))
    return np.asarray(np.clip(odds, -ODDS_MAX, ODDS_MAX))


def _choose(chance: NDArray[np.float64], nearest: NDArray[np.float64], links: NDArray[np.int64]) -> None:
    """Let the targets of links choose the mean of their nearest sources, where those beat what they have."""
    if not len(links):
        return
    source, target = links[:, 0], links[:, 1]
    before = nearest[target].copy()
    np.minimum.at(nearest, target, nearest[source] + 1)
    best = (nearest[source] + 1 == nearest[target]) & (before > nearest[target])
    total = np.bincount(target[best], chance[source[best]], len(chance))
    count = np.bincount(target[best], minlength=len(chance))
    chosen = count > 0
    chance[chosen] = total[chosen] / count[chosen]
