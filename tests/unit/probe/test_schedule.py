import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.errors import MisuseError
from anycastle.base.ports import FAR_FUTURE, Instant
from anycastle.probe.schedule import JITTER_SHARE, LATE_S, Schedule


def schedule(periods_s: list[float], seed: int = 1, under_way_max: int = 10_000) -> Schedule:
    return Schedule(periods_s, random.Random(seed), Instant(100.0), under_way_max)


def followed(plan: Schedule, until: float, takes_s: float = 0.0) -> list[tuple[float, int]]:
    """Wake the plan at each of its deadlines; each probe is over after a time."""
    begun: list[tuple[float, int]] = []
    ends: list[tuple[float, int]] = []
    while plan.deadline < until:
        now = plan.deadline
        for _, target in [each for each in ends if each[0] <= now]:
            plan.done(target)
        ends = [each for each in ends if each[0] > now]
        for due in plan.due(now):
            begun.append((due.planned, due.target))
            ends.append((now + takes_s, due.target))
    return begun


def test_targets_of_one_period_are_spread_over_it_evenly() -> None:
    begun = followed(schedule([10.0] * 1000), 130.0)
    assert len(begun) == 3000
    for start in range(100, 130):
        in_second = sum(start <= at < start + 1 for at, _ in begun)
        assert 98 <= in_second <= 102  # no bursts: a slot is 10 ms, and each probe stays in its own
    slots = sorted(int((at - 100) / 0.01) for at, _ in begun[:1000])
    assert slots == list(range(1000))


def test_another_seed_gives_another_order_and_the_same_seed_the_same() -> None:
    first, same, other = (followed(schedule([5.0] * 50, seed), 110.0) for seed in (1, 1, 2))
    assert first == same
    assert [target for _, target in first] != [target for _, target in other]


def test_each_round_is_shifted_anew_within_the_slot() -> None:
    times = [at for at, target in followed(schedule([10.0] * 10), 200.0) if target == 3]
    gaps = {round(after - before, 6) for before, after in pairwise(times)}
    assert len(gaps) > 5
    assert all(abs(gap - 10.0) <= 1.0 * JITTER_SHARE for gap in gaps)


def test_rounds_that_passed_are_missed_and_never_made_up() -> None:
    plan = schedule([1.0] * 10)
    followed(plan, 101.0)
    held_up = plan.due(Instant(105.5))
    assert len(held_up) <= 10  # one each, however many rounds have passed
    counts = plan.counts
    assert counts.missed >= 30
    assert counts.late > 0
    rounds = counts.begun + counts.missed + counts.skipped + counts.crowded
    assert rounds == pytest.approx(10 * 5.5, abs=10)


def test_what_begins_late_is_counted_once_it_is_more_than_the_bound() -> None:
    plan = schedule([1.0])
    plan.due(Instant(plan.deadline + LATE_S * 0.9))
    assert plan.counts.late == 0
    plan.done(0)
    plan.due(Instant(plan.deadline + LATE_S * 1.1))
    assert (plan.counts.late, plan.counts.begun) == (1, 2)


def test_a_probe_that_is_under_way_is_not_begun_again() -> None:
    plan = schedule([1.0])
    followed(plan, 110.0, takes_s=2.5)
    assert plan.counts.skipped >= 5
    assert plan.counts.begun <= 4


def test_places_are_bounded() -> None:
    plan = schedule([1.0] * 100, under_way_max=7)
    followed(plan, 101.0, takes_s=50)
    assert plan.under_way == 7
    assert plan.counts.crowded == 93


def test_nothing_to_probe_is_never_due() -> None:
    plan = schedule([])
    assert (plan.deadline, plan.due(Instant(1e9))) == (FAR_FUTURE, [])


def test_a_period_of_nothing_is_refused() -> None:
    with pytest.raises(MisuseError):
        schedule([1.0, 0.0])


@given(
    st.lists(st.floats(0.1, 20), max_size=30), st.integers(0, 9), st.lists(st.floats(0, 5), max_size=60),
    st.integers(1, 20),
)  # fmt: skip
def test_whatever_the_clock_does_each_round_is_counted_once(
    periods_s: list[float], seed: int, steps_s: list[float], under_way_max: int
) -> None:
    plan = schedule(periods_s, seed, under_way_max)
    now, ends = 100.0, random.Random(seed)
    under_way: set[int] = set()
    for step_s in steps_s:
        now += step_s
        for due in plan.due(Instant(now)):
            assert due.planned <= now
            assert now - due.planned < periods_s[due.target]  # older ones are missed
            assert due.target not in under_way
            under_way.add(due.target)
        assert len(under_way) <= under_way_max
        assert plan.under_way == len(under_way)
        counts = plan.counts
        passed = sum((now - 100.0) / period for period in periods_s)
        rounds = counts.begun + counts.missed + counts.skipped + counts.crowded
        assert abs(rounds - passed) <= 2 * len(periods_s)
        assert plan.deadline > now or plan.deadline == FAR_FUTURE or not periods_s
        for target in [each for each in under_way if ends.random() < 0.5]:
            plan.done(target)
            under_way.discard(target)
