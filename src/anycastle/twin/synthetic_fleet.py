"""A graph of our own making that has a fleet's upstreams in it, for predictions without data.

The upstreams of a fleet are not in a synthetic graph, so they take the place of ASes that are: a transit of PoPs in
several regions becomes a backbone, one of a single region that region's transit with the most customers, and so does
a peer. What is then predicted shows how a change works, and not where the Internet's users are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from anycastle.base.ports import Randomness
from anycastle.model.asn import ASN
from anycastle.model.fleet import Fleet
from anycastle.model.upstream import UpstreamKind
from anycastle.twin.graph import ASGraph, Links, build_graph
from anycastle.twin.regions import region_of_pop
from anycastle.twin.synthetic import SyntheticGraph, make_graph

FIRST_ASN: Final = 4_200_000_000
"""Made ASes have ASNs for private use (RFC 6996), which are nobody's on the Internet."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    asn: ASN
    transit: bool
    regions: tuple[str, ...]


def make_graph_for(fleets: Iterable[Fleet], ases: int, randomness: Randomness) -> SyntheticGraph:
    """Make a graph of `ases` ASes in which the fleets' upstreams stand; the same randomness gives the same graph."""
    made = make_graph(ases, randomness, FIRST_ASN)
    taken: set[ASN] = set()
    names: dict[ASN, ASN] = {}
    for wanted in _wanted(fleets):
        stand_in = _stand_in(made, wanted, taken)
        if stand_in is not None:
            taken.add(stand_in)
            names[stand_in] = wanted.asn
    region = {names.get(asn, asn): where for asn, where in made.region.items()}
    return SyntheticGraph(_renamed(made.graph, names), region)


def _wanted(fleets: Iterable[Fleet]) -> list[_Wanted]:
    regions: dict[ASN, set[str]] = {}
    transit: set[ASN] = set()
    for fleet in fleets:
        for pop in fleet.pops:
            for upstream in pop.upstreams:
                if upstream.asn != fleet.asn:
                    regions.setdefault(upstream.asn, set()).add(region_of_pop(pop.region, pop.location))
                    transit |= {upstream.asn} if upstream.kind is UpstreamKind.TRANSIT else set()
    return [_Wanted(asn, asn in transit, tuple(sorted(regions[asn]))) for asn in sorted(regions)]


def _stand_in(made: SyntheticGraph, wanted: _Wanted, taken: set[ASN]) -> ASN | None:
    """Choose the AS whose place an upstream takes: those with most customers first, and backbones for wide transits."""
    graph = made.graph
    customers = np.diff(graph.customer_start)
    backbone = np.diff(graph.provider_start) == 0
    wide = wanted.transit and len(wanted.regions) > 1
    for node in np.lexsort((graph.asn, -customers)).tolist():
        asn = ASN(int(graph.asn[node]))
        if asn in taken or not customers[node] or bool(backbone[node]) is not wide:
            continue
        if wide or made.region[asn] in wanted.regions:
            return asn
    return None


def _renamed(graph: ASGraph, names: Mapping[ASN, ASN]) -> ASGraph:
    def renamed(asns: np.ndarray) -> np.ndarray:
        return np.array([names.get(ASN(int(asn)), int(asn)) for asn in asns], np.uint32)

    links = graph.links()
    changed = Links(renamed(links.left), renamed(links.right), links.relation)
    return build_graph(changed, replace(graph.origin), renamed(graph.asn))
