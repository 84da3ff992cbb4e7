"""The graph's order and rows, its own adjacencies, and providers that go in a circle."""

import random

import numpy as np
import pytest

from anycastle.base.errors import MisuseError, ParseError
from anycastle.model.asn import ASN
from anycastle.twin.graph import Link, Links, build_graph
from anycastle.twin.synthetic import REGIONS, make_graph
from tests.unit.twin.twelve import LINKS, twelve


def test_every_provider_stands_after_its_customers_and_rows_are_by_asn() -> None:
    graph = twelve()

    assert graph.asn.tolist() == [7, 8, 9, 10, 11, 12, 3, 4, 5, 6, 1, 2]
    assert (graph.leaves, graph.depth, graph.link_count) == (6, 2, 14)
    assert graph.asn[graph.providers(graph.node(8))].tolist() == [3, 4]
    assert graph.asn[graph.customers(graph.node(3))].tolist() == [7, 8]
    assert graph.asn[graph.peers(graph.node(4))].tolist() == [5]
    assert graph.nodes([12, 99]).tolist() == [graph.node(12), -1]
    with pytest.raises(MisuseError, match="AS99 is not in the graph twelve of 2025-09-01"):
        graph.node(99)


def test_links_come_back_as_they_went_in() -> None:
    links = twelve().links()
    found = {
        (min(a, b), max(a, b)) if not r else (a, b, r)
        for a, b, r in zip(links.left.tolist(), links.right.tolist(), links.relation.tolist(), strict=True)
    }

    assert found == {(a, b, r) if r else (min(a, b), max(a, b)) for a, b, r in LINKS}


def test_an_own_adjacency_is_right_where_the_source_says_otherwise() -> None:
    """8 buys from 4 in the source; we know that they peer."""
    graph = twelve().with_links([Link(ASN(4), ASN(8), 0), Link(ASN(900), ASN(12), -1)])

    assert graph.asn[graph.providers(graph.node(8))].tolist() == [3]
    assert graph.asn[graph.peers(graph.node(8))].tolist() == [4]
    assert graph.asn[graph.providers(graph.node(12))].tolist() == [6, 900]
    assert (graph.link_count, graph.origin.own_links) == (15, 2)


@pytest.mark.parametrize(
    ("added", "words"),
    [
        ([(12, 2, -1)], "AS12 provides for AS2 provides for AS6 provides for AS12"),
        ([(8, 3, -1)], "AS3 and AS8 are related in two ways"),
        ([(20, 21, -1), (21, 22, -1), (22, 20, -1)], "AS20 provides for AS21 provides for AS22 provides for AS20"),
    ],
)
def test_a_circle_of_providers_is_named(added: list[tuple[int, int, int]], words: str) -> None:
    rows = [*LINKS, *(Link(ASN(a), ASN(b), r) for a, b, r in added)]

    with pytest.raises(ParseError, match=r"related|circle") as raised:
        build_graph(Links.of(rows))
    said = str(raised.value)
    turned = words.split(" provides for ")
    assert words in said or any(
        " provides for ".join([*turned[at:-1], *turned[:at], turned[at]]) in said for at in range(len(turned) - 1)
    )


def test_a_long_circle_is_cut() -> None:
    ring = [Link(ASN(each), ASN(each % 40 + 1), -1) for each in range(1, 41)]

    with pytest.raises(ParseError, match=r"\.\.\. \(40 ASes\)$"):
        build_graph(Links.of(ring))


def test_repeats_count_once_and_the_empty_graph_is_one() -> None:
    graph = build_graph(Links.of([*LINKS, *LINKS[:3], Link(ASN(2), ASN(1), 0)]))

    assert graph.link_count == 14
    empty = build_graph(Links.of([]), isolated=[5])
    assert (len(empty), empty.depth, empty.nodes([5, 6]).tolist()) == (1, 0, [0, -1])


def test_nobody_can_write_to_a_graph() -> None:
    with pytest.raises(ValueError, match="read-only"):
        twelve().asn[0] = 1


def test_a_synthetic_graph_is_the_same_for_the_same_seed_and_tiered() -> None:
    one, again, other = (make_graph(800, random.Random(seed)) for seed in (1, 1, 2))
    graph = one.graph

    assert (one.graph.provider == again.graph.provider).all()
    assert not np.array_equal(one.graph.provider, other.graph.provider)
    assert len(graph) == 800
    assert set(one.region.values()) == set(REGIONS)
    customers = np.sort(np.diff(graph.customer_start))[::-1]
    assert customers[:8].sum() > 0.2 * customers.sum()  # a few have most of the customers
    assert np.count_nonzero(customers) < 0.15 * len(graph)
    tops = [node for node in range(len(graph)) if not len(graph.providers(node))]
    assert len(tops) == 8
    assert all(len(np.intersect1d(graph.peers(node), tops)) == 7 for node in tops)


def test_a_synthetic_graph_has_tiers() -> None:
    with pytest.raises(MisuseError, match="10 or more"):
        make_graph(9, random.Random(1))
