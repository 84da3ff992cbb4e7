"""An agent's link and the controllers that it dials, joined on a virtual clock by connections that may be cut.

What is sent in a connection arrives in order, after a delay; when it is cut, what is under way is lost, and each side
hears of it in its own time. So a controller may hold an old session beside the new one.
"""

import heapq
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from msgspec import Raw

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Instant, Now, Timestamp
from anycastle.model.permit import PermitReport
from anycastle.session import link_command as do
from anycastle.session.link_agent import AgentFacts, LinkAgent
from anycastle.session.link_controller import ControllerSession, Terms
from anycastle.session.link_orders import Answer
from anycastle.wire.link.limits import VERSIONS
from anycastle.wire.link.message import Assign, EventRow, Grant, Order, Revoke

WALL = 1_700_000_000.0


@dataclass
class Connection:
    """One connection, with the session at its far end."""

    controller: "Controller"
    session: ControllerSession
    cut: bool = False
    """Nothing goes through any more."""
    agent_end: bool = True
    controller_end: bool = True
    arrival: dict[str, float] = field(default_factory=lambda: {"up": 0.0, "down": 0.0})


@dataclass
class Controller:
    """What a controller remembers: `stored` outlives it, as a database does."""

    address: str
    term: int = 1
    leads: bool = True
    leader: str = ""
    alive: bool = True
    terms: Terms = Terms()
    stored: dict[str, list[str]] = field(default_factory=dict)
    """Log -> the events that are durable, in their order."""
    slow_s: float = 0.0
    sections: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    permits: dict[str, PermitReport] = field(default_factory=dict)
    session: ControllerSession | None = None
    answers: list[tuple[str, str | None]] = field(default_factory=list)
    taken: list[tuple[str, str | None]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


class Pair:
    """Runs one agent against some controllers."""

    def __init__(
        self, *controllers: Controller, seed: int = 1, versions: Sequence[int] = VERSIONS, delay_s: float = 0.01
    ) -> None:
        self.random = Random(seed)
        self.clock = 1000.0
        self.skew_s = 0.0
        self.delay_s = delay_s
        self.controllers = {each.address: each for each in controllers}
        self.log: list[str] = []
        self.log_name = "log-a"
        self.sections: dict[str, dict[str, bytes]] = {"services": {"dns": b'{"stance":"announce"}'}}
        self.permits: list[PermitReport] = []
        self.complete = True
        self.term = 0
        self.refuses_terms = True
        self.executed: list[str] = []
        self.refuses: dict[str, str] = {}
        self.saved_orders: tuple[Answer, ...] = ()
        self.obeyed: list[Grant | Revoke] = []
        self.assignment = ""
        self.heard: list[do.AgentCommand] = []
        self.said_octets: list[bytes] = []
        self.told_octets: list[bytes] = []
        self.connection: Connection | None = None
        self.versions = versions
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self.agent = self.new_agent()

    # -- time -----------------------------------------------------------------------------------------------------

    @property
    def now(self) -> Now:
        return Now(Instant(self.clock), Timestamp(WALL + self.clock))

    @property
    def controller_now(self) -> Now:
        return Now(Instant(self.clock), Timestamp(WALL + self.clock + self.skew_s))

    def at(self, delay_s: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.clock + delay_s, next(self._numbers), action))

    def run(self, seconds: float) -> None:
        end = self.clock + seconds
        for _ in range(50_000):
            sessions = [c.session for c in self.controllers.values() if c.session is not None]
            due = [self.agent.deadline, *(session.deadline for session in sessions)]
            if self._queue:
                due.append(Instant(self._queue[0][0]))
            following = max(self.clock, min(due))
            if following > end:
                self.clock = end
                return
            self.clock = following
            while self._queue and self._queue[0][0] <= self.clock:
                heapq.heappop(self._queue)[2]()
            if self.agent.deadline <= self.clock:
                self.perform(self.agent.wake(self.now))
            for controller in self.controllers.values():
                if controller.session is not None and controller.session.deadline <= self.clock:
                    connection = self._connections[id(controller.session)]
                    self.obey(connection, controller.session.wake(self.controller_now))
        raise AssertionError("it never rests")

    # -- the agent ------------------------------------------------------------------------------------------------

    def new_agent(self) -> LinkAgent:
        """Start the agent's process: it knows what is on its disk."""
        self._connections: dict[int, Connection] = getattr(self, "_connections", {})
        self.agent = LinkAgent(
            list(self.controllers), Random(self.random.random()), orders=self.saved_orders, versions=self.versions
        )
        return self.agent

    def start(self) -> "Pair":
        self.perform(self.agent.start(self.now))
        return self

    def crash_agent(self) -> None:
        self.cut()
        self.connection = None
        self.new_agent()
        self.start()

    def changed(self) -> None:
        self.agent.changed(self.now)

    def perform(self, commands: Sequence[do.AgentCommand]) -> None:
        for command in commands:
            self._perform(command)

    def _perform(self, command: do.AgentCommand) -> None:
        connection = self.connection
        self.heard.append(command)
        match command:
            case do.Dial(address):
                self._dial(address)
            case do.Say(octets):
                self.said_octets.append(octets)
                if connection is not None:
                    self._carry(connection, "up", lambda: self._controller_hears(connection, octets))
            case do.Hang():
                if connection is not None:
                    self.connection = None
                    self._carry(connection, "up", lambda: self._controller_hears_end(connection))
            case do.Meet(term):
                refusal = None if term >= self.term else f"term {term} was superseded by {self.term}"
                self.term = max(self.term, term)
                self.perform(self.agent.met(refusal, self.now))
            case do.Look(state, permits):
                sections = {name: dict(entries) for name, entries in self.sections.items()} if state else None
                told = list(self.permits) if permits else None
                self.at(
                    0.001, lambda: self.perform(self.agent.looked(sections, told, self.now, complete=self.complete))
                )
            case do.ReadEvents(after, limit):
                rows = [_row(text) for text in self.log[after : after + limit]]
                name, agent = self.log_name if self.log else "", self.agent
                self.at(0.001, lambda: self._read(agent, name, after + 1, rows))
            case do.Obey(Assign(digest)):
                self.assignment = digest
                self.perform(self.agent.assignment_answered(digest, self.refuses.get(digest)))
            case do.Obey(message):
                assert isinstance(message, Grant | Revoke)
                self.obeyed.append(message)
            case do.CarryOut(order, orders):
                self.saved_orders = orders
                self.executed.append(order.id)
                self.perform(self.agent.order_answered(order.id, self.refuses.get(order.id)))
            case do.KeepOrders(orders):
                self.saved_orders = orders

    def _read(self, agent: LinkAgent, name: str, first: int, rows: list[EventRow]) -> None:
        if agent is self.agent:
            self.perform(agent.events_read(name, first, rows, self.now))

    def _dial(self, address: str) -> None:
        controller, agent = self.controllers[address], self.agent
        if not controller.alive:
            self.at(self.delay_s, lambda: self._refused(agent))
            return
        connection = Connection(controller, ControllerSession("ams", self.controller_now, controller.terms))
        self._connections[id(connection.session)] = connection
        self.connection = connection
        facts = AgentFacts("ams", "1.0", self.term, self.assignment, self.log_name if self.log else "")
        self.at(self.delay_s, lambda: self._open(agent, connection, facts))

    def _refused(self, agent: LinkAgent) -> None:
        if agent is self.agent:
            self.perform(agent.disconnected("connection refused", self.now))

    def _open(self, agent: LinkAgent, connection: Connection, facts: AgentFacts) -> None:
        if agent is self.agent and connection is self.connection:
            self.perform(agent.connected(facts, self.now))

    # -- the connection -------------------------------------------------------------------------------------------

    def _carry(self, connection: Connection, way: str, deliver: Callable[[], None]) -> None:
        arrival = max(connection.arrival[way], self.clock + self.random.uniform(0.5, 1.5) * self.delay_s)
        connection.arrival[way] = arrival
        self.at(arrival - self.clock, lambda: None if connection.cut else deliver())

    def cut(self, agent_hears_s: float | None = None, controller_hears_s: float | None = None) -> None:
        """Cut the connection. A side that is given no time hears of it by its own patience only."""
        connection = self.connection
        if connection is None or connection.cut:
            return
        connection.cut = True
        if agent_hears_s is not None:
            self.at(agent_hears_s, lambda: self._agent_hears_end(connection))
        if controller_hears_s is not None:
            self.at(controller_hears_s, lambda: self._controller_hears_end(connection))

    def _agent_hears_end(self, connection: Connection) -> None:
        if connection is self.connection:
            self.connection = None
            self.perform(self.agent.disconnected("connection reset", self.now))

    def _controller_hears_end(self, connection: Connection) -> None:
        self.obey(connection, connection.session.disconnected("connection reset"))

    def _controller_hears(self, connection: Connection, octets: bytes) -> None:
        if connection.controller.alive:
            self.obey(connection, connection.session.received(octets, self.controller_now))

    def _agent_hears(self, connection: Connection, octets: bytes) -> None:
        if connection is self.connection:
            self.perform(self.agent.received(octets, self.now))

    # -- controllers ----------------------------------------------------------------------------------------------

    def obey(self, connection: Connection, commands: Sequence[do.ControllerCommand]) -> None:
        for command in commands:
            self._obey(connection, command)

    def _obey(self, connection: Connection, command: do.ControllerCommand) -> None:
        controller, session = connection.controller, connection.session
        match command:
            case do.Say(octets):
                self.told_octets.append(octets)
                self._carry(connection, "down", lambda: self._agent_hears(connection, octets))
            case do.Hang():
                self._carry(connection, "down", lambda: self._agent_hears_end(connection))
            case do.Greeted(hello) if controller.leads:
                if controller.session is not None and controller.session is not session:
                    older = self._connections[id(controller.session)]
                    self.obey(older, controller.session.dismiss("the agent came back"))
                controller.session = session
                acked = len(controller.stored.setdefault(hello.log, []))
                self.obey(connection, session.welcome(controller.term, acked, self.controller_now))
            case do.Greeted():
                self.obey(connection, session.dismiss("this controller does not lead", leader=controller.leader))
            case do.Joined(reports):
                controller.permits = {report.service: report for report in reports}
            case do.PermitsTold(reports):
                controller.permits |= {report.service: report for report in reports}
            case do.StateTold():
                controller.sections = {name: dict(entries) for name, entries in session.sections.items()}
            case do.EventsTold(log, first, events):
                self.at(controller.slow_s, lambda: self._store(connection, log, first, events))
            case do.OrderAnswered(order_id, refusal):
                controller.answers.append((order_id, refusal))
            case do.AssignmentAnswered(digest, refusal):
                controller.taken.append((digest, refusal))
            case do.Left(why, joined):
                if controller.session is session:
                    controller.session = None
                if joined:
                    controller.left.append(why)

    def _store(self, connection: Connection, log: str, first: int, events: Sequence[EventRow]) -> None:
        """What the database does: rows whose numbers are known are passed over; the rest is durable together."""
        if not connection.controller.alive:
            return
        stored = connection.controller.stored.setdefault(log, [])
        assert first <= len(stored) + 1, "no gap"
        stored += [_text(row) for row in events[len(stored) + 1 - first :]]
        self.obey(connection, connection.session.events_stored(len(stored)))

    def order(self, controller: Controller, order: Order) -> None:
        assert controller.session is not None
        try:
            self.obey(self._connections[id(controller.session)], controller.session.order(order))
        except MisuseError as error:
            controller.answers.append((order.id, str(error)))

    def send(self, controller: Controller, give: Callable[[ControllerSession], list[do.ControllerCommand]]) -> None:
        assert controller.session is not None
        self.obey(self._connections[id(controller.session)], give(controller.session))

    def restart(self, controller: Controller) -> None:
        """Kill a controller, and start it anew: what it stored it knows."""
        for connection in self._connections.values():
            if connection.controller is controller and not connection.cut:
                connection.cut = True
                if connection is self.connection:
                    self.at(self.delay_s, lambda connection=connection: self._agent_hears_end(connection))
        controller.session, controller.sections, controller.permits = None, {}, {}
        controller.term += 1


def _row(text: str) -> EventRow:
    return EventRow(WALL, "alarm", Raw(f'{{"text":"{text}"}}'.encode()))


def _text(row: EventRow) -> str:
    return bytes(row.fields).decode().split('"')[3]
