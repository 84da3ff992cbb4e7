"""The short simulation of `make check`, and the proof that it can fail."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from anycastle.health import permits, service, stance, verdict
from anycastle.health.permits import Permit
from anycastle.health.stance import Situation
from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitState
from anycastle.model.service import Service
from tests.simulation.fleet import FleetSimulation, InvariantBroken, simulate

ONCE_BROKEN = (1, 6, 15, 23, 46, 68, 104, 185, 311, 409, 443, 460)
"""Seeds that found a fault of the engine once: a log without what was found at the boot, a session hiding a route."""

SEEDS = range(1000, 1120)
SHARDS = 8


@pytest.mark.mission("C16", "F7")
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_invariant_breaks(shard: int) -> None:
    for seed in SEEDS[shard::SHARDS]:
        simulate(seed)


def test_the_short_simulation_is_long_enough() -> None:
    assert sum(FleetSimulation(seed).pop_hours for seed in SEEDS) > 1000


@pytest.mark.parametrize("seed", ONCE_BROKEN)
def test_what_was_mended_stays_mended(seed: int) -> None:
    simulate(seed)


def withdraw_without_a_permit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stance, "_may_withdraw", lambda situation: True)


def deal_one_permit_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    def deal(fleet: Fleet, made: Service) -> frozenset[str]:
        return dealt(fleet, replace(made, floor=replace(made.floor, pops=made.floor.pops - 1)))

    dealt = permits.deal
    monkeypatch.setattr(permits, "deal", deal)


def forget_that_a_permit_was_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Permit, "used", lambda self: replace(self, state=PermitState.HELD))


def need_one_failure_more_than_there_will_be(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = verdict.CheckTracker._judge

    def never_unhealthy(self: verdict.CheckTracker, result: object) -> bool:
        self.failures = min(self.failures, self.check.fall - 2)
        return judge(self, result)  # type: ignore[arg-type]

    monkeypatch.setattr(verdict.CheckTracker, "_judge", never_unhealthy)


def announce_while_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    decide = stance.decide

    def hasty(situation: Situation) -> stance.Decision:
        return decide(replace(situation, announced=True, condition=stance.Condition.UP))

    monkeypatch.setattr(service, "decide", hasty)


def simulate_all(seeds: range) -> None:
    for seed in seeds:
        simulate(seed)


MUTANTS: tuple[Callable[[pytest.MonkeyPatch], None], ...] = (
    withdraw_without_a_permit,
    deal_one_permit_too_many,
    forget_that_a_permit_was_used,
    need_one_failure_more_than_there_will_be,
    announce_while_unknown,
)


@pytest.mark.parametrize("mutate", MUTANTS)
def test_a_broken_engine_is_caught(
    mutate: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutate(monkeypatch)
    with pytest.raises(InvariantBroken, match=r"^seed \d+ at "):
        simulate_all(range(40))
