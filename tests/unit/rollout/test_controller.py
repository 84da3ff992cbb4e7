import pytest

from anycastle.base.errors import MisuseError
from anycastle.model.event import ApprovalGiven, GateJudged, OperatorCommanded
from anycastle.rollout.commands import Assign
from anycastle.rollout.controller import ControllerEngine
from anycastle.rollout.desired import Desired
from anycastle.rollout.orders import (
    Abort,
    AgentOrderKind,
    Approve,
    BreakGlass,
    Freeze,
    OrderAgents,
    Pause,
    Promote,
    Resume,
    StartRollout,
    Thaw,
)
from anycastle.rollout.rollout import STEP_BACK_S, RolloutState
from anycastle.rollout.standing import ORDERS_KEPT, ORDERS_OUT_MAX
from tests.unit.rollout.controller_world import OTHER, POPS, PREFIX, route, start, world

pytestmark = pytest.mark.mission("C4")


def test_a_rollout_goes_step_by_step_and_bakes_between() -> None:
    w = world()
    w.order(start())
    assert w.living_by("r1") == {"ams"}
    w.run(59)
    assert w.living_by("r1") == {"ams"}, "it bakes"
    w.run(1)
    assert w.living_by("r1") == {"ams", "fra"}
    w.run(120)
    assert w.living_by("r1") == set(POPS)
    assert w.rollout().state is RolloutState.FINISHED
    assert w.engine.kept.desired == Desired("r1"), "nothing is an exception any more"
    assert w.timeline() == [
        ("waiting", 0), ("applying", 1), ("baking", 1), ("applying", 2), ("baking", 2),
        ("applying", 3), ("baking", 3), ("finished", 3),
    ]  # fmt: skip


def test_a_step_waits_for_every_pop_and_for_its_router() -> None:
    w = world()
    w.agents["ams"].unsettled = "transit: not announced as wanted"
    w.order(start())
    w.run(300)
    assert (w.rollout().state, w.waits_for()) == (RolloutState.APPLYING, "ams: transit: not announced as wanted")
    w.carry_out(w.engine.agent_changed("ams", w.agents["ams"].lives_by, None, w.now))
    assert w.rollout().state is RolloutState.BAKING


@pytest.mark.parametrize("trouble", ["refused", "away", "unsettled"])
def test_a_step_that_cannot_be_reached_takes_the_rollout_back(trouble: str) -> None:
    w = world()
    if trouble == "refused":
        w.agents["fra"].refuses = "no permit allows it"
    elif trouble == "away":
        w.leave("fra")
    else:
        w.agents["fra"].unsettled = "not announced"
    w.order(start())
    w.run(60 + 600 + STEP_BACK_S)
    assert w.engine.kept.desired == Desired("r0")
    assert "fra" in w.rollout().why
    if trouble == "refused":
        assert w.rollout().state is RolloutState.ROLLED_BACK, "fra never left"
        return
    assert w.rollout().state is RolloutState.ROLLING_BACK
    w.agents["fra"].unsettled = None
    w.join("fra")
    assert w.rollout().state is RolloutState.ROLLED_BACK
    assert w.living_by("r0") == set(POPS)


def test_a_gate_that_fails_takes_it_back_at_once_and_in_reverse() -> None:
    w = world()
    w.order(start("r1", PREFIX, "sessions_up_share >= 99.9%"))
    w.run(30)
    w.read("sessions_up_share", 1.0)
    w.run(31)
    w.read("sessions_up_share", 0.9)
    assert w.rollout().state is RolloutState.ROLLED_BACK, "both steps are confirmed at once here"
    assert w.timeline()[-3:] == [("rolling back", 1), ("rolling back", 0), ("rolled back", 0)]
    assert "sessions_up_share is 0.9" in w.rollout().why
    assert w.living_by("r0") == set(POPS)
    verdicts = [(body.step, body.verdict) for body in w.log if isinstance(body, GateJudged)]
    assert verdicts == [(1, "no data"), (1, "pass"), (2, "no data"), (2, "fail")]


def test_gates_are_asked_of_all_pops_that_were_changed() -> None:
    w = world()
    w.order(start("r1", PREFIX, "sessions_up_share >= 99.9%"))
    w.run(1)
    w.read("sessions_up_share", 1.0)
    w.run(60)
    assert w.rollout().step == 2
    w.read("sessions_up_share", 0.5, ["sin"])
    assert w.rollout().step == 2, "sin was not touched yet"
    w.read("sessions_up_share", 0.5, ["ams"])
    assert w.rollout().step == 0, "the canary fails late"


