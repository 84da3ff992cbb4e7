"""What a run before this one left open goes on, or is cleared once it would have been seen."""

from dataclasses import replace

import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.event import FindingOpened, FindingUpdated
from anycastle.watch.engine import LEFT_S, SWEEP_S
from anycastle.watch.finding import NOT_SEEN_AGAIN, LeftOver
from tests.unit.watch.scene import OWN, START, UPSTREAMS, Scene


def before(peers: int = 2) -> FindingOpened:
    """Give a hijack as a run before this one told it."""
    scene = Scene()
    scene.seed()
    scene.see([1, 2], 666)
    (opened,) = scene.opened()
    return replace(opened, peers=peers)


def anew(*left: FindingOpened, at: float = START - 100.0) -> Scene:
    scene = Scene()
    scene.engine.take_over([LeftOver(Timestamp(at), each) for each in left], scene.now())
    return scene


@pytest.mark.mission("C6")
def test_a_hijack_that_is_still_there_goes_on_as_the_same_finding() -> None:
    left = before()
    scene = anew(left)
    scene.seed()
    scene.see([1, 2], 666)
    assert not scene.opened()
    updates = [each.body for each in scene.events if isinstance(each.body, FindingUpdated)]
    assert [each.finding for each in updates] == [left.finding]
    scene.wait(LEFT_S + SWEEP_S)
    assert not scene.cleared(), "it was seen again"
    scene.see([1, 2], 3356, UPSTREAMS[0], OWN)
    scene.wait(60)
    (cleared,) = scene.cleared()
    assert cleared.finding == left.finding
    assert cleared.lasted_s == pytest.approx(scene.at - (START - 100.0))


@pytest.mark.mission("C6")
def test_a_hijack_that_ended_meanwhile_is_cleared_when_it_would_have_been_seen() -> None:
    left = before()
    scene = anew(left)
    scene.seed()
    scene.wait(LEFT_S - 1.0)
    assert not scene.cleared()
    scene.wait(1.0)
    (cleared,) = scene.cleared()
    assert (cleared.finding, cleared.reasons[-1]) == (left.finding, NOT_SEEN_AGAIN)
    scene.see([1, 2], 666)
    (opened,) = scene.opened()
    assert opened.finding != left.finding, "what begins after it is another one"


def test_no_news_of_too_few_peers_clears_nothing() -> None:
    left = before(peers=5)
    scene = anew(left)
    scene.see([1, 2], 3356, UPSTREAMS[0], OWN)
    scene.wait(10 * LEFT_S)
    assert not scene.cleared()
    scene.see(range(3, 8), 3356, UPSTREAMS[0], OWN)
    scene.wait(SWEEP_S)
    assert [each.finding for each in scene.cleared()] == [left.finding]


def test_of_several_of_one_culprit_the_newest_goes_on_and_the_others_are_cleared() -> None:
    left = before()
    older = replace(left, finding="older")
    scene = Scene()
    scene.engine.take_over(
        [LeftOver(Timestamp(START - 900.0), older), LeftOver(Timestamp(START - 100.0), left)], scene.now()
    )
    scene.seed()
    scene.see([1, 2], 666)
    scene.wait(LEFT_S)
    assert not scene.opened()
    assert [each.finding for each in scene.cleared()] == ["older"]
