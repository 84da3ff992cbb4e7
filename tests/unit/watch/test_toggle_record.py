"""A running watch, which hears of a toggle only after it, finds what an experiment finds that knew of it before."""

from dataclasses import replace

import pytest

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.model.watch import Settling
from anycastle.watch.fact import Fact, OwnAction, OwnChange, Peer, PeerDown, RouteGone, RouteSeen
from anycastle.watch.intent import Told, WatchedPrefix
from anycastle.watch.report import toggles
from anycastle.watch.toggle import ToggleExperiment, toggles_of_changes
from anycastle.watch.toggle_record import FACTS_MAX, OUTCOMES_MAX, TOLD_S
from anycastle.watch.toggle_report import toggles_told
from anycastle.wire.bgp.as_path import ASPath
from tests.unit.watch.scene import OURS, OURS_6, OWN, START, UPSTREAMS, Scene, peer, watched

SETTLE_S = 10.0
EVERY_S = 25.0
PEERS = 20
ONE = UPSTREAMS[0]
TOLD = (Told("fra1", "one", UPSTREAMS[0]), Told("fra1", "two", UPSTREAMS[1]))
SETTLING = Settling(3.0, 30.0, SETTLE_S)


def ours() -> WatchedPrefix:
    return watched(told=TOLD)


def seen(at: float, number: int, *path: int) -> RouteSeen:
    who = peer(number)
    return RouteSeen(Timestamp(at), who, OURS, ASPath.sequence(who.asn, *path))


def change(at: float, action: OwnAction = OwnAction.CHANGE, upstream: str = "one") -> OwnChange:
    return OwnChange(Timestamp(at), OURS, action, "fra1", upstream)


def a_day(repeats: int = 6) -> tuple[list[Fact], list[OwnChange]]:
    """Give what peers did, and our changes: each time all follow within some seconds, one of them before the stamp."""
    facts: list[Fact] = [seen(START + 0.01 * number, number, ONE, OWN) for number in range(PEERS)]
    changes = []
    for number in range(repeats):
        at = START + 40.0 + EVERY_S * number
        path = (ONE, OWN) if number % 2 else (ONE, OWN, OWN)
        changes.append(change(at))
        facts.append(seen(at - 5.0, 3, 174 + number, *((ONE, OWN) if not number % 2 else (ONE, OWN, OWN))))
        facts += [seen(at - 0.1 + 0.2 * each, each, *path) for each in range(PEERS - 2)]
        if number == 2:
            facts += [PeerDown(Timestamp(at + 6.0), peer(5)), RouteGone(Timestamp(at + 6.5), peer(6), OURS)]
            facts += [seen(at + 12.0, each, *path) for each in (5, 6)]
    return facts, changes


@pytest.mark.mission("M10", "F8")
@pytest.mark.parametrize("late_s", [0.2, 1.0, TOLD_S - 0.5])
def test_what_a_running_watch_finds_is_what_an_archive_tells(late_s: float) -> None:
    facts, changes = a_day()
    scene = Scene(ours(), settling=SETTLING)
    told: list[tuple[float, Fact]] = [*((each.at, each) for each in facts), *((c.at + late_s, c) for c in changes)]
    for at, fact in sorted(told, key=lambda each: each[0]):
        scene.at = at
        scene.take(fact)
    scene.wait(2 * SETTLE_S + TOLD_S)
    whole = ToggleExperiment(OURS, toggles_of_changes(changes, ours()), frozenset({OWN}), SETTLE_S)
    for fact in facts:
        whole.take(fact)
    whole.finish(Timestamp(scene.at))
    found = toggles(scene.engine, OURS)
    assert found == toggles_told(OURS, SETTLE_S, whole.outcomes, ())
    (verdict,) = found["verdicts"]
    assert (verdict["compliance"], verdict["toggles"]) == ("honoured", 6)
    assert 0 < verdict["control_changed"] < verdict["changed"] < verdict["trials"]


