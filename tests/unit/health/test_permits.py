import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.health.permits import Permit, deal
from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitState
from anycastle.model.service import Floor
from tests.unit.health.world import fleet, pop, service

NAMES = ("a", "b", "c", "d", "e")


@pytest.mark.mission("C16")
@given(
    capacities=st.lists(st.floats(0.1, 100), min_size=1, max_size=5),
    floor_pops=st.integers(0, 6),
    share=st.floats(0, 1.2),
)
def test_all_that_was_dealt_may_be_used_and_the_floor_stands(
    capacities: list[float], floor_pops: int, share: float
) -> None:
    names = NAMES[: len(capacities)]
    floor = Floor(floor_pops, share * sum(capacities))
    made = service(pops=names, floor=floor)
    whole: Fleet = fleet(made, pops=())
    pops = tuple(pop(name, capacity) for name, capacity in zip(names, capacities, strict=True))
    holders = deal(Fleet(whole.name, whole.asn, whole.regions, pops, (made,)), made)
    left = [each for each in pops if each.name not in holders]
    assert not holders or len(left) >= floor.pops
    assert not holders or sum(each.capacity for each in left) >= floor.capacity - 1e-9


@pytest.mark.mission("C16")
@given(st.lists(st.sampled_from((0.1, 0.2, 0.3, 0.7, 1.0, 3.0)), max_size=9), st.integers(0, 10), st.integers(0, 60))
def test_the_spares_of_a_floor_are_those_that_asking_one_after_the_other_gives(
    capacities: list[float], pops: int, tenths: int
) -> None:
    floor = Floor(pops, tenths / 10)
    left = {str(number): capacity for number, capacity in enumerate(capacities)}
    spared = floor.spares(left)
    for name in tuple(left):
        without = {other: capacity for other, capacity in left.items() if other != name}
        if floor.met_by(list(without.values())):
            left = without
            assert spared.pop(0) == name
    assert not spared


def test_permits_are_dealt_in_the_service_s_order() -> None:
    made = service(pops=("lon", "ams", "fra"), floor=Floor(pops=2))
    assert deal(fleet(made), made) == {"lon"}


def test_a_pop_too_large_to_lose_is_passed_over() -> None:
    made = service(pops=("a", "b", "c"), floor=Floor(pops=1, capacity=10.0))
    whole = Fleet("t", fleet().asn, ("eu",), (pop("a", 10.0), pop("b", 1.0), pop("c", 1.0)), (made,))
    assert deal(whole, made) == {"b", "c"}


def test_a_used_permit_outlives_grants_and_revocations() -> None:
    used = Permit(PermitState.HELD, 3).used()
    assert used.revoked(9) == Permit(PermitState.USED, 9)
    assert used.granted(9) == Permit(PermitState.USED, 9)
    assert used.freed() == Permit(PermitState.HELD, 3)
    assert Permit(PermitState.HELD, 3).freed() == Permit(PermitState.HELD, 3)


def test_what_is_older_than_what_is_known_is_void() -> None:
    held = Permit(PermitState.HELD, 5)
    assert held.revoked(4) is held
    assert held.granted(5) is held
    given_up = held.revoked(6)
    assert given_up == Permit(PermitState.NONE, 6)
    assert given_up.granted(6) is given_up


@pytest.mark.mission("C16")
@pytest.mark.parametrize("state", PermitState)
def test_a_permit_answers_only_what_is_newer_than_its_epoch(state: PermitState) -> None:
    permit = Permit(state, 3)
    used = state is PermitState.USED
    assert permit.granted(3) == permit.revoked(3) == permit.granted(2) == permit.revoked(2) == permit
    assert permit.granted(4) == Permit(PermitState.USED if used else PermitState.HELD, 4)
    assert permit.revoked(4) == Permit(PermitState.USED if used else PermitState.NONE, 4)
    assert permit.kept(2) == permit
    assert permit.kept(4) == Permit(state, 4)


@pytest.mark.mission("C16")
def test_a_withdrawal_that_is_over_frees_a_permit_and_makes_none() -> None:
    assert Permit(PermitState.USED, 3).freed() == Permit(PermitState.HELD, 3)
    assert Permit(PermitState.HELD, 3).freed() == Permit(PermitState.HELD, 3)
    assert Permit(PermitState.NONE, 3).freed() == Permit(PermitState.NONE, 3)
