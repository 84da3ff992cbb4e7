"""Graphs of our own making: tiered, with regions, and a few ASes that have most of the links.

Theory of operation. A clique of backbones peers with each other. Every further AS has a region and chooses its
providers among the ASes made before it, mostly of its own region, with a chance that grows with the customers that they
have already: so customer counts follow a power law, and no circle can form. The first tenth of the rest are regional
transits, which peer among themselves at a region's exchange; some leaves peer there too. What a real graph has beyond
that (the exact degree sequence, content networks with thousands of peers) it does not imitate.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Randomness
from anycastle.kernels.relations import PEER_TO_PEER, PROVIDER_TO_CUSTOMER
from anycastle.model.asn import ASN
from anycastle.twin.graph import ASGraph, Link, Links, Origin, build_graph

REGIONS: Final = ("europe", "north-america", "south-america", "asia", "oceania", "africa")
_CLIQUE: Final = 8
"""Backbones; the graph of September 2025 names 19."""
_TRANSIT_SHARE: Final = 0.1
"""Share of ASes that sell transit: 16 % have a customer in the graph of September 2025, half of those only one."""
_FOREIGN: Final = 0.1
_MEMBER: Final = 0.3
"""Share of leaves at an exchange."""


@dataclass(frozen=True, slots=True)
class SyntheticGraph:
    """A graph, and the region of each of its ASNs."""

    graph: ASGraph
    region: dict[ASN, str] = field(repr=False)


def make_graph(ases: int, randomness: Randomness, first_asn: int = 100) -> SyntheticGraph:
    """Make a graph of `ases` ASes (10 or more); the same randomness gives the same graph."""
    if ases < _CLIQUE + 2:
        raise MisuseError(f"a graph of {ases} ASes has no tiers; ask for {_CLIQUE + 2} or more")
    asns = [ASN(first_asn + each) for each in range(ases)]
    regions = [int(randomness.random() * len(REGIONS)) for _ in asns]
    transits = _CLIQUE + max(1, int((ases - _CLIQUE) * _TRANSIT_SHARE))
    links = {(a, b): PEER_TO_PEER for a in range(_CLIQUE) for b in range(a + 1, _CLIQUE)}
    sellers = _Sellers(regions)
    for each in range(ases):
        if each >= _CLIQUE:
            for provider in sellers.choose(each, 1 + int(3 * randomness.random() ** 2), randomness):
                links[provider, each] = PROVIDER_TO_CUSTOMER
        if each < transits:
            sellers.add(each)
    _peer(links, regions, transits, randomness)
    rows = Links.of(Link(asns[a], asns[b], relation) for (a, b), relation in links.items())
    graph = build_graph(rows, Origin("synthetic"), asns)
    return SyntheticGraph(graph, {asn: REGIONS[region] for asn, region in zip(asns, regions, strict=True)})


class _Sellers:
    """Who can be chosen as a provider: each stands in a list once, and once more for every customer."""

    def __init__(self, regions: list[int]) -> None:
        self._regions = regions
        self._everywhere: list[int] = []
        self._in_region: list[list[int]] = [[] for _ in REGIONS]

    def add(self, seller: int) -> None:
        self._everywhere.append(seller)
        self._in_region[self._regions[seller]].append(seller)

    def choose(self, customer: int, count: int, randomness: Randomness) -> list[int]:
        chosen: list[int] = []
        for _ in range(count):
            near = self._in_region[self._regions[customer]]
            pool = self._everywhere if not near or randomness.random() < _FOREIGN else near
            seller = pool[int(randomness.random() * len(pool))]
            if seller not in chosen:
                chosen.append(seller)
        for seller in chosen:
            self.add(seller)
        return chosen


def _peer(links: dict[tuple[int, int], int], regions: list[int], transits: int, randomness: Randomness) -> None:
    """Let the members of each region's exchange peer: every transit, some leaves, each pair by chance."""
    for region in range(len(REGIONS)):
        members = [
            each
            for each in range(_CLIQUE, len(regions))
            if regions[each] == region and (each < transits or randomness.random() < _MEMBER)
        ]
        chance = min(0.5, 12 / max(1, len(members)))
        for at, one in enumerate(members):
            for other in members[at + 1 :]:
                if (one, other) not in links and randomness.random() < chance:
                    links[one, other] = PEER_TO_PEER


def region_shares(made: SyntheticGraph) -> NDArray[np.float64]:
    """Give each region's share of the ASes, float64[region]."""
    counts = np.array([sum(1 for each in made.region.values() if each == name) for name in REGIONS], np.float64)
    shares: NDArray[np.float64] = counts / counts.sum()
    return shares
