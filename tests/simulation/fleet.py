"""A whole fleet of agents on a virtual clock, under seeded faults.

The engines are the real ones (`health.agent`, `health.lease`); disks, routers, services and time are simulated.
Everything that can go wrong is drawn from one seeded generator: services die and flap, checks are wrong, agents
crash, freeze and restart, routers restart or do not answer, sessions go down, humans take routes away, watchdogs
are killed, bad checks are pushed everywhere at once, operators drain. After each event the invariants are checked.
"""

import heapq
import itertools
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from anycastle.base.ports import FAR_FUTURE, Instant, Now, Timestamp
from anycastle.health.agent import AgentEngine
from anycastle.health.commands import Apply, Command, Finish, ReadExports, Record, RenewLeases, Save, StartCheck
from anycastle.health.decider import Pace
from anycastle.health.lease import LeaseKeeper
from anycastle.health.quorum import Condition
from anycastle.health.reconcile import RouterView
from anycastle.health.state import AgentState
from anycastle.model.announcement import NOTHING, Announcements
from anycastle.model.check import CheckResult, Outcome
from anycastle.model.event import AnnouncementsApplied, AnnouncementsFound
from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitState
from anycastle.model.prefix import Family, parse_prefix
from anycastle.model.service import Dampening, Floor, Lease, LeaseEnd, OnExit, Service, WhenAlone
from anycastle.model.stance import Stance
from tests.unit.health.world import WALL, check, fleet, service

SETTLING_S = 900.0
"""How long the world is left in peace at the end: longer than any suppression, lease or drain."""


class InvariantBroken(AssertionError):
    """What may never happen has happened."""


@dataclass
class Disk:
    """What survives a crash: only what was saved whole."""

    state: AgentState | None = None


@dataclass
class SimulatedRouter:
    """A router's table. It answers late, refuses, restarts empty, and its sessions come and go."""

    table: Announcements = NOTHING
    reachable: bool = True
    established: bool = True


@dataclass
class SimulatedPoP:
    """One PoP: its disk, router, services, agent and watchdog."""

    name: str
    disk: Disk = field(default_factory=Disk)
    router: SimulatedRouter = field(default_factory=SimulatedRouter)
    agent: AgentEngine | None = None
    incarnation: int = 0
    frozen: bool = False
    stopping: bool = False
    watchdog: LeaseKeeper = field(default_factory=LeaseKeeper)
    dead: set[str] = field(default_factory=set)
    """Services that do not serve, in truth."""
    wrong: dict[str, Outcome] = field(default_factory=dict)
    """Services whose checks answer this, whatever the truth."""
    blameless_since: dict[str, float] = field(default_factory=dict)
    """Service -> since when nothing but the agent keeps it from being withdrawn or announced."""
    withdrew: set[str] = field(default_factory=set)
    """Services that the agent or the watchdog took off the router, and that are not back."""
    withdrawals: dict[str, deque[float]] = field(default_factory=dict)
    logged: set[str] = field(default_factory=set)
    """What the log says is announced: a fold over its events."""


