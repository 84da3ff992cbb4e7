"""Lengths from collector paths, on a graph small enough to be followed by hand."""

import numpy as np
import pytest

from anycastle.model.asn import ASN
from anycastle.model.catchment import CollectorPath, Neighbour
from anycastle.twin.graph import Link, Links, build_graph
from anycastle.twin.path_field import UNKNOWN, lean, make_field

# 1 and 2 peer; 1 provides for 3 and 4, 2 for 5, and 4 and 5 both for 6; 7 stands alone.
GRAPH = build_graph(
    Links.of(
        Link(ASN(a), ASN(b), r) for a, b, r in [(1, 2, 0), (1, 3, -1), (1, 4, -1), (2, 5, -1), (4, 6, -1), (5, 6, -1)]
    ),
    isolated=[7],
)


def _path(pop, *asns):
    return CollectorPath((pop,), tuple(map(ASN, asns)))


def _field(*paths, neighbours=()):
    return make_field(GRAPH, paths, neighbours, ("a", "b"), np.array([7], np.uint32))


def _length(found, pop, asn):
    return found.length[found.pops.index(pop), np.searchsorted(found.asn, asn)]


def test_lengths_are_measured_and_carried_down():
    """PoP a hangs below 3. The path 1-3 gives 1 two hops. 2 peers with 1, whose route is a customer's: three. 4 has 1
    as provider: three; 5 has 2: four; 6 the nearer of 4 and 5: four. 7 is nowhere."""
    found = _field(_path("a", 1, 3))
    assert [_length(found, "a", asn) for asn in range(1, 8)] == [2, 3, 1, 3, 4, 4, UNKNOWN]
    assert not found.known[np.searchsorted(found.asn, 7)]
    assert (found.length[1] == UNKNOWN).all()


def test_a_route_of_a_peer_is_not_told_to_peers():
    """2 hears of b beside it, so 1 is not told, though it peers with 2; 5 below 2 is."""
    found = _field(neighbours=[Neighbour("b", ASN(2), False)])
    assert [_length(found, "b", asn) for asn in (1, 2, 5, 6)] == [UNKNOWN, 1, 2, 3]
    found = _field(neighbours=[Neighbour("b", ASN(2), True)])
    assert _length(found, "b", 1) == 2


def test_prepends_count_and_the_path_most_often_seen_stands():
    found = _field(_path("a", 1, 3, 3, 3), _path("a", 2, 1, 3, 3, 3), _path("a", 1, 4))
    assert _length(found, "a", 1) == 4
    assert _length(found, "a", 3) == 3
    assert _length(found, "a", 4) == 1


def test_paths_of_two_pops_together_are_not_used():
    found = make_field(GRAPH, [CollectorPath(("a", "b"), (ASN(1), ASN(3)))], (), ("a", "b"), np.array([], np.uint32))
    assert not found.known.any()


def test_the_nearer_pop_draws_and_customers_choose_as_their_providers():
    """a below 3, b below 5: 1 is two hops from a and sees b three away, so it leans to a, and 4 below it as much. 6 has
    the providers 4 (three to a) and 5 (one to b), and takes the nearest: 5."""
    found = _field(_path("a", 1, 3), _path("b", 2, 5), _path("b", 1, 2, 5))
    odds = {int(asn): float(value) for asn, value in zip(found.asn, lean(found, 0, 1), strict=True)}
    assert odds[1] == pytest.approx(1.5)
    assert odds[4] == pytest.approx(odds[1])
    assert odds[6] == pytest.approx(odds[5]) == -4
    assert odds[7] == 0
    assert np.allclose(lean(found, 0, 1), -lean(found, 1, 0))
    assert found.nearer(0, 1)[np.searchsorted(found.asn, 1)] == 1
