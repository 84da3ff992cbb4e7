"""One upstream is told something again and again, and the Internet follows, does not, or moves anyhow."""

from collections.abc import Callable

import pytest
from scipy.stats import beta, fisher_exact

from anycastle.base.ports import Timestamp
from anycastle.watch.detectors.policy import Compliance
from anycastle.watch.fact import Fact, PeerDown, RouteGone, RouteSeen
from anycastle.watch.toggle import (
    MOVES_MAX,
    Toggle,
    ToggleExperiment,
    ToggleKind,
    ToggleVerdict,
    fisher,
    follow_limit,
    verdicts,
)
from anycastle.wire.bgp.as_path import ASPath
from tests.unit.watch.scene import OURS, OWN, UPSTREAMS, peer

SETTLE_S = 900.0
EVERY_S = 3600.0
ASES = 12
ONE, TWO = UPSTREAMS
VIA_ONE, VIA_TWO, LONGER = (ONE, OWN), (TWO, OWN), (ONE, OWN, OWN)
Course = Callable[[int, int], tuple[int, ...] | None]
"""(number of the toggle, peer) -> its path after the toggle; None for none."""


def seen(at: float, number: int, path: tuple[int, ...] | None) -> Fact:
    who = peer(number)
    if path is None:
        return RouteGone(Timestamp(at), who, OURS)
    return RouteSeen(Timestamp(at), who, OURS, ASPath.sequence(who.asn, *path))


def experiment(
    kind: ToggleKind, course: Course, toggles: int = 4, noise: int = 0, start: Course | None = None
) -> ToggleExperiment:
    """Run toggles each hour; before each, `noise` peers move by themselves within the control."""
    begin = start or (lambda _toggle, _peer: VIA_ONE)
    at = [Timestamp(EVERY_S * (number + 1)) for number in range(toggles)]
    made = ToggleExperiment(OURS, [Toggle(each, ONE, kind, "x") for each in at], frozenset({OWN}), SETTLE_S)
    facts = [seen(number, number, begin(0, number)) for number in range(ASES)]
    for number, moment in enumerate(at):
        facts += [
            seen(moment - 300 + each, each, (3356, *VIA_ONE) if number % 2 else (174, *VIA_ONE))
            for each in range(noise)
        ]
        facts += [seen(moment + 10 + each, each, course(number, each)) for each in range(ASES)]
    for fact in facts:
        made.take(fact)
    made.finish(Timestamp(EVERY_S * (toggles + 2)))
    return made


def verdict(made: ToggleExperiment) -> ToggleVerdict:
    (found,) = verdicts(made.outcomes)
    return found


@pytest.mark.mission("M10", "F8")
def test_an_instruction_that_is_followed_each_time_is_honoured() -> None:
    made = experiment(ToggleKind.INSTRUCT, lambda toggle, _peer: VIA_ONE if toggle % 2 else LONGER)
    found = verdict(made)
    assert (found.compliance, found.toggles, found.trials, found.changed) == (Compliance.HONOURED, 4, 48, 48)
    assert found.control_changed == 0
    outcome = made.outcomes[0]
    assert (outcome.moved, outcome.first_s_p50, outcome.settled_s[-1]) == (ASES, 15.0, 21.0)
    move = outcome.moves[0]
    assert (str(move.before), str(move.after)) == (f"1000 {ONE} {OWN}", f"1000 {ONE} {OWN} {OWN}")


@pytest.mark.mission("M10")
def test_an_instruction_after_which_nothing_moves_is_ignored() -> None:
    found = verdict(experiment(ToggleKind.INSTRUCT, lambda _toggle, _peer: VIA_ONE))
    assert (found.compliance, found.changed, found.trials) == (Compliance.IGNORED, 0, 48)


@pytest.mark.mission("M10")
def test_what_moves_as_much_without_a_toggle_proves_nothing() -> None:
    made = experiment(
        ToggleKind.INSTRUCT, lambda toggle, number: (3356 + toggle, *VIA_ONE) if number < 4 else VIA_ONE, noise=4
    )
    found = verdict(made)
    assert found.compliance is Compliance.INCONCLUSIVE
    assert found.control_changed > 0


def test_one_toggle_is_too_few_to_say() -> None:
    found = verdict(experiment(ToggleKind.INSTRUCT, lambda _toggle, _peer: LONGER, toggles=1))
    assert (found.compliance, found.chance) == (Compliance.INCONCLUSIVE, None)


