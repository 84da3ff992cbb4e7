from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from anycastle.base.ports import Now
from anycastle.rollout.commands import Assign, Command
from anycastle.rollout.controller import ControllerEngine
from anycastle.rollout.desired import Desired
from anycastle.rollout.rollout import Rollout
from tests.simulation.fleet import InvariantBroken
from tests.simulation.rollouts import simulate

SEEDS = range(300)
SHARDS = 4


@pytest.mark.mission("C4", "F7")
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_invariant_breaks(shard: int) -> None:
    for seed in SEEDS[shard::SHARDS]:
        simulate(seed)


Mutate = Callable[[pytest.MonkeyPatch], None]


def begin_beside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ControllerEngine, "_conflict", lambda self, rollout: None)


def begin_although_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ControllerEngine, "_stale", lambda self, rollout: None)


def go_back_to_what_was_when_it_was_ordered(monkeypatch: pytest.MonkeyPatch) -> None:
    desire = ControllerEngine._desire

    def forgetful(self: ControllerEngine, before: Rollout, rollout: Rollout) -> None:
        known = self.__dict__.setdefault("first", {}).setdefault(rollout.number, before.before)
        desire(self, before, replace(rollout, before=known))

    monkeypatch.setattr(ControllerEngine, "_desire", forgetful)


def do_not_freeze(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ControllerEngine, "_held", lambda self, now: None)


def forget_the_exceptions(monkeypatch: pytest.MonkeyPatch) -> None:
    def collapse(self: ControllerEngine) -> None:
        self.kept = replace(self.kept, desired=Desired(max(self.kept.desired.revisions)))

    monkeypatch.setattr(ControllerEngine, "_collapse", collapse)


def tell_before_it_is_durable(monkeypatch: pytest.MonkeyPatch) -> None:
    follow = ControllerEngine._commands

    def hasty(self: ControllerEngine, now: Now) -> Iterator[Command]:
        yield from sorted(follow(self, now), key=lambda command: not isinstance(command, Assign))

    monkeypatch.setattr(ControllerEngine, "_commands", hasty)


def say_nothing_to_who_dials_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ControllerEngine, "_told_at_joining", lambda self, pop: [])


def take_two_steps_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rollout, "pops_of", lambda self, step: frozenset(unit.pop for unit in self.steps[0]))


MUTANTS: tuple[Mutate, ...] = (
    begin_beside_others,
    begin_although_stale,
    go_back_to_what_was_when_it_was_ordered,
    do_not_freeze,
    forget_the_exceptions,
    tell_before_it_is_durable,
    say_nothing_to_who_dials_in,
    take_two_steps_at_once,
)


def simulate_all() -> None:
    for seed in SEEDS:
        simulate(seed)


@pytest.mark.parametrize("mutate", MUTANTS)
def test_a_broken_part_is_caught(mutate: Mutate, monkeypatch: pytest.MonkeyPatch) -> None:
    mutate(monkeypatch)
    with pytest.raises(InvariantBroken, match=r"^seed \d+ at "):
        simulate_all()
