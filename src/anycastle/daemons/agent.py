"""The agent's process: carries out what `health.agent` commands, and hands back what came of it.

The engine decides; this shell runs checks as tasks, tells the router through one worker (so that an apply and the
reading that follows it keep their order), saves the state before the router is told, and writes events behind the
decision.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from typing import Any, Protocol

from anycastle import __version__
from anycastle.base.errors import AnycastleError, MisuseError, ParseError, WorldError
from anycastle.base.ports import FAR_FUTURE, Instant, Timestamp
from anycastle.daemons.assigned import Start, fitted, require_same_machine
from anycastle.health.agent import AgentEngine
from anycastle.health.commands import (
    Apply,
    Command,
    Finish,
    LeaseTerm,
    ReadExports,
    Record,
    RenewLeases,
    Save,
    SetAddresses,
    StartCheck,
)
from anycastle.health.reconcile import RouterView
from anycastle.health.state import AgentState
from anycastle.io import assignment_json, checks
from anycastle.io.assignment_file import Assignment
from anycastle.io.clock import now
from anycastle.io.routers.contract import RouterDriver, SessionState, SessionStatus
from anycastle.model.announcement import Announcements
from anycastle.model.check import CheckResult, Outcome
from anycastle.model.event import (
    AgentStarted,
    AgentStopped,
    Alarm,
    AnnouncementsApplied,
    AssignmentRefused,
    AssignmentTaken,
    Body,
    Event,
    SessionChanged,
)
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import Address
from anycastle.rollout.definition import Definitions

LAST_COMMANDS_S = 1.0
"""How long a leaving agent waits for what the engine commanded last; a router that hangs is not waited for."""


_ROUTINE = (StartCheck, ReadExports, RenewLeases)
"""Commands that change nothing of what is told."""


class StateStore(Protocol):
    """Where the agent's state outlives it."""

    def load(self) -> AgentState | None:
        """Give the saved state, or None."""
        ...

    def save(self, state: AgentState) -> None:
        """Return once the state is durable."""
        ...


class AssignmentStore(Protocol):
    """Where the assignment outlives the agent."""

    def save(self, octets: bytes, taken: Timestamp) -> None:
        """Return once the assignment is durable. Raises `WorldError`; the one before then stands."""
        ...


class Addresses(Protocol):
    """Where the anycast addresses live."""

    def adopt(self, more: Iterable[Address]) -> None:
        """Count more addresses as the fleet's."""
        ...

    async def set(self, wanted: frozenset[Address]) -> None:
        """Have exactly these of the fleet's addresses."""
        ...


class Watchdog(Protocol):
    """The process that ends the agent's leases."""

    def renew(self, terms: tuple[LeaseTerm, ...]) -> None:
        """Tell it that the agent lives, and its terms."""
        ...

    async def discharge(self, terms: tuple[LeaseTerm, ...]) -> None:
        """Tell it that the agent stops in good order, and what it is to end after that."""
        ...

    def keeps(self, service: str) -> bool:
        """Tell whether it is sure to end nothing of a service, by what it has acknowledged."""
        ...

    @property
    def problem(self) -> str | None:
        """Why it does not watch; None while it does."""
        ...