@pytest.mark.mission("M10", "M2")
def test_a_withdrawal_shows_in_the_routes_themselves() -> None:
    moved = experiment(ToggleKind.WITHDRAW, lambda _toggle, _peer: VIA_TWO, toggles=1)
    assert verdict(moved).compliance is Compliance.HONOURED
    assert len(moved.outcomes[0].through_before) == ASES
    assert moved.outcomes[0].through_after == ()
    stuck = experiment(ToggleKind.WITHDRAW, lambda _toggle, number: VIA_ONE if number < 8 else None, toggles=1)
    found = verdict(stuck)
    assert (found.compliance, found.reason) == (Compliance.IGNORED, "8 of 12 routes still go through it")


def test_an_announcement_is_seen_or_proves_nothing() -> None:
    via_two: Course = lambda _toggle, _peer: VIA_TWO  # noqa: E731
    some = experiment(ToggleKind.ANNOUNCE, lambda _toggle, n: VIA_ONE if n < 3 else VIA_TWO, toggles=1, start=via_two)
    assert verdict(some).reason == "3 routes came to go through it"
    none = experiment(ToggleKind.ANNOUNCE, via_two, toggles=1, start=via_two)
    assert verdict(none).compliance is Compliance.INCONCLUSIVE


def test_toggles_that_are_too_near_to_be_told_apart_are_left_out() -> None:
    times = (0.0, 10_000.0, 11_000.0, 20_000.0)
    toggles = [Toggle(Timestamp(at), ONE, ToggleKind.INSTRUCT) for at in times]
    made = ToggleExperiment(OURS, toggles, frozenset({OWN}), SETTLE_S)
    made.finish(Timestamp(30_000.0))
    assert [each.at for each in made.left_out] == [10_000.0, 11_000.0]
    assert [each.toggle.at for each in made.outcomes] == [0.0, 20_000.0]


def test_a_peer_that_resets_meanwhile_and_a_router_of_ours_do_not_count() -> None:
    toggle = Toggle(Timestamp(2000.0), ONE, ToggleKind.WITHDRAW)
    made = ToggleExperiment(OURS, [toggle], frozenset({OWN, peer(2).asn}), SETTLE_S)
    for number in range(3):
        made.take(seen(0.0, number, VIA_ONE))
    made.take(PeerDown(Timestamp(2100.0), peer(1)))
    made.take(seen(2200.0, 1, VIA_TWO))
    (outcome,) = made.finish(Timestamp(5000.0))
    assert (outcome.peers, outcome.moved, outcome.through_before) == (1, 0, (peer(0).asn,))


@pytest.mark.mission("M10")
def test_a_peer_that_follows_before_the_agent_has_stamped_the_change_has_followed() -> None:
    at = 2000.0
    made = ToggleExperiment(OURS, [Toggle(Timestamp(at), ONE, ToggleKind.INSTRUCT)], frozenset({OWN}), SETTLE_S)
    for fact in (seen(0.0, 0, VIA_ONE), seen(0.0, 1, VIA_ONE), seen(at - 0.6, 1, LONGER), seen(at - 0.4, 0, LONGER)):
        made.take(fact)
    (outcome,) = made.finish(Timestamp(at + SETTLE_S))
    assert [(each.peer, each.first_s) for each in outcome.moves] == [(peer(0), 0.0)]
    assert (outcome.changed, outcome.control_changed) == ((peer(0).asn,), (peer(1).asn,))


@pytest.mark.parametrize(
    "counts", [(10, 12, 1, 12), (3, 40, 2, 41), (0, 5, 0, 5), (5, 5, 0, 4), (600, 1200, 590, 1200)]
)
def test_the_statistics_are_those_of_the_textbook(counts: tuple[int, int, int, int]) -> None:
    changed, trials, other, controls = counts
    table = [[changed, trials - changed], [other, controls - other]]
    assert fisher(*counts) == pytest.approx(fisher_exact(table, alternative="greater").pvalue)
    limit = 1.0 if changed == trials else float(beta.ppf(0.95, changed + 1, trials - changed))
    assert follow_limit(changed, trials) == pytest.approx(limit, abs=1e-6)


@pytest.mark.mission("M10", "F8")
def test_the_times_are_those_of_all_that_moved_and_not_of_the_first_that_are_listed() -> None:
    toggle = Toggle(Timestamp(EVERY_S), ONE, ToggleKind.INSTRUCT, "x")
    made = ToggleExperiment(OURS, [toggle], frozenset({OWN}), SETTLE_S)
    peers = MOVES_MAX + 50
    for number in range(peers):
        made.take(seen(1.0, number, VIA_ONE))
    for number in range(peers):
        made.take(seen(EVERY_S + number, number, LONGER))
    (outcome,) = made.finish(Timestamp(2 * EVERY_S))
    assert (outcome.moved, len(outcome.moves)) == (peers, MOVES_MAX)
    assert outcome.settled_s == tuple(float(number) for number in range(peers))
