from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.ports import FAR_FUTURE, Instant
from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitReport, PermitState
from anycastle.model.service import Floor
from anycastle.rollout.permits import (
    ASK_AGAIN_S,
    ASK_TOGETHER_S,
    AWAITED_S,
    BATCH_PER_POP_S,
    BATCH_S,
    Grant,
    PermitCommand,
    PermitLedger,
    Revoke,
)
from tests.unit.health.world import fleet, pop, service, world

NAMES = ("ams", "fra", "lon", "mad")


def of_four(floor: Floor = Floor(pops=2), capacities: tuple[float, ...] = (1, 1, 1, 1)) -> Fleet:
    made = fleet(service(pops=NAMES, floor=floor), pops=NAMES)
    return replace(made, pops=tuple(pop(name, capacity) for name, capacity in zip(NAMES, capacities, strict=True)))


class Dialogue:
    """A ledger and agents that answer when they are told to."""

    def __init__(self, made: Fleet) -> None:
        self.ledger = PermitLedger(made)
        self.clock = 0.0
        self.epochs: dict[str, int] = {}

    def says(self, at: str, state: PermitState, epoch: int = 0, *, exported: bool = True, wanted: bool = False) -> None:
        self.ledger.reported(at, [PermitReport("dns", state, epoch, exported, wanted)], Instant(self.clock))

    def joins(self, *names: str, state: PermitState = PermitState.NONE, epoch: int = 0) -> list[PermitCommand]:
        for name in names:
            self.ledger.joined(name, [PermitReport("dns", state, epoch, exported=True)], Instant(self.clock))
        return self.deals()

    def leaves(self, name: str) -> list[PermitCommand]:
        self.ledger.left(name, Instant(self.clock))
        return self.deals()

    def deals(self, after_s: float = BATCH_S) -> list[PermitCommand]:
        self.clock += after_s
        return self.ledger.wake(Instant(self.clock))


@pytest.mark.mission("C16")
def test_nobody_gets_a_permit_before_enough_others_are_known_to_hold_none() -> None:
    d = Dialogue(of_four())
    assert d.joins("ams") == []
    assert d.joins("fra") == []
    assert d.joins("lon") == [Grant("ams", "dns", 1)]
    assert d.joins("mad") == [Grant("fra", "dns", 1)]
    assert d.ledger.deadline <= d.clock + ASK_AGAIN_S


@pytest.mark.mission("C16")
def test_a_pop_that_was_not_heard_of_counts_as_withdrawn() -> None:
    d = Dialogue(of_four())
    d.joins("ams", "fra", "lon")
    assert d.leaves("lon") == []
    assert d.joins("mad") == [], "ams was sent a permit, and lon may have got one elsewhere"


@pytest.mark.mission("C16")
def test_what_does_not_announce_is_not_relied_on() -> None:
    d = Dialogue(of_four(Floor(pops=1)))
    d.says("ams", PermitState.NONE)
    d.says("fra", PermitState.NONE, exported=False)
    assert d.deals() == []
    d.says("fra", PermitState.NONE)
    assert d.deals() == [Grant("ams", "dns", 1)]


@pytest.mark.mission("C16")
def test_capacity_keeps_the_floor_as_well_as_number_does() -> None:
    d = Dialogue(of_four(Floor(pops=1, capacity=12.0), (10, 3, 2, 1)))
    assert d.joins(*NAMES) == [Grant("fra", "dns", 1), Grant("mad", "dns", 1)]


@pytest.mark.mission("C16")
def test_an_idle_permit_moves_to_who_wants_one_and_only_once_it_was_given_up() -> None:
    d = Dialogue(of_four(Floor(pops=3)))
    assert d.joins(*NAMES) == [Grant("ams", "dns", 1)]
    d.says("ams", PermitState.HELD, 1)
    d.says("lon", PermitState.NONE, wanted=True)
    assert d.deals() == [Revoke("ams", "dns", 2)]
    assert d.deals() == []
    d.says("ams", PermitState.NONE, 2)
    assert d.deals() == [Grant("lon", "dns", 1)]
    d.says("lon", PermitState.USED, 1)
    d.says("fra", PermitState.NONE, wanted=True)
    assert d.deals() == [], "the one that there is is in use"


