"""Leaks, by each sign of one; and the signs that are not enough."""

import pytest

from anycastle.model.asn import ASN
from anycastle.watch.detectors.route_leak import ADJACENT_MAX
from anycastle.watch.relation import Relation
from anycastle.watch.validation import NoValidation
from tests.unit.watch.scene import OURS, OWN, UPSTREAMS, Scene, peer

CUSTOMER_OF = {  # customer -> its providers
    OWN: {UPSTREAMS[0], UPSTREAMS[1]},
    666: {UPSTREAMS[0], 174},
    **{1000 + number: {174} for number in range(20)},
}
PEERS = ({UPSTREAMS[0], 174},)


class Graph:
    def relation(self, asn: ASN, neighbour: ASN) -> Relation | None:
        if neighbour in CUSTOMER_OF.get(asn, ()):
            return Relation.PROVIDER
        if asn in CUSTOMER_OF.get(neighbour, ()):
            return Relation.CUSTOMER
        return Relation.PEER if {asn, neighbour} in PEERS else None


@pytest.mark.mission("F1", "C6")
def test_a_customer_that_hands_a_provider_the_other_providers_route() -> None:
    scene = Scene(relations=Graph())
    scene.see([1, 2], 174, 666, UPSTREAMS[0], OWN)
    assert not scene.opened(), "two peers at one collector are not enough"
    scene.see([3], 174, 666, UPSTREAMS[0], OWN)
    scene.see(range(1, 4), 174, UPSTREAMS[0], OWN)
    scene.wait(120)
    (opened,), (cleared,) = scene.opened(), scene.cleared()
    assert (opened.finding_kind, opened.subject) == ("route_leak", "AS666")
    assert opened.reasons == ("AS666 hands it on to its provider AS174, though AS666 had it from its provider AS64496",)
    assert (opened.peers, opened.collectors) == (3, 2)
    assert cleared.finding == opened.finding


def test_a_route_between_peers_and_down_again_is_no_leak() -> None:
    scene = Scene(relations=Graph())
    scene.see(range(12), 174, UPSTREAMS[0], OWN)
    assert scene.events == []


@pytest.mark.mission("F1")
@pytest.mark.rfc("9234", "5")
def test_a_mark_for_customers_only_that_went_up_again() -> None:
    scene = Scene(locked={ASN(174): frozenset()})
    scene.see(range(1, 7), 174, 666, UPSTREAMS[0], OWN, otc=UPSTREAMS[0])
    (opened,) = scene.opened()
    assert (opened.subject, opened.score) == ("AS666", 60)
    assert "RFC 9234" in opened.reasons[0]


def test_a_mark_that_a_peer_got_is_in_order() -> None:
    scene = Scene(locked={ASN(174): frozenset()})
    scene.see(range(1, 7), 174, UPSTREAMS[0], OWN, otc=UPSTREAMS[0])
    assert scene.events == []


class Attested(NoValidation):
    """What networks say of their providers."""

    def providers(self, customer: ASN) -> frozenset[ASN] | None:
        told = {UPSTREAMS[0]: {0}, 174: {0}, OWN: {*UPSTREAMS}}.get(customer)
        return None if told is None else frozenset(map(ASN, told))


@pytest.mark.mission("F1", "C11")
def test_a_network_that_neither_side_calls_its_provider() -> None:
    scene = Scene(validation=Attested())
    scene.see(range(1, 7), 174, 666, UPSTREAMS[0], OWN)
    (opened,) = scene.opened()
    assert (opened.finding_kind, opened.subject, opened.score) == ("route_leak", "AS666", 60)
    assert opened.reasons == (
        "AS666 leaks it: AS666 is no provider of AS64496, and AS666 none of AS174, by their ASPAs",
    )


def test_a_path_that_the_attestations_allow_is_no_leak() -> None:
    scene = Scene(validation=Attested())
    scene.see(range(1, 7), 174, UPSTREAMS[0], OWN)
    assert scene.events == []


@pytest.mark.mission("F1")
def test_a_network_between_two_locked_ones() -> None:
    scene = Scene(locked={ASN(174): frozenset(), UPSTREAMS[0]: frozenset()})
    scene.see(range(1, 7), 174, 666, UPSTREAMS[0], OWN)
    (opened,) = scene.opened()
    assert opened.subject == "AS666"
    assert opened.reasons == ("AS666 carries it from AS64496 to AS174, both locked: nobody's customers",)


def test_what_is_new_adds_to_the_score_and_is_not_enough_alone() -> None:
    scene = Scene(locked={ASN(174): frozenset(), UPSTREAMS[0]: frozenset()})
    scene.seed(12)
    scene.wait(10)
    scene.see(range(1, 7), 777, UPSTREAMS[0], OWN)
    assert scene.events == []
    scene.see(range(1, 7), 174, 888, 666, UPSTREAMS[0], OWN)
    (opened,) = scene.opened()
    assert opened.score == 50 + 15 + 10
    assert opened.reasons[1] == "AS666 was not seen behind AS64496 before"


def test_a_peer_cannot_fill_the_memory_with_adjacencies() -> None:
    scene = Scene()
    for number in range(ADJACENT_MAX + 10):
        scene.see([1], 100_000 + number, UPSTREAMS[0], OWN)
    assert len(scene.engine._memory[OURS].adjacent) == ADJACENT_MAX
    assert peer(1) in scene.engine.views.peers
