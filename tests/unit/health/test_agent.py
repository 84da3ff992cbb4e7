from dataclasses import replace

import pytest

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.health.commands import (
    Apply,
    Finish,
    LeaseTerm,
    ReadExports,
    RenewLeases,
    Save,
    SetAddresses,
    StartCheck,
)
from anycastle.health.other_fleet import WISH_S
from anycastle.health.permits import Permit
from anycastle.health.quorum import Condition
from anycastle.health.reconcile import LULL_S, RouterView
from anycastle.health.state import AgentState
from anycastle.health.state_keeper import FORESIGHT_S
from anycastle.model.announcement import NOTHING, Announcement
from anycastle.model.check import Outcome, Severity
from anycastle.model.controller_access import ControllerAccess
from anycastle.model.event import (
    AnnouncementsConfirmed,
    DrainChanged,
    PermitChanged,
    RouterDiverged,
    StanceChanged,
    WithdrawalRefused,
)
from anycastle.model.fleet import Fleet, SharedPrefix
from anycastle.model.permit import PermitReport, PermitState
from anycastle.model.prefix import parse_prefix
from anycastle.model.service import (
    Dampening,
    Floor,
    Lease,
    LeaseEnd,
    MaintenanceWindow,
    OnExit,
    Policy,
    SlowStart,
    WhenAlone,
)
from anycastle.model.stance import DrainStep
from tests.unit.health.world import ESTABLISHED, PREFIX, STEERED, WALL, World, check, fleet, service, world

ROUTE = Announcement(PREFIX, "transit")


@pytest.mark.mission("C1")
def test_a_service_is_announced_only_after_its_checks_have_passed() -> None:
    w = world()
    w.answers["dns"] = Outcome.FAIL
    assert w.run(5).exports == NOTHING
    w.answers["dns"] = Outcome.PASS
    assert w.run(3).exports == {ROUTE}


@pytest.mark.mission("C2", "F7")
def test_a_failure_is_confirmed_at_once_and_not_at_the_pace_of_the_interval() -> None:
    w = world().run(5)
    w.answers["dns"] = Outcome.FAIL
    w.run(1.0 + 2 * 0.05)
    assert w.exports == NOTHING


def many(count: int, interval_s: float) -> Fleet:
    services = [
        service(
            f"s{number}",
            prefixes=(parse_prefix(f"198.18.{number}.0/24"),),
            checks=(check(f"c{number}", interval_s=interval_s, confirm_interval_s=0.01),),
            pops=("ams",),
            floor=Floor(pops=0),
        )
        for number in range(count)
    ]
    return fleet(*services, pops=("ams",))


@pytest.mark.mission("F7")
def test_services_that_fail_together_let_the_others_be_asked_in_half_the_time() -> None:
    w = world(many(50, interval_s=10.0)).run(60)
    assert len(w.exports) == 50
    w.answers = {f"c{number}": Outcome.FAIL for number in range(50)}
    w.run(6.5)
    assert w.exports == NOTHING, "half an interval after the first two, not a whole one"


@pytest.mark.mission("F7")
@pytest.mark.parametrize(("failing", "more"), [(1, 0), (2, 48)])
def test_healthy_services_are_asked_once_more_where_two_others_fail_and_not_for_one_alone(
    failing: int, more: int
) -> None:
    def asked_of_the_healthy() -> int:
        w.seen.clear()
        w.run(5.0)
        asked = (command.check.name for command in w.seen if isinstance(command, StartCheck))
        return sum(name not in ("c0", "c1") for name in asked)

    w = world(many(50, interval_s=1.0)).run(60)
    usual = asked_of_the_healthy()
    w.answers = {f"c{number}": Outcome.FAIL for number in range(failing)}
    assert asked_of_the_healthy() == usual + more
    assert asked_of_the_healthy() == usual


@pytest.mark.mission("F7")
def test_services_that_flap_together_for_long_at_most_double_the_questions_of_the_others() -> None:
    flapping, healthy, span_s = 6, 20, 240.0
    fast = [check(f"c{number}", interval_s=0.5, fall=1, rise=1) for number in range(flapping)]
    slow = [check(f"c{number}", interval_s=60.0) for number in range(flapping, flapping + healthy)]
    made = many(flapping + healthy, interval_s=60.0)
    services = tuple(replace(each, checks=(one,)) for each, one in zip(made.services, [*fast, *slow], strict=True))
    w = world(replace(made, services=services)).run(120)
    w.seen.clear()
    for second in range(int(span_s)):
        w.answers = {each.name: Outcome.FAIL if second % 2 else Outcome.PASS for each in fast}
        w.run(1.0)
    asked = [each.check.name for each in w.seen if isinstance(each, StartCheck) and each.check in slow]
    assert span_s / 60.0 * healthy < len(asked) <= 2 * (span_s / 60.0 + 1) * healthy
    assert len(w.engine._decider.schedule._due) < 4 * (flapping + healthy), "what is passed over does not gather"


@pytest.mark.mission("F7")
def test_failures_of_soft_checks_hasten_nobody() -> None:
    made = many(10, interval_s=1.0)
    soft = tuple(replace(each, checks=(replace(each.checks[0], severity=Severity.SOFT),)) for each in made.services[:2])
    w = world(replace(made, services=(*soft, *made.services[2:]))).run(60)
    w.seen.clear()
    w.answers = {"c0": Outcome.FAIL, "c1": Outcome.FAIL}
    w.run(5.0)
    asked = [each.check.name for each in w.seen if isinstance(each, StartCheck)]
    assert w.engine.services["s0"].condition is w.engine.services["s1"].condition is Condition.DEGRADED
    assert all(asked.count(f"c{number}") == 5 for number in range(2, 10))


@pytest.mark.mission("F7")
def test_a_single_failure_that_the_next_answer_refutes_changes_nothing() -> None:
    w = world().run(5)
    before = len(w.of(Apply))
    w.answers["dns"] = Outcome.FAIL
    while not w.engine.services["dns"].trackers[0].failures:
        w.clock = w.engine.deadline
        w.carry_out(w.engine.wake(w.now))
    w.answers["dns"] = Outcome.PASS
    w.run(10)
    assert len(w.of(Apply)) == before