def test_a_gate_compares_with_what_was_before_the_rollout_began() -> None:
    w = world()
    w.read("healthy_checks_share", 20.0)
    w.order(start("r1", PREFIX, "healthy_checks_share <= 1.2 x before"))
    w.run(1)
    w.read("healthy_checks_share", 23.0)
    w.run(60)
    assert w.rollout().step == 2
    w.run(1)
    w.read("healthy_checks_share", 25.0)
    assert "healthy_checks_share is 25, before 20" in w.rollout().why


def test_a_refusal_is_forgotten_once_the_pop_is_told_something_else() -> None:
    w = world()
    w.agents["ams"].refuses = "no permit allows it"
    w.order(start())
    assert w.rollout().state is RolloutState.ROLLED_BACK
    w.agents["ams"].refuses = None
    w.order(start())
    w.run(200)
    assert w.rollout(2).state is RolloutState.FINISHED, "what was refused once is tried anew"


@pytest.mark.parametrize("gates", [(), ("sessions_up_share >= 99.9%",)])
def test_a_pop_that_dies_in_a_bake_holds_it_and_takes_it_back_in_the_end(gates: tuple[str, ...]) -> None:
    w = world()
    w.order(start("r1", PREFIX, *gates))
    w.run(1)
    w.read("sessions_up_share", 1.0)
    w.leave("ams")
    w.run(100)
    assert (w.rollout().state, w.rollout().step) == (RolloutState.BAKING, 1)
    assert w.waits_for() == "ams: no session with its agent"
    w.run(600)
    assert w.rollout().why == "step 1: it did not stay: ams: no session with its agent"
    w.join("ams")
    assert w.rollout().state is RolloutState.ROLLED_BACK


def test_a_pop_that_comes_back_in_a_bake_lets_it_go_on_once_it_is_measured_anew() -> None:
    w = world()
    w.order(start("r1", PREFIX, "sessions_up_share >= 99.9%"))
    w.run(1)
    w.read("sessions_up_share", 1.0)
    w.leave("ams")
    w.join("ams")
    w.run(100)
    assert w.waits_for() == "data: ams: no reading of sessions_up_share", "what it said before it went is no reading"
    w.read("sessions_up_share", 1.0)
    assert w.rollout().step == 2


def test_what_many_pops_lack_is_told_in_a_line_and_in_no_commit() -> None:
    w = world()
    steps = [frozenset(map(route, POPS))]
    for pop in POPS:
        w.leave(pop)
    w.order(StartRollout("r1", steps, frozenset({PREFIX}), "lower the load"))
    told = len(w.log)
    assert w.waits_for().endswith("; and 1 more")
    w.agents["sin"].unsettled = "its router is away"
    w.join("sin")
    assert len(w.log) == told, "a PoP that comes and goes is no change of a rollout"


def test_no_data_is_not_a_pass() -> None:
    w = world()
    w.order(start("r1", PREFIX, "sessions_up_share >= 99.9%"))
    w.run(120)
    assert (w.rollout().step, w.rollout().state) == (1, RolloutState.BAKING)
    assert w.waits_for() == "data: ams: no reading of sessions_up_share"
    w.run(600)
    assert w.rollout().state is RolloutState.ROLLED_BACK
    assert "no data is not a pass" in w.rollout().why


def test_pause_holds_it_and_resume_bakes_anew() -> None:
    w = world()
    w.order(start())
    w.run(50)
    w.order(Pause(1))
    w.run(1000)
    assert w.living_by("r1") == {"ams"}
    w.order(Resume(1))
    w.run(59)
    assert w.living_by("r1") == {"ams"}
    w.run(1)
    assert w.living_by("r1") == {"ams", "fra"}


def test_promote_ends_a_bake_but_no_floor() -> None:
    w = world()
    w.order(start("r1", PREFIX, "sessions_up_share >= 99.9%"))
    w.composer.floor_says = "dns would be announced by 1 PoP, of a floor of 2"
    with pytest.raises(MisuseError, match="floor of 2"):
        w.order(Promote(1))
    w.composer.floor_says = None
    w.order(Promote(1), "bob")
    assert w.living_by("r1") == {"ams", "fra"}


