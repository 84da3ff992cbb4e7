"""Another intent, and the same Internet: nothing that is known is lost, and findings follow the new intent."""

import pytest

from anycastle.model.asn import ASN
from anycastle.model.prefix import parse_prefix
from anycastle.model.watch import Region, Thresholds
from anycastle.watch.intent import Intent
from tests.unit.watch.scene import OURS, OURS_6, OWN, UPSTREAMS, Scene, peer, watched


def reload(scene: Scene, *prefixes: object, **intent: object) -> None:
    events = scene.engine.reload(Intent(prefixes, frozenset({OWN}), **intent))  # type: ignore[arg-type]
    for prefix in scene.engine.known:
        events += scene.engine.rejudge(prefix)
    scene.events += events


@pytest.mark.mission("C6")
def test_what_peers_hold_and_what_is_found_outlives_a_reload() -> None:
    scene = Scene()
    scene.seed()
    scene.see([1, 2], 666)
    reload(scene, watched(), watched(OURS_6))
    scene.wait(120)
    assert len(scene.opened()) == 1
    assert not scene.cleared()
    assert len(scene.engine.views.survey(OURS, scene.now()).holders) == 10
    scene.see([1, 2], 3356, UPSTREAMS[0], OWN)
    scene.wait(60)
    assert [each.finding for each in scene.cleared()] == [scene.opened()[0].finding]


def test_an_origin_that_is_allowed_now_clears_its_finding() -> None:
    scene = Scene()
    scene.seed()
    scene.see([1, 2], 666)
    reload(scene, watched(origins=frozenset({OWN, ASN(666)})))
    scene.wait(60)
    assert [each.subject for each in scene.cleared()] == ["AS666"]


def test_an_origin_that_is_not_allowed_any_more_is_found_without_a_new_update() -> None:
    scene = Scene(watched(origins=frozenset({OWN, ASN(666)})))
    scene.seed()
    scene.see([1, 2], 666)
    assert not scene.opened()
    reload(scene, watched())
    assert [each.subject for each in scene.opened()] == ["AS666"]


def test_findings_of_a_prefix_that_left_the_fleet_end_and_its_routes_are_forgotten() -> None:
    scene = Scene(watched(), watched(OURS_6))
    scene.seed(prefixes=(OURS, OURS_6))
    scene.see([1, 2], 666)
    scene.lose(range(10))
    scene.wait(60)
    kinds = {each.finding_kind for each in scene.opened()}
    assert {"origin_change", "visibility_loss"} <= kinds
    reload(scene, watched(OURS_6))
    assert {each.finding_kind for each in scene.cleared()} >= kinds
    assert scene.engine.known == [OURS_6]
    before = len(scene.events)
    scene.see(range(10), 666)
    scene.wait(600)
    assert len(scene.events) == before


def test_a_prefix_that_is_only_covered_now_is_swept_no_more_and_its_loss_ends() -> None:
    part = parse_prefix("192.0.2.128/25")
    scene = Scene(watched(part))
    scene.seed(prefixes=(part,))
    scene.lose(range(10), part)
    scene.wait(60)
    reload(scene, watched())
    assert {each.finding_kind for each in scene.cleared()} >= {"visibility_loss"}


def test_thresholds_and_regions_are_the_new_ones() -> None:
    scene = Scene()
    scene.seed()
    scene.see([1], 666)
    reload(scene, watched(), thresholds=Thresholds(1, 1, 1), regions=(Region("here", asns=(peer(1).asn,)),))
    assert len(scene.opened()) == 1
    assert set(scene.engine.views.survey(OURS, scene.now()).by_region) == {"here"}
