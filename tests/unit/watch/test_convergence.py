"""How long the Internet takes, counted so that the slow ones are not forgotten."""

from dataclasses import replace

import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.event import ConvergenceMeasured
from anycastle.model.watch import Settling
from anycastle.watch.convergence import percentile
from anycastle.watch.fact import OwnAction, OwnChange
from tests.unit.watch.scene import OURS, OWN, START, UPSTREAMS, Scene, watched

HORIZON_S = Settling().horizon_s


@pytest.mark.mission("M2")
@pytest.mark.parametrize(
    ("ended", "censored", "share", "time"),
    [
        ([1, 2, 3, 4], [], 0.5, 2),
        ([1, 2, 3, 4], [], 0.95, 4),
        ([1, 2], [900, 900], 0.5, 2),
        ([1, 2], [900, 900], 0.95, None),
        ([1, 3], [2, 2], 0.5, 3),  # of four the first ends, two go unseen, and the last one's end halves what is left
        ([], [900], 0.5, None),
        ([], [], 0.5, None),
        ([5], [], 0.5, 5),
    ],
)
def test_percentile(ended: list[float], censored: list[float], share: float, time: float | None) -> None:
    assert percentile(ended, censored, share) == time


def test_dropping_the_censored_would_flatter() -> None:
    ended, censored = [float(n) for n in range(1, 51)], [900.0] * 50
    assert percentile(ended, censored, 0.5) == 50
    assert percentile(ended, [], 0.5) == 25


def measured(scene: Scene) -> list[ConvergenceMeasured]:
    return [event.body for event in scene.events if isinstance(event.body, ConvergenceMeasured)]


@pytest.mark.mission("M2", "F3")
def test_a_withdrawal_everywhere_with_path_hunting_and_two_stuck_peers() -> None:
    scene = Scene()
    scene.seed(20)
    scene.own(OwnAction.WITHDRAW)
    for number in range(18):
        scene.at = START + 1 + number
        scene.see([number], 1299, UPSTREAMS[1], OWN)
        scene.see([number], 6939, 1299, UPSTREAMS[1], OWN)
    for number in range(18):
        scene.at = START + 40 + number
        scene.lose([number])
    scene.wait(HORIZON_S)
    (found,) = measured(scene)
    assert (found.prefix, found.action, found.pops) == ("192.0.2.0/24", "withdraw", ("fra1",))
    assert (found.peers, found.reacted, found.censored) == (20, 18, 2)
    assert (found.first_reaction_s_p50, found.paths_p50, found.paths_max) == (10.0, 3.0, 3)
    assert (found.converged_s_p50, found.converged_s_p90, found.converged_s_p95) == (49.0, 57.0, None)


@pytest.mark.mission("M2")
def test_a_change_that_is_told_late_counts_what_peers_did_meanwhile() -> None:
    scene = Scene()
    scene.seed(20)
    scene.at = START - 5.0
    scene.see([0], 6939, UPSTREAMS[1], OWN)  # of another cause
    for number in range(12):
        scene.at = START + 0.1 * number
        scene.see([number], 1299, UPSTREAMS[1], OWN)
    scene.at = START + 3.0
    scene.take(OwnChange(START + 0.05, OURS, OwnAction.CHANGE, "fra1", ""))
    scene.at = START + 4.0
    scene.see([19], 1299, UPSTREAMS[1], OWN)
    scene.wait(HORIZON_S)
    (found,) = measured(scene)
    assert (found.peers, found.reacted, found.censored, found.paths_max) == (13, 13, 0, 1)
    assert found.converged_s[0] == 0.0, "just before the agent's stamp"
    assert found.converged_s[1:] == pytest.approx([*(0.1 * n - 0.05 for n in range(1, 12)), 3.95])


@pytest.mark.mission("M2")
def test_an_announcement_is_over_a_minute_after_the_last_update() -> None:
    scene = Scene()
    scene.seed(20, missing=range(20))
    scene.wait(100)
    scene.own(OwnAction.ANNOUNCE)
    for number in range(20):
        scene.wait(0.5)
        scene.see([number], 3356, UPSTREAMS[0], OWN)
    scene.wait(59)
    assert not measured(scene)
    scene.wait(1)
    (found,) = measured(scene)
    assert (found.peers, found.censored, found.converged_s_p50, found.converged_s_p95) == (20, 0, 5.0, 9.5)


@pytest.mark.mission("M2")
def test_a_change_at_one_pop_concerns_those_that_react_and_how_long_they_were_without() -> None:
    scene = Scene(watched(pops=("fra1", "lon1")))
    scene.seed(20)
    scene.own(OwnAction.ANNOUNCE, pop="lon1")
    scene.wait(1000)
    scene.own(OwnAction.WITHDRAW)
    scene.wait(2)
    scene.lose([1, 2, 3])
    scene.wait(3)
    scene.see([1, 2, 3], 3356, UPSTREAMS[1], OWN)
    scene.wait(100)
    found = measured(scene)[-1]
    assert (found.action, found.peers, found.reacted, found.censored) == ("withdraw", 3, 3, 0)
    assert (found.converged_s_p50, found.unreachable_s_p95) == (5.0, 3.0)


@pytest.mark.mission("M2")
def test_a_session_that_ends_meanwhile_is_censored_there() -> None:
    scene = Scene()
    scene.seed(4)
    scene.own(OwnAction.WITHDRAW)
    scene.wait(1)
    scene.down(3)
    scene.lose([0, 1, 2])
    scene.wait(100)
    (found,) = measured(scene)
    assert (found.peers, found.censored, found.converged_s_p50) == (4, 1, 1.0)