def test_abort_goes_back_and_before_the_first_step_just_ends() -> None:
    w = world()
    w.order(start())
    w.run(61)
    w.order(Abort(1, "wrong day"))
    assert (w.rollout().state, w.rollout().why) == (RolloutState.ROLLED_BACK, "aborted by ann: wrong day")
    assert w.living_by("r0") == set(POPS)
    w.order(Freeze("storm"))
    w.order(start())
    w.order(Abort(2, "not today"))
    assert w.rollout(2).state is RolloutState.ABORTED


def test_a_rollback_goes_on_for_ever_where_a_pop_cannot_be_reached() -> None:
    w = world()
    w.order(start())
    w.run(70)
    w.leave("ams")
    w.order(Abort(1, "wrong"))
    w.run(100_000)
    assert w.rollout().state is RolloutState.ROLLING_BACK
    assert w.living_by("r0") == {"fra", "lon", "sin"}, "the others are back"
    w.join("ams")
    assert w.rollout().state is RolloutState.ROLLED_BACK


def test_what_an_agent_refuses_on_the_way_back_is_sent_again() -> None:
    w = world()
    w.order(start())
    w.agents["ams"].refuses = "not now"
    w.order(Abort(1, "wrong"))
    w.run(10)
    w.agents["ams"].refuses = None
    w.run(30)
    assert w.rollout().state is RolloutState.ROLLED_BACK


@pytest.mark.mission("F7")
def test_rollouts_on_the_same_prefix_wait_for_each_other_and_others_do_not() -> None:
    w = world()
    w.order(start("r1"))
    w.order(start("r3"))
    w.order(start("r2", OTHER))
    assert (w.rollout(2).state, w.rollout(3).state) == (RolloutState.WAITING, RolloutState.BAKING)
    assert w.waits_for(2) == "rollout 1, which changes the same prefixes"
    w.run(180)
    assert w.rollout(1).state is RolloutState.FINISHED
    assert w.rollout(2).state is RolloutState.BAKING
    w.order(Abort(2, "enough"))
    assert w.living_by("r3") == set()
    assert {unit: w.composer.what(unit, w.engine.kept.desired.of(unit)) for unit in map(route, POPS)} == dict.fromkeys(
        map(route, POPS), "prepended"
    ), "back to what the first had made of it"


def test_a_plan_that_the_world_has_left_behind_does_not_begin() -> None:
    w = world()
    w.order(start("r1"))
    partial = StartRollout("r0", [frozenset({route("ams")})], frozenset({PREFIX}), "undo the canary")
    w.order(partial)
    w.run(200)
    assert w.rollout(2).state is RolloutState.ABORTED
    assert "plan again" in w.rollout(2).why


def test_a_second_person_approves_what_is_marked() -> None:
    w = world()
    w.order(start(marks=("it lowers a floor",)))
    w.run(1000)
    assert w.living_by("r1") == set()
    with pytest.raises(MisuseError, match="second person"):
        w.order(Approve("rollout/1"), "ann")
    w.order(Approve("rollout/1"), "bob")
    assert w.living_by("r1") == {"ams"}
    assert [body.who for body in w.log if isinstance(body, ApprovalGiven)] == ["bob"]
    with pytest.raises(MisuseError, match="no approval"):
        w.order(Approve("rollout/1"), "eve")


def test_one_that_waits_for_approval_stands_in_nobodys_way() -> None:
    w = world()
    w.order(start("r1", marks=("it lowers a floor",)))
    w.order(start("r3"))
    assert w.rollout(2).state is RolloutState.BAKING
    w.order(Approve("rollout/1"), "bob")
    assert w.waits_for(1) == "rollout 2, which changes the same prefixes"


@pytest.mark.mission("F7")
def test_a_freeze_holds_everything_also_a_rollback() -> None:
    w = world()
    w.order(start("r1", PREFIX, "sessions_up_share >= 99.9%"))
    w.order(Freeze("big match"), "bob")
    w.run(5)
    w.read("sessions_up_share", 0.1)
    w.run(10_000)
    assert w.living_by("r1") == {"ams"}
    assert w.waits_for() == "frozen by bob: big match"
    for refused in (Promote(1), Abort(1, "now")):
        with pytest.raises(MisuseError, match="thaw first"):
            w.order(refused)
    w.order(Thaw("it is over"))
    assert w.rollout().state is RolloutState.ROLLED_BACK