def test_an_agent_that_stops_right_after_an_apply_withdraws_before_it_leaves() -> None:
    """What is wanted then waits for its batch: that the router obeys what was wanted before is no end."""
    w = world().run(5)
    w.carry_out(w.engine.drain(["dns"], "ann", "line cards", w.now, soak_s=60.0))
    w.carry_out(w.engine.stop(w.now))
    assert w.of(Finish) == []
    w.run(3)
    (finish,) = w.of(Finish)
    assert isinstance(finish, Finish)
    assert (w.exports, finish.hold, finish.terms) == (NOTHING, False, ())


def test_unknown_never_withdraws() -> None:
    w = world().run(5)
    w.answers["dns"] = Outcome.UNKNOWN
    assert w.run(600).exports == {ROUTE}


@pytest.mark.mission("C16")
def test_a_withdrawal_uses_a_permit_that_is_saved_before_the_router_is_told() -> None:
    w = world().run(5)
    w.seen.clear()
    w.answers["dns"] = Outcome.FAIL
    w.run(2)
    kinds = [type(command) for command in w.seen if isinstance(command, Save | Apply)]
    assert kinds[:2] == [Save, Apply]
    saved = w.of(Save)[0]
    assert isinstance(saved, Save)
    assert saved.state.permits["dns"].state is PermitState.USED


def until_a_failure_is_being_confirmed(w: World) -> World:
    """Let the check fail once, and the foresight pass; the verdict still stands."""
    w.answers["dns"] = Outcome.FAIL
    w.seen.clear()
    while not any(tracker.may_withdraw for tracker in w.engine.services["dns"].trackers):
        w.clock = w.engine.deadline
        w.carry_out(w.engine.wake(w.now))
    return w.run(2 * FORESIGHT_S)


def permits_saved(w: World) -> list[PermitState]:
    return [save.state.permits["dns"].state for save in w.of(Save) if isinstance(save, Save)]


@pytest.mark.mission("C16", "M2")
def test_while_a_failure_is_confirmed_the_use_of_the_permit_is_saved_and_the_withdrawal_waits_for_no_disk() -> None:
    w = until_a_failure_is_being_confirmed(world().run(5))
    assert permits_saved(w) == [PermitState.USED]
    assert w.engine.services["dns"].permit.state is PermitState.HELD
    w.seen.clear()
    while not w.of(Apply):
        w.clock = w.engine.deadline
        w.carry_out(w.engine.wake(w.now))
    kinds = [type(command) for command in w.seen if isinstance(command, Save | Apply)]
    assert kinds == [Apply]
    assert w.exports == NOTHING
    w.run(2 * LULL_S)
    assert [save.state.penalties.keys() for save in w.of(Save) if isinstance(save, Save)] == [{"dns"}]


@pytest.mark.mission("C16")
def test_a_permit_whose_use_was_foreseen_is_saved_unused_once_the_failure_is_refuted() -> None:
    w = until_a_failure_is_being_confirmed(world().run(5))
    w.answers["dns"] = Outcome.PASS
    w.run(3)
    assert permits_saved(w) == [PermitState.USED, PermitState.HELD]
    assert not w.of(PermitChanged)
    w.seen.clear()
    w.run(60)
    assert not w.of(Save)


@pytest.mark.mission("C16")
def test_a_permit_whose_use_was_foreseen_can_be_asked_back_and_is_saved_as_given_up() -> None:
    w = until_a_failure_is_being_confirmed(world().run(5))
    w.carry_out(w.engine.permit_revoked("dns", 1, w.now))
    assert permits_saved(w) == [PermitState.USED, PermitState.NONE]
    assert w.run(5).exports == {replace(ROUTE, attributes=STEERED)}


@pytest.mark.mission("C16")
def test_after_a_crash_a_permit_that_was_only_foreseen_is_free_again_when_the_service_is_seen_exported() -> None:
    w = until_a_failure_is_being_confirmed(world().run(5))
    saved = w.of(Save)[-1]
    assert isinstance(saved, Save)
    after_the_crash = world(saved=saved.state)
    after_the_crash.exports = w.exports
    after_the_crash.run(5)
    assert after_the_crash.engine.services["dns"].permit.state is PermitState.HELD
    assert permits_saved(after_the_crash) == [PermitState.HELD]


def test_a_soft_check_that_fails_foresees_no_withdrawal() -> None:
    made = fleet(service(checks=(check(), check("extra", severity=Severity.SOFT))))
    w = world(made).run(5)
    w.seen.clear()
    w.answers["extra"] = Outcome.FAIL
    w.run(5)
    assert w.exports == {replace(ROUTE, attributes=STEERED)}
    assert PermitState.USED not in permits_saved(w)


@pytest.mark.mission("C16", "F7")
def test_a_pop_without_a_permit_goes_on_announcing_and_says_so() -> None:
    w = world(at="lon").run(5)
    w.answers["dns"] = Outcome.FAIL
    w.run(5)
    assert w.exports == {replace(ROUTE, attributes=STEERED)}
    assert len(w.of(WithdrawalRefused)) == 1


@pytest.mark.mission("C16")
def test_the_operator_may_let_a_lonely_pop_withdraw_all_the_same() -> None:
    w = world(fleet(service(when_alone=WhenAlone.WITHDRAW)), at="lon").run(5)
    w.answers["dns"] = Outcome.FAIL
    assert w.run(5).exports == NOTHING


@pytest.mark.mission("C16", "F7")
def test_a_bad_check_everywhere_leaves_the_floor_announcing() -> None:
    made = fleet(service(floor=Floor(pops=2)))
    worlds = [world(made, at=name).run(5) for name in ("ams", "fra", "lon")]
    for w in worlds:
        w.answers["dns"] = Outcome.FAIL
        w.run(60)
    assert sum(bool(w.exports) for w in worlds) == 2


