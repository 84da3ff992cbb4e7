"""Losses: whole and partial, our own, and none at all."""

import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.model.prefix import Family, Prefix
from anycastle.model.service import MaintenanceWindow
from anycastle.model.watch import Region
from anycastle.watch.claim import severity_of
from anycastle.watch.detectors.visibility import LOSS, OWN, PARTIAL
from anycastle.watch.fact import OwnAction, OwnDrain, Peer, RouteGone, TableSize
from anycastle.watch.report import shown
from tests.unit.watch.scene import OURS, OURS_6, START, UPSTREAMS, Scene, watched
from tests.unit.watch.scene import OWN as OWN_ASN


def usual(scene: Scene, peers: range | list[int], prefix: Prefix = OURS) -> None:
    scene.see(peers, 3356, UPSTREAMS[0], OWN_ASN, prefix=prefix)


@pytest.mark.mission("M4", "F5", "C6")
def test_a_real_loss_opens_once_and_clears_once() -> None:
    scene = Scene()
    scene.seed(60)
    for number in range(60):
        scene.lose([number])
        scene.wait(0.5)
    scene.wait(600)
    for number in range(60):
        usual(scene, [number])
        scene.wait(0.5)
    scene.wait(600)
    (opened,), (cleared,) = scene.opened(LOSS), scene.cleared(LOSS)
    assert (opened.severity, opened.subject) == (severity_of(90).value, "192.0.2.0/24")
    assert opened.peers >= 54
    assert cleared.finding == opened.finding
    assert not [each for each in scene.opened(PARTIAL) if each.finding not in {c.finding for c in scene.cleared()}]


@pytest.mark.mission("M4", "F5")
def test_sixty_peers_that_flap_in_turn_are_no_loss() -> None:
    scene = Scene()
    scene.seed(60)
    for turn in range(600):
        scene.lose([turn % 60])
        scene.wait(1)
        usual(scene, [turn % 60])
    scene.wait(600)
    assert not scene.opened(LOSS)
    assert not scene.opened(PARTIAL)


@pytest.mark.mission("M4")
def test_peers_that_reset_are_no_loss() -> None:
    scene = Scene()
    scene.seed(30)
    for number in range(30):
        scene.down(number)
    scene.wait(120)
    for number in range(30):
        scene.up(number)
    scene.wait(60)
    assert scene.events == [], "it takes a while to tell a whole table"
    usual(scene, range(30))
    scene.wait(600)
    assert scene.events == []


def test_what_a_peer_does_not_tell_again_after_a_reset_is_lost() -> None:
    scene = Scene()
    scene.seed(30)
    for number in range(30):
        scene.down(number)
        scene.up(number)
    scene.wait(1200)
    assert len(scene.opened(LOSS)) == 1


def test_a_lasting_drop_stays_one_through_a_stormy_day() -> None:
    scene = Scene()
    scene.seed(60)
    scene.lose(range(20))
    for turn in range(2 * 720):
        scene.wait(60)
        scene.see([59], 3356 + turn % 2, UPSTREAMS[0], OWN_ASN)
    assert (len(scene.opened(PARTIAL)), scene.cleared(PARTIAL)) == (1, [])


@pytest.mark.mission("F5", "M4")
def test_a_regions_loss_is_partial_and_names_the_collector() -> None:
    scene = Scene()
    scene.seed(60)
    scene.lose([0, 1, 2])
    scene.wait(120)
    (opened,) = scene.opened()
    assert opened.finding_kind == PARTIAL
    assert "none of the 3 ASes at rrc00 sees it" in opened.reasons
    usual(scene, [0, 1, 2])
    scene.wait(300)
    assert len(scene.cleared(PARTIAL)) == 1


def test_a_third_of_the_ases_is_partial() -> None:
    scene = Scene()
    scene.seed(60)
    scene.lose(range(0, 60, 3))
    scene.wait(120)
    (opened,) = scene.opened()
    assert (opened.finding_kind, opened.peers) == (PARTIAL, 20)


@pytest.mark.mission("M4")
def test_families_are_counted_apart() -> None:
    scene = Scene(watched(services=("dns",)), watched(OURS_6, services=("dns",)))
    scene.seed(30, prefixes=(OURS, OURS_6))
    scene.lose(range(30), prefix=OURS_6)
    scene.wait(60)
    assert [each.subject for each in scene.opened(LOSS)] == ["dns ipv6"]


@pytest.mark.mission("M4")
def test_what_is_missing_at_the_start_is_told_as_such() -> None:
    scene = Scene()
    scene.seed(30, missing=range(30))
    scene.wait(60)
    (opened,) = scene.opened(LOSS)
    assert opened.at_start


