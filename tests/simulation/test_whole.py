"""The whole deployment, and the proof that what holds it together is needed, part by part."""

from collections.abc import Callable

import pytest

from anycastle.health import decider, other_fleet
from anycastle.rollout.staging import _Staging
from tests.simulation.fleet import InvariantBroken
from tests.simulation.whole.simulation import simulate

SHARDS = 8
SHORT = range(32)
"""Of each run of `make check`: some 2,000 PoP-hours."""

THOROUGH_HOURS = 10_000.0
THOROUGH_FIRST = 20_000


@pytest.mark.mission("C4", "C16", "F7")
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_invariant_breaks(shard: int) -> None:
    for seed in SHORT[shard::SHARDS]:
        simulate(seed)


@pytest.mark.thorough
@pytest.mark.mission("C4", "C16", "F7")
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_invariant_breaks_in_ten_thousand_pop_hours(shard: int) -> None:
    hours, seed = 0.0, THOROUGH_FIRST + shard
    while hours < THOROUGH_HOURS / SHARDS:
        hours += simulate(seed).pop_hours
        seed += SHARDS


def test_a_seed_plays_the_same_again_and_a_failure_tells_how_it_came_to_it() -> None:
    one, other = simulate(3), simulate(3)
    assert (one.events, one.counts, one.timeline.text()) == (other.events, other.counts, other.timeline.text())
    assert "leads by term" in one.timeline.text(4_000)


Mutate = Callable[[pytest.MonkeyPatch], None]


def step_as_far_as_anybody_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Staging, "_fits", lambda self, pops, region: True)


def end_what_an_assignment_ends_without_a_permit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(other_fleet, "lacking_permits", lambda services, wanted, other: [])


def forget_the_permits_of_what_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decider, "permits_of_left", lambda saved, services: {})


MUTANTS: tuple[tuple[Mutate, int], ...] = (
    (step_as_far_as_anybody_likes, 0),
    (end_what_an_assignment_ends_without_a_permit, 2),
    (forget_the_permits_of_what_left, 50),
)
"""What is broken, and the first seed that shows it: the search begins there."""


def simulate_all(seeds: range) -> None:
    for seed in seeds:
        simulate(seed)


@pytest.mark.parametrize(("mutate", "first"), MUTANTS)
def test_a_broken_part_is_caught(mutate: Mutate, first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    mutate(monkeypatch)
    with pytest.raises(InvariantBroken, match=r"^seed \d+ at "):
        simulate_all(range(first, first + 60))