@pytest.mark.mission("C16")
def test_a_permit_is_free_only_when_the_router_exports_the_service_again() -> None:
    w = world().run(5)
    w.answers["dns"] = Outcome.FAIL
    w.run(3)
    w.apply_error = "router is away"
    w.answers["dns"] = Outcome.PASS
    w.run(5)
    assert w.engine.services["dns"].permit.state is PermitState.USED
    w.apply_error = None
    w.run(5)
    assert w.engine.services["dns"].permit.state is PermitState.HELD
    assert [body.change for body in w.of(PermitChanged)] == ["freed", "used", "freed"]


def test_a_restart_with_nothing_changed_tells_the_router_nothing() -> None:
    w = world().run(5)
    again = World(world(saved=AgentState(permits={"dns": Permit(PermitState.HELD)})).engine, exports=w.exports)
    again.run(30)
    assert again.of(Apply) == []
    assert again.exports == {ROUTE}


def test_a_restart_beside_an_empty_router_waits_for_the_checks() -> None:
    w = world(saved=AgentState(permits={"dns": Permit(PermitState.HELD)}))
    w.answers["dns"] = Outcome.FAIL
    assert w.run(30).exports == NOTHING
    assert w.engine.services["dns"].permit.state is PermitState.USED


def test_what_the_router_lost_is_told_again_within_a_second() -> None:
    w = world().run(5)
    w.exports = NOTHING
    w.run(1.1)
    assert w.exports == {ROUTE}
    assert [body.missing for body in w.of(RouterDiverged)] == [("192.0.2.0/24 transit",)]
    assert len(w.of(AnnouncementsConfirmed)) >= 2


def test_a_route_that_nobody_wanted_is_taken_back() -> None:
    w = world().run(5)
    w.answers["dns"] = Outcome.FAIL
    w.run(3)
    w.exports = frozenset({ROUTE})
    w.run(1.1)
    assert w.exports == NOTHING


def test_a_failed_apply_is_tried_again_each_second_and_reported_once() -> None:
    w = world()
    w.apply_error = "syntax error"
    w.run(10)
    tries = len(w.of(Apply))
    assert 7 <= tries <= 10
    assert next(body.problem for body in w.of(RouterDiverged)) == "syntax error"
    w.apply_error = None
    assert w.run(2).exports == {ROUTE}


def test_an_unreachable_router_is_reported_and_nothing_is_concluded() -> None:
    w = world().run(5)
    w.reachable = False
    w.run(10)
    assert [body.problem for body in w.of(RouterDiverged)] == ["no answer"]
    assert w.engine.router.wanted == {ROUTE}


def test_changes_of_one_moment_are_one_apply() -> None:
    many = [service(f"s{n}", checks=(check(f"c{n}"),)) for n in range(50)]
    made = fleet(*many)
    w = world(made).run(5)
    before = len(w.of(Apply))
    for n in range(50):
        w.answers[f"c{n}"] = Outcome.FAIL
    w.run(3)
    assert w.exports == NOTHING
    assert len(w.of(Apply)) - before == 1, "the prefix is shared: it goes when the last service does"


def test_soft_failures_steer() -> None:
    w = world(fleet(service(checks=(check(), check("load", severity=Severity.SOFT))))).run(5)
    w.answers["load"] = Outcome.FAIL
    assert w.run(3).exports == {replace(ROUTE, attributes=STEERED)}
    w.answers["load"] = Outcome.PASS
    assert w.run(5).exports == {ROUTE}


@pytest.mark.mission("F7")
def test_a_flapping_service_is_kept_down_until_its_penalty_has_decayed() -> None:
    w = world(fleet(service(dampening=Dampening(half_life_s=60, max_suppress_s=120)))).run(5)
    for _ in range(4):
        w.answers["dns"] = Outcome.FAIL
        w.run(3)
        w.answers["dns"] = Outcome.PASS
        w.run(3)
    assert w.exports == NOTHING
    assert "suppressed for flapping" in {body.reason for body in w.of(StanceChanged)}
    assert w.run(121).exports == {ROUTE}


def test_a_failure_in_a_maintenance_window_is_no_flap() -> None:
    window = MaintenanceWindow(WALL, WALL + 3600, ("ams",), "new kernel")
    w = world(fleet(service(windows=(window,)))).run(5)
    for _ in range(6):
        w.answers["dns"] = Outcome.FAIL
        w.run(3)
        w.answers["dns"] = Outcome.PASS
        w.run(3)
    assert w.exports == {ROUTE}


def test_slow_start_announces_steered_first() -> None:
    made = service(slow_start=SlowStart(10, STEERED))
    w = world(fleet(made)).run(5)
    assert w.exports == {replace(ROUTE, attributes=STEERED)}
    assert w.run(10).exports == {ROUTE}


@pytest.mark.mission("C5")
def test_a_drain_goes_through_its_steps_and_survives_a_restart() -> None:
    w = world().run(5)
    w.carry_out(w.engine.drain(["dns"], "ada", "new kernel", w.now, soak_s=10, wait_s=10))
    assert w.exports == {replace(ROUTE, attributes=STEERED)}
    saved = w.of(Save)[-1]
    assert isinstance(saved, Save)
    w.engine = world(saved=saved.state).engine
    w.clock = 0.0
    w.run(16)
    assert w.exports == NOTHING
    w.run(15)
    assert w.of(SetAddresses)[-1] == SetAddresses(frozenset())
    assert [body.step for body in w.of(DrainChanged)] == ["shutting", "withdrawn", "stopped"]
    w.carry_out(w.engine.undrain(["dns"], "ada", "done", w.now))
    assert w.run(1).exports == {ROUTE}
    assert w.of(SetAddresses)[-1] != SetAddresses(frozenset())


@pytest.mark.mission("C5", "C16")
def test_a_drain_without_a_permit_stays_at_its_first_step() -> None:
    w = world(at="lon").run(5)
    w.carry_out(w.engine.drain(["dns"], "ada", "new kernel", w.now))
    assert w.run(60).exports == {replace(ROUTE, attributes=STEERED)}
    (refused,) = w.of(WithdrawalRefused)
    assert refused == WithdrawalRefused("dns", "draining; no withdraw permit, so it stays announced")
    w.carry_out(w.engine.permit_granted("dns", 1, w.now))
    assert w.run(1).exports == NOTHING


