from pathlib import Path

import pytest

from anycastle.io.as_graph import parse_graph
from anycastle.io.as_relations import GraphRelations
from anycastle.model.asn import ASN
from anycastle.watch.relation import Relation

GRAPH = b"# source:test|20260101\n64496|64500|-1\n64496|64497|0\n64497|64500|-1\n"


@pytest.mark.mission("F1")
@pytest.mark.parametrize(
    ("asn", "neighbour", "expected"),
    [
        (64500, 64496, Relation.PROVIDER),
        (64496, 64500, Relation.CUSTOMER),
        (64496, 64497, Relation.PEER),
        (64497, 64496, Relation.PEER),
        (64500, 64999, None),
        (64999, 64500, None),
    ],
)
def test_what_one_network_is_to_another(asn: int, neighbour: int, expected: Relation | None) -> None:
    relations = GraphRelations(parse_graph(GRAPH, Path("graph.txt")))
    for _ in range(2):
        assert relations.relation(ASN(asn), ASN(neighbour)) is expected
