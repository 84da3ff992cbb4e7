"""How much each AS counts: users, addresses, queries, or all alike; and what of it the graph cannot hold.

A file of weights names ASes that the graph does not have (new ones, or ones whose links nobody sees). Their weight is
not spread over others: it is reported beside every share, which then is a share of what could be placed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.twin.graph import ASGraph

ABSENT_SHOWN: Final = 5
"""ASes that the graph does not have and that are named, the heaviest first."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A weight for each AS of a graph, and the weight of those that it does not have."""

    of_node: NDArray[np.float64]
    """float64[node], 0 or more; they add up to 1."""
    source: str
    """What they count, for people: `all ASes alike`, `addresses of asn-ipv4.csv`."""
    total: float
    """What the source added up to, in its own unit."""
    unplaced: float
    """Share of the total, 0 to 1, whose ASes the graph does not have."""
    absent: tuple[tuple[int, float], ...] = ()
    """The heaviest of these ASNs, with their shares of the total."""


def equal_weights(graph: ASGraph) -> Weights:
    """Let every AS of the graph count the same."""
    return Weights(np.full(len(graph), 1.0 / max(1, len(graph))), "all ASes alike", float(len(graph)), 0.0)


def place_weights(graph: ASGraph, weight_of: Mapping[int, float], source: str) -> Weights:
    """Give the weights of ASNs as weights of nodes. Raises `MisuseError` where no AS of the graph has any."""
    asns = np.array(sorted(weight_of), np.uint32)
    values = np.array([weight_of[int(asn)] for asn in asns], np.float64)
    if (values < 0).any() or not np.isfinite(values).all():
        raise MisuseError(f"{source}: weights are finite and 0 or more")
    nodes = graph.nodes(asns)
    there, total = nodes >= 0, float(values.sum())
    placed = float(values[there].sum())
    if placed <= 0:
        raise MisuseError(f"{source}: no AS with a weight is in the graph {graph.origin.name}")
    of_node = np.zeros(len(graph))
    of_node[nodes[there]] = values[there] / placed
    lost = sorted(zip(values[~there].tolist(), asns[~there].tolist(), strict=True), key=lambda row: (-row[0], row[1]))
    absent = tuple((asn, value / total) for value, asn in lost[:ABSENT_SHOWN] if value)
    return Weights(of_node, source, total, 1.0 - placed / total if lost else 0.0, absent)
