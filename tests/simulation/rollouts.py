"""A controller's engine and its PoPs on a virtual clock, under contradictory orders and seeded faults.

Orders come from three people who know nothing of each other; PoPs are away, refuse, do not settle; gates pass, fail and
say nothing; the controller is killed between any two of its commands, and starts again from what it had committed.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping

from anycastle.base.errors import MisuseError
from anycastle.model.prefix import Prefix
from anycastle.rollout.commands import Assign, Command, Commit
from anycastle.rollout.desired import Desired, Unit
from anycastle.rollout.gates import parse_gate
from anycastle.rollout.kept import Document, Frozen, Glass
from anycastle.rollout.orders import (
    Abort,
    AgentOrderKind,
    Approve,
    BreakGlass,
    Freeze,
    Order,
    OrderAgents,
    Pause,
    Promote,
    Resume,
    RolloutPolicy,
    StartRollout,
    Thaw,
)
from anycastle.rollout.rollout import Rollout, RolloutState
from tests.simulation.fleet import InvariantBroken
from tests.unit.rollout.controller_world import OTHER, PREFIX, World, WrittenRevisions, kept_of, route

PEOPLE = ("ann", "bob", "eve")
SETTLING_S = 200_000.0
"""Longer than any bake, patience and glass of as many rollouts as a seed can begin."""


class Killed(Exception):
    """The controller's process ended here."""