def played(changes: list[OwnChange], begin: float = 0.0, facts: int = PEERS) -> Scene:
    scene = Scene(ours(), settling=SETTLING)
    scene.at = START + begin
    for number in range(facts):
        scene.take(seen(scene.at, number % PEERS, ONE, OWN, *([OWN] * (number // PEERS % 2))))
    for each in changes:
        scene.at = max(scene.at, each.at + 0.5)
        scene.take(each)
    scene.wait(2 * SETTLE_S + TOLD_S)
    return scene


def counts(scene: Scene) -> tuple[int, int]:
    found = toggles(scene.engine, OURS)
    return len(found["toggles"]), len(found["left_out"])


def test_toggles_that_came_too_near_are_left_out_whoever_they_were_told() -> None:
    near = [change(START + 40.0), change(START + 40.0 + 2 * SETTLE_S - 0.5, upstream="two"), change(START + 100.0)]
    scene = played(near)
    assert counts(scene) == (1, 2)
    assert counts(played([*near[:1], *near[2:]])) == (2, 0)


def test_sessions_of_one_upstream_are_one_toggle() -> None:
    assert counts(played([change(START + 40.0), change(START + 40.0)])) == (1, 0)


def test_what_was_before_the_watch_is_no_toggle_and_what_was_just_after_has_no_control() -> None:
    old = [change(START - 500.0 + 50.0 * number) for number in range(9)]
    assert counts(played([*old, change(START + 40.0)])) == (1, 0)
    assert counts(played([*old, change(START + SETTLE_S - 1.0)])) == (0, 1)


def test_a_change_that_no_longer_stands_alone_though_it_was_before_the_watch() -> None:
    scene = Scene(ours(), settling=SETTLING)
    scene.take(change(START - 6.0))
    for number in range(PEERS):
        scene.take(seen(START, number, ONE, OWN))
    scene.at = START + 12.0
    scene.take(change(START + 12.0))
    scene.wait(2 * SETTLE_S + TOLD_S)
    assert counts(scene) == (0, 1)


def test_more_than_is_kept_leaves_the_toggle_out_and_the_memory_as_it_is() -> None:
    assert counts(played([change(START + 11.0)], facts=FACTS_MAX)) == (1, 0)
    scene = Scene(ours(), settling=SETTLING)
    for number in range(PEERS):
        scene.take(seen(START, number, ONE, OWN))
    scene.at = START + 40.0
    scene.take(change(scene.at))
    for number in range(FACTS_MAX + PEERS):
        scene.take(seen(scene.at + 0.001 * number, number % PEERS, ONE, OWN, *([OWN] * (number // PEERS % 2))))
    followed = scene.engine.toggles.of(OURS)
    assert followed is not None
    assert len(followed.facts) == FACTS_MAX
    scene.at += 0.001 * FACTS_MAX
    scene.wait(2 * SETTLE_S + TOLD_S)
    assert counts(scene) == (0, 1)


def test_only_so_many_outcomes_are_remembered() -> None:
    changes = [change(START + 40.0 + EVERY_S * number) for number in range(OUTCOMES_MAX + 5)]
    assert counts(played(changes)) == (OUTCOMES_MAX, 0)


def test_another_intent_keeps_what_is_known_of_prefixes_that_stay() -> None:
    scene = played([change(START + 40.0)])
    with pytest.raises(MisuseError, match="2001:db8:53::/48 is none of the fleet's first"):
        toggles(scene.engine, OURS_6)
    wider = replace(scene.engine.intent, prefixes=(ours(), watched(OURS_6, told=TOLD)), settling=Settling())
    scene.engine.reload(wider)
    assert (counts(scene), toggles(scene.engine, OURS)["settle_s"]) == ((1, 0), 900.0)
    assert toggles(scene.engine, OURS_6)["toggles"] == []
    scene.engine.reload(replace(wider, prefixes=(watched(OURS, announced=False),)))
    with pytest.raises(MisuseError):
        toggles(scene.engine, OURS)


def test_a_peer_of_another_place_counts_for_itself() -> None:
    scene = Scene(ours(), settling=SETTLING)
    one = Peer("rrc00", peer(1).asn, "203.0.113.1")
    for who in (one, replace(one, place=1)):
        scene.take(RouteSeen(Timestamp(START), who, OURS, ASPath.sequence(who.asn, ONE, OWN)))
    scene.at = START + 40.0
    scene.take(change(scene.at))
    scene.wait(2 * SETTLE_S + TOLD_S)
    assert [each["peers"] for each in toggles(scene.engine, OURS)["toggles"]] == [2]
