"""A file of AS relationships in which a fleet's upstreams stand, for whoever is given a graph by its path."""

import random
from dataclasses import replace
from pathlib import Path

from anycastle.io.config import load_fleet
from anycastle.kernels.relations import PEER_TO_PEER
from anycastle.model.upstream import UpstreamKind
from anycastle.twin.synthetic_fleet import make_graph_for


def write_graph_for(folder: Path, path: Path, ases: int = 800, *, wide: bool = False) -> Path:
    """Write the graph for the fleet of a folder, as CAIDA does; give its path.

    `wide`: every upstream is a backbone there, whatever it is to the fleet, so that its peers are heard by many.
    """
    fleet = load_fleet(folder).fleet
    assert fleet is not None
    if wide:
        as_transit = [
            replace(pop, upstreams=tuple(replace(each, kind=UpstreamKind.TRANSIT) for each in pop.upstreams))
            for pop in fleet.pops
        ]
        fleet = replace(fleet, pops=tuple(as_transit))
    links = make_graph_for([fleet], ases, random.Random(1)).graph.links()
    rows = zip(links.left.tolist(), links.right.tolist(), links.relation.tolist(), strict=True)
    lines = [f"{left}|{right}|{0 if relation == PEER_TO_PEER else -1}" for left, right, relation in rows]
    path.write_text("\n".join(["# source:topology|BGP|20250901", *lines, ""]))
    return path
