"""A controller's leadership over a simulated database: what `daemons.leadership` does, on a virtual clock.

Batches are carried out one after another: a commit takes its time and is durable before what follows is sent, and
before whoever ordered is answered. A process ends anywhere in between.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from anycastle.base.ports import FAR_FUTURE, Now
from anycastle.model.event import Body
from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitReport
from anycastle.rollout.commands import Assign, Command, Commit, Tell
from anycastle.rollout.controller import ControllerEngine
from anycastle.rollout.desired import Desired
from anycastle.rollout.gates import Reading
from anycastle.rollout.kept import AgentOrder, Document, Kept
from anycastle.rollout.orders import Order
from anycastle.rollout.permits import Grant, Revoke
from tests.simulation.whole.clockwork import Clockwork
from tests.simulation.whole.composing import CachingComposer, Compositions
from tests.simulation.whole.network import Stream
from tests.simulation.whole.place import Place, Status
from tests.unit.rollout.controller_world import kept_of

READ_S = 1.0
"""How often gates' indicators are read while a rollout is open."""


class Superseded(Exception):
    """The database knows a higher term."""


@dataclass
class Database:
    """What controllers share. A commit is whole or not at all, and only the last term may write."""

    documents: dict[str, Document] = field(default_factory=dict)
    log: list[Body] = field(default_factory=list)
    folders: dict[str, Fleet] = field(default_factory=dict)
    term: int = 0

    def commit(self, term: int, documents: Mapping[str, Document | None], events: list[Body]) -> None:
        if term != self.term:
            raise Superseded
        for key, part in documents.items():
            if part is None:
                self.documents.pop(key, None)
            else:
                self.documents[key] = part
        self.log += events

    def copy(self) -> "Database":
        return Database(dict(self.documents), list(self.log), dict(self.folders), self.term)


@dataclass(eq=False)
class Session:
    """A session, as both sides see it."""

    number: int
    place: Place
    leader: "Leader"
    up: Stream = field(init=False)
    down: Stream = field(init=False)
    agent_holds: bool = True
    leader_holds: bool = True
    welcome: bool = False
    """The agent was welcomed, and says what changes."""
    joined: bool = False
    """The controller heard its first words."""
    told_permits: dict[str, PermitReport] = field(default_factory=dict)
    told: Status | None = None
    telling: bool = False


@dataclass
class Batch:
    commands: list[Command]
    kept: Kept
    done: Callable[[], None] | None = None


