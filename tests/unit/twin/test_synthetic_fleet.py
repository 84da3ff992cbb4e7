"""Graphs made for a fleet."""

import random

import numpy as np

from anycastle.model.asn import ASN
from anycastle.model.upstream import UpstreamKind
from anycastle.twin.intent import RemarkKind, intent_of
from anycastle.twin.predict import predict_fleets
from anycastle.twin.synthetic_fleet import FIRST_ASN, make_graph_for
from tests.unit.twin.fleets import fleet, pop, upstream


def wide():
    """64496 is a transit in Europe and Asia, 64497 one in Europe, 64498 a peer there."""
    from dataclasses import replace

    fra = pop("fra", 1.0, upstream(64496), upstream(64497), upstream(64498, UpstreamKind.PEER))
    return fleet((fra, replace(pop("nrt", 1.0, upstream(64496)), region="asia")))


def test_upstreams_stand_where_such_networks_do() -> None:
    made = make_graph_for([wide()], 500, random.Random(1))
    graph = made.graph
    backbone, transit, peer = (graph.node(asn) for asn in (64496, 64497, 64498))
    assert not len(graph.providers(backbone))
    assert len(graph.providers(transit))
    assert made.region[ASN(64497)] == made.region[ASN(64498)] == "europe"
    assert all(len(graph.customers(node)) for node in (backbone, transit, peer))
    assert len(graph) == 500
    assert sum(asn >= FIRST_ASN for asn in graph.asn.tolist()) == 497


def test_the_same_randomness_gives_the_same_graph() -> None:
    one, other = (make_graph_for([wide()], 300, random.Random(7)).graph for _ in range(2))
    assert np.array_equal(one.asn, other.asn)
    assert np.array_equal(one.provider, other.provider)


def test_every_pop_of_the_fleet_can_be_predicted() -> None:
    graph = make_graph_for([wide()], 500, random.Random(1)).graph
    found = predict_fleets(graph, wide(), wide(), np.random.default_rng(1))
    assert sum(each.after.mean for each in found.pops) > 0.99
    assert not [r for r in intent_of(wide(), graph).remarks if r.kind is RemarkKind.ABSENT_UPSTREAM]


def test_more_upstreams_than_networks_of_their_kind() -> None:
    many = fleet((pop("fra", 1.0, *(upstream(64600 + each, UpstreamKind.PEER) for each in range(60))),))
    graph = make_graph_for([many], 100, random.Random(1)).graph
    absent = [r for r in intent_of(many, graph).remarks if r.kind is RemarkKind.ABSENT_UPSTREAM]
    assert absent