class RolloutSimulation(World):
    """Runs one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.pops = tuple(f"pop{number}" for number in range(self.random.randint(2, 12)))
        self.peaceful = True
        super().__init__(WrittenRevisions(self._draw_revisions(), self.pops))
        self.peaceful = False

    def _draw_revisions(self) -> dict[str, dict[Unit, str]]:
        """Give revisions of which each changes some units of the one before."""
        said: dict[Unit, str] = {}
        revisions = {"r0": dict(said)}
        for number in range(1, 6):
            for prefix in self.random.sample((PREFIX, OTHER), self.random.randint(1, 2)):
                for pop in self.random.sample(self.pops, self.random.randint(1, len(self.pops))):
                    said[route(pop, prefix)] = f"as of r{number}"
            revisions[f"r{number}"] = dict(said)
        return revisions

    def run_seed(self) -> "RolloutSimulation":
        """Run the seed to its end. Raises `InvariantBroken`, naming the seed."""
        try:
            for _ in range(self.random.randint(20, 120)):
                self._survive(self.random.choice(self._acts()))
                self._survive(lambda: self.run(self.random.choice((0.0, 1.0, 30.0, 61.0, 400.0))))
                self._check_desired()
            self._make_peace()
        except InvariantBroken as broken:
            raise InvariantBroken(f"seed {self.seed} at {self.clock:.3f} s: {broken}") from broken
        return self

    # -- what happens -----------------------------------------------------------------------------------------------

    def _acts(self) -> tuple[Callable[[], None], ...]:
        return (
            self._roll_out, self._roll_out, self._roll_out, self._manage, self._manage, self._manage,
            self._pop_leaves, self._pop_joins, self._pop_refuses, self._pop_unsettled, self._pop_recovers,
            self._read_gates, self._read_gates, self._restart, self._answer_orders,
        )  # fmt: skip

    def _survive(self, act: Callable[[], object]) -> None:
        try:
            act()
        except MisuseError:
            self.counts["orders refused"] += 1
        except Killed:
            self.counts["kills between commands"] += 1
            self._survive(self.start)

    def _order(self, order: Order) -> None:
        self.counts[type(order).__name__] += 1
        before = self.engine.kept
        try:
            self.order(order, self.random.choice(PEOPLE))
        except MisuseError:
            if self.engine.kept != before:
                raise InvariantBroken(f"{order} was refused and changed something") from None
            raise

    def _roll_out(self) -> None:
        revision = self.random.choice(sorted(self.composer.revisions))
        prefixes = frozenset(self.random.sample((PREFIX, OTHER), self.random.randint(1, 2)))
        units = sorted(self.composer.differing(self.engine.kept.desired, revision, prefixes), key=str)
        self.random.shuffle(units)
        steps, size = [], 1
        while units:
            steps.append(frozenset(units[:size]))
            units, size = units[size:], size * 2
        gates = (parse_gate("rate >= 0.5"),) if self.random.random() < 0.5 else ()
        policy = RolloutPolicy(self.random.choice((0.0, 60.0)), self.random.choice((0.0, 600.0)), gates)
        marks = ("it is marked",) if self.random.random() < 0.3 else ()
        self._order(StartRollout(revision, steps, prefixes, "a change", policy, marks))

    def _manage(self) -> None:
        number = self.random.randint(1, max(1, self.engine.kept.number))
        pops = self.random.sample(self.pops, self.random.randint(0, 2))
        orders: tuple[Order, ...] = (
            Approve(f"rollout/{number}"), Pause(number), Resume(number), Promote(number), Abort(number, "enough"),
            Freeze("storm"), Thaw("calm"), BreakGlass("attack", self.random.choice((10.0, 1000.0))),
            Approve("break-glass"), OrderAgents(AgentOrderKind.DRAIN, pops, ["dns"], "cards"),
        )  # fmt: skip
        self._order(self.random.choice(orders))

    def _some_pop(self) -> str:
        return self.random.choice(self.pops)

    def _pop_leaves(self) -> None:
        self.leave(self._some_pop())

    def _pop_joins(self) -> None:
        self.join(self._some_pop())

    def _pop_refuses(self) -> None:
        self.agents[self._some_pop()].refuses = "no permit allows it"

    def _pop_unsettled(self) -> None:
        self._settle(self._some_pop(), "not confirmed")

    def _pop_recovers(self) -> None:
        pop = self._some_pop()
        self.agents[pop].refuses = None
        self._settle(pop, None)

    def _settle(self, pop: str, unsettled: str | None) -> None:
        agent = self.agents[pop]
        agent.unsettled = unsettled
        if agent.connected:
            self.carry_out(self.engine.agent_changed(pop, agent.lives_by, unsettled, self.now))

    def _read_gates(self) -> None:
        self.read("rate", self.random.choice((1.0, 1.0, 0.1)), self.random.sample(self.pops, len(self.pops) // 2 + 1))

    def _answer_orders(self) -> None:
        for order in [order for agent in self.agents.values() for order in agent.orders]:
            self.agents[order.pop].orders.clear()
            self.carry_out(self.engine.agent_answered(order.number, order.pop, None, self.now))

    def _restart(self) -> None:
        self.counts["restarts"] += 1
        self.start()

    # -- what the shell does ------------------------------------------------------------------------------------------

    def carry_out(self, commands: list[Command]) -> None:
        for command in commands:
            if not self.peaceful and self.random.random() < 0.02:
                raise Killed
            if isinstance(command, Commit):
                self._check_commit(command)
            if isinstance(command, Assign):
                self._check_assign(command)
            super().carry_out([command])

    # -- invariants -----------------------------------------------------------------------------------------------

    def _check_commit(self, commit: Commit) -> None:
        """No change without an event; under a freeze none of what is desired; and no more PoPs than a step has."""
        before = kept_of(self.disk)
        after = kept_of({**self.disk, **{key: part for key, part in commit.documents.items() if part is not None}})
        if commit.documents and not commit.events:
            raise InvariantBroken(f"{sorted(commit.documents)} changed, and no event says so")
        touched = self._moved(before.desired, after.desired)
        if touched and self._frozen(commit):
            raise InvariantBroken(f"{sorted(touched)} changed in spite of the freeze")
        for part in commit.documents.values():
            finished = isinstance(part, Rollout) and part.state is RolloutState.FINISHED
            if (
                finished
                and not self._followed(part, after.rollouts)
                and self.composer.differing(after.desired, part.revision, part.prefixes)
            ):
                raise InvariantBroken(f"rollout {part.number} is finished, and its prefixes are not as it has them")
        allowed = set().union(*(self._steps_entered(commit, before.rollouts)))
        if touched - allowed:
            raise InvariantBroken(f"{sorted(touched - allowed)} changed, and no step that was entered has them")

    def _followed(self, rollout: Rollout, rollouts: Mapping[int, Rollout]) -> bool:
        """Tell whether another rollout on the same prefixes begins with the end of this one."""
        begun = (each for each in rollouts.values() if each.state is not RolloutState.WAITING and not each.ended)
        return any(each.prefixes & rollout.prefixes for each in begun)

    def _moved(self, before: Desired, after: Desired) -> set[str]:
        return {pop for pop in self.pops if self.composer.digest(pop, before) != self.composer.digest(pop, after)}

    def _frozen(self, commit: Commit) -> bool:
        """Tell whether a freeze stood before and after a commit, and no glass was broken."""
        parts: Mapping[str, Document | None] = {**self.disk, **commit.documents}
        glass = parts.get("break-glass")
        broken = isinstance(glass, Glass) and glass.broken(self.now.wall)
        return isinstance(self.disk.get("freeze"), Frozen) and parts.get("freeze") is not None and not broken

    def _steps_entered(self, commit: Commit, before: Mapping[int, Rollout]) -> list[set[str]]:
        entered = []
        for part in commit.documents.values():
            if isinstance(part, Rollout):
                was = before[part.number].step if part.number in before else 0
                low, high = sorted((was, part.step))
                entered += [set(part.pops_of(step)) for step in range(low + 1, high + 1)]
        return entered

    def _check_assign(self, command: Assign) -> None:
        desired = self.disk["desired"]
        assert isinstance(desired, Desired)
        if self.composer.digest(command.pop, desired) != self.composer.digest(command.pop, self.engine.kept.desired):
            raise InvariantBroken(f"{command.pop} is told what is not committed")

    def _check_desired(self) -> None:
        """Each rollout has the units of its steps, and two that began share no prefix."""
        open_ones = [each for each in self.engine.kept.rollouts.values() if not each.ended]
        begun = [each for each in open_ones if each.state is not RolloutState.WAITING]
        desired = self.engine.kept.desired
        taken: set[Prefix] = set()
        for each in begun:
            if taken & each.prefixes:
                raise InvariantBroken(f"rollout {each.number} shares a prefix with another that has begun")
            taken |= each.prefixes
            for number, units in enumerate(each.steps, 1):
                for unit in units:
                    wanted = each.revision if number <= each.step else each.before[unit]
                    if self.composer.what(unit, desired.of(unit)) != self.composer.what(unit, wanted):
                        raise InvariantBroken(f"{unit} is not desired as rollout {each.number} has it in its step")
        if self.engine.kept.documents() != self.disk:
            raise InvariantBroken("what the controller goes by is not what is on disk")

    def _make_peace(self) -> None:
        """Let everything work again: each rollout ends, and all PoPs live by what is desired."""
        self.peaceful = True
        self.start()
        for pop in self.pops:
            self.agents[pop].refuses = self.agents[pop].unsettled = None
            self.join(pop)
        if self.engine.kept.frozen is not None:
            self.order(Thaw("calm"))
        for number in sorted(self.engine.kept.rollouts):
            if not self.rollout(number).ended and self.rollout(number).paused_by is not None:
                self.order(Resume(number))
            if not self.rollout(number).ended and self.rollout(number).unapproved:
                self.order(Abort(number, "nobody approves"))
        self.run(SETTLING_S)
        stuck = [each for each in self.engine.kept.rollouts.values() if not each.ended]
        if stuck:
            raise InvariantBroken(
                f"rollout {stuck[0].number} is {stuck[0].state.value} for ever: {self.waits_for(stuck[0].number)}"
            )
        lost = {pop for pop in self.pops if self.agents[pop].lives_by != self._wanted(pop)}
        if lost:
            raise InvariantBroken(f"{sorted(lost)} do not live by what is desired")

    def _wanted(self, pop: str) -> str:
        return self.composer.digest(pop, self.engine.kept.desired)


def simulate(seed: int) -> RolloutSimulation:
    """Run one seed. Raises `InvariantBroken`."""
    return RolloutSimulation(seed).run_seed()
