"""Agents and controllers together, and the proof that what keeps the floor is needed, part by part."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from anycastle.health import decider
from anycastle.health.permits import Permit, dealt_permit
from anycastle.model.permit import PermitState
from anycastle.model.service import Floor
from anycastle.rollout import permits
from anycastle.rollout.permits import Holding
from tests.simulation.controlled import simulate
from tests.simulation.fleet import InvariantBroken

SEEDS = range(5000, 5048)
SHARDS = 8


@pytest.mark.mission("C16", "F7")
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_invariant_breaks(shard: int) -> None:
    for seed in SEEDS[shard::SHARDS]:
        simulate(seed)


Mutate = Callable[[pytest.MonkeyPatch], None]


def rely_on_who_was_sent_a_permit(monkeypatch: pytest.MonkeyPatch) -> None:
    relied = property(lambda self: self.reported.state is PermitState.NONE and self.reported.exported)
    monkeypatch.setattr(Holding, "relied_on", relied)


def rely_on_who_was_asked_to_give_one_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def relied(self: Holding) -> bool:
        none = self.reported.state is PermitState.NONE and self.asked is permits.Asked.NOTHING
        return self.reported.exported and (none or self.asked is permits.Asked.REVOCATION)

    monkeypatch.setattr(Holding, "relied_on", property(relied))


def take_what_was_on_its_way_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Holding, "after", lambda self, report, now: Holding(report, self.epoch))


def grant_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    spares = Floor.spares
    lax = lambda self, capacities: spares(replace(self, pops=self.pops - 1), capacities)  # noqa: E731
    monkeypatch.setattr(Floor, "spares", lax)


def leave_capacity_out(monkeypatch: pytest.MonkeyPatch) -> None:
    spares = Floor.spares
    monkeypatch.setattr(Floor, "spares", lambda self, capacities: spares(Floor(self.pops), capacities))


def give_up_what_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Permit, "revoked", lambda self, epoch: Permit(PermitState.NONE, max(epoch, self.epoch)))


def let_files_deal_beside_the_controller(monkeypatch: pytest.MonkeyPatch) -> None:
    dealt = lambda known, fleet, pop, service, term: dealt_permit(fleet, pop, service)  # noqa: E731
    monkeypatch.setattr(decider, "permit_at_start", dealt)


MUTANTS: tuple[tuple[Mutate, int], ...] = (
    (rely_on_who_was_sent_a_permit, 139),
    (rely_on_who_was_asked_to_give_one_up, 8),
    (take_what_was_on_its_way_for_an_answer, 10),
    (grant_one_too_many, 0),
    (leave_capacity_out, 4),
    (give_up_what_is_in_use, 105),
    (let_files_deal_beside_the_controller, 30),
)
"""What is broken, and the first seed that shows it: the search begins there."""


def simulate_all(seeds: range) -> None:
    for seed in seeds:
        simulate(seed)


@pytest.mark.parametrize(("mutate", "first"), MUTANTS)
def test_a_broken_part_is_caught(mutate: Mutate, first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    mutate(monkeypatch)
    with pytest.raises(InvariantBroken, match=r"^seed \d+ at "):
        simulate_all(range(first, first + 300))