def test_a_drain_ends_by_itself() -> None:
    w = world().run(5)
    expires = Timestamp(w.now.wall + 60)
    w.carry_out(w.engine.drain(["dns"], "ada", "new kernel", w.now, expires=expires))
    assert w.run(30).exports == NOTHING
    assert w.run(31).exports == {ROUTE}


def test_a_drain_of_nothing_or_of_a_stranger_is_refused_and_changes_nothing() -> None:
    w = world().run(5)
    with pytest.raises(MisuseError, match="never means all"):
        w.engine.drain([], "ada", "", w.now)
    with pytest.raises(MisuseError, match="it serves: dns"):
        w.engine.drain(["dsn"], "ada", "", w.now)
    with pytest.raises(MisuseError, match="already passed"):
        w.engine.drain(["dns"], "ada", "", w.now, expires=Timestamp(1.0))
    assert w.run(60).exports == {ROUTE}


def test_stop_withdraws_confirms_and_finishes() -> None:
    w = world().run(5)
    w.carry_out(w.engine.stop(w.now))
    assert w.exports == NOTHING
    w.run(5)
    assert w.of(Finish) == [Finish("the agent was stopped", hold=False)]


def test_stop_holds_what_is_to_be_held() -> None:
    w = world(fleet(service(on_exit=OnExit.HOLD))).run(5)
    w.carry_out(w.engine.stop(w.now))
    w.run(5)
    assert w.exports == {ROUTE}
    (finish,) = w.of(Finish)
    assert isinstance(finish, Finish)
    assert finish.hold
    assert finish.terms == (LeaseTerm("dns", Lease(LeaseEnd.HOLD), frozenset({ROUTE})),), "a lease ends it"


@pytest.mark.parametrize(("at", "end"), [("ams", LeaseEnd.KEEP), ("lon", LeaseEnd.WITHDRAW)])
def test_what_is_to_be_kept_or_may_not_be_withdrawn_is_kept_after_a_stop(at: str, end: LeaseEnd) -> None:
    w = world(fleet(service(on_exit=OnExit.HOLD, lease=Lease(end))), at=at).run(5)
    w.carry_out(w.engine.stop(w.now))
    w.run(5)
    (finish,) = w.of(Finish)
    assert isinstance(finish, Finish)
    assert finish.terms[0].lease.end is LeaseEnd.KEEP


@pytest.mark.mission("C16")
def test_stop_without_a_permit_holds() -> None:
    w = world(at="lon").run(5)
    w.carry_out(w.engine.stop(w.now))
    assert w.run(5).exports != NOTHING


def test_stop_gives_up_on_a_router_that_does_not_answer() -> None:
    w = world().run(5)
    w.apply_error = "router is away"
    w.carry_out(w.engine.stop(w.now))
    w.run(10)
    (finish,) = w.of(Finish)
    assert isinstance(finish, Finish)
    assert finish.terms == (LeaseTerm("dns", Lease(LeaseEnd.WITHDRAW, 0.0), frozenset({ROUTE})),), "it goes on trying"
    assert w.engine.deadline == float("inf")


def test_leases_are_renewed_and_without_a_permit_they_keep() -> None:
    held = world().run(5).of(RenewLeases)[-1]
    lacking = world(at="lon").run(5).of(RenewLeases)[-1]
    assert isinstance(held, RenewLeases)
    assert isinstance(lacking, RenewLeases)
    assert held.terms == (LeaseTerm("dns", service().lease, frozenset({ROUTE})),)
    assert lacking.terms[0].lease.end is LeaseEnd.KEEP


def test_a_short_lease_is_renewed_more_often_and_a_change_soon() -> None:
    w = world(fleet(service(lease=Lease(duration_s=1.0)))).run(5)
    assert len(w.of(RenewLeases)) >= 20
    w.answers["dns"] = Outcome.FAIL
    w.seen.clear()
    while not w.of(Apply):
        w.clock = w.engine.deadline
        w.carry_out(w.engine.wake(w.now))
    w.run(2 * LULL_S)
    renewal = w.of(RenewLeases)[-1]
    assert isinstance(renewal, RenewLeases)
    assert renewal.terms[0].announcements == NOTHING


def test_a_reading_that_began_before_the_engine_was_frozen_is_void() -> None:
    w = world().run(5)
    w.seen.clear()
    commands: list[object] = []
    while ReadExports() not in commands:
        w.clock = w.engine.deadline
        commands = list(w.engine.wake(w.now))
        w.carry_out([command for command in commands if command != ReadExports()])
    w.answers["dns"] = Outcome.FAIL
    before, w.exports = RouterView(w.exports, w.exports, ESTABLISHED), NOTHING  # the watchdog acts meanwhile
    w.clock += 60
    w.carry_out(w.engine.exports_read(before, w.now))
    w.run(5)
    assert w.exports == NOTHING
    assert not w.of(Apply)


def test_a_router_that_restarted_empty_is_told_again_before_its_sessions_are_up() -> None:
    w = world().run(5)
    w.seen.clear()
    for _ in range(2):
        view = RouterView(NOTHING, NOTHING, frozenset())
        w.carry_out([command for command in w.engine.exports_read(view, w.now) if command != ReadExports()])
        w.clock += 0.3
    assert [type(each) for each in w.of(Apply)] == [Apply]


def test_what_was_found_steered_stays_so_until_the_checks_have_spoken() -> None:
    w = world(fleet(service(checks=(check(), check("disk", severity=Severity.SOFT)))))
    w.exports = frozenset({replace(ROUTE, attributes=STEERED)})
    w.answers["disk"] = Outcome.UNKNOWN
    w.run(5)
    assert not w.of(Apply), "a soft check has not spoken yet"
    w.answers["disk"] = Outcome.PASS
    assert w.run(5).exports == {ROUTE}