@pytest.mark.mission("C16")
def test_what_comes_back_for_one_that_wants_more_is_saved_up_for_it() -> None:
    d = Dialogue(of_four(Floor(pops=1, capacity=3.0), (1, 1, 1, 3)))
    assert d.joins(*NAMES) == [Grant("ams", "dns", 1), Grant("fra", "dns", 1), Grant("lon", "dns", 1)]
    for name in ("ams", "fra", "lon"):
        d.says(name, PermitState.HELD, 1)
    d.says("mad", PermitState.NONE, wanted=True)
    assert d.deals() == [Revoke("lon", "dns", 2), Revoke("fra", "dns", 2), Revoke("ams", "dns", 2)]
    d.says("lon", PermitState.NONE, 2)
    assert d.deals() == [], "it wants none, and would be asked for it again"
    d.says("fra", PermitState.NONE, 2)
    assert d.deals() == []
    d.says("ams", PermitState.NONE, 2)
    assert d.deals() == [Grant("mad", "dns", 1)]


def test_a_permit_that_was_not_given_up_is_asked_for_again_later() -> None:
    d = Dialogue(of_four(Floor(pops=3)))
    d.joins(*NAMES)
    d.says("ams", PermitState.HELD, 1)
    d.says("lon", PermitState.NONE, wanted=True)
    assert d.deals() == [Revoke("ams", "dns", 2)]
    d.says("ams", PermitState.HELD, 2)
    assert d.deals() == []
    d.deals(ASK_AGAIN_S)
    assert d.deals() == [Revoke("ams", "dns", 3)]


def test_permits_are_not_taken_from_others_where_that_would_not_help() -> None:
    d = Dialogue(of_four(Floor(pops=1, capacity=5.0), (10, 1, 1, 1)))
    assert d.joins(*NAMES) == [Grant("fra", "dns", 1), Grant("lon", "dns", 1), Grant("mad", "dns", 1)]
    for name in NAMES[1:]:
        d.says(name, PermitState.HELD, 1)
    d.says("ams", PermitState.NONE, wanted=True)
    assert d.deals() == [], "without ams the others never meet the floor"


@pytest.mark.mission("C16")
def test_a_grant_that_went_unanswered_is_asked_back_where_the_floor_was_raised_meanwhile() -> None:
    d = Dialogue(of_four(Floor(pops=3)))
    assert d.joins(*NAMES) == [Grant("ams", "dns", 1)]
    d.ledger.change_fleet(of_four(Floor(pops=4)), d.clock)
    assert d.deals(ASK_AGAIN_S) == [Revoke("ams", "dns", 2)]
    d.says("ams", PermitState.HELD, 1)
    assert d.deals() == [], "it was on its way"
    d.says("ams", PermitState.NONE, 2)
    assert d.deals() == []


@pytest.mark.mission("C16")
def test_a_floor_that_was_raised_is_restored_from_the_idle_permits_the_last_first() -> None:
    d = Dialogue(of_four(Floor(pops=1)))
    d.joins(*NAMES)
    for name in NAMES[:3]:
        d.says(name, PermitState.HELD, 1)
    d.says("lon", PermitState.USED, 1)
    d.ledger.change_fleet(of_four(Floor(pops=3)), Instant(d.clock))
    assert d.deals() == [Revoke("fra", "dns", 2), Revoke("ams", "dns", 2)]


def test_what_was_on_its_way_when_a_command_was_sent_does_not_answer_it() -> None:
    d = Dialogue(of_four(Floor(pops=3)))
    d.joins(*NAMES)
    d.says("ams", PermitState.NONE, 0)
    assert d.deals() == []
    assert "ams" not in d.ledger.relied_on(of_four().services[0])
    assert d.deals(ASK_AGAIN_S) == [Grant("ams", "dns", 1)], "the same again, for it may be lost"


def test_what_is_asked_again_soon_goes_with_what_is_asked_again_now() -> None:
    d = Dialogue(of_four(Floor(pops=1)))
    d.joins("ams", "fra")
    d.clock += ASK_TOGETHER_S / 2
    d.joins("lon")
    sent = d.clock
    d.clock += 2 * ASK_TOGETHER_S
    d.joins("mad")
    d.clock = d.ledger.deadline
    assert d.deals(0.0) == [Grant("ams", "dns", 1), Grant("fra", "dns", 1)]
    assert d.ledger.deadline > sent + ASK_AGAIN_S, "the third's comes later than that of those"


