"""Routes that stay where they should be gone."""

import pytest

from anycastle.watch.detectors.stuck_route import NAME
from anycastle.watch.fact import OwnAction
from tests.unit.watch.scene import START, Scene


@pytest.mark.mission("F3")
def test_stuck_after_fifteen_minutes_a_zombie_after_ninety_and_over_when_dropped() -> None:
    scene = Scene()
    scene.seed(30)
    scene.own(OwnAction.WITHDRAW)
    scene.lose(range(28))
    scene.wait(880)
    assert not scene.opened(NAME)
    scene.wait(120)
    (opened,) = scene.opened(NAME)
    assert (opened.severity, opened.peers) == ("warning", 2)
    assert "all of them through AS3356" in opened.reasons
    scene.wait(4800)
    assert scene.engine.now - START > 5400
    scene.lose([28])
    scene.wait(10)
    scene.lose([29])
    scene.wait(10)
    (cleared,) = scene.cleared(NAME)
    assert cleared.finding == opened.finding


def test_a_zombie_is_said_to_be_one() -> None:
    scene = Scene()
    scene.seed(30)
    scene.lose(range(28))
    scene.wait(5600)
    assert scene.updated(NAME)[-1].severity == "critical"


def test_a_prefix_that_came_back_is_not_stuck() -> None:
    scene = Scene()
    scene.seed(30)
    scene.lose(range(28))
    scene.wait(300)
    scene.see(range(28), 3356, 64496, 64500)
    scene.wait(3000)
    assert not scene.opened(NAME)
