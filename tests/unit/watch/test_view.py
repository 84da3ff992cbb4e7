"""Routes per peer: changes, resets, history, and who is able to see."""

import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.prefix import Family, Prefix
from anycastle.watch.fact import Peer, RouteSeen, TableSize
from anycastle.watch.view import HISTORY_MAX, Views
from anycastle.wire.bgp.as_path import ASPath
from tests.unit.watch.scene import OURS, OURS_6, OWN, Scene, peer


def seen(number: int, *path: int, at: float = 0.0, prefix: Prefix = OURS) -> RouteSeen:
    return RouteSeen(Timestamp(at), peer(number), prefix, ASPath.sequence(peer(number).asn, *path))


def test_the_same_route_again_is_no_change() -> None:
    views = Views(frozenset({OWN}))
    view = views.view(peer(1))
    assert views.put(seen(1, 2), view)[1]
    assert not views.put(seen(1, 2, at=9), view)[1]
    state, changed = views.put(seen(1, 3, at=10), view)
    assert changed
    assert (state.first, state.changed, state.changes) == (0, 10, 2)
    assert views.drop(OURS, view, Timestamp(11))[1]
    assert not views.drop(OURS, view, Timestamp(12))[1]
    assert [change.path and str(change.path) for change in state.history] == ["1001 2", "1001 3", None]


def test_history_is_bounded() -> None:
    views = Views(frozenset())
    view = views.view(peer(1))
    for number in range(2 * HISTORY_MAX):
        views.put(seen(1, number + 1), view)
    assert len(view.routes[OURS].history) == HISTORY_MAX


def test_a_withdrawal_of_what_was_never_told_says_that_it_was_held() -> None:
    views = Views(frozenset())
    view = views.view(peer(1))
    assert views.drop(OURS, view, Timestamp(0))[1]
    assert views.survey(OURS, Timestamp(0)).visibility.missing == (peer(1).asn,)


@pytest.mark.mission("M4")
def test_one_as_has_one_vote() -> None:
    views = Views(frozenset())
    one, two = Peer("rrc00", peer(1).asn, "203.0.113.1"), Peer("rrc01", peer(1).asn, "203.0.113.2")
    views.put(RouteSeen(Timestamp(0), one, OURS, ASPath.sequence(1)), views.view(one))
    views.drop(OURS, views.view(two), Timestamp(0))
    visibility = views.survey(OURS, Timestamp(0)).visibility
    assert (visibility.holding, visibility.missing, visibility.share) == ((peer(1).asn,), (), 1.0)


@pytest.mark.mission("M4")
def test_full_tables_are_told_from_partial_ones_by_family() -> None:
    views = Views(frozenset())
    for number, routes in ((1, 900_000), (2, 800_000), (3, 10_000)):
        views.sized(TableSize(Timestamp(0), peer(number), Family.IPV4, routes))
    views.sized(TableSize(Timestamp(0), peer(3), Family.IPV6, 200_000))
    able = {family: [n for n in (1, 2, 3) if views.able(views.view(peer(n)), family)] for family in Family}
    assert able == {Family.IPV4: [1, 2], Family.IPV6: [3]}
    assert views.survey(OURS_6, Timestamp(0)).visibility.missing == (peer(3).asn,)


def test_a_reset_makes_unknown_and_not_gone() -> None:
    scene = Scene()
    scene.seed(4)
    scene.down(1)
    views = scene.engine.views
    assert views.survey(OURS, scene.now()).visibility.able == 3
    scene.up(1)
    assert views.survey(OURS, scene.now()).visibility.able == 3
    scene.see([1], 3356, 64496, OWN)
    assert views.survey(OURS, scene.now()).visibility.able == 4
    assert views.collectors_up == 2


def test_our_own_router_is_recognised_and_does_not_vote() -> None:
    scene = Scene()
    scene.seed(4)
    ours = Peer("rrc00", OWN, "192.0.2.1")
    scene.take(RouteSeen(scene.now(), ours, OURS, ASPath.sequence(OWN)))
    scene.take(RouteSeen(scene.now(), ours, OURS, ASPath.sequence(OWN, 666)))
    assert scene.engine.views.peers[ours].own
    assert scene.events == []
    assert scene.engine.views.survey(OURS, scene.now()).visibility.able == 4