def test_an_engine_that_was_frozen_decides_nothing_by_what_a_controller_does() -> None:
    w = world(fleet(service(when_alone=WhenAlone.WITHDRAW)), at="lon").run(5)
    w.carry_out(w.engine.controller_met(1, w.now)[1])
    w.answers["dns"] = Outcome.FAIL
    w.run(3)
    w.clock += 60
    w.carry_out(w.engine.controller_lost(w.now))
    assert not w.engine.booted
    assert w.exports == {replace(ROUTE, attributes=STEERED)}, "its verdict is stale"
    assert w.engine.controller_met(2, w.now) == (False, [])


def test_an_engine_that_was_frozen_longer_than_its_lease_boots_again() -> None:
    w = world().run(5)
    w.exports = NOTHING
    w.answers["dns"] = Outcome.FAIL
    w.clock += 60
    before = len(w.of(Apply))
    w.run(10)
    assert len(w.of(Apply)) == before, "what the watchdog ended is not announced again on stale verdicts"
    w.answers["dns"] = Outcome.PASS
    assert w.run(5).exports == {ROUTE}


@pytest.mark.parametrize(("rule", "left"), [(SharedPrefix.ALL, {ROUTE}), (SharedPrefix.ANY, set())])
def test_a_shared_prefix_goes_by_its_rule(rule: SharedPrefix, left: set[Announcement]) -> None:
    dns = service("dns", checks=(check("dns"),))
    web = service("web", checks=(check("web"),))
    w = world(fleet(dns, web, shared_prefixes={PREFIX: rule})).run(5)
    w.answers["web"] = Outcome.FAIL
    assert w.run(3).exports == left
    w.answers["web"] = Outcome.PASS
    assert w.run(5).exports == {ROUTE}


@pytest.mark.mission("C16")
def test_what_would_take_another_service_along_needs_that_one_s_permit_as_well() -> None:
    dns = service("dns", floor=Floor(pops=3))
    web = service("web", checks=(check("web"),))
    w = world(fleet(dns, web, shared_prefixes={PREFIX: SharedPrefix.ANY})).run(5)
    w.answers["web"] = Outcome.FAIL
    assert w.run(3).exports == {ROUTE}
    assert [body.service for body in w.of(WithdrawalRefused)] == ["web"]


@pytest.mark.mission("C16")
def test_a_permit_that_another_service_waits_for_is_reported_as_wanted_and_lets_it_withdraw() -> None:
    w = world(tied(SharedPrefix.ANY)).run(5)
    w.answers["web"] = Outcome.FAIL
    w.run(3)
    wanted = {report.service: (report.state, report.wanted) for report in w.engine.permit_reports()}
    assert wanted == {"dns": (PermitState.NONE, True), "web": (PermitState.HELD, True)}
    w.carry_out(w.engine.permit_granted("dns", 1, w.now))
    assert w.run(0.1).exports == NOTHING


@pytest.mark.mission("C16")
def test_permits_of_the_controller_are_taken_and_given_back_once() -> None:
    w = world(at="lon").run(5)
    w.carry_out(w.engine.permit_granted("dns", 7, w.now))
    assert w.engine.services["dns"].permit == Permit(PermitState.HELD, 7)
    w.seen.clear()
    w.carry_out(w.engine.permit_revoked("dns", 8, w.now))
    kinds = [type(command) for command in w.seen if isinstance(command, Save | RenewLeases)]
    assert kinds == [Save, RenewLeases], "the watchdog, too, may not withdraw any more"
    w.carry_out(w.engine.permit_granted("dns", 7, w.now))
    assert w.engine.services["dns"].permit == Permit(PermitState.NONE, 8), "an old grant is void"
    w.carry_out(w.engine.permit_granted("dns", 9, w.now))
    w.answers["dns"] = Outcome.FAIL
    w.run(3)
    w.carry_out(w.engine.permit_revoked("dns", 10, w.now))
    assert w.engine.services["dns"].permit == Permit(PermitState.USED, 10), "what is in use is kept"


@pytest.mark.mission("C16")
def test_a_permit_that_the_watchdog_may_have_used_is_not_given_up() -> None:
    made = fleet(service(lease=Lease(duration_s=10.0)))
    w = world(made).run(5)
    w.clock += 30.0  # frozen for longer than the lease
    w.carry_out(w.engine.permit_revoked("dns", 3, w.now))
    assert w.engine.services["dns"].permit == Permit(PermitState.HELD, 3)
    w.run(10)
    w.carry_out(w.engine.permit_revoked("dns", 4, w.now))
    assert w.engine.services["dns"].permit == Permit(PermitState.NONE, 4)


@pytest.mark.mission("C16")
def test_once_a_controller_was_met_files_deal_no_permits_and_an_older_controller_is_refused() -> None:
    w = world(at="lon").run(5)
    met, commands = w.engine.controller_met(4, w.now)
    assert met
    w.carry_out(commands)
    assert not w.engine.alone
    saved = w.of(Save)[-1]
    assert isinstance(saved, Save)
    again = world(fleet(service(pops=("lon", "ams", "fra"))), at="lon", saved=saved.state).run(5)
    assert again.engine.services["dns"].permit.state is PermitState.NONE, "the files alone would deal one"
    assert again.engine.controller_met(3, again.now) == (False, [])


@pytest.mark.mission("F7")
def test_files_that_name_a_controller_deal_no_permits_not_even_on_an_empty_disk() -> None:
    named = fleet(controller=ControllerAccess(("controller.example.net",)))
    assert world(fleet()).engine.services["dns"].permit.state is PermitState.HELD
    w = world(named)
    assert w.engine.services["dns"].permit == Permit()
    w.carry_out(w.engine.permit_granted("dns", 1, w.now))
    w.run(5)
    w.carry_out(w.engine.reload(replace(named, name="renamed"), w.now))
    assert w.engine.services["dns"].permit.state is not PermitState.NONE