def test_a_grant_that_was_answered_is_not_asked_again() -> None:
    d = Dialogue(of_four(Floor(pops=1)))
    d.joins(*NAMES)
    for name in NAMES[:2]:
        d.says(name, PermitState.HELD, 1)
    assert d.deals(ASK_AGAIN_S) == [Grant("lon", "dns", 1)]
    d.says("lon", PermitState.HELD, 1)
    d.deals()
    d.deals(ASK_AGAIN_S)
    assert d.ledger.deadline == FAR_FUTURE


def test_a_service_of_many_pops_is_dealt_less_often() -> None:
    many = PermitLedger(of_four())
    reports = [PermitReport("dns", PermitState.NONE, 0, exported=True)]
    for number in range(1000):
        many.reported(f"p{number}", reports, Instant(0.0))
    many.wake(Instant(BATCH_S))
    many.left("p1", Instant(1.0))
    assert many.deadline == 1.0 + 999 * BATCH_PER_POP_S


@pytest.mark.mission("C16")
def test_a_new_session_voids_what_the_last_one_said() -> None:
    d = Dialogue(of_four())
    d.joins("ams", state=PermitState.HELD, epoch=7)
    d.joins("ams", epoch=2)
    holding = d.ledger.holding("dns", "ams")
    assert holding is not None
    assert (holding.reported.state, holding.epoch) == (PermitState.NONE, 2), "its disk was lost, and it says so"
    d.ledger.joined("ams", [], Instant(d.clock))
    assert d.ledger.holding("dns", "ams") is None


def test_a_controller_that_knows_nothing_goes_on_from_the_epochs_of_the_agents() -> None:
    d = Dialogue(of_four())
    assert d.joins("ams", state=PermitState.USED, epoch=41) == []
    assert d.joins("fra", "lon", "mad", epoch=17) == [Grant("fra", "dns", 18)]
    assert d.ledger.holding("dns", "nowhere") is None


@pytest.mark.mission("C16")
@given(
    capacities=st.tuples(*[st.integers(1, 9)] * 4),
    floor=st.builds(Floor, st.integers(0, 5), st.integers(0, 30).map(float)),
    states=st.tuples(*[st.sampled_from(PermitState)] * 4),
    exported=st.tuples(*[st.booleans()] * 4),
    wanted=st.tuples(*[st.booleans()] * 4),
)
def test_what_is_granted_never_leaves_less_than_the_floor(
    capacities: tuple[float, ...],
    floor: Floor,
    states: tuple[PermitState, ...],
    exported: tuple[bool, ...],
    wanted: tuple[bool, ...],
) -> None:
    made = of_four(floor, capacities)
    d = Dialogue(made)
    for name, state, is_exported, is_wanted in zip(NAMES, states, exported, wanted, strict=True):
        d.says(name, state, 1, exported=is_exported, wanted=is_wanted)
    commands = d.deals()
    granted = {command.pop for command in commands if isinstance(command, Grant)}
    left = [name for name, state in zip(NAMES, states, strict=True) if state is PermitState.NONE]
    left = [name for name in left if name not in granted and exported[NAMES.index(name)]]
    assert not granted or floor.met_by([capacities[NAMES.index(name)] for name in left])
    assert d.ledger.deadline == FAR_FUTURE or d.ledger.deadline > d.clock
    for command in commands:
        assert states[NAMES.index(command.pop)] is (
            PermitState.NONE if isinstance(command, Grant) else PermitState.HELD
        )


@pytest.mark.mission("C16")
def test_two_that_lead_at_once_would_deal_all_permits_did_agents_not_refuse_the_lower_term() -> None:
    first, second = Dialogue(of_four(Floor(pops=1))), Dialogue(of_four(Floor(pops=1)))
    assert first.joins("ams", "fra") == [Grant("ams", "dns", 1)], "relying on fra"
    assert second.joins("lon", "mad") == [Grant("lon", "dns", 1)], "relying on mad"
    assert second.joins("fra") == [Grant("fra", "dns", 1)], "the first has not noticed that fra left"
    first.says("mad", PermitState.NONE, wanted=True)
    assert first.deals() == [Grant("mad", "dns", 1)], "and none would be left"
    mad = world(fleet(service(pops=NAMES, floor=Floor(pops=1)), pops=NAMES), at="mad").run(5)
    assert mad.engine.controller_met(2, mad.now)[0]
    assert not mad.engine.controller_met(1, mad.now)[0], "so mad never speaks with the first again"