class AgentDaemon:
    """Runs one PoP's engine in the world that it is given."""

    def __init__(
        self,
        fleet: Fleet,
        pop: str,
        driver: RouterDriver,
        *,
        record: Callable[[Event], None],
        store: StateStore | None = None,
        assignments: AssignmentStore | None = None,
        start: Start | None = None,
        addresses: Addresses | None = None,
        watchdog: Watchdog | None = None,
        observe_only: bool = False,
        random: Random | None = None,
    ) -> None:
        saved = store.load() if store is not None else None
        self.pop = pop
        self.driver = driver
        self.watchdog = watchdog
        self.observe_only = observe_only
        self.recovered = saved is not None
        self.assignment: Assignment | None = start.assignment if start is not None else None
        """What the agent lives by; None where that is its files."""
        self.answers: Counter[Outcome] = Counter()
        self.sessions: tuple[SessionStatus, ...] = ()
        self.engine = AgentEngine(fleet, pop, saved or AgentState(), random or Random(), now())
        self._record = record
        self._store = store
        self._assignments = assignments
        self._start = start
        self._unsaved: AgentState | None = None
        self._definitions: tuple[Fleet | None, dict[str, dict[str, str]]] = None, {}
        self._addresses = addresses
        self._router_queue: asyncio.Queue[Apply | ReadExports | SetAddresses] = asyncio.Queue(maxsize=64)
        self._runners: dict[str, checks.Run] = {}
        self._tasks: set[asyncio.Task[CheckResult]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._finish: asyncio.Future[Finish] | None = None
        self._disk_unsure = False
        """Which assignment is on disk is not known: the last save failed."""
        self.on_change: Callable[[], None] | None = None
        """Called after each batch of commands that may have changed what others are told of the agent."""
        self.link: dict[str, Any] | None = None
        """How it stands with controllers, for the status; None where none is configured."""

    # -- life -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve until `stop` has led to the engine's `Finish`."""
        self._finish = asyncio.get_running_loop().create_future()
        self.record(AgentStarted(__version__, self.recovered, self.observe_only))
        self._tell_start()
        await self._reach_router()
        worker = asyncio.create_task(self._drive_router())
        worker.add_done_callback(self._worker_ended)
        try:
            self._wake()
            finish = await self._finish
            await asyncio.wait({asyncio.ensure_future(self._router_queue.join())}, timeout=LAST_COMMANDS_S)
        finally:
            worker.cancel()
            if self._timer is not None:
                self._timer.cancel()
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(worker, *self._tasks, return_exceptions=True)
        await self._leave(finish)

    def _tell_start(self) -> None:
        if self.assignment is not None:
            self.record(AssignmentTaken(self.assignment.digest, "disk", tuple(self.engine.services)))
        if self._start is not None and self._start.trouble is not None:
            self.record(Alarm("fleet-files", self.pop, self._start.trouble))

    async def _reach_router(self) -> None:
        """Say what is wrong with the router at the start; the reconciliation goes on trying."""
        try:
            await self.driver.start()
        except WorldError as error:
            self.record(Alarm("router-start", self.pop, str(error)))

    async def _leave(self, finish: Finish) -> None:
        if self.watchdog is not None and self.engine.booted:  # else an earlier agent's terms go on
            await self.watchdog.discharge(finish.terms)
        try:
            if not finish.hold:
                await self.driver.shut(finish.text)
            await self.driver.close()
        except WorldError as error:
            self.record(Alarm("router-close", self.pop, str(error)))
        self.record(AgentStopped(finish.text))

    def _worker_ended(self, worker: asyncio.Task[None]) -> None:
        error = None if worker.cancelled() else worker.exception()
        if error is not None and self._finish is not None and not self._finish.done():
            self._finish.set_exception(error)

    # -- what others ask ------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Begin to leave in good order."""
        self.perform(self.engine.stop(now()))

    def reload(self, fleet: Fleet) -> None:
        """Take a changed fleet. Raises `MisuseError` where that needs a restart, and changes nothing."""
        if self.assignment is not None:
            raise MisuseError(
                f"the agent lives by its assignment {self.assignment.digest}; of the files it takes ASN, router and "
                "upstreams alone, when it starts"
            )
        require_same_machine(fleet, self.engine.fleet, self.pop)
        self._adopt(fleet)
        self.perform(self.engine.reload(fleet, now()))

    def assign(self, octets: bytes) -> None:
        """Live by a controller's assignment, which is on disk before anything follows from it.

        Raises `MisuseError` where it is refused: nothing has changed then, also on disk. The one that the agent lives
        by already changes nothing.
        """
        digest = assignment_json.digest(octets)
        if self.assignment is not None and self.assignment.digest == digest and not self._disk_unsure:
            return
        try:
            self._take(octets, digest)
        except (ParseError, MisuseError, WorldError) as error:
            self.record(AssignmentRefused(digest, str(error)))
            if self.on_change is not None:
                self.on_change()  # the permits that it lacks are wanted now
            raise MisuseError(str(error)) from error
        self.record(AssignmentTaken(digest, "controller", tuple(self.engine.services)))

    def _take(self, octets: bytes, digest: str) -> None:
        told = assignment_json.decode(octets)
        fleet = fitted(told, self.engine.fleet, self.pop)
        at = now()  # one instant for the question and the deed: nothing that the engine knows changes between them
        self.engine.want_permits(fleet, at)
        self.engine.require_takeable(fleet, at)
        self._require_durable()  # the term of the controller that says so, above all
        if self._assignments is not None:
            self._disk_unsure = True  # a save that fails may have put the new one in place all the same
            self._assignments.save(octets, at.wall)
            self._disk_unsure = False
        self.assignment = Assignment(told, digest, at.wall)
        self._adopt(fleet)
        self.perform(self.engine.reload(fleet, at))

    def _adopt(self, fleet: Fleet) -> None:
        if self._addresses is not None:
            self._addresses.adopt(managed_addresses(fleet))

    @property
    def definitions(self) -> Mapping[str, Mapping[str, str]]:
        """Give the digests of what each service is here beside its routes; worked out once for each fleet."""
        fleet, digests = self._definitions
        if fleet is not self.engine.fleet:
            known = Definitions()
            services = self.engine.fleet.services_at(self.pop)
            digests = {service.name: known.at(service, self.engine.pop) for service in services}
            self._definitions = self.engine.fleet, digests
        return digests

    def perform(self, commands: list[Command]) -> None:
        """Carry commands out in their order, and set the timer for what is next."""
        for command in commands:
            self._carry_out(command)
        self._set_timer()
        if self.on_change is not None and not all(isinstance(each, _ROUTINE) for each in commands):
            self.on_change()

    def is_durable(self) -> bool:
        """Tell whether the engine's state is on disk, after one more try where it was not."""
        try:
            self._require_durable()
        except WorldError:
            return False
        return True

    def record(self, body: Body) -> None:
        """Put a fact into the log."""
        self._record(Event(now().wall, self.pop, body))

    def problems(self) -> list[str]:
        """Give what keeps the agent from being ready, each as a sentence."""
        found = []
        if not self.engine.booted:
            found.append("the router's exports have not been read yet")
        if self.engine.router.problem is not None:
            found.append(self.engine.router.problem)
        if self.watchdog is not None and self.watchdog.problem is not None:
            found.append(self.watchdog.problem)
        return found

    @property
    def link_problem(self) -> str | None:
        """Why no controller is in reach, or what is wrong beside it. The agent serves on without: it is ready."""
        return None if self.link is None else self.link["problem"]

    # -- commands -------------------------------------------------------------------------------------------------

    def _carry_out(self, command: Command) -> None:
        match command:
            case StartCheck():
                self._start_check(command)
            case Record(body):
                if not (self.observe_only and isinstance(body, AnnouncementsApplied)):
                    self.record(body)
            case Save(state):
                self._save(state)
            case Apply() | ReadExports() | SetAddresses():
                self._router_queue.put_nowait(command)
            case RenewLeases(terms):
                if self.watchdog is not None:
                    self.watchdog.renew(terms)
            case Finish():
                if self._finish is not None and not self._finish.done():
                    self._finish.set_result(command)

    def _start_check(self, command: StartCheck) -> None:
        check = command.check
        try:
            run = self._runners.get(check.target.kind) or checks.runner(check.target.kind)
        except ImportError as error:
            result = CheckResult(Outcome.UNKNOWN, 0.0, f"this check needs a package that is not there: {error.name}")
            asyncio.get_running_loop().call_soon(self._answered, command.number, result)
            return
        self._runners[check.target.kind] = run
        task: asyncio.Task[CheckResult] = asyncio.ensure_future(run(check.target, check.timeout_s))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._check_done(command.number, done))

    def _check_done(self, number: int, task: asyncio.Task[CheckResult]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        result = (
            task.result() if error is None else CheckResult(Outcome.UNKNOWN, 0.0, f"the check itself broke: {error!r}")
        )
        self._answered(number, result)

    def _answered(self, number: int, result: CheckResult) -> None:
        self.answers[result.outcome] += 1
        self._step(lambda: self.engine.check_finished(number, result, now()))

    def _save(self, state: AgentState) -> None:
        self._unsaved = state
        try:
            self._require_durable()
        except WorldError as error:
            self.record(Alarm("state-not-durable", self.pop, str(error)))

    def _require_durable(self) -> None:
        """Save what is not saved yet. Raises `WorldError`: nothing may be done that stands on it."""
        if self._unsaved is not None and self._store is not None:
            self._store.save(self._unsaved)
        self._unsaved = None

    async def _set_addresses(self, addresses: frozenset[Address]) -> None:
        if self._addresses is None or self.observe_only:
            return
        try:
            await self._addresses.set(addresses)
        except WorldError as error:
            self.record(Alarm("addresses", self.pop, str(error)))

    # -- the router -----------------------------------------------------------------------------------------------

    async def _drive_router(self) -> None:
        while True:
            match await self._router_queue.get():
                case Apply(wanted):
                    await self._apply(wanted)
                case ReadExports():
                    await self._read_exports()
                case SetAddresses(addresses):
                    await self._set_addresses(addresses)
            self._router_queue.task_done()

    async def _apply(self, wanted: Announcements) -> None:
        error: str | None = None
        try:
            self._require_durable()
            if not self.observe_only:
                await self.driver.apply(wanted)
        except AnycastleError as failure:
            error = str(failure)
        self.perform(self.engine.applied(error, now()))

    async def _read_exports(self) -> None:
        try:
            self._note_sessions(await self.driver.sessions())
            exported, configured = await self.driver.exported(), await self.driver.configured()
        except AnycastleError as error:
            self.perform(self.engine.exports_unreadable(str(error)))
            return
        established = frozenset(
            (session.upstream, family)
            for session in self.sessions
            if session.state is SessionState.ESTABLISHED
            for family in session.families
        )
        before = self.engine.router.exports
        self.perform(self.engine.exports_read(RouterView(exported, configured, established), now()))
        if self.engine.router.exports != before and self.on_change is not None:
            self.on_change()  # a session that went takes exports with it, and nothing is commanded for that

    def _note_sessions(self, sessions: tuple[SessionStatus, ...]) -> None:
        """Record which sessions came or went, and a graceful restart that would keep a dead PoP's routes alive."""
        before = {(session.upstream, session.neighbour): session.state for session in self.sessions}
        self.sessions = sessions
        for session in sessions:
            key = session.upstream, session.neighbour
            if before.get(key) is session.state:
                continue
            neighbour = str(session.neighbour)
            self.record(SessionChanged(session.upstream, neighbour, session.state.value, session.detail))
            if session.graceful_restart and not self.engine.pop.upstream(session.upstream).bfd:
                text = "graceful restart without BFD: the routes of a PoP that dies silently stay for the restart time"
                self.record(Alarm("graceful-restart-without-bfd", f"{session.upstream} {neighbour}", text))

    # -- time -----------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        self._timer = None
        self._step(lambda: self.engine.wake(now()))

    def _step(self, decide: Callable[[], list[Command]]) -> None:
        """Let the engine decide, and carry it out; what breaks on the way ends the agent, for its leases to end."""
        try:
            self.perform(decide())
        except Exception as error:
            if self._finish is not None and not self._finish.done():
                self._finish.set_exception(error)
            raise

    def _set_timer(self) -> None:
        deadline: Instant = self.engine.deadline
        if self._timer is not None:
            if self._timer.when() <= deadline:
                return  # it fires early, finds nothing due and is set anew: cheaper than a timer per check
            self._timer.cancel()
            self._timer = None
        if deadline != FAR_FUTURE and self._finish is not None and not self._finish.done():
            self._timer = asyncio.get_running_loop().call_at(deadline, self._wake)


def managed_addresses(fleet: Fleet) -> Iterator[Address]:
    """Give the addresses that an agent adds and removes."""
    return (address for service in fleet.services if service.manage_addresses for address in service.addresses)


def status(daemon: AgentDaemon) -> dict[str, Any]:
    """Give all that an operator may want to know of an agent, as plain values."""
    from anycastle.io.announcement_json import plain

    engine = daemon.engine
    return {
        "pop": daemon.pop,
        "at": now().wall,
        "region": engine.pop.region,
        "capacity": engine.pop.capacity,
        "version": __version__,
        "observe_only": daemon.observe_only,
        "assignment": None
        if daemon.assignment is None
        else {"digest": daemon.assignment.digest, "taken": daemon.assignment.taken},
        "booted": engine.booted,
        "ready": not daemon.problems(),
        "problems": daemon.problems(),
        "services": [service_status(daemon, name) for name in engine.services],
        "settled": engine.router.obeyed,
        "wanted": plain(engine.router.wanted),
        "exported": plain(engine.router.exports),
        "sessions": [
            {
                "upstream": session.upstream,
                "neighbour": str(session.neighbour),
                "state": session.state.value,
                "families": sorted(str(family) for family in session.families),
                "detail": session.detail,
                "graceful_restart": session.graceful_restart,
            }
            for session in daemon.sessions
        ],
        "controller": daemon.link,
    }


def service_status(daemon: AgentDaemon, name: str) -> dict[str, Any]:
    """Give what of the status is about one service."""
    state = daemon.engine.services[name]
    drain = state.drain
    return {
        "name": name,
        "prefixes": [str(prefix) for prefix in state.service.prefixes],
        "floor": {"pops": state.service.floor.pops, "capacity": state.service.floor.capacity},
        "definitions": daemon.definitions[name],
        "stance": state.decision.stance.value,
        "reason": state.decision.reason,
        "condition": state.condition.value,
        "permit": state.permit.state.value,
        "suppressed": state.flap.suppressed,
        "drain": None
        if drain is None
        else {"step": drain.step.value, "owner": drain.owner, "reason": drain.reason, "expires": drain.expires},
        "checks": [
            {
                "name": tracker.check.name,
                "verdict": tracker.verdict.value,
                "evidence": tracker.evidence,
                "severity": tracker.check.severity.value,
                "late": tracker.late,
                "unknown": tracker.unknowns,
            }
            for tracker in state.trackers
        ],
    }