@pytest.mark.mission("F7")
def test_a_permit_of_the_files_is_kept_for_a_controller_to_count_when_they_begin_to_name_one() -> None:
    w = world(fleet()).run(5)
    held = w.engine.services["dns"].permit
    w.carry_out(w.engine.reload(fleet(controller=ControllerAccess(("controller.example.net",))), w.now))
    assert w.engine.services["dns"].permit == held
    assert held.state is PermitState.HELD


@pytest.mark.mission("C3")
def test_what_a_reload_would_refuse_is_known_beforehand_and_nothing_is_taken_before_the_boot() -> None:
    w = world(fleet(service(floor=Floor(pops=3))))
    elsewhere = fleet(service(pops=("fra", "lon")))
    with pytest.raises(MisuseError, match="does not know yet what its router announces"):
        w.engine.require_takeable(elsewhere, w.now)
    w.run(5)
    with pytest.raises(MisuseError, match="the assignment would withdraw dns from ams, and no permit allows it"):
        w.engine.require_takeable(elsewhere, w.now)
    w.engine.require_takeable(fleet(service(floor=Floor(pops=3))), w.now)


@pytest.mark.mission("C5", "S3")
def test_what_was_announced_against_a_hijack_ends_without_a_permit() -> None:
    whole, half = parse_prefix("192.0.2.0/23"), parse_prefix("192.0.2.0/24")
    peace = replace(service(floor=Floor(pops=3)), prefixes=(whole,), mitigations=(half,))
    w = world(fleet(replace(peace, prefixes=(whole, half)))).run(5)
    assert w.prefixes() == {str(whole), str(half)}
    w.engine.require_takeable(fleet(peace), w.now)
    with pytest.raises(MisuseError, match="no permit allows it"):
        w.engine.require_takeable(fleet(replace(peace, prefixes=(half,))), w.now)
    w.carry_out(w.engine.reload(fleet(peace), w.now))
    w.run(1)
    assert w.prefixes() == {str(whole)}


def test_what_a_controller_must_know_is_reported() -> None:
    w = world(at="lon").run(5)
    assert w.engine.permit_reports() == (PermitReport("dns", PermitState.NONE, 0, exported=True),)
    w.answers["dns"] = Outcome.FAIL
    w.run(5)
    steered = PermitReport("dns", PermitState.NONE, 0, exported=True, wanted=True)
    assert w.engine.permit_reports() == (steered,)


def test_reload_keeps_verdicts_and_voids_answers_asked_before_it() -> None:
    w = world().run(5)
    started: list[StartCheck] = []
    while not started:
        w.clock = w.engine.deadline
        commands = w.engine.wake(w.now)
        started = [command for command in commands if isinstance(command, StartCheck)]
        w.carry_out([command for command in commands if not isinstance(command, StartCheck)])
    policy = Policy(attributes=STEERED, steered=STEERED)
    w.carry_out(w.engine.reload(fleet(service(policies={("ams", "transit"): policy})), w.now))
    assert w.exports == {replace(ROUTE, attributes=STEERED)}
    w.carry_out(started[:1])
    assert w.run(10).exports == {replace(ROUTE, attributes=STEERED)}


def tied(rule: SharedPrefix, **changes: object) -> Fleet:
    dns = service("dns", floor=Floor(pops=3))
    web = service("web", checks=(check("web"),), **changes)
    return fleet(dns, web, shared_prefixes={PREFIX: rule})


@pytest.mark.mission("C16")
def test_a_reload_that_ties_a_dead_service_to_a_prefix_does_not_withdraw_it() -> None:
    w = world(fleet(service("dns", floor=Floor(pops=3)))).run(5)
    w.answers["web"] = Outcome.FAIL
    w.carry_out(w.engine.reload(tied(SharedPrefix.ANY), w.now))
    assert w.run(10).prefixes() == {str(PREFIX)}
    assert {body.service for body in w.of(WithdrawalRefused)} == {"web"}


@pytest.mark.mission("C16")
def test_a_rule_that_changes_while_a_service_is_down_does_not_withdraw_the_others() -> None:
    w = world(tied(SharedPrefix.ALL)).run(5)
    w.answers["web"] = Outcome.FAIL
    w.run(5)
    w.carry_out(w.engine.reload(tied(SharedPrefix.ANY), w.now))
    assert w.run(10).prefixes() == {str(PREFIX)}


@pytest.mark.mission("C16")
def test_files_that_take_a_service_away_without_a_permit_are_refused_and_change_nothing() -> None:
    w = world(at="lon").run(5)
    elsewhere = fleet(service(pops=("ams", "fra")))
    with pytest.raises(MisuseError, match="drain it first"):
        w.engine.reload(elsewhere, w.now)
    assert w.run(10).exports == {ROUTE}
    allowed = world(at="ams").run(5)
    allowed.carry_out(allowed.engine.reload(fleet(service(pops=("fra", "lon"))), allowed.now))
    assert allowed.run(5).exports == NOTHING


@pytest.mark.mission("C16")
def test_one_service_s_leave_to_withdraw_alone_is_not_another_s() -> None:
    made = tied(SharedPrefix.ANY, floor=Floor(pops=3), when_alone=WhenAlone.WITHDRAW)
    w = world(made).run(5)
    w.answers["web"] = Outcome.FAIL
    assert w.run(5).prefixes() == {str(PREFIX)}


@pytest.mark.mission("C5")
def test_a_drained_service_that_is_drained_again_is_not_announced_for_it() -> None:
    w = world().run(5)
    w.carry_out(w.engine.drain(["dns"], "ada", "new kernel", w.now, soak_s=1, wait_s=1))
    w.run(5)
    applies = len(w.of(Apply))
    w.carry_out(w.engine.drain(["dns"], "bob", "it takes longer", w.now, soak_s=1, wait_s=1))
    w.run(60)
    assert len(w.of(Apply)) == applies
    drain = w.engine.services["dns"].drain
    assert drain is not None
    assert (drain.step, drain.owner) == (DrainStep.STOPPED, "bob")


