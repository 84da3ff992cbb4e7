"""Other ways into our network than usual, and longer ones."""

import pytest

from anycastle.watch.detectors.path_change import LENGTH, TRANSIT
from anycastle.watch.fact import OwnAction
from tests.unit.watch.scene import OWN, UPSTREAMS, Scene


@pytest.mark.mission("C6", "F8")
def test_a_third_of_the_ases_behind_another_transit() -> None:
    scene = Scene()
    scene.seed(30)
    scene.see(range(12), 3356, UPSTREAMS[1], OWN)
    scene.wait(300)
    (opened,) = scene.opened()
    assert opened.finding_kind == TRANSIT
    assert "AS64497: 40% of ASes come in through it; 0% are usual" in opened.reasons
    scene.see(range(12), 3356, UPSTREAMS[0], OWN)
    scene.wait(300)
    assert len(scene.cleared(TRANSIT)) == 1


def test_what_lasts_becomes_usual() -> None:
    scene = Scene()
    scene.seed(30)
    scene.see(range(20), 3356, UPSTREAMS[1], OWN)
    for _ in range(6):
        scene.wait(1800)
        scene.see([0], 3356, 1299, UPSTREAMS[1], OWN)
        scene.see([0], 3356, UPSTREAMS[1], OWN)
    assert (len(scene.opened(TRANSIT)), len(scene.cleared(TRANSIT))) == (1, 1)


def test_after_a_change_of_our_own_it_is_no_more_than_news() -> None:
    scene = Scene()
    scene.seed(30)
    scene.own(OwnAction.CHANGE)
    scene.see(range(20), 3356, UPSTREAMS[1], OWN)
    scene.wait(200)
    (opened,) = scene.opened(TRANSIT)
    assert opened.severity == "info"


def test_longer_paths() -> None:
    scene = Scene()
    scene.seed(30)
    scene.see(range(20), 3356, 6939, 1299, UPSTREAMS[0], OWN)
    scene.wait(300)
    (opened,) = scene.opened(LENGTH)
    assert opened.reasons == ("the median path has 6 networks; 4 are usual",)


def test_without_a_table_the_first_hour_only_teaches() -> None:
    scene = Scene()
    scene.see(range(4), 3356, UPSTREAMS[0], OWN)
    scene.wait(600)
    scene.see(range(4, 30), 3356, UPSTREAMS[1], OWN)
    scene.wait(1200)
    assert scene.events == []
