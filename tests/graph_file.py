"""A file of AS relationships in which a fleet's upstreams stand, for whoever is given a graph by its path."""

import random
from pathlib import Path

from anycastle.io.config import load_fleet
from anycastle.kernels.relations import PEER_TO_PEER
from anycastle.twin.synthetic_fleet import make_graph_for


def write_graph_for(folder: Path, path: Path, ases: int = 800) -> Path:
    """Write the graph for the fleet of a folder, as CAIDA does; give its path."""
    fleet = load_fleet(folder).fleet
    assert fleet is not None
    links = make_graph_for([fleet], ases, random.Random(1)).graph.links()
    rows = zip(links.left.tolist(), links.right.tolist(), links.relation.tolist(), strict=True)
    lines = [f"{left}|{right}|{0 if relation == PEER_TO_PEER else -1}" for left, right, relation in rows]
    path.write_text("\n".join(["# source:topology|BGP|20250901", *lines, ""]))
    return path