def test_one_rollout_is_one_change_and_the_way_back_another() -> None:
    scene = Scene(watched(pops=("fra1", "lon1")))
    scene.seed(6)
    scene.own(OwnAction.WITHDRAW, pop="fra1")
    scene.wait(2)
    scene.own(OwnAction.WITHDRAW, pop="lon1")
    scene.lose(range(6))
    scene.wait(20)
    scene.own(OwnAction.ANNOUNCE, pop="fra1")
    scene.wait(1)
    scene.see(range(6), 3356, UPSTREAMS[0], OWN)
    scene.wait(300)
    first, second = measured(scene)
    assert (first.pops, first.action, first.peers, first.censored) == (("fra1", "lon1"), "withdraw", 6, 6)
    assert (second.action, second.converged_s_p95, second.unreachable_s_p95) == ("announce", 1.0, 0.0)


@pytest.mark.mission("M2")
def test_what_peers_did_for_the_next_change_is_none_of_this_one_s_though_it_was_told_later() -> None:
    scene = Scene()
    scene.seed(20)
    scene.own(OwnAction.CHANGE)
    scene.at = START + 2.0
    scene.see([0], 1299, UPSTREAMS[1], OWN)
    for number in range(5):
        scene.at = START + 300.0 + number
        scene.see([number], 6939, UPSTREAMS[0], OWN)
    scene.at = START + 306.0
    scene.take(OwnChange(START + 300.2, OURS, OwnAction.WITHDRAW, "fra1", ""))
    before = measured(scene)[-1]
    assert (before.action, before.reacted, before.censored, before.converged_s) == ("change", 1, 0, (2.0,))
    scene.at = START + 400.0
    scene.own(OwnAction.CHANGE)
    scene.at = START + 401.0
    scene.see([0], 1299, UPSTREAMS[1], OWN)
    scene.at = START + 430.0
    scene.see([0, 1], 3356, UPSTREAMS[0], OWN)
    scene.at = START + 430.1
    scene.take(OwnChange(START + 430.0, OURS, OwnAction.WITHDRAW, "fra1", ""))
    before = measured(scene)[-1]
    assert (before.action, before.reacted, before.censored) == ("change", 1, 1), "half a minute of quiet is too short"
    assert before.censored_s == pytest.approx([30.0])


@pytest.mark.mission("M2")
def test_a_session_that_ended_before_the_next_change_is_still_known_to_have() -> None:
    scene = Scene()
    scene.seed(20)
    scene.own(OwnAction.CHANGE)
    scene.at = START + 2.0
    scene.see([0], 1299, UPSTREAMS[1], OWN)
    scene.at = START + 10.0
    scene.down(0)
    scene.at = START + 30.0
    scene.take(OwnChange(START + 29.9, OURS, OwnAction.WITHDRAW, "fra1", ""))
    before = measured(scene)[-1]
    assert (before.reacted, before.censored_s) == (1, (10.0,))


@pytest.mark.mission("M2")
def test_the_settling_times_are_the_fleet_s_own_from_the_next_change_on() -> None:
    scene = Scene(settling=Settling(quiet_s=3.0, horizon_s=10.0))
    scene.seed(20)
    scene.own(OwnAction.CHANGE)
    scene.wait(0.5)
    scene.see([0], 1299, UPSTREAMS[1], OWN)
    scene.engine.reload(replace(scene.engine.intent, settling=Settling(quiet_s=5.0, horizon_s=20.0)))
    scene.wait(2.9)
    assert not measured(scene)
    scene.wait(0.1)
    assert [each.converged_s for each in measured(scene)] == [(0.5,)]
    scene.own(OwnAction.WITHDRAW)
    scene.wait(19.9)
    assert len(measured(scene)) == 1
    scene.wait(0.1)
    assert measured(scene)[-1].censored_s == (20.0,) * 20


@pytest.mark.mission("M2")
@pytest.mark.parametrize(("after_s", "reacted"), [(2.9, 2), (3.2, 1)])
def test_what_came_after_the_end_is_of_another_cause_though_the_change_is_told_only_then(
    after_s: float, reacted: int
) -> None:
    scene = Scene(settling=Settling(quiet_s=3.0, horizon_s=10.0))
    scene.seed(20)
    scene.wait(0.1)
    scene.see([0], 1299, UPSTREAMS[1], OWN)
    scene.wait(after_s)
    scene.see([0, 1], 6939, UPSTREAMS[0], OWN)
    scene.wait(1.0)
    scene.take(OwnChange(Timestamp(START), OURS, OwnAction.CHANGE, "fra1", ""))
    scene.wait(10.0)
    (found,) = measured(scene)
    assert (found.reacted, found.censored) == (reacted, 0)
    assert found.converged_s == pytest.approx([0.1] if reacted == 1 else [0.1 + after_s] * 2)


@pytest.mark.mission("M2")
def test_what_came_after_the_horizon_is_no_reaction_to_a_change_that_is_told_late() -> None:
    scene = Scene(settling=Settling(quiet_s=3.0, horizon_s=10.0))
    scene.seed(20)
    scene.wait(10.5)
    scene.see([0], 1299, UPSTREAMS[1], OWN)
    scene.wait(0.5)
    scene.take(OwnChange(Timestamp(START), OURS, OwnAction.CHANGE, "fra1", ""))
    scene.wait(0.0)
    (found,) = measured(scene)
    assert (found.reacted, found.peers) == (0, 0)
