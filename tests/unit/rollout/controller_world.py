"""PoPs that obey, a disk, and a clock that is set: what the controller's engine is talked to in.

Revisions are written as what each unit is in them; a PoP's assignment is what all of its units are desired to be.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from anycastle.base.ports import Instant, Now, Timestamp
from anycastle.model.event import Body, RolloutChanged
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import Prefix, parse_prefix
from anycastle.rollout.commands import Assign, Command, Commit, Tell
from anycastle.rollout.controller import ControllerEngine
from anycastle.rollout.desired import Desired, Unit
from anycastle.rollout.gates import Reading, parse_gate
from anycastle.rollout.intent import RouteKey
from anycastle.rollout.kept import AgentOrder, Document, Frozen, Glass, Kept
from anycastle.rollout.orders import Order, RolloutPolicy, StartRollout
from anycastle.rollout.rollout import Rollout
from tests.unit.health.world import fleet

WALL = 1_700_000_000.0
POPS = ("ams", "fra", "lon", "sin")
PREFIX, OTHER = parse_prefix("192.0.2.0/24"), parse_prefix("198.51.100.0/24")


def route(pop: str, prefix: Prefix = PREFIX, upstream: str = "transit") -> RouteKey:
    return RouteKey(pop, upstream, prefix)


class WrittenRevisions:
    """Composes from revisions that say of each unit what it is; a unit that is not named is as in `r0`."""

    def __init__(self, revisions: Mapping[str, Mapping[Unit, str]], pops: Collection[str] = POPS) -> None:
        self.revisions = dict(revisions)
        self.names = pops
        self.fleet = fleet(pops=tuple(pops))
        self.floor_says: str | None = None

    def what(self, unit: Unit, revision: str) -> str:
        return self.revisions[revision].get(unit, "as before")

    def units(self) -> set[Unit]:
        return {unit for said in self.revisions.values() for unit in said}

    def pops(self, _desired: Desired) -> Collection[str]:
        return self.names

    def digest(self, pop: str, desired: Desired) -> str:
        told = sorted(f"{unit} {self.what(unit, desired.of(unit))}" for unit in self.units() if unit.pop == pop)
        return "; ".join(told)

    def knows(self, revision: str) -> bool:
        return revision in self.revisions

    def differing(self, desired: Desired, revision: str, prefixes: Collection[Prefix] | None = None) -> frozenset[Unit]:
        routes = (unit for unit in self.units() if isinstance(unit, RouteKey))
        concerned = (unit for unit in routes if prefixes is None or unit.prefix in prefixes)
        return frozenset(unit for unit in concerned if self.what(unit, desired.of(unit)) != self.what(unit, revision))

    def served(self, pop: str, _desired: Desired) -> Collection[str]:
        return ("dns",) if pop in self.names else ()

    def in_force(self, _desired: Desired) -> Fleet:
        return self.fleet

    def below_floor(self, _units: Iterable[Unit], _desired: Desired) -> str | None:
        return self.floor_says

    def drained_below_floor(self, _pops: Collection[str], _services: Collection[str], _desired: Desired) -> str | None:
        return self.floor_says


@dataclass
class Told:
    """One PoP's agent: what it lives by, and how it is to behave."""

    lives_by: str | None = None
    connected: bool = True
    refuses: str | None = None
    unsettled: str | None = None
    orders: list[AgentOrder] = field(default_factory=list)