def test_one_that_can_not_be_helped_does_not_stand_before_one_that_can() -> None:
    d = Dialogue(of_four(Floor(pops=1, capacity=11.0), (10, 1, 1, 1)))
    assert d.joins(*NAMES) == [Grant("fra", "dns", 1), Grant("lon", "dns", 1)]
    for name in NAMES[1:3]:
        d.says(name, PermitState.HELD, 1)
    d.says("ams", PermitState.NONE, wanted=True)
    assert d.deals() == [], "nobody can stand in for ams"
    d.says("mad", PermitState.NONE, wanted=True)
    assert d.deals() == [Revoke("lon", "dns", 2)]


@pytest.mark.mission("C16")
def test_a_controller_that_starts_leaves_permits_where_they_are_while_agents_come_back() -> None:
    d = Dialogue(of_four())
    assert d.joins("ams", "fra", state=PermitState.HELD, epoch=3) == []
    assert d.joins("lon") == []
    assert d.joins("mad") == []
    assert d.deals(2 * AWAITED_S) == []


@pytest.mark.mission("C16")
def test_a_pop_that_stays_away_costs_another_its_idle_permit() -> None:
    d = Dialogue(of_four())
    d.joins("ams", state=PermitState.HELD, epoch=3)
    d.joins("fra", state=PermitState.USED, epoch=3)
    d.joins("lon", "mad")
    assert d.leaves("mad") == []
    assert d.deals(AWAITED_S) == []
    assert d.deals() == [Revoke("ams", "dns", 4)]
    assert d.ledger.deadline > d.clock


def test_who_left_later_is_awaited_longer() -> None:
    d = Dialogue(of_four(Floor(pops=3)))
    d.joins(*NAMES)
    d.ledger.wake(Instant(d.clock + AWAITED_S))
    left: list[float] = []
    for name in NAMES[1:]:
        d.clock += 1.0
        d.leaves(name)
        left.append(d.clock - BATCH_S)
    d.says("ams", PermitState.USED, 1)
    d.deals()
    for moment in left:
        assert d.ledger.deadline == moment + AWAITED_S
        d.ledger.wake(d.ledger.deadline)
        d.ledger.wake(Instant(moment + AWAITED_S + BATCH_S))


def test_a_grant_is_asked_again_until_it_is_answered_and_what_comes_meanwhile_leaves_nothing_behind() -> None:
    d = Dialogue(of_four(Floor(pops=3)))
    assert d.joins(*NAMES) == [Grant("ams", "dns", 1)]
    for turn in range(50):
        d.says("ams", PermitState.NONE, exported=turn % 2 == 0)
        d.says("fra", PermitState.NONE, exported=turn % 2 == 0)
    d.says("fra", PermitState.NONE)
    assert len(d.ledger._due) == 1
    for _ in range(3):
        assert d.deals(ASK_AGAIN_S) == [Grant("ams", "dns", 1)]


@pytest.mark.mission("C16")
def test_the_idle_permit_of_a_pop_that_no_file_names_adds_no_capacity_when_it_is_asked_back() -> None:
    d = Dialogue(of_four(Floor(pops=1, capacity=1.0)))
    d.joins("ams", "fra", "lon", "stranger", state=PermitState.HELD, epoch=3)
    d.joins("mad")
    d.ledger.change_fleet(of_four(Floor(pops=1, capacity=2.0)), Instant(d.clock))
    assert d.deals() == [Revoke("stranger", "dns", 4), Revoke("lon", "dns", 4)]


@pytest.mark.mission("C16")
def test_the_first_of_two_that_could_both_be_helped_is_helped() -> None:
    d = Dialogue(of_four(Floor(pops=3)))
    d.joins("mad", state=PermitState.HELD, epoch=3)
    d.joins("ams", "fra", "lon")
    d.says("fra", PermitState.NONE, wanted=True)
    d.says("ams", PermitState.NONE, wanted=True)
    assert d.deals() == [Revoke("mad", "dns", 4)]
    d.says("mad", PermitState.NONE, 4)
    assert d.deals() == [Grant("ams", "dns", 1)]


def test_what_is_only_said_again_is_not_dealt_again() -> None:
    d = Dialogue(of_four())
    d.joins(*NAMES)
    d.says("lon", PermitState.NONE)
    assert d.ledger.deadline > d.clock + BATCH_S


