"""Three people who know nothing of each other, and write, order and approve whatever comes to their minds."""

from typing import TYPE_CHECKING

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.daemons.planning import order_to_start
from anycastle.model.event import Body
from anycastle.rollout.gates import parse_gate
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
    RollOut,
    RolloutPolicy,
    StartRollout,
    Thaw,
)
from anycastle.rollout.staged import start_of
from tests.simulation.fleet import InvariantBroken
from tests.simulation.whole.control import Leader
from tests.simulation.whole.drawing import draw_revision

if TYPE_CHECKING:
    from tests.simulation.whole.simulation import WholeSimulation

PEOPLE = ("ann", "bob", "eve")
GATES = ("announced_share >= 0.9", "healthy_checks_share >= 0.5", "sessions_up_share >= 0.5")


class People:
    """Give orders to a controller that leads."""

    def __init__(self, simulation: "WholeSimulation") -> None:
        self._simulation = simulation
        self._draw = simulation.random
        self._revisions = 0

    def act(self) -> None:
        """Let somebody do something."""
        leader = self._simulation.some_leader()
        if leader is None or not leader.engine.kept.desired.revision:
            return
        acts = (self._roll_out, self._roll_out, self._roll_out, self._manage, self._manage, self._order_agents)
        self._draw.choice(acts)(leader)

    def give(self, leader: Leader, order: Order, who: str = "") -> None:
        """Give an order; it is refused and changes nothing, or acknowledged once it is in the log."""
        simulation, who = self._simulation, who or self._draw.choice(PEOPLE)
        kind = type(order).__name__
        simulation.counts[kind] += 1
        before = leader.engine.kept
        if isinstance(order, StartRollout):
            simulation.guard.will_be_limited(leader, order.reason)
        told = len(leader.database.log)

        def done(number: int) -> None:
            simulation.noted("controller", f"{who}'s {kind} is acknowledged{f' as {number}' if number else ''}")
            self._check_logged(leader.database.log[told:], who, kind)
            if isinstance(order, StartRollout):
                simulation.guard.acknowledged.append(number)

        try:
            leader.order(order, who, done)
            simulation.noted("people", f"{who} orders {_words(order)}")
        except MisuseError as error:
            simulation.counts["orders refused"] += 1
            if leader.engine.kept is not before and leader.engine.kept != before:
                raise InvariantBroken(f"{order} was refused ({error}) and changed something") from None

    def _check_logged(self, events: list[Body], who: str, kind: str) -> None:
        if not any(who in (getattr(event, "who", None), getattr(event, "owner", None)) for event in events):
            raise InvariantBroken(f"{who}'s {kind} was acknowledged, and the log does not have it")

    def _roll_out(self, leader: Leader) -> None:
        """Write a revision, on what is desired or on an old one, and roll it out, with a plan's checks or without."""
        simulation, draw = self._simulation, self._draw
        folders = simulation.folders
        base = leader.engine.kept.desired.revision if draw.random() < 0.8 else draw.choice(sorted(folders))
        words, fleet = draw_revision(draw, folders[base])
        self._revisions += 1
        revision = f"r{self._revisions}"
        if fleet == folders[base]:
            revision = base
        else:
            folders[revision] = leader.database.folders[revision] = fleet
            leader.composer.add(revision, fleet)
        if not leader.composer.knows(revision):
            leader.composer.add(revision, folders[revision])
            leader.database.folders[revision] = folders[revision]
        order = self._order_of(leader, revision, f"{words} (on {base}, order {simulation.counts['StartRollout']})")
        if order is not None:
            self.give(leader, order)

    def _order_of(self, leader: Leader, revision: str, reason: str) -> StartRollout | None:
        draw = self._draw
        gates = tuple(parse_gate(draw.choice(GATES)) for _ in range(draw.choice((0, 1, 1, 2))))
        pace = 1.0 if self._simulation.scale.coarse else 0.1
        bake_s, patience_s = draw.choice((0.0, 60.0, 300.0)), draw.choice((0.0, 60.0, 600.0))
        policy = RolloutPolicy(pace * bake_s, pace * patience_s, gates)
        desired = leader.engine.kept.desired
        try:
            if draw.random() < 0.5:
                return start_of(leader.composer, desired, revision, reason, policy)
            retiring = frozenset(self._simulation.guard.members) if draw.random() < 0.5 else frozenset()
            wish = RollOut(revision, reason, policy, retiring=retiring)
            return order_to_start(leader.composer, desired, wish, Timestamp(leader.now().wall))
        except MisuseError:
            self._simulation.counts["plans refused"] += 1
            return None

    def _manage(self, leader: Leader) -> None:
        draw = self._draw
        open_ones = [number for number, each in leader.engine.kept.rollouts.items() if not each.ended]
        number = draw.choice(open_ones) if open_ones else leader.engine.kept.number
        orders: tuple[Order, ...] = (
            Approve(f"rollout/{number}"), Approve(f"rollout/{number}"), Pause(number), Resume(number), Resume(number),
            Promote(number), Promote(number), Abort(number, "enough"), Freeze("storm"), Thaw("calm"), Thaw("calm"),
            BreakGlass("attack", draw.choice((10.0, 1000.0))), Approve("break-glass"),
        )  # fmt: skip
        self.give(leader, draw.choice(orders))

    def _order_agents(self, leader: Leader) -> None:
        draw = self._draw
        kind = draw.choice(list(AgentOrderKind))
        pops = draw.sample(sorted(self._simulation.places), draw.randint(1, min(3, len(self._simulation.places))))
        services = draw.sample(sorted(self._simulation.guard.members), 1)
        lasts_s = draw.choice((30.0, 600.0))
        self.give(leader, OrderAgents(kind, pops, services, "cards", soak_s=2.0, wait_s=2.0, lasts_s=lasts_s))

    # -- peace ------------------------------------------------------------------------------------------------------

    def make_peace(self, leader: Leader) -> None:
        """Let nothing wait for people any more."""
        kept = leader.engine.kept
        if kept.frozen is not None:
            self.give(leader, Thaw("calm"))
        for number in sorted(kept.rollouts):
            rollout = leader.engine.kept.rollouts[number]
            if not rollout.ended and rollout.paused_by is not None:
                self.give(leader, Resume(number))
            rollout = leader.engine.kept.rollouts[number]
            if not rollout.ended and rollout.unapproved:
                self.give(leader, Abort(number, "nobody approves"))

    def end_what_waits(self, leader: Leader) -> None:
        """Abort the rollouts that say what they wait for: nobody will bring it."""
        for number, rollout in sorted(leader.engine.kept.rollouts.items()):
            waits_for = leader.engine.kept.waits_for.get(number)
            if not leader.engine.kept.rollouts[number].ended and waits_for and rollout.state.value != "rolling back":
                self._simulation.counts["rollouts that a floor held"] += "floor" in waits_for
                self.give(leader, Abort(number, f"it waits for {waits_for}"))


def _words(order: Order) -> str:
    if isinstance(order, StartRollout):
        pops = [len({unit.pop for unit in step}) for step in order.steps]
        return f"StartRollout {order.revision}: {order.reason}; steps of {pops} PoPs"
    return str(order)