class Leader:
    """One controller's process that leads, or believes so."""

    def __init__(
        self, world: Clockwork, database: Database, term: int, compositions: Compositions, watcher: "LeaderWatcher",
        wall_offset_s: float, read_s: float = READ_S,
    ) -> None:  # fmt: skip
        self.world = world
        self.database = database
        self.term = term
        self.watcher = watcher
        self.wall_offset_s = wall_offset_s
        self.read_s = read_s
        self.alive = True
        self.dies_after: int | None = None
        self.slow = False
        """The database answers late."""
        kept = kept_of(database.documents)
        self.composer = CachingComposer(compositions)
        for revision in sorted(kept.revisions):
            if revision in database.folders:
                self.composer.add(revision, database.folders[revision])
        self.engine = ControllerEngine(kept, self.composer, self.now())
        self.durable = kept
        self.sessions: dict[str, Session] = {}
        self.statuses: dict[str, Status] = {}
        self._batches: deque[Batch] = deque()
        self._working = False
        self._armed = FAR_FUTURE
        self._reading = False
        self._desired: Desired | None = None

    def begin(self) -> None:
        """Do what follows from what was stored."""
        self._followed()

    def now(self) -> Now:
        return self.world.now(self.wall_offset_s)

    def end(self) -> None:
        self.alive = False
        self._batches.clear()
        self.watcher.leader_ended(self)

    # -- inputs -----------------------------------------------------------------------------------------------------

    def order(self, order: Order, who: str, done: Callable[[int], None]) -> None:
        """Take an order. Raises `MisuseError`; calls `done` with its number once it is durable."""
        number, commands = self.engine.order(order, who, self.now())
        self._give(commands, lambda: done(number))

    def joined(self, session: Session, digest: str | None, permits: list[PermitReport]) -> None:
        pop = session.place.name
        before = self.sessions.get(pop)
        if before is not None:
            self.left(before)
        session.joined = True
        self.sessions[pop] = session
        unsettled = "its state is not told yet"
        self._give(self.engine.agent_joined(pop, digest, unsettled, permits, self.now()))

    def permits(self, session: Session, reports: list[PermitReport]) -> None:
        self.engine.permits_reported(session.place.name, reports, self.now())
        self._followed()

    def reported(self, session: Session, status: Status) -> None:
        pop = session.place.name
        self.statuses[pop] = status
        self.composer.heard(status.report)
        self._give(self.engine.agent_changed(pop, status.assignment, status.unsettled, self.now()))

    def assignment_answered(self, session: Session, digest: str, refusal: str | None) -> None:
        pop = session.place.name
        if refusal is None:
            self._give(self.engine.agent_took(pop, digest, self.now()))
        else:
            self._give(self.engine.agent_refused(pop, digest, refusal, self.now()))

    def order_answered(self, session: Session, number: int, refusal: str | None) -> None:
        self._give(self.engine.agent_answered(number, session.place.name, refusal, self.now()))

    def left(self, session: Session) -> None:
        pop = session.place.name
        session.leader_holds = False
        self.watcher.leader_left(session)
        if self.sessions.get(pop) is not session:
            return
        del self.sessions[pop]
        self.statuses.pop(pop, None)
        self.composer.gone(pop)
        self._give(self.engine.agent_left(pop, self.now()))

    def hears(self, session: Session) -> bool:
        return self.alive and session.leader_holds

    # -- the worker -------------------------------------------------------------------------------------------------

    def _give(self, commands: list[Command], done: Callable[[], None] | None = None) -> None:
        if commands or done is not None:
            self._batches.append(Batch(commands, self.engine.kept, done))
            if not self._working:
                self._work()
        self._followed()

    def _work(self) -> None:
        """Carry batches out until one has something to commit, which takes a while."""
        self._working = True
        while self._batches and self.alive:
            batch = self._batches[0]
            while batch.commands:
                if self._dies():
                    return
                command = batch.commands.pop(0)
                if isinstance(command, Commit):
                    draw = self.world.random.random()
                    self.world.at((10.0 if self.slow else 0.02) * draw, self._commit, batch, command)
                    return
                self._tell(command)
            self._batches.popleft()
            if batch.done is not None:
                batch.done()
        self._working = False

    def _dies(self) -> bool:
        if self.dies_after is not None:
            self.dies_after -= 1
            if self.dies_after < 0:
                self.watcher.noted("controller", f"term {self.term} ends between two commands")
                self.end()
                return True
        return False

    def _commit(self, batch: Batch, commit: Commit) -> None:
        if not self.alive or self._dies():
            return
        try:
            self.watcher.will_commit(self, commit, batch.kept)
            self.database.commit(self.term, commit.documents, list(commit.events))
        except Superseded:
            self.watcher.noted("controller", f"term {self.term} may not write any more, and ends")
            self.end()
            return
        self.durable = batch.kept
        self._work()

    def _tell(self, command: Command) -> None:
        match command:
            case Assign(pop):
                session = self.sessions.get(pop)
                fleet = self.composer.fleet(pop, self.durable.desired)
                if session is not None and fleet is not None:
                    digest = self.composer.digest(pop, self.durable.desired)
                    session.down.send(self.watcher.assigned, session, digest, fleet)
            case Tell(order):
                self._send_order(order)
            case Grant(pop) | Revoke(pop):
                session = self.sessions.get(pop)
                if session is not None:
                    self.watcher.permit_commanded(session, command)

    def _send_order(self, order: AgentOrder) -> None:
        session = self.sessions.get(order.pop)
        if session is not None:
            session.down.send(self.watcher.ordered, session, order)

    # -- time -------------------------------------------------------------------------------------------------------

    def _followed(self) -> None:
        """Do what follows from any input: set the timers, and let what is desired be looked at."""
        if not self.alive:
            return
        desired = self.engine.kept.desired
        if desired is not self._desired:
            self._desired = desired
            self.watcher.desired_changed(self)
        due = self.engine.deadline
        if due < self._armed:
            self._armed = due = max(self.world.clock, due)
            self.world.at(due - self.world.clock, self._wake, due)
        if not self._reading and self.engine.asked_for:
            self._reading = True
            self.world.at(self.read_s, self._read)

    def _wake(self, due: float) -> None:
        if self._armed == due and self.alive:
            self._armed = FAR_FUTURE
            self._give(self.engine.wake(self.now()))

    def _read(self) -> None:
        self._reading = False
        if not self.alive:
            return
        wall = self.now().wall
        for indicator in sorted(self.engine.asked_for):
            said = {pop: status.indicators for pop, status in self.statuses.items()}
            readings = {pop: Reading(each[indicator], wall) for pop, each in said.items() if indicator in each}
            if readings:
                self._give(self.engine.readings(indicator, readings, self.now()))
        self._followed()


class LeaderWatcher:
    """Who carries what a leader says, and checks it. See `simulation`."""

    def noted(self, where: str, what: str) -> None: ...

    def leader_ended(self, leader: Leader) -> None: ...

    def leader_left(self, session: Session) -> None: ...

    def desired_changed(self, leader: Leader) -> None: ...

    def will_commit(self, leader: Leader, commit: Commit, kept: Kept) -> None: ...

    def assigned(self, session: Session, digest: str, fleet: Fleet) -> None: ...

    def ordered(self, session: Session, order: AgentOrder) -> None: ...

    def permit_commanded(self, session: Session, command: Grant | Revoke) -> None: ...
