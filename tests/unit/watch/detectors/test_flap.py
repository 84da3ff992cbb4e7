"""Routes that come and go, and who is behind it."""

import pytest

from anycastle.watch.detectors.flap import NAME, flapping_peers
from tests.unit.watch.scene import OURS, OWN, UPSTREAMS, Scene


@pytest.mark.mission("F3")
def test_a_flap_names_the_network_that_all_paths_share() -> None:
    scene = Scene()
    scene.seed(30)
    for _ in range(4):
        for number in (1, 2, 4, 7):
            scene.see([number], 1299, UPSTREAMS[1], OWN)
            scene.lose([number])
        scene.wait(30)
    (opened,) = scene.opened(NAME)
    assert opened.reasons[1] == "all their paths go through AS1299"
    assert (opened.peers, opened.asns) == (4, 4)
    scene.see([1, 2, 4, 7], 3356, UPSTREAMS[0], OWN)
    scene.wait(1500)
    assert len(scene.cleared(NAME)) == 1


def test_one_peer_that_flaps_is_that_peers_trouble() -> None:
    scene = Scene()
    scene.seed(30)
    for _ in range(10):
        scene.see([1], 1299, UPSTREAMS[1], OWN)
        scene.lose([1])
        scene.wait(20)
    assert not scene.opened(NAME)
    survey = scene.engine.views.survey(OURS, scene.now())
    assert flapping_peers(survey.states, scene.now()) == [("rrc00 AS1001 203.0.113.1", 21)]
