"""One PoP: its agent's engine in a simulated process, beside a disk, a router and a watchdog.

`perform` carries commands out as the daemon does: what is saved is durable before what follows; a process can end
between any two commands. What is told to controllers goes through `Session`s.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from anycastle.base.errors import MisuseError
from anycastle.base.ports import FAR_FUTURE, Instant, Now
from anycastle.daemons.assigned import fitted
from anycastle.health.agent import AgentEngine
from anycastle.health.commands import Apply, Command, Finish, ReadExports, Record, RenewLeases, Save, StartCheck
from anycastle.health.decider import Pace
from anycastle.health.lease import LeaseKeeper
from anycastle.health.permits import Permit
from anycastle.health.reconcile import RouterView
from anycastle.health.state import AgentState
from anycastle.health.verdict import Verdict
from anycastle.model.announcement import NOTHING, Announcements
from anycastle.model.check import CheckResult, Outcome
from anycastle.model.event import (
    AnnouncementsApplied,
    AnnouncementsFound,
    Body,
    DrainChanged,
    PermitChanged,
    StanceChanged,
    WithdrawalRefused,
)
from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitReport, PermitState
from anycastle.model.pop import PoP
from anycastle.model.prefix import Prefix
from anycastle.model.service import Service
from anycastle.model.stance import Stance
from anycastle.rollout.definition import Definitions
from anycastle.rollout.kept import AgentOrder
from anycastle.rollout.live import PoPReport, ServiceReport
from anycastle.rollout.orders import AgentOrderKind
from anycastle.session.link_orders import Answer, OrderBook
from tests.simulation.whole.clockwork import Clockwork
from tests.simulation.whole.drawing import WRONG

ROUTINE = (StartCheck, ReadExports, RenewLeases)
"""Commands after which the daemon tells controllers nothing."""

TOLD = (StanceChanged, WithdrawalRefused, PermitChanged, DrainChanged)
"""Events that a timeline shows."""

GONE_MAX = 1000


class Watcher(Protocol):
    """Who is told what happens at PoPs, and checks it."""

    def noted(self, where: str, what: str) -> None:
        """Take a line for the timeline."""
        ...

    def permits_moved(self, place: "Place") -> None:
        """Take that a permit is another one, in memory or on disk."""
        ...

    def will_apply(self, place: "Place", wanted: Announcements) -> None:
        """Take what the agent is about to tell its router."""
        ...

    def table_set(self, place: "Place", before: Announcements) -> None:
        """Take that agent or watchdog changed the router's table."""
        ...

    def services_changed(self, place: "Place", before: Sequence[Service]) -> None:
        """Take that the agent lives by another fleet."""
        ...


@dataclass
class Disk:
    """What survives a crash: only what was saved whole."""

    state: AgentState = field(default_factory=AgentState)
    assignment: tuple[str, Fleet] | None = None
    orders: tuple[Answer, ...] = ()
    full: bool = False


@dataclass
class Status:
    """What an agent says of itself beside its permits."""

    assignment: str | None
    report: PoPReport
    unsettled: str | None
    indicators: dict[str, float]

    def says_the_same_as(self, other: "Status") -> bool:
        """Compare all but the time."""
        one, two = self.report, other.report
        return (self.assignment, self.unsettled, self.indicators) == (
            other.assignment, other.unsettled, other.indicators,
        ) and (one.exported, one.wanted, one.services, one.established, one.booted) == (
            two.exported, two.wanted, two.services, two.established, two.booted,
        )  # fmt: skip