def test_two_that_wait_for_each_other_s_permit_do_not_exchange_them() -> None:
    d = Dialogue(of_four(Floor(pops=3)))
    d.joins("fra", state=PermitState.HELD, epoch=3)
    d.joins("ams", "lon", "mad")
    d.says("fra", PermitState.HELD, 3, wanted=True)
    d.says("mad", PermitState.NONE, wanted=True)
    assert d.deals() == [], "fra waits for a permit of another service beside this one"
    d.says("ams", PermitState.NONE, wanted=True)
    assert d.deals() == [Revoke("fra", "dns", 4)], "the first by name goes first"


def test_nothing_is_asked_back_where_what_may_be_asked_for_does_not_suffice() -> None:
    d = Dialogue(of_four(Floor(pops=1, capacity=5.0), (2, 2, 2, 5)))
    assert d.joins("mad") == []
    d.joins("ams", "fra", "lon", state=PermitState.HELD, epoch=3)
    d.says("ams", PermitState.HELD, 3, wanted=True)
    d.says("mad", PermitState.NONE, wanted=True)
    assert d.deals() == [], "without the permit of ams, which is before mad, it would be in vain"


@pytest.mark.mission("C16")
def test_a_pop_that_is_to_leave_and_still_announces_is_relied_on_and_gets_a_permit_as_others_do() -> None:
    d = Dialogue(fleet(service(pops=("ams", "fra"), floor=Floor(pops=2)), pops=NAMES))
    assert d.joins("ams", "fra") == []
    assert d.joins("mad") == [Grant("ams", "dns", 1)], "with the third there is one to spare"
    d.says("ams", PermitState.NONE, 1)
    d.says("mad", PermitState.NONE, wanted=True)
    assert d.deals() == [Grant("mad", "dns", 1)], "who wants one comes first"


@pytest.mark.mission("C16")
def test_the_last_pops_of_a_service_that_nobody_desires_any_more_may_all_end_it() -> None:
    d = Dialogue(of_four(Floor(pops=4)))
    assert d.joins(*NAMES) == []
    d.ledger.change_fleet(fleet(service("web"), pops=NAMES), Instant(d.clock))
    d.says("lon", PermitState.NONE, wanted=True)
    assert set(d.deals()) == {Grant(name, "dns", 1) for name in NAMES}


@pytest.mark.mission("C16")
def test_a_refusal_stands_for_a_while_whatever_else_the_pop_says_meanwhile() -> None:
    d = Dialogue(of_four(Floor(pops=1)))
    d.joins(*NAMES)
    for name in NAMES[:3]:
        d.says(name, PermitState.HELD, 1)
    d.says("lon", PermitState.USED, 1)
    d.ledger.change_fleet(of_four(Floor(pops=3)), Instant(d.clock))
    assert d.deals() == [Revoke("fra", "dns", 2), Revoke("ams", "dns", 2)]
    d.says("fra", PermitState.HELD, 2)
    d.says("fra", PermitState.HELD, 2, wanted=True)
    assert d.deals() == []
    assert Revoke("fra", "dns", 3) in [*d.deals(ASK_AGAIN_S), *d.deals()]


@pytest.mark.mission("C16")
def test_a_floor_that_was_raised_is_dealt_though_no_agent_speaks() -> None:
    d = Dialogue(of_four(Floor(pops=1)))
    d.joins(*NAMES)
    for name in NAMES[:3]:
        d.says(name, PermitState.HELD, 1)
    assert d.deals() == []
    d.ledger.change_fleet(of_four(Floor(pops=2)), Instant(d.clock))
    assert d.deals() == [Revoke("lon", "dns", 2)]


def test_what_is_dealt_meanwhile_asks_nothing_again_before_its_time() -> None:
    d = Dialogue(of_four(Floor(pops=1)))
    assert d.joins("ams", "fra") == [Grant("ams", "dns", 1)]
    d.clock += ASK_AGAIN_S - ASK_TOGETHER_S / 2 - BATCH_S
    assert d.joins("lon") == [Grant("fra", "dns", 1)]


@pytest.mark.mission("C16")
def test_a_pop_that_no_file_names_adds_no_capacity() -> None:
    d = Dialogue(of_four(Floor(pops=1, capacity=3.0), (2, 1, 1, 1)))
    assert d.joins("ams", "fra", "lon") == [Grant("fra", "dns", 1)]
    assert d.joins("stranger") == [Grant("stranger", "dns", 1)], "it may go, and for it nobody else may"
