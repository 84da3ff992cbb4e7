"""A foreign origin is found at the threshold, whatever RPKI says, and is over when the Internet has it right again."""

import pytest

from anycastle.model.asn import ASN
from anycastle.model.prefix import Prefix
from anycastle.watch.validation import NoValidation, Validity
from tests.unit.watch.scene import OWN, UPSTREAMS, Scene, watched


class Fixed(NoValidation):
    def __init__(self, validity: Validity) -> None:
        self._validity = validity

    def validity(self, prefix: Prefix, origin: ASN) -> Validity:
        return self._validity


@pytest.mark.mission("F2", "C6", "S3")
def test_the_second_as_that_sees_it_opens_it_and_the_usual_route_clears_it() -> None:
    scene = Scene()
    scene.seed()

    assert scene.see([1], 666) == []
    (event,) = scene.see([2], 666)
    scene.wait(300)
    scene.see([1, 2], 3356, UPSTREAMS[0], OWN)
    scene.wait(59)
    assert not scene.cleared()
    scene.wait(1)

    (opened,), (cleared,) = scene.opened(), scene.cleared()
    assert event.body is opened
    assert (opened.finding_kind, opened.subject, opened.prefixes) == ("origin_change", "AS666", ("192.0.2.0/24",))
    assert (opened.severity, opened.peers, opened.asns, opened.at_start) == ("critical", 2, 2, False)
    assert opened.evidence[0].endswith("rrc00 AS1001 203.0.113.1 path 1001 666")
    assert (cleared.finding, cleared.lasted_s) == (opened.finding, 360.0)


@pytest.mark.mission("I8")
@pytest.mark.parametrize("validity", list(Validity))
def test_rpki_annotates_and_keeps_nothing_back(validity: Validity) -> None:
    scene = Scene(validation=Fixed(validity))
    scene.see([1, 2], 666)
    (opened,) = scene.opened()
    assert opened.validity == validity.value
    assert any("RPKI" in reason for reason in opened.reasons)


def test_an_allowed_second_origin_is_no_change() -> None:
    scene = Scene(watched(origins=frozenset({OWN, ASN(64501)})))
    scene.see(range(9), UPSTREAMS[0], 64501)
    assert scene.events == []


def test_two_sessions_of_one_as_are_one_as() -> None:
    scene = Scene()
    scene.see([1], 666)
    scene.see([1], 777, 666)
    assert not scene.opened()


def test_a_short_appearance_and_a_return_stay_one_finding() -> None:
    scene = Scene()
    scene.see([1, 2], 666)
    for _ in range(5):
        scene.wait(20)
        scene.lose([1, 2])
        scene.wait(20)
        scene.see([1, 2], 666)
    assert (len(scene.opened("origin_change")), scene.cleared("origin_change")) == (1, [])


def test_what_a_peer_said_before_a_reset_counts_no_more_and_what_it_says_after_does() -> None:
    scene = Scene()
    scene.see([1, 2], 666)
    scene.up(1)
    scene.wait(30)
    scene.see([1], 666)
    scene.wait(300)
    assert not scene.cleared()
    scene.up(1)
    scene.up(2)
    scene.wait(60)
    assert len(scene.cleared()) == 1


def test_what_a_peer_that_went_down_saw_counts_no_more() -> None:
    scene = Scene()
    scene.see([1, 2], 666)
    scene.down(1)
    scene.down(2)
    scene.wait(60)
    assert len(scene.cleared()) == 1
