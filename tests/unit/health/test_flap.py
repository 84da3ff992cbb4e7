import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.ports import FAR_FUTURE, Instant
from anycastle.health.flap import FlapPenalty, next_change
from anycastle.model.service import Dampening

FIGURES = Dampening(penalty=1000, suppress=2500, reuse=750, half_life_s=60, max_suppress_s=300)


@pytest.mark.rfc("2439", "4.2", "4.8.2")
def test_the_penalty_halves_in_each_half_life() -> None:
    penalty = FlapPenalty(FIGURES)
    penalty.withdrawn(Instant(0.0))
    assert penalty.current(Instant(60.0)) == pytest.approx(500.0)
    assert penalty.current(Instant(120.0)) == pytest.approx(250.0)


@pytest.mark.rfc("2439", "4.2", "4.8.2", "4.8.7")
def test_three_quick_withdrawals_suppress_until_the_reuse_threshold() -> None:
    penalty = FlapPenalty(FIGURES)
    for at in (0.0, 1.0, 2.0):
        penalty.withdrawn(Instant(at))
    assert penalty.refresh(Instant(2.0))
    reusable = penalty.reusable_at()
    assert next_change(penalty) == reusable
    assert penalty.current(reusable) == pytest.approx(750.0)
    assert penalty.refresh(Instant(reusable - 0.01))
    assert not penalty.refresh(reusable)
    assert next_change(penalty) == FAR_FUTURE


def test_without_a_penalty_nothing_is_held_back() -> None:
    penalty = FlapPenalty(FIGURES)
    assert not penalty.refresh(Instant(5.0))
    assert penalty.reusable_at() == 0.0


@pytest.mark.rfc("2439", "4.2")
@given(gaps=st.lists(st.floats(0, 100), min_size=1, max_size=60))
def test_nothing_is_suppressed_longer_than_the_most(gaps: list[float]) -> None:
    penalty, now = FlapPenalty(FIGURES), 0.0
    for gap in gaps:
        now += gap
        penalty.withdrawn(Instant(now))
    assert penalty.reusable_at() <= now + FIGURES.max_suppress_s + 1e-6