@pytest.mark.mission("C16", "F2")
def test_our_own_withdrawal_is_named_as_that() -> None:
    scene = Scene()
    scene.seed(30)
    scene.own(OwnAction.WITHDRAW)
    scene.lose(range(30))
    scene.wait(3600)
    (opened,) = scene.opened(OWN)
    assert opened.severity == "info"
    assert not scene.opened(LOSS)
    scene.own(OwnAction.ANNOUNCE)
    usual(scene, range(30))
    scene.wait(600)
    assert len(scene.cleared(OWN)) == 1
    assert not scene.opened(LOSS)


def test_announced_again_and_still_not_seen_is_a_loss() -> None:
    scene = Scene()
    scene.seed(30)
    scene.own(OwnAction.WITHDRAW)
    scene.lose(range(30))
    scene.wait(60)
    scene.own(OwnAction.ANNOUNCE)
    scene.wait(900)
    assert len(scene.opened(LOSS)) == 1


@pytest.mark.mission("C5")
def test_a_drain_and_a_maintenance_window_explain_a_loss() -> None:
    window = MaintenanceWindow(START, START + 3600, ("fra1",), "new switch")
    planned = Scene(windows=((window, frozenset({OURS})),))
    drained = Scene()
    for scene in (planned, drained):
        scene.seed(30)
    drained.take(OwnDrain(drained.now(), "fra1", (OURS,), True, "tests"))
    for scene in (planned, drained):
        scene.lose(range(30))
        scene.wait(600)
        assert [each.finding_kind for each in scene.opened()] == [OWN]
    assert planned.opened()[0].reasons == ("maintenance of fra1: new switch",)
    planned.wait(3600)
    assert len(planned.opened(LOSS)) == 1, "the window is over and it is not back"


@pytest.mark.mission("C5", "F5")
def test_the_drain_of_one_pop_explains_the_first_minutes_and_no_more() -> None:
    scene = Scene(watched(pops=("fra1", "lon1")))
    scene.seed(30)
    scene.take(OwnDrain(scene.now(), "fra1", (OURS,), True, "tests"))
    scene.lose(range(30))
    scene.wait(200)
    assert [each.finding_kind for each in scene.opened()] == [OWN]
    scene.wait(400)
    assert len(scene.opened(LOSS)) == 1, "the other PoP should have been seen by now"


def test_a_loss_that_is_older_than_our_own_act_stays_open() -> None:
    scene = Scene()
    scene.seed(30)
    scene.lose(range(30))
    scene.wait(60)
    scene.own(OwnAction.WITHDRAW)
    scene.wait(600)
    assert len(scene.opened(LOSS)) == 1
    assert not scene.cleared(LOSS)


def test_partial_feeds_and_our_own_routers_do_not_count() -> None:
    scene = Scene()
    scene.seed(10)
    ours = Peer("rrc00", OWN_ASN, "192.0.2.1")
    small = [Peer("rrc01", ASN(5000 + number), f"198.51.100.{number}") for number in range(100)]
    for each in small:
        scene.take(TableSize(Timestamp(scene.at), each, Family.IPV4, 5_000))
    for each in (ours, *small):
        scene.take(RouteGone(Timestamp(scene.at), each, OURS))
    scene.wait(600)
    assert scene.events == []
    assert scene.engine.views.survey(OURS, scene.now()).visibility.able == 10


@pytest.mark.mission("M4", "F5")
def test_a_region_that_does_not_see_it_is_named_though_hardly_anybody_misses_it() -> None:
    far = Region("far", asns=tuple(ASN(1000 + number) for number in (0, 20, 40, 59)))
    scene = Scene(regions=(far,))
    scene.seed(60)
    scene.wait(60)
    scene.lose([0, 20, 40])
    scene.wait(120)
    (opened,) = scene.opened(PARTIAL)
    assert opened.reasons[1:] == ("25% of 4 ASes of far see it; 100% are usual",)
    usual(scene, [0])
    scene.wait(120)
    assert not scene.cleared(PARTIAL), "half of the region still misses it"
    usual(scene, [20, 40])
    scene.wait(120)
    assert len(scene.cleared(PARTIAL)) == 1
    seen = shown(scene.engine, OURS)["visibility"]["by_region"]
    assert seen == {"far": {"share": 1.0, "able": 4}}


def test_three_of_sixty_that_share_no_region_are_no_finding() -> None:
    scene = Scene(regions=(Region("far", asns=(ASN(1000),)),))
    scene.seed(60)
    scene.wait(60)
    scene.lose([0, 20, 40])
    scene.wait(600)
    assert not scene.opened(PARTIAL)