@dataclass
class World:
    """Runs one controller over its agents; commits go to `disk`, whole and at once."""

    composer: WrittenRevisions
    clock: float = 0.0
    disk: dict[str, Document] = field(default_factory=dict)
    log: list[Body] = field(default_factory=list)
    agents: dict[str, Told] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.disk = Kept(Desired("r0")).documents()
        self.agents = {pop: Told() for pop in self.composer.names}
        self.start()

    @property
    def now(self) -> Now:
        return Now(Instant(self.clock), Timestamp(WALL + self.clock))

    def start(self) -> None:
        """Start the controller from what is on disk; its agents dial in."""
        self.engine = ControllerEngine(kept_of(self.disk), self.composer, self.now)
        for pop, agent in self.agents.items():
            if agent.connected:
                self.join(pop)

    def join(self, pop: str) -> None:
        agent = self.agents[pop]
        agent.connected = True
        self.carry_out(self.engine.agent_joined(pop, agent.lives_by, agent.unsettled, (), self.now))

    def leave(self, pop: str) -> None:
        self.agents[pop].connected = False
        self.carry_out(self.engine.agent_left(pop, self.now))

    def order(self, order: Order, who: str = "ann") -> int:
        number, commands = self.engine.order(order, who, self.now)
        self.carry_out(commands)
        return number

    def carry_out(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Commit(documents, events):
                    for key, part in documents.items():
                        if part is None:
                            del self.disk[key]
                        else:
                            self.disk[key] = part
                    self.log += events
                case Assign(pop):
                    self._assigned(pop)
                case Tell(order):
                    self.agents[order.pop].orders.append(order)
                case _:
                    pass

    def _assigned(self, pop: str) -> None:
        agent = self.agents[pop]
        digest = self.composer.digest(pop, self.engine.kept.desired)
        if agent.refuses is not None:
            self.carry_out(self.engine.agent_refused(pop, digest, agent.refuses, self.now))
        else:
            agent.lives_by = digest
            self.carry_out(self.engine.agent_took(pop, digest, self.now))
            self.carry_out(self.engine.agent_changed(pop, digest, agent.unsettled, self.now))

    def read(self, indicator: str, value: float, pops: Collection[str] | None = None) -> None:
        made = {pop: Reading(value, self.now.wall) for pop in pops or self.composer.names}
        self.carry_out(self.engine.readings(indicator, made, self.now))

    def run(self, seconds: float) -> "World":
        end = self.clock + seconds
        while self.engine.deadline <= end:
            self.clock = max(self.clock, self.engine.deadline)
            self.carry_out(self.engine.wake(self.now))
        self.clock = end
        return self

    def rollout(self, number: int = 1) -> Rollout:
        return self.engine.kept.rollouts[number]

    def waits_for(self, number: int = 1) -> str:
        return self.engine.kept.waits_for.get(number, "")

    def living_by(self, revision: str) -> set[str]:
        """Give the PoPs that live by a revision whole."""
        one = Desired(revision)
        return {pop for pop, agent in self.agents.items() if agent.lives_by == self.composer.digest(pop, one)}

    def timeline(self) -> list[tuple[str, int]]:
        return [(body.state, body.step) for body in self.log if isinstance(body, RolloutChanged)]


def kept_of(disk: Mapping[str, Document]) -> Kept:
    desired, number = disk["desired"], disk.get("number", 0)
    frozen, glass = disk.get("freeze"), disk.get("break-glass")
    assert isinstance(desired, Desired)
    assert isinstance(number, int)
    assert frozen is None or isinstance(frozen, Frozen)
    assert glass is None or isinstance(glass, Glass)
    rollouts = {part.number: part for part in disk.values() if isinstance(part, Rollout)}
    orders = {part.number: part for part in disk.values() if isinstance(part, AgentOrder)}
    return Kept(desired, rollouts, orders, frozen, glass, number)


def world() -> World:
    """Give four PoPs at `r0`; `r1` changes a route of each, `r2` another prefix, `r3` the first anew."""
    return World(
        WrittenRevisions(
            {
                "r0": {},
                "r1": {route(pop): "prepended" for pop in POPS},
                "r2": {route(pop, OTHER): "prepended" for pop in POPS},
                "r3": {route(pop): "prepended twice" for pop in POPS},
            }
        )
    )


def start(revision: str = "r1", prefix: Prefix = PREFIX, *gates: str, **changes: object) -> StartRollout:
    steps = [frozenset({route("ams", prefix)}), frozenset({route("fra", prefix)})]
    steps.append(frozenset({route("lon", prefix), route("sin", prefix)}))
    policy = RolloutPolicy(60.0, 600.0, tuple(map(parse_gate, gates)))
    return StartRollout(revision, steps, frozenset({prefix}), "lower the load", policy, **changes)  # type: ignore[arg-type]