class Place:
    """A PoP."""

    def __init__(self, world: Clockwork, watcher: Watcher, machine: Fleet, name: str, pace: Pace) -> None:
        self.name = name
        self.world = world
        self.watcher = watcher
        self.machine = machine
        """What its own files say: ASN, router, upstreams."""
        self.pop: PoP = machine.pop(name)
        self.pace = pace
        self.disk = Disk()
        self.agent: AgentEngine | None = None
        self.assignment: str | None = None
        """The digest of what the agent lives by; None where that is its files."""
        self.incarnation = 0
        self.wall_offset_s = 0.0
        self.frozen = self.stopping = False
        self.dies_after: int | None = None
        """After how many commands more the agent's process ends."""
        self.table: Announcements = NOTHING
        self.reachable = True
        self.down: set[str] = set()
        """Upstreams without a session."""
        self.watchdog = LeaseKeeper()
        self.dead: set[str] = set()
        self.wrong: dict[str, Outcome] = {}
        self.logged: set[str] = set()
        """What the log says is announced: a fold over its events."""
        self.orders = OrderBook()
        self.told_refused: dict[str, str] = {}
        self.refusal = ""
        """Why the last assignment that came was refused; empty where it was taken."""
        self.gone: dict[str, PermitReport] = {}
        self.on_change = lambda: None
        self._unsaved: AgentState | None = None
        self._armed = FAR_FUTURE
        self._watchdog_armed = FAR_FUTURE
        self._view: RouterView | None = None
        self._viewed: Announcements = NOTHING
        self._permits: tuple[tuple[Permit, ...], AgentState] | None = None
        self._definitions: tuple[Fleet | None, dict[str, dict[str, str]]] = None, {}

    def now(self) -> Now:
        return self.world.now(self.wall_offset_s)

    # -- the process ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        if self.agent is not None:
            return
        self.incarnation += 1
        self._armed = FAR_FUTURE
        self.frozen = self.stopping = False
        self.dies_after = self._unsaved = None
        fleet = self.machine
        self.assignment = None
        if self.disk.assignment is not None:
            self.assignment, told = self.disk.assignment
            fleet = fitted(told, self.machine, self.name)
        self.orders = OrderBook(self.disk.orders)
        self.agent = AgentEngine(fleet, self.name, self.disk.state, self.world.random, self.now(), self.pace)
        self.watcher.noted(self.name, f"the agent starts, by {self.assignment or 'its files'}")
        self.watcher.services_changed(self, ())
        self._permits = None
        self._watch_permits()
        self._arm()

    def crash(self, why: str = "the agent's process ends") -> None:
        if self.agent is not None:
            self.watcher.noted(self.name, why)
        self.agent = None
        self.incarnation += 1
        self._watch_permits()
        self.on_change()

    def _arm(self) -> None:
        if self.agent is None:
            return
        due = self.agent.deadline
        if due < self._armed:
            self._armed = due = max(self.world.clock, due)
            self.world.at(due - self.world.clock, self._wake, due)

    def _wake(self, due: float) -> None:
        if self._armed != due or self.agent is None:
            return
        if self.frozen:
            self._armed = self.world.clock + 1.0
            self.world.at(1.0, self._wake, self._armed)
            return
        self._armed = FAR_FUTURE
        self.perform(self.agent.wake(self.now()))

    def perform(self, commands: Sequence[Command]) -> None:
        """Carry commands out, up to where the process ends."""
        telling = False
        for command in commands:
            if self.dies_after is not None:
                if self.dies_after == 0:
                    self.crash("the agent's process ends between two commands")
                    return
                self.dies_after -= 1
            kind = type(command)
            telling = telling or kind not in ROUTINE
            if kind is StartCheck:
                self._ask(command)  # type: ignore[arg-type]
            elif kind is ReadExports:
                self._later(0.001, 0.02, self._read)
            elif kind is RenewLeases:
                self.watchdog.renew(command.terms, Instant(self.world.clock))  # type: ignore[union-attr]
                self._arm_watchdog()
            else:
                self._carry_out(command)
                if self.agent is None:
                    return
        self._arm()
        if telling:
            self._watch_permits()
            self.on_change()

    def _carry_out(self, command: Command) -> None:
        match command:
            case Save(state):
                self._unsaved = state
                self._durable()
            case Apply(wanted):
                self._later(0.001, 0.05, self._apply, wanted)
            case Record(body):
                self._record(body)
            case Finish(terms=terms):
                self.watchdog.renew(terms, Instant(self.world.clock))
                self._arm_watchdog()
                self.crash("the agent has stopped")
                self.world.at(self.world.random.uniform(1, 60), self.start)
            case _:
                pass

    @property
    def owes_disk(self) -> bool:
        """Something is not on disk yet: it is looked after until it is."""
        return self._unsaved is not None

    def _durable(self) -> bool:
        """Put on disk what is not; tell whether that is all."""
        if self._unsaved is not None:
            if self.disk.full:
                return False
            self.disk.state, self._unsaved = self._unsaved, None
            self._watch_permits()
        return True

    def _record(self, body: Body) -> None:
        if isinstance(body, AnnouncementsFound):
            self.logged = set(body.announced)
        elif isinstance(body, AnnouncementsApplied):
            self.logged = (self.logged | set(body.announced)) - set(body.withdrawn)
        elif isinstance(body, TOLD):
            self.watcher.noted(self.name, _words(body))

    def _watch_permits(self) -> None:
        agent = self.agent
        permits = () if agent is None else tuple([state.permit for state in agent.services.values()])
        if self._permits is None or self._permits[0] != permits or self._permits[1] is not self.disk.state:
            self._permits = permits, self.disk.state
            self.watcher.permits_moved(self)

    def _later(self, low: float, high: float, action: object, *arguments: object) -> None:
        delay = low + (high - low) * self.world.random.random()
        self.world.at(delay, self._when_awake, self.incarnation, action, arguments)

    def _when_awake(self, incarnation: int, action: object, arguments: tuple[object, ...]) -> None:
        if self.agent is None or self.incarnation != incarnation:
            return
        if self.frozen:
            self.world.at(1.0, self._when_awake, incarnation, action, arguments)
            return
        action(*arguments)  # type: ignore[operator]

    # -- checks, router, watchdog -----------------------------------------------------------------------------------

    def _ask(self, command: StartCheck) -> None:
        name = command.check.name
        if name.startswith(WRONG):
            outcome = Outcome.FAIL
        else:
            service = f"service{name[5:]}" if name.startswith("check") else ""
            truth = Outcome.FAIL if service in self.dead else Outcome.PASS
            outcome = self.wrong.get(service, truth)
        delay = 0.001 + 0.2 * self.world.random.random()
        self.world.at(delay, self._answered, self.incarnation, command.number, outcome)

    def _answered(self, incarnation: int, number: int, outcome: Outcome) -> None:
        if self.agent is None or self.incarnation != incarnation:
            return
        if self.frozen:
            self.world.at(1.0, self._answered, incarnation, number, outcome)
            return
        self.perform(self.agent.check_finished(number, _RESULTS[outcome], self.now()))

    def _apply(self, wanted: Announcements) -> None:
        assert self.agent is not None
        error = None if self.reachable else "the router does not answer"
        if not self._durable():
            error = "no space left on device"
        if error is None:
            self.watcher.will_apply(self, wanted)
            self.set_table(wanted)
        self.perform(self.agent.applied(error, self.now()))

    def set_table(self, table: Announcements) -> None:
        """Change the table by the hand of the agent or the watchdog."""
        before, self.table = self.table, table
        self.watcher.table_set(self, before)

    def look(self) -> RouterView:
        """Give what the router says; the same object while nothing has changed."""
        if self._view is None or self._viewed is not self.table:
            up = [upstream.name for upstream in self.pop.upstreams if upstream.name not in self.down]
            exports = frozenset(route for route in self.table if route.upstream in up) if self.down else self.table
            families = {prefix.family for prefix in (route.prefix for route in self.table)}
            established = frozenset((name, family) for name in up for family in families)
            self._viewed, self._view = self.table, RouterView(exports, self.table, established)
        return self._view

    def sessions_changed(self) -> None:
        self._view = None

    def _read(self) -> None:
        assert self.agent is not None
        if self.reachable:
            before = self.agent.router.exports
            self.perform(self.agent.exports_read(self.look(), self.now()))
            if self.agent is not None and self.agent.router.exports is not before:
                self.on_change()
        else:
            self.perform(self.agent.exports_unreadable("the router does not answer"))

    def _arm_watchdog(self) -> None:
        deadline = self.watchdog.deadline
        if deadline < self._watchdog_armed or self._watchdog_armed <= self.world.clock:
            self._watchdog_armed = deadline
            if deadline != FAR_FUTURE:
                self.world.at(max(0.0, deadline - self.world.clock), self._wake_watchdog, deadline)

    def _wake_watchdog(self, due: float) -> None:
        if self._watchdog_armed != due:
            return
        self._watchdog_armed = FAR_FUTURE
        lapses, _ = self.watchdog.wake(Instant(self.world.clock))
        if lapses and self.reachable:
            self.watcher.noted(self.name, f"the watchdog ends {', '.join(lapse.service for lapse in lapses)}")
            self.set_table(self.watchdog.remaining(self.table))
        self._arm_watchdog()

    # -- what controllers say -----------------------------------------------------------------------------------------

    def assign(self, digest: str, told: Fleet) -> str | None:
        """Live by an assignment, as the daemon takes it; give why not where it is refused."""
        agent = self.agent
        assert agent is not None
        if self.assignment == digest:
            return None
        at = self.now()
        try:
            fleet = fitted(told, agent.fleet, self.name)
            agent.want_permits(fleet, at)
            agent.require_takeable(fleet, at)
            self._require_space()
        except MisuseError as error:
            self.refusal = str(error)
            self.watcher.noted(self.name, f"refuses {digest[:8]}: {error}")
            self._arm()
            self.on_change()
            return str(error)
        self.refusal = ""
        self.disk.assignment = digest, told
        if self.dies_after == 0:
            self.crash("the agent's process ends with an assignment on disk that it has not taken")
            return None
        before = [state.service for state in agent.services.values()]
        self.assignment = digest
        commands = agent.reload(fleet, at)
        self.watcher.noted(self.name, f"lives by {digest[:8]}")
        self._permits = None
        self.watcher.services_changed(self, before)
        self.perform(commands)
        if self.agent is not None:
            self._watch_permits()
            self.on_change()
        return None

    def _require_space(self) -> None:
        if not self._durable() or self.disk.full:
            raise MisuseError("no space left on device")

    def command_permit(self, service: str, epoch: int, *, granted: bool) -> None:
        agent = self.agent
        assert agent is not None
        take = agent.permit_granted if granted else agent.permit_revoked
        try:
            self.perform(take(service, epoch, self.now()))
        except MisuseError:
            self.gone.pop(service, None)
            self.gone[service] = PermitReport(service, PermitState.NONE, epoch, exported=False)
        self.on_change()

    def carry_out(self, order: AgentOrder) -> tuple[int, str | None] | None:
        """Do what is ordered, once; give the answer."""
        agent, number = self.agent, str(order.number)
        assert agent is not None
        known = self.orders.answer(number)
        if known is not None:
            return (order.number, known.refusal) if known.done else None
        self.orders.begin(number)
        self.disk.orders = self.orders.saved()
        refusal = None
        try:
            if order.kind is AgentOrderKind.DRAIN:
                commands = agent.drain(
                    order.services, order.who, order.reason, self.now(),
                    soak_s=order.soak_s, wait_s=order.wait_s, expires=order.expires,
                )  # fmt: skip
            else:
                commands = agent.undrain(order.services, order.who, order.reason, self.now())
            self.perform(commands)
        except MisuseError as error:
            refusal = str(error)
        if self.agent is None:
            return None
        self.orders.end(number, refusal)
        self.disk.orders = self.orders.saved()
        return order.number, refusal

    # -- what controllers hear ----------------------------------------------------------------------------------------

    def permit_reports(self) -> list[PermitReport]:
        """Give the reports that nothing can belie any more."""
        assert self.agent is not None
        reports = self.agent.permit_reports()
        served = {report.service for report in reports}
        self.gone = {name: report for name, report in self.gone.items() if name not in served}
        sure = reports if self._durable() else [each for each in reports if each.state is not PermitState.NONE]
        return [*sure, *self.gone.values()]

    def status(self) -> Status:
        agent = self.agent
        assert agent is not None
        router = agent.router
        definitions = self._digests(agent)
        services = {
            name: ServiceReport(
                name, state.decision.stance, state.decision.reason, state.permit.state, state.drain_step, "",
                state.service.prefixes, state.service.floor, definitions[name],
            )
            for name, state in agent.services.items()
        }  # fmt: skip
        established = self.look().established
        report = PoPReport(
            self.name, router.exports, router.wanted, services, established, self.now().wall, agent.pop.region,
            agent.pop.capacity, agent.booted,
        )  # fmt: skip
        trackers = [tracker for state in agent.services.values() for tracker in state.trackers]
        indicators: dict[str, float] = {"sessions_up_share": 1.0 - len(self.down) / len(self.pop.upstreams)}
        if services:
            announced = sum(each.stance is Stance.ANNOUNCE for each in services.values())
            indicators["announced_share"] = announced / len(services)
        if trackers:
            healthy = sum(tracker.verdict is Verdict.HEALTHY for tracker in trackers)
            indicators["healthy_checks_share"] = healthy / len(trackers)
        return Status(self.assignment, report, self._unsettled(agent, report), indicators)

    def _digests(self, agent: AgentEngine) -> dict[str, dict[str, str]]:
        if self._definitions[0] is not agent.fleet:
            known = Definitions()
            made = {name: known.at(state.service, agent.pop) for name, state in agent.services.items()}
            self._definitions = agent.fleet, made
        return self._definitions[1]

    def _unsettled(self, agent: AgentEngine, report: PoPReport) -> str | None:
        if not report.booted:
            return "its router was not read yet"
        expected = {route for route in report.wanted if (route.upstream, route.prefix.family) in report.established}
        if not expected <= report.exported:
            return "not announced as wanted"
        return None if agent.router.obeyed else "its router is being told"

    def carries(self, prefixes: Sequence[Prefix]) -> bool:
        return any(route.prefix in prefixes for route in self.table)


_RESULTS = {outcome: CheckResult(outcome, 0.001, outcome.value) for outcome in Outcome}


def _words(body: Body) -> str:
    match body:
        case StanceChanged(service, stance, reason):
            return f"{service}: {stance}: {reason}"
        case WithdrawalRefused(service, reason):
            return f"{service}: not withdrawn: {reason}"
        case PermitChanged(service, change, epoch):
            return f"{service}: permit {change} ({epoch})"
        case DrainChanged(service, step):
            return f"{service}: drain {step}"
        case _:
            return str(body)
