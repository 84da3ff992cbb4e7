"""The AS graph's relationships, as the watch asks for them: what one network is to another."""

from pathlib import Path
from typing import Self

from anycastle.io.as_graph import default_cache_folder, load_graph
from anycastle.model.asn import ASN
from anycastle.twin.graph import ASGraph
from anycastle.watch.relation import Relation

REMEMBERED_MAX = 100_000
"""Pairs whose answer is remembered: the adjacencies near our prefixes are some thousands."""


class GraphRelations:
    """Relationships of a graph, which never changes."""

    def __init__(self, graph: ASGraph) -> None:
        self._graph = graph
        self._remembered: dict[tuple[ASN, ASN], Relation | None] = {}

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read CAIDA's file, or its cache. Raises `WorldError` or `ParseError`."""
        return cls(load_graph(path, cache=default_cache_folder()).graph)

    def relation(self, asn: ASN, neighbour: ASN) -> Relation | None:
        """Give what `neighbour` is to `asn`, or None where the graph does not say."""
        key = asn, neighbour
        if key not in self._remembered:
            if len(self._remembered) >= REMEMBERED_MAX:
                self._remembered.clear()
            self._remembered[key] = self._look_up(asn, neighbour)
        return self._remembered[key]

    def _look_up(self, asn: ASN, neighbour: ASN) -> Relation | None:
        here, there = (int(node) for node in self._graph.nodes((asn, neighbour)))
        if here < 0 or there < 0:
            return None
        if there in self._graph.providers(here):
            return Relation.PROVIDER
        if there in self._graph.customers(here):
            return Relation.CUSTOMER
        return Relation.PEER if there in self._graph.peers(here) else None
