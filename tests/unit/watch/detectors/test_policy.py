"""What upstreams were told, and what the paths show: honoured, ignored, inconclusive."""

import pytest

from anycastle.model.community import GRACEFUL_SHUTDOWN, NO_EXPORT, parse_community
from anycastle.watch.detectors.policy import NAME, Compliance, verdicts
from anycastle.watch.intent import Told
from tests.unit.watch.scene import OURS, OWN, UPSTREAMS, Scene, watched

A, B = UPSTREAMS
MARK = parse_community("64496:3")


def judged(scene: Scene) -> dict[tuple[int, str], Compliance]:
    prefix = scene.engine.table.get(OURS)
    assert prefix is not None
    context = scene.engine.context(prefix)
    return {(verdict.upstream, verdict.instruction): verdict.compliance for verdict in verdicts(context)}


@pytest.mark.mission("M10", "F8")
def test_prepends_that_do_not_show_are_ignored_and_found_and_cleared() -> None:
    scene = Scene(watched(told=(Told("fra1", "transit-a", A, prepend=2), Told("fra1", "transit-b", B))))
    scene.see([1, 2, 3], A, OWN)
    scene.see([4, 5, 6], B, OWN)
    assert judged(scene) == {
        (A, "to prepend 2 times"): Compliance.IGNORED,
        (B, "to prepend 0 times"): Compliance.HONOURED,
    }
    scene.wait(400)
    (opened,) = scene.opened(NAME)
    assert opened.subject == "AS64496"
    assert opened.reasons == ("AS64496 was told to prepend 2 times; of its paths, 3 show 0",)
    scene.see([1, 2, 3], A, OWN, OWN, OWN)
    scene.wait(200)
    assert judged(scene)[A, "to prepend 2 times"] is Compliance.HONOURED
    assert len(scene.cleared(NAME)) == 1


@pytest.mark.mission("M10")
def test_several_pops_may_say_different_things_to_one_upstream() -> None:
    scene = Scene(watched(told=(Told("fra1", "a", A, prepend=2), Told("lon1", "a", A))))
    scene.see([1, 2], A, OWN)
    scene.see([3, 4], A, OWN, OWN, OWN)
    assert judged(scene) == {(A, "to prepend 0 or 2 times"): Compliance.HONOURED}


@pytest.mark.mission("M10", "F8")
def test_too_few_paths_are_inconclusive() -> None:
    scene = Scene(watched(told=(Told("fra1", "a", A, prepend=1),)))
    scene.see([1], A, OWN)
    assert set(judged(scene).values()) == {Compliance.INCONCLUSIVE}
    scene.wait(900)
    assert scene.events == []


@pytest.mark.mission("M10")
def test_a_community_shows_or_proves_nothing() -> None:
    scene = Scene(watched(told=(Told("fra1", "a", A, communities=frozenset({MARK, GRACEFUL_SHUTDOWN})),)))
    scene.see([1, 2], A, OWN)
    assert judged(scene)[A, "the community 64496:3"] is Compliance.INCONCLUSIVE
    scene.see([1, 2], A, OWN, communities=[MARK])
    assert judged(scene)[A, "the community 64496:3"] is Compliance.HONOURED


@pytest.mark.mission("M10", "F8")
def test_no_export_is_told_by_its_effect() -> None:
    scene = Scene(watched(told=(Told("fra1", "a", A, communities=frozenset({NO_EXPORT})),)))
    assert judged(scene)[A, f"the community {NO_EXPORT}"] is Compliance.INCONCLUSIVE
    scene.see([1, 2], A, OWN)
    assert judged(scene)[A, f"the community {NO_EXPORT}"] is Compliance.IGNORED
