"""Our route behind a locked network, through one that does not get it there."""

import pytest

from anycastle.model.asn import ASN
from tests.unit.watch.scene import OWN, UPSTREAMS, Scene

LOCKED = {UPSTREAMS[0]: frozenset({ASN(3356), ASN(1299)})}


@pytest.mark.mission("F1", "F2")
def test_a_stranger_before_a_locked_network_is_found_and_cleared() -> None:
    scene = Scene(locked=LOCKED)
    scene.see([1, 2], 666, UPSTREAMS[0], OWN)
    scene.see([1, 2], 1299, UPSTREAMS[0], OWN)
    scene.wait(60)
    (opened,) = scene.opened()
    assert (opened.finding_kind, opened.subject) == ("locked_asn", "AS666")
    assert len(scene.cleared()) == 1


def test_those_that_may_and_other_networks_are_let_be() -> None:
    scene = Scene(locked=LOCKED)
    scene.see([1, 2], 3356, UPSTREAMS[0], OWN)
    scene.see([4, 5], 666, UPSTREAMS[1], OWN)
    assert scene.events == []


def test_a_lock_without_names_lets_every_customer_be() -> None:
    scene = Scene(locked={UPSTREAMS[0]: frozenset()})
    scene.see([1, 2], 666, UPSTREAMS[0], OWN)
    assert scene.events == []
