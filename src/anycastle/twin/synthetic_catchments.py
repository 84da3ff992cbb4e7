"""Experiments of our own making: a graph, PoPs, and hidden preferences that a calibration has to find.

Theory of operation. Every PoP is one AS's customer. An AS prefers PoPs that are near by valley-free length, that are of
its own region, that its region's habits favour, and for reasons of its own. None of that but the lengths can be seen
from the graph. An experiment asks a random part of all ASes. Collector paths follow the next hops from some vantage
points.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Randomness
from anycastle.model.asn import ASN
from anycastle.model.catchment import CollectorPath, Experiment, Neighbour
from anycastle.twin.calibration import Observations
from anycastle.twin.deployment import deployment_of_origins
from anycastle.twin.graph import ASGraph, Link
from anycastle.twin.routes import propagate
from anycastle.twin.synthetic import REGIONS, make_graph

FIRST_POP_ASN: Final = 4_200_000_001
"""PoPs are ASNs for private use (RFC 6996 §5), one each, so that routes tell them apart."""
HOP: Final = 0.8
HOME: Final = 1.5
HABIT: Final = 1.0
OWN: Final = 0.6
VANTAGE_POINTS: Final = 80
PATH_MAX: Final = 32


@dataclass(frozen=True, slots=True)
class SyntheticFleet:
    """A graph without the PoPs, what was observed, and what is true for every AS and PoP."""

    graph: ASGraph
    observations: Observations
    asn: NDArray[np.uint32]
    preference: NDArray[np.float64]
    """float64[as, pop]: an AS takes the announced PoP of the highest."""


def make_fleet(ases: int, pops: int, randomness: Randomness, asked: float = 0.5) -> SyntheticFleet:
    """Make a fleet and an experiment for each pair of PoPs, in which the part `asked` of the ASes answers."""
    if pops < 2 or pops > 26:
        raise MisuseError(f"{pops} PoPs; a fleet made here has 2 to 26")
    made = make_graph(ases, randomness)
    rng = np.random.default_rng(int(randomness.random() * 2**32))
    names = tuple(f"pop-{chr(ord('a') + each)}" for each in range(pops))
    graph = made.graph
    hosts = rng.choice(graph.asn[graph.leaves :], pops, replace=False)
    served = graph.with_links(Link(ASN(int(host)), ASN(FIRST_POP_ASN + at), -1) for at, host in enumerate(hosts))
    region = np.array([REGIONS.index(made.region[ASN(int(asn))]) for asn in graph.by_asn])
    home = np.array([REGIONS.index(made.region[ASN(int(host))]) for host in hosts])
    preference = HOME * (region[:, None] == home) + HABIT * rng.normal(size=(len(REGIONS), pops))[region]
    preference += OWN * rng.normal(size=preference.shape)
    paths: list[CollectorPath] = []
    vantage = rng.choice(graph.by_asn, min(VANTAGE_POINTS, len(graph)), replace=False)
    for at, name in enumerate(names):
        length, routes = _routes(served, ASN(FIRST_POP_ASN + at), graph.by_asn)
        preference[:, at] -= HOP * length
        paths += [CollectorPath((name,), path) for each in vantage if (path := _path(routes, int(each)))]
    experiments = [
        _experiment((names[i], names[j]), preference[:, [i, j]], graph.by_asn, rng.random(len(graph)) < asked)
        for i in range(pops)
        for j in range(i + 1, pops)
    ]
    neighbours = tuple(Neighbour(name, ASN(int(host)), True) for name, host in zip(names, hosts, strict=True))
    countries = {int(asn): made.region[ASN(int(asn))] for asn in graph.by_asn}
    observations = Observations(tuple(experiments), tuple(paths), neighbours, countries)
    return SyntheticFleet(graph, observations, graph.by_asn, preference)


def _routes(graph: ASGraph, origin: ASN, asns: NDArray[np.uint32]) -> tuple[NDArray[np.float64], dict[int, int]]:
    """Give the length float64[as] to an origin, and every AS's next hop."""
    deployment = deployment_of_origins([origin])
    fields = propagate(graph, deployment, deployment.everywhere({f"AS{origin}": 0})).by_asn()
    next_hop = dict(zip(fields.asn.tolist(), fields.next_hop.tolist(), strict=True))
    return fields.length[np.searchsorted(fields.asn, asns)].astype(np.float64), next_hop


def _path(next_hop: dict[int, int], start: int) -> tuple[ASN, ...]:
    """Give the path from an AS to the last one before the PoP; () where there is no route."""
    path, at = [ASN(start)], start
    while len(path) < PATH_MAX:
        at = next_hop.get(at, 0)
        if at >= FIRST_POP_ASN:
            return tuple(path)
        if not at:
            return ()
        path.append(ASN(at))
    return ()


def _experiment(
    announced: tuple[str, ...], preference: NDArray[np.float64], asns: NDArray[np.uint32], asked: NDArray[np.bool_]
) -> Experiment:
    pop = preference[asked].argmax(axis=1).astype(np.int16)
    return Experiment(announced, asns[asked], pop, np.ones(len(pop), np.float32), "synthetic")
