"""Our origin behind a network that it is not connected to."""

import pytest

from anycastle.model.prefix import parse_prefix
from tests.unit.watch.scene import OWN, UPSTREAMS, Scene, watched


@pytest.mark.mission("F2")
def test_an_unknown_neighbour_is_found_and_cleared() -> None:
    scene = Scene()
    scene.see([1, 2, 3], 3356, 666, OWN)
    scene.see([1, 2, 3], 3356, UPSTREAMS[1], OWN)
    scene.wait(60)
    (opened,), (cleared,) = scene.opened(), scene.cleared()
    assert (opened.finding_kind, opened.subject) == ("forged_path", "AS666")
    assert cleared.finding == opened.finding


def test_prepends_and_our_own_routers_are_no_forgery() -> None:
    scene = Scene()
    scene.see([1, 2, 3], 3356, UPSTREAMS[0], OWN, OWN, OWN)
    scene.see([4, 5, 6], UPSTREAMS[1], UPSTREAMS[1], OWN)
    assert scene.events == []


def test_a_forged_more_specific_is_both() -> None:
    scene = Scene()
    scene.see([1, 2], 666, OWN, prefix=parse_prefix("192.0.2.0/25"))
    assert {each.finding_kind for each in scene.opened()} == {"sub_prefix", "forged_path"}


def test_without_known_neighbours_nothing_is_said() -> None:
    scene = Scene(watched(neighbours=frozenset()))
    scene.see([1, 2, 3], 666, OWN)
    assert scene.events == []