def test_times_count_anew_when_a_glass_breaks_after_a_long_freeze() -> None:
    w = world()
    w.agents["ams"].unsettled = "not announced yet"
    w.order(start())
    w.order(Freeze("big match"))
    w.run(10_000)
    w.order(BreakGlass("they are attacked", 1000.0))
    w.order(Approve("break-glass"), "bob")
    assert w.rollout().state is RolloutState.APPLYING, "nothing was late while nothing might happen"
    w.run(601)
    assert w.rollout().state is RolloutState.ROLLING_BACK


def test_a_glass_needs_two_people_and_ends() -> None:
    w = world()
    w.order(Freeze("big match"))
    w.order(start("r1", PREFIX, "sessions_up_share >= 99.9%"))
    w.order(BreakGlass("they are attacked", 100.0))
    assert w.living_by("r1") == set()
    with pytest.raises(MisuseError, match="second person"):
        w.order(Approve("break-glass"), "ann")
    w.order(Approve("break-glass"), "bob")
    w.run(99)
    assert w.living_by("r1") == {"ams", "fra"}, "in spite of the freeze, and without gates"
    w.run(1000)
    assert w.living_by("r1") == {"ams", "fra"}, "whole again"


def test_bad_orders_change_nothing() -> None:
    w = world()
    before = dict(w.disk)
    for order in (
        StartRollout("r1", [], frozenset({PREFIX}), "nothing"),
        StartRollout("r1", [frozenset({route("ams")}), frozenset({route("ams")})], frozenset({PREFIX}), "twice"),
        StartRollout("r1", [frozenset({route("nowhere")})], frozenset({PREFIX}), "no such PoP"),
        Approve("rollout/9"), Approve("rollout/x"), Approve("break-glass"), Pause(9), Resume(9), Promote(9),
        Abort(9, "no"), Thaw("no"), BreakGlass("long", 1e9),
        OrderAgents(AgentOrderKind.DRAIN, [], ["dns"], "empty"),
        OrderAgents(AgentOrderKind.DRAIN, ["ams"], [], "empty"),
        OrderAgents(AgentOrderKind.DRAIN, ["nowhere"], ["dns"], "no such PoP"),
    ):  # fmt: skip
        with pytest.raises(MisuseError):
            w.order(order)
    assert (w.disk, w.log) == (before, [])


@pytest.mark.mission("C5")
def test_an_order_ends_in_time_and_no_more_than_some_wait_for_an_answer() -> None:
    w = world()
    last = w.order(OrderAgents(AgentOrderKind.DRAIN, ["ams", "fra"], ["dns"], "line cards", lasts_s=600.0))
    assert [order.expires for order in w.engine.kept.orders.values()] == [w.now.wall + 600.0] * 2
    assert last == w.engine.kept.number == 2
    assert [body.granted for body in w.log if isinstance(body, OperatorCommanded)] == [True]
    w.order(OrderAgents(AgentOrderKind.DRAIN, ["lon"] * (ORDERS_OUT_MAX - 2), ["dns"], "as many as may be"))
    assert w.engine.kept.orders[3].expires is None
    with pytest.raises(MisuseError, match="not answered yet"):
        w.order(OrderAgents(AgentOrderKind.DRAIN, ["lon"] * (ORDERS_OUT_MAX - 2), ["dns"], "one more"))
    with pytest.raises(MisuseError, match="there is no PoP nowhere"):
        w.order(OrderAgents(AgentOrderKind.DRAIN, ["nowhere"], ["dns"], "no such PoP"))


@pytest.mark.mission("C5")
def test_orders_reach_their_pops_until_these_have_answered() -> None:
    w = world()
    w.leave("fra")
    w.order(OrderAgents(AgentOrderKind.DRAIN, ["ams", "fra"], ["dns"], "new line cards"))
    assert [order.pop for order in w.agents["ams"].orders] == ["ams"]
    w.start()
    w.join("fra")
    assert [len(w.agents[pop].orders) for pop in POPS] == [2, 1, 0, 0], "told again after the controller's start"
    for number in (1, 2):
        w.carry_out(w.engine.agent_answered(number, POPS[number - 1], None, w.now))
    w.carry_out(w.engine.agent_answered(1, "ams", None, w.now))
    w.start()
    assert [len(w.agents[pop].orders) for pop in POPS] == [2, 1, 0, 0], "what was answered is told to nobody"
    assert [body.command for body in w.log if isinstance(body, OperatorCommanded)] == [
        "drain dns at ams fra", "drain dns at ams: done", "drain dns at fra: done",
    ]  # fmt: skip