def test_a_service_that_is_not_announced_is_drained_without_a_word_to_the_router() -> None:
    w = world(at="lon")
    w.answers["dns"] = Outcome.FAIL
    w.run(5)
    w.carry_out(w.engine.drain(["dns"], "ada", "new kernel", w.now))
    w.answers["dns"] = Outcome.PASS
    assert w.run(60).exports == NOTHING


@pytest.mark.mission("C5")
def test_a_drain_that_no_permit_lets_go_on_expires_all_the_same() -> None:
    w = world(at="lon").run(5)
    w.carry_out(w.engine.drain(["dns"], "ada", "x", w.now, soak_s=1, expires=Timestamp(w.now.wall + 30)))
    assert w.run(31).exports == {ROUTE}


def test_a_drain_with_impossible_spans_and_an_undrain_of_nothing_are_refused() -> None:
    w = world().run(5)
    for soak_s in (-1.0, float("nan"), 1e9):
        with pytest.raises(MisuseError, match="from 0 to"):
            w.engine.drain(["dns"], "ada", "x", w.now, soak_s=soak_s)
    with pytest.raises(MisuseError, match="dns is not drained"):
        w.engine.undrain(["dns"], "ada", "x", w.now)


def test_a_word_to_an_agent_that_was_frozen_announces_nothing_on_stale_verdicts() -> None:
    w = world().run(5)
    w.exports = NOTHING
    w.answers["dns"] = Outcome.FAIL
    w.clock += 60
    w.carry_out(w.engine.drain(["dns"], "ada", "x", w.now, soak_s=0))
    assert w.run(10).exports == NOTHING


def test_a_reload_while_stopping_does_not_announce_again() -> None:
    w = world().run(5)
    w.carry_out(w.engine.stop(w.now))
    w.carry_out(w.engine.reload(fleet(service()), w.now))
    w.run(5)
    assert w.exports == NOTHING
    assert [finish.hold for finish in w.of(Finish)] == [False]


def test_asking_again_to_stop_does_not_put_the_end_off() -> None:
    w = world().run(5)
    w.apply_error = "router is away"
    for _ in range(4):
        w.carry_out(w.engine.stop(w.now))
        w.run(2)
    assert len(w.of(Finish)) == 1


@pytest.mark.mission("C16")
def test_a_withdrawn_service_keeps_no_lease_on_what_it_shares() -> None:
    keep = Lease(LeaseEnd.KEEP)
    made = fleet(service("dns", lease=keep), service("web", checks=(check("web"),)))
    w = world(made).run(5)
    w.answers["dns"] = Outcome.FAIL
    w.run(5)
    terms = {term.service: term.announcements for term in w.of(RenewLeases)[-1].terms}
    assert terms == {"dns": NOTHING, "web": frozenset({ROUTE})}


@pytest.mark.mission("C16")
def test_an_agent_renews_no_lease_before_its_checks_have_spoken() -> None:
    w = world(saved=AgentState(permits={"dns": Permit(PermitState.HELD)}))
    w.exports = frozenset({ROUTE})
    w.answers["dns"] = Outcome.UNKNOWN
    assert w.run(3.5).of(RenewLeases) == []
    assert w.run(2).of(RenewLeases) != [], "but it does not wait for ever"


@pytest.mark.mission("C5")
def test_what_was_stopped_shows_anew_that_it_serves_before_it_is_announced() -> None:
    w = world().run(5)
    w.carry_out(w.engine.drain(["dns"], "ada", "new kernel", w.now, soak_s=0, wait_s=0))
    w.run(5)
    w.answers["dns"] = Outcome.FAIL
    w.carry_out(w.engine.undrain(["dns"], "ada", "done", w.now))
    assert w.run(10).exports == NOTHING
    assert len(w.of(Apply)) == 2, "announced, withdrawn: and not announced again on an old verdict"
    w.answers["dns"] = Outcome.PASS
    assert w.run(5).exports == {ROUTE}


def refuse(w: World, elsewhere: Fleet) -> None:
    w.engine.want_permits(elsewhere, w.now)
    with pytest.raises(MisuseError, match="no permit allows it"):
        w.engine.require_takeable(elsewhere, w.now)


@pytest.mark.mission("C3", "C16")
def test_permits_that_an_assignment_lacks_are_wanted_for_a_while_so_that_it_can_be_taken_when_it_comes_again() -> None:
    w = world(fleet(service(floor=Floor(pops=3)))).run(5)
    elsewhere = fleet(service(pops=("fra", "lon")))
    refuse(w, elsewhere)
    assert [report.wanted for report in w.engine.permit_reports()] == [True]
    w.run(WISH_S - 1)
    assert [report.wanted for report in w.engine.permit_reports()] == [True]
    w.run(2)
    assert [report.wanted for report in w.engine.permit_reports()] == [False], "nobody sent it again"
    refuse(w, elsewhere)
    w.carry_out(w.engine.permit_granted("dns", 1, w.now))
    w.engine.want_permits(elsewhere, w.now)
    w.engine.require_takeable(elsewhere, w.now)
    assert [report.wanted for report in w.engine.permit_reports()] == [False]
    w.carry_out(w.engine.reload(elsewhere, w.now))
    assert w.exports == NOTHING


@pytest.mark.mission("C3", "C16")
def test_a_permit_for_several_services_is_not_given_to_another_while_the_rest_is_waited_for() -> None:
    second = service("web", prefixes=(parse_prefix("198.51.100.0/24"),), floor=Floor(pops=3))
    w = world(fleet(service(floor=Floor(pops=3)), second)).run(5)
    refuse(w, fleet(service(pops=("fra",)), replace(second, pops=("fra",))))
    w.carry_out(w.engine.permit_granted("dns", 1, w.now))
    assert [(report.state, report.wanted) for report in w.engine.permit_reports()] == [
        (PermitState.HELD, True),
        (PermitState.NONE, True),
    ]


