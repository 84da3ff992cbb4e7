"""Paths with loops, which nobody's router makes."""

from tests.unit.watch.scene import OWN, UPSTREAMS, Scene


def test_a_network_between_two_of_our_own_is_found_and_cleared() -> None:
    scene = Scene()
    scene.see([1, 2], UPSTREAMS[0], OWN, 3356, OWN)
    scene.see([1, 2], UPSTREAMS[0], OWN)
    scene.wait(60)
    (opened,) = scene.opened("path_poisoning")
    assert opened.subject == "AS3356"
    assert "our own AS64500" in opened.reasons[0]
    assert len(scene.cleared("path_poisoning")) == 1


def test_a_loop_around_another_points_at_that_one() -> None:
    scene = Scene()
    scene.see([1, 2], 777, 3356, 777, UPSTREAMS[0], OWN)
    (opened,) = scene.opened()
    assert (opened.finding_kind, opened.subject) == ("path_poisoning", "AS777")


def test_prepends_are_no_loop() -> None:
    scene = Scene()
    scene.see([1, 2], 777, 777, UPSTREAMS[0], UPSTREAMS[0], OWN, OWN)
    assert scene.events == []