def test_what_a_pop_answered_is_kept_for_a_while() -> None:
    w = world()
    for number in range(1, ORDERS_KEPT + 3):
        w.order(OrderAgents(AgentOrderKind.DRAIN, ["ams"], ["dns"], "line cards"))
        assert w.engine.kept.orders[number].answer is None
        w.carry_out(w.engine.agent_answered(number, "ams", None if number % 2 else "below the floor", w.now))
        assert w.engine.kept.orders[number].answer == ("" if number % 2 else "below the floor")
    assert list(w.engine.kept.orders) == list(range(3, ORDERS_KEPT + 3)), "the newest"
    assert w.engine.kept.documents() == w.disk


def test_a_service_that_a_pop_does_not_serve_is_refused_with_those_that_it_does() -> None:
    w = world()
    with pytest.raises(MisuseError, match="ams serves no dnss; it serves: dns"):
        w.order(OrderAgents(AgentOrderKind.DRAIN, ["ams"], ["dnss"], "new line cards"))
    assert w.engine.kept.orders == {}


def test_a_drain_below_the_floor_is_refused() -> None:
    w = world()
    w.composer.floor_says = "dns would be announced by 1 PoP, of a floor of 2"
    with pytest.raises(MisuseError, match="floor of 2"):
        w.order(OrderAgents(AgentOrderKind.DRAIN, ["ams"], ["dns"], "new line cards"))
    w.order(OrderAgents(AgentOrderKind.UNDRAIN, ["ams"], ["dns"], "done"))


@pytest.mark.mission("C4", "C16")
def test_a_controller_killed_at_any_moment_goes_on_where_it_was() -> None:
    for moment in range(0, 200, 7):
        w = world()
        w.order(start())
        w.run(moment)
        w.start()
        w.run(60)
        w.start()
        w.run(400)
        assert w.rollout().state is RolloutState.FINISHED
        assert w.living_by("r1") == set(POPS)


@pytest.mark.mission("C4", "F7")
def test_a_pop_that_takes_what_was_taken_back_while_it_was_on_its_way_is_told_anew() -> None:
    w = world()
    at_first = {pop: w.composer.digest(pop, Desired("r0")) for pop in w.agents}
    for pop, agent in w.agents.items():
        agent.lives_by = at_first[pop]
        w.carry_out(w.engine.agent_changed(pop, agent.lives_by, None, w.now))
    _, commands = w.engine.order(start(), "ann", w.now)
    assert Assign("ams") in commands
    _, commands = w.engine.order(Abort(1, "enough"), "bob", w.now)
    assert Assign("ams") in commands, "it lives by what is desired, as is known, and what is not is on its way"
    taken = w.composer.digest("ams", Desired("r1"))
    assert Assign("ams") in w.engine.agent_changed("ams", taken, None, w.now)


@pytest.mark.mission("C4", "F7")
def test_a_step_back_is_confirmed_by_those_that_may_have_come_further_than_is_known() -> None:
    w = world()
    w.order(start())
    while w.rollout().step < 2:
        w.run(1)
    silent = next(iter(w.rollout().pops_of(2)))
    at_first = w.composer.digest(silent, Desired("r0"))
    assert Assign(silent) in w.engine.agent_changed(silent, at_first, None, w.now)  # the step is on its way to it
    _, commands = w.engine.order(Abort(1, "enough"), "bob", w.now)
    assert Assign(silent) in commands
    assert w.rollout().step == 1, "what was sent to it may be taken still: one step back at a time"
    w.carry_out(w.engine.agent_took(silent, w.composer.digest(silent, Desired("r1")), w.now))
    assert w.rollout().step == 1, "that is the answer to what was taken back"
    w.carry_out(w.engine.agent_took(silent, at_first, w.now))
    assert w.rollout().step == 0


def test_a_gate_for_which_nothing_is_ever_read_is_refused_at_once() -> None:
    w = world()
    with pytest.raises(MisuseError, match="there is no indicator 'success_rate'"):
        w.order(start("r1", PREFIX, "success_rate >= 99.9%"))
    assert not w.engine.kept.rollouts
    w.engine = ControllerEngine(w.engine.kept, w.composer, w.now, ["success_rate"])
    w.order(start("r1", PREFIX, "success_rate >= 99.9%"))
    assert w.engine.asked_for == {"success_rate"}, "what there is to ask for is told to it"