@pytest.mark.mission("C3", "C16")
def test_a_service_that_left_and_comes_back_goes_on_from_the_epoch_of_its_permit() -> None:
    here, elsewhere = fleet(service()), fleet(service(pops=("fra", "lon")))
    w = world(here, saved=AgentState({"dns": Permit(PermitState.NONE, 0)}, leader_term=1)).run(5)
    w.carry_out(w.engine.permit_granted("dns", 7, w.now))
    w.carry_out(w.engine.reload(elsewhere, w.now))
    assert w.engine.permit_reports() == ()
    saved = w.of(Save)[-1]
    assert isinstance(saved, Save)
    assert saved.state.permits["dns"] == Permit(PermitState.NONE, 7), "it is spent, and no controller may be older"
    w.carry_out(w.engine.reload(here, w.now))
    assert w.engine.services["dns"].permit == Permit(PermitState.NONE, 7)
    assert world(here, saved=saved.state).engine.services["dns"].permit == Permit(PermitState.NONE, 7)


def test_a_drain_ends_on_time_though_the_wall_clock_was_a_day_behind_when_it_began() -> None:
    w = world().run(5)
    expires = Timestamp(w.now.wall + 60)
    w.wall_ahead_s = -86_400.0
    w.run(2)
    w.carry_out(w.engine.drain(["dns"], "ada", "new kernel", w.now, expires=expires))
    w.run(45)
    w.wall_ahead_s = 0.0
    assert w.run(10).exports == NOTHING, "by now the clock is right again"
    assert w.run(10).exports == {ROUTE}


@pytest.mark.mission("C16")
def test_a_permit_that_the_files_deal_elsewhere_meanwhile_is_gone_when_its_use_is_over() -> None:
    w = world().run(5)
    w.answers["dns"] = Outcome.FAIL
    w.run(5)
    w.carry_out(w.engine.reload(fleet(service(floor=Floor(pops=3))), w.now))
    w.run(5)
    assert w.engine.services["dns"].permit.state is PermitState.USED
    w.answers["dns"] = Outcome.PASS
    w.run(10)
    assert w.engine.services["dns"].permit.state is PermitState.NONE
    renewed = w.of(RenewLeases)[-1]
    assert isinstance(renewed, RenewLeases)
    assert [term.lease.end for term in renewed.terms] == [LeaseEnd.KEEP], "the watchdog may not end it either"


@pytest.mark.mission("C16")
def test_a_permit_of_a_controller_is_free_again_as_that_one_s() -> None:
    w = world(at="lon").run(5)
    w.carry_out(w.engine.controller_met(1, w.now)[1])
    w.carry_out(w.engine.permit_granted("dns", 9, w.now))
    w.answers["dns"] = Outcome.FAIL
    w.run(5)
    w.answers["dns"] = Outcome.PASS
    w.run(10)
    assert w.engine.services["dns"].permit == Permit(PermitState.HELD, 9), "the files would deal lon none"


@pytest.mark.mission("C16")
def test_a_permit_stays_in_use_while_what_went_down_with_the_service_is_down() -> None:
    up = parse_prefix("198.51.100.0/24")
    dns = service("dns", prefixes=(PREFIX, up))
    web = service("web", checks=(check("web"),), prefixes=(PREFIX,))
    w = world(fleet(dns, web, shared_prefixes={PREFIX: SharedPrefix.ALL})).run(5)
    w.answers |= {"dns": Outcome.FAIL, "web": Outcome.FAIL}
    w.run(5)
    w.answers["dns"] = Outcome.PASS
    w.run(10)
    states = {name: state.permit.state for name, state in w.engine.services.items()}
    assert states == {"dns": PermitState.HELD, "web": PermitState.USED}, "web is down: its own is in use"


@pytest.mark.mission("C16")
def test_a_permit_of_what_is_taken_along_stays_in_use_while_the_router_has_not_obeyed_yet() -> None:
    dns, web = service("dns"), service("web", checks=(check("web"),))
    w = world(fleet(dns, web, shared_prefixes={PREFIX: SharedPrefix.ANY})).run(5)
    w.apply_error = "router is away"
    w.answers["web"] = Outcome.FAIL
    w.run(5)
    assert w.prefixes() == {str(PREFIX)}
    assert [state.permit.state for state in w.engine.services.values()] == [PermitState.USED] * 2


@pytest.mark.mission("C16")
def test_what_a_controller_says_twice_is_done_once() -> None:
    w = world(at="lon").run(5)
    assert w.engine.controller_met(4, w.now)[0]
    assert w.engine.controller_met(4, w.now)[0], "the same one dials again"
    w.carry_out(w.engine.permit_granted("dns", 7, w.now))
    assert w.engine.permit_granted("dns", 7, w.now) == []
    w.answers["dns"] = Outcome.FAIL
    w.run(3)
    w.seen.clear()
    w.carry_out(w.engine.permit_revoked("dns", 8, w.now))
    assert [body.change for body in w.of(PermitChanged)] == ["kept"]
    w.answers["dns"] = Outcome.PASS
    w.run(10)
    w.carry_out(w.engine.permit_revoked("dns", 9, w.now))
    assert w.engine.permit_revoked("dns", 9, w.now) == []


@pytest.mark.parametrize("said", ["met", "granted", "wanted"])
def test_an_engine_that_was_frozen_boots_again_whatever_a_controller_says_first(said: str) -> None:
    made = fleet(service())
    w = world(made, at="lon").run(5)
    w.answers["dns"] = Outcome.FAIL
    w.run(3)
    w.clock += 60
    if said == "met":
        assert w.engine.controller_met(1, w.now) == (False, [])
    elif said == "granted":
        w.carry_out(w.engine.permit_granted("dns", 1, w.now))
        assert w.exports == {replace(ROUTE, attributes=STEERED)}, "its verdict is stale"
    else:
        w.engine.want_permits(fleet(service(pops=("ams", "fra"))), w.now)
        assert [report.wanted for report in w.engine.permit_reports()] == [False], "what it would end is not known"
    assert not w.engine.booted


@pytest.mark.mission("C16")
def test_a_permit_that_nobody_waits_for_is_reported_so_though_its_prefix_is_shared() -> None:
    w = world(tied(SharedPrefix.ANY)).run(5)
    assert [report.wanted for report in w.engine.permit_reports()] == [False, False]