class FleetSimulation:
    """Runs one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.clock = 0.0
        self.events = 0
        self.counts: Counter[str] = Counter()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._timers: dict[str, float] = {}
        self.coarse = self.random.random() < 0.7
        self.pace = Pace(30.0, 30.0) if self.coarse else Pace()
        self.duration_s = 3600.0 * self.random.uniform(2, 6) if self.coarse else self.random.uniform(120, 600)
        self.fleet = self._draw_fleet()
        self.pops = {pop.name: SimulatedPoP(pop.name) for pop in self.fleet.pops}
        self.pop_hours = len(self.pops) * (self.duration_s + SETTLING_S) / 3600.0

    # -- the world ------------------------------------------------------------------------------------------------

    def _draw_fleet(self) -> Fleet:
        names = tuple(f"pop{n}" for n in range(self.random.randint(2, 6)))
        services = tuple(self._draw_service(n, names) for n in range(self.random.randint(1, 3)))
        return fleet(*services, pops=names)

    def _draw_service(self, number: int, names: tuple[str, ...]) -> Service:
        draw = self.random
        interval_s = draw.choice((15.0, 30.0, 60.0)) if self.coarse else draw.choice((0.5, 1.0, 5.0))
        made = check(f"check{number}", interval_s=interval_s, fall=draw.randint(1, 4), rise=draw.randint(1, 3))
        return service(
            f"service{number}",
            names,
            prefixes=(parse_prefix(f"198.18.{number}.0/24"),),
            checks=(made,),
            floor=Floor(pops=draw.randint(1, len(names))),
            dampening=Dampening(half_life_s=60, max_suppress_s=300),
            lease=Lease(draw.choice(list(LeaseEnd)), 300.0 if self.coarse else 10.0, 60.0),
            on_exit=draw.choice(list(OnExit)),
            when_alone=WhenAlone.ANNOUNCE,
        )

    @property
    def now(self) -> Now:
        return Now(Instant(self.clock), Timestamp(WALL + self.clock))

    def at(self, delay: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.clock + delay, next(self._order), action))

    def run(self) -> "FleetSimulation":
        """Run the seed to its end. Raises `InvariantBroken`, naming the seed."""
        try:
            for pop in self.pops.values():
                self.at(self.random.uniform(0, 5), lambda pop=pop: self.start_agent(pop))
            self._schedule_faults()
            self._play_until(self.duration_s)
            self._heal()
            self._play_until(self.duration_s + SETTLING_S)
            self._check_intent()
        except InvariantBroken as broken:
            raise InvariantBroken(f"seed {self.seed} at {self.clock:.3f} s: {broken}") from broken
        return self

    def _play_until(self, end: float) -> None:
        while self._queue and self._queue[0][0] <= end:
            self.clock, _, action = heapq.heappop(self._queue)
            self.events += 1
            action()
        self.clock = end

    # -- an agent and its shell -----------------------------------------------------------------------------------

    def start_agent(self, pop: SimulatedPoP) -> None:
        if pop.agent is not None:
            return
        pop.incarnation += 1
        self._timers.pop(pop.name, None)
        pop.frozen = pop.stopping = False
        saved = pop.disk.state or AgentState()
        pop.agent = AgentEngine(self.fleet, pop.name, saved, self.random, self.now, self.pace)
        self._blame(pop)
        self._arm(pop)

    def crash_agent(self, pop: SimulatedPoP) -> None:
        pop.agent = None
        pop.incarnation += 1
        self._blame(pop)

    def _arm(self, pop: SimulatedPoP) -> None:
        """Wake the agent at its deadline, unless it is armed for an earlier moment already."""
        if pop.agent is None or pop.agent.deadline == FAR_FUTURE:
            return
        due = max(self.clock, pop.agent.deadline)
        if due < self._timers.get(pop.name, FAR_FUTURE):
            self._wake_at(pop, due)

    def _wake_at(self, pop: SimulatedPoP, due: float) -> None:
        self._timers[pop.name] = due
        self.at(due - self.clock, lambda: self._wake(pop, due))

    def _wake(self, pop: SimulatedPoP, due: float) -> None:
        if self._timers.get(pop.name) != due:
            return  # an earlier moment was set since
        del self._timers[pop.name]
        if pop.frozen:
            self._wake_at(pop, self.clock + 1.0)
        elif pop.agent is not None:
            self.perform(pop, pop.agent.wake(self.now))

    def perform(self, pop: SimulatedPoP, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case StartCheck(number, asked):
                    self._answer(pop, number, asked.name)
                case Save(state):
                    pop.disk.state = state
                case Apply(wanted):
                    self._later(pop, 0.001, 0.05, lambda wanted=wanted: self._apply(pop, wanted))
                case ReadExports():
                    self._later(pop, 0.001, 0.02, lambda: self._read(pop))
                case RenewLeases(terms):
                    pop.watchdog.renew(terms, Instant(self.clock))
                    self._arm_watchdog(pop)
                case Record(AnnouncementsFound(found)):
                    pop.logged = set(found)
                case Record(AnnouncementsApplied() as applied):
                    pop.logged |= set(applied.announced)
                    pop.logged -= set(applied.withdrawn)
                case Finish(terms=terms):
                    pop.watchdog.renew(terms, Instant(self.clock))
                    self._arm_watchdog(pop)
                    self.crash_agent(pop)
                    self.at(self.random.uniform(1, 60), lambda: self.start_agent(pop))
                case _:
                    pass
        self._arm(pop)

    def _later(self, pop: SimulatedPoP, low: float, high: float, action: Callable[[], None]) -> None:
        """Do something after a while, unless the agent has crashed by then; a frozen one hears of it when it thaws."""
        incarnation = pop.incarnation

        def run() -> None:
            if pop.agent is None or pop.incarnation != incarnation:
                return
            if pop.frozen:
                self.at(1.0, run)
                return
            action()

        self.at(self.random.uniform(low, high), run)

    def _answer(self, pop: SimulatedPoP, number: int, check_name: str) -> None:
        name = check_name.replace("check", "service")
        truth = Outcome.FAIL if name in pop.dead else Outcome.PASS
        outcome = pop.wrong.get(name, truth)

        def finish() -> None:
            assert pop.agent is not None
            self.perform(pop, pop.agent.check_finished(number, CheckResult(outcome, 0.001, outcome.value), self.now))

        self._later(pop, 0.001, 0.2, finish)

    def _apply(self, pop: SimulatedPoP, wanted: Announcements) -> None:
        assert pop.agent is not None
        error = None if pop.router.reachable else "the router does not answer"
        if error is None:
            self._check_apply(pop, wanted)
            self._set_table(pop, wanted)
        self.perform(pop, pop.agent.applied(error, self.now))

    def _set_table(self, pop: SimulatedPoP, wanted: Announcements) -> None:
        """Change the table by the hand of the agent or the watchdog."""
        for made in self.fleet.services:
            was, will = self._carries(pop.router.table, made), self._carries(wanted, made)
            if was and not will:
                pop.withdrew.add(made.name)
                self._count_withdrawal(pop, made)
            elif will:
                pop.withdrew.discard(made.name)
        pop.router.table = wanted
        self._check_floor()

    def _read(self, pop: SimulatedPoP) -> None:
        assert pop.agent is not None
        if not pop.router.reachable:
            self.perform(pop, pop.agent.exports_unreadable("the router does not answer"))
            return
        up = pop.router.established
        established = frozenset({("transit", Family.IPV4)}) if up else frozenset()
        exports = pop.router.table if up else NOTHING
        view = RouterView(exports, pop.router.table, established)
        self.perform(pop, pop.agent.exports_read(view, self.now))

    def _arm_watchdog(self, pop: SimulatedPoP) -> None:
        deadline = pop.watchdog.deadline
        if deadline != FAR_FUTURE and self._timers.get(f"{pop.name} watchdog", 0.0) <= self.clock:
            self._timers[f"{pop.name} watchdog"] = deadline
            self.at(max(0.0, deadline - self.clock), lambda: self._wake_watchdog(pop))

    def _wake_watchdog(self, pop: SimulatedPoP) -> None:
        self._timers.pop(f"{pop.name} watchdog", None)
        lapses, _ = pop.watchdog.wake(Instant(self.clock))
        if lapses and pop.router.reachable:
            self.counts["lease lapsed"] += len(lapses)
            self._set_table(pop, pop.watchdog.remaining(pop.router.table))
        self._arm_watchdog(pop)

    # -- faults ---------------------------------------------------------------------------------------------------

    def _schedule_faults(self) -> None:
        faults = (
            self._service_dies, self._service_dies, self._service_flaps, self._checks_wrong, self._bad_check_everywhere,
            self._agent_crashes, self._agent_freezes, self._router_restarts, self._router_silent, self._session_down,
            self._human_edits, self._watchdog_killed, self._drain, self._agent_stops,
        )  # fmt: skip
        for _ in range(self.random.randint(3, 25)):
            fault = self.random.choice(faults)
            self.at(self.random.uniform(10, self.duration_s * 0.95), lambda fault=fault: self._inject(fault))

    def _inject(self, fault: Callable[[SimulatedPoP, str], None]) -> None:
        pop = self.random.choice(list(self.pops.values()))
        name = self.random.choice(self.fleet.services).name
        self.counts[fault.__name__] += 1
        fault(pop, name)
        self._blame_all()

    def _lasting(self, low: float, high: float, undo: Callable[[], None]) -> None:
        def end() -> None:
            undo()
            self._blame_all()

        self.at(self.random.uniform(low, high), end)

    def _service_dies(self, pop: SimulatedPoP, name: str) -> None:
        pop.dead.add(name)
        self._lasting(0.1, 600, lambda: pop.dead.discard(name))

    def _service_flaps(self, pop: SimulatedPoP, name: str) -> None:
        for turn in range(self.random.randint(4, 40)):
            action = pop.dead.add if turn % 2 else pop.dead.discard
            self.at(turn * self.random.uniform(0.3, 20), lambda action=action: (action(name), self._blame_all()))
        self._lasting(800, 900, lambda: pop.dead.discard(name))

    def _checks_wrong(self, pop: SimulatedPoP, name: str) -> None:
        pop.wrong[name] = self.random.choice((Outcome.FAIL, Outcome.UNKNOWN))
        self._lasting(1, 300, lambda: pop.wrong.pop(name, None))

    def _bad_check_everywhere(self, _pop: SimulatedPoP, name: str) -> None:
        for pop in self.pops.values():
            pop.wrong[name] = Outcome.FAIL
            self._lasting(1, 600, lambda pop=pop: pop.wrong.pop(name, None))

    def _agent_crashes(self, pop: SimulatedPoP, _name: str) -> None:
        self.crash_agent(pop)
        self.at(self.random.choice((0.1, 5, 60, 900)), lambda: self.start_agent(pop))

    def _agent_freezes(self, pop: SimulatedPoP, _name: str) -> None:
        pop.frozen = True
        self._lasting(0.5, 900, lambda: setattr(pop, "frozen", False))

    def _router_restarts(self, pop: SimulatedPoP, _name: str) -> None:
        pop.router.table = NOTHING

    def _router_silent(self, pop: SimulatedPoP, _name: str) -> None:
        pop.router.reachable = False
        self._lasting(0.1, 300, lambda: setattr(pop.router, "reachable", True))

    def _session_down(self, pop: SimulatedPoP, _name: str) -> None:
        pop.router.established = False
        self._lasting(0.1, 300, lambda: setattr(pop.router, "established", True))

    def _human_edits(self, pop: SimulatedPoP, _name: str) -> None:
        taken = sorted(pop.router.table, key=str)[:1]
        pop.router.table -= frozenset(taken)

    def _watchdog_killed(self, pop: SimulatedPoP, _name: str) -> None:
        pop.watchdog = LeaseKeeper()

    def _drain(self, pop: SimulatedPoP, name: str) -> None:
        if pop.agent is None or pop.frozen or pop.stopping:
            return
        expires = Timestamp(self.now.wall + self.random.uniform(10, 600))
        self.perform(pop, pop.agent.drain([name], "sim", "drill", self.now, soak_s=2, wait_s=2, expires=expires))

    def _agent_stops(self, pop: SimulatedPoP, _name: str) -> None:
        if pop.agent is None or pop.frozen or pop.stopping:
            return
        pop.stopping = True
        self.perform(pop, pop.agent.stop(self.now))

    def _heal(self) -> None:
        for pop in self.pops.values():
            pop.dead.clear()
            pop.wrong.clear()
            pop.frozen = False
            pop.router.reachable = pop.router.established = True
            self.start_agent(pop)
        self._blame_all()

    # -- invariants -----------------------------------------------------------------------------------------------

    def _carries(self, table: Announcements, made: Service) -> bool:
        return any(route.prefix in made.prefixes for route in table)

    def _check_floor(self) -> None:
        """The withdrawals of the fleet's own hand never cross the floor."""
        for made in self.fleet.services:
            gone = [pop.name for pop in self.pops.values() if made.name in pop.withdrew]
            if len(made.pops) - len(gone) < made.floor.pops:
                raise InvariantBroken(f"{made.name} was withdrawn at {gone}; its floor is {made.floor.pops}")

    def _check_apply(self, pop: SimulatedPoP, wanted: Announcements) -> None:
        """Announced only when allowed; withdrawn only on a permit that is on disk; and the log says so."""
        assert pop.agent is not None
        for made in self.fleet.services:
            was, will = self._carries(pop.router.table, made), self._carries(wanted, made)
            state = pop.agent.services[made.name]
            if was and not will:
                saved = pop.disk.state
                if saved is None or saved.permits[made.name].state is not PermitState.USED:
                    raise InvariantBroken(f"{pop.name} withdraws {made.name} without a used permit on disk")
            if will and not was and made.name not in pop.withdrew and state.condition is Condition.PENDING:
                continue  # a fail-static start beside a router that lost the route meanwhile
            if (
                will
                and not was
                and self._dead_for(pop, made) > self._bound_s(made)
                and state.permit.state.value != "none"
            ):
                raise InvariantBroken(f"{pop.name} announces {made.name}, which does not serve")
        names = {f"{route.prefix} {route.upstream}" for route in wanted}
        if wanted == pop.agent.router.wanted and pop.logged != names:
            raise InvariantBroken(f"{pop.name}: the log says {pop.logged}, the router is told {names}")

    def _blame(self, pop: SimulatedPoP) -> None:
        """Note since when nothing but the agent decides the fate of a service that does not serve."""
        for made in self.fleet.services:
            able = pop.agent is not None and not pop.frozen and not pop.stopping and pop.router.reachable
            if made.name in pop.dead and made.name not in pop.wrong and able and pop.router.established:
                if made.name not in pop.blameless_since:
                    pop.blameless_since[made.name] = self.clock
                    self._expect_withdrawal(pop, made, self.clock)
            else:
                pop.blameless_since.pop(made.name, None)

    def _blame_all(self) -> None:
        for pop in self.pops.values():
            self._blame(pop)

    def _dead_for(self, pop: SimulatedPoP, made: Service) -> float:
        return self.clock - pop.blameless_since.get(made.name, self.clock)

    def _bound_s(self, made: Service) -> float:
        """Give what a withdrawal may take: one interval, the confirmations, a reading, an apply and its retry."""
        asked = made.checks[0]
        confirmations = asked.fall * (asked.confirm_interval_s + 0.25)
        return asked.interval_s + confirmations + 2 * self.pace.reconcile_s + 2.0

    def _expect_withdrawal(self, pop: SimulatedPoP, made: Service, since: float) -> None:
        """A service that went on being dead is withdrawn within the bound, where a permit allows it."""

        def look() -> None:
            if pop.blameless_since.get(made.name) != since or pop.agent is None:
                return
            permit = pop.agent.services[made.name].permit.state
            if permit is not PermitState.NONE and self._carries(pop.router.table, made):
                raise InvariantBroken(f"{pop.name} still announces {made.name}, dead since {since:.3f}")

        self.at(self._bound_s(made), look)

    def _count_withdrawal(self, pop: SimulatedPoP, made: Service) -> None:
        """Dampening bounds the changes: two or three at once, then one per time to decay (RFC 2439)."""
        seen = pop.withdrawals.setdefault(made.name, deque())
        seen.append(self.clock)
        while seen and seen[0] < self.clock - 600:
            seen.popleft()
        if len(seen) > 3 + 600 / made.dampening.half_life_s + sum(
            self.counts[k] for k in ("_drain", "_agent_stops", "lease lapsed")
        ):
            raise InvariantBroken(f"{pop.name} withdrew {made.name} {len(seen)} times in ten minutes")

    def _check_intent(self) -> None:
        """After the faults have ended every PoP announces every service, and every permit is where it was dealt."""
        for pop in self.pops.values():
            if pop.agent is None:
                raise InvariantBroken(f"{pop.name}: no agent after peace")
            for made in self.fleet.services:
                state = pop.agent.services[made.name]
                if state.decision.stance is not Stance.ANNOUNCE:
                    raise InvariantBroken(
                        f"{pop.name} does not announce {made.name} as usual in peace: {state.decision}"
                    )
                if not self._carries(pop.router.table, made):
                    raise InvariantBroken(f"{pop.name} does not announce {made.name} in peace: {state.decision}")
                if state.permit.state is PermitState.USED:
                    raise InvariantBroken(f"{pop.name} holds a used permit of {made.name} in peace")
            if pop.router.table != pop.agent.router.wanted:
                raise InvariantBroken(f"{pop.name}: told and wanted differ in peace")


def simulate(seed: int) -> FleetSimulation:
    """Run one seed, and give the finished simulation. Raises `InvariantBroken`."""
    return FleetSimulation(seed).run()
