"""The controller's end of one session with an agent.

Theory of operation. Who speaks is known before the first word: the certificate names the PoP, and a hello that names
another one ends the session. The highest version that both speak is chosen; a controller that does not lead says bye,
with the leader's address. The session counts once the agent has told its permits (`Joined`): before that nothing may
rest on it.

Nothing that goes to an agent waits without bound. Of grants and revocations for one service the last counts, and of
assignments; orders are limited; acknowledgements say how far. While the connection takes no more, they wait in this
form. What comes is bounded by the agent's side of the protocol, and a session that breaks the bounds ends: one report
under way, events within the window.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.base.ports import FAR_FUTURE, Instant, Now, after
from anycastle.model.permit import PermitReport
from anycastle.session.link_command import (
    AssignmentAnswered,
    ControllerCommand,
    EventsTold,
    Greeted,
    Hang,
    Joined,
    Left,
    OrderAnswered,
    PermitsTold,
    Say,
    StateTold,
)
from anycastle.session.link_report import ReportBook, Sections, take
from anycastle.wire.link.codec import LinkError, Unknown, decode_agent, encode_message
from anycastle.wire.link.limits import (
    COMMANDS_MAX,
    DELTA_VERSION,
    EVENTS_WINDOW,
    HEARTBEAT_S,
    MISSED_MAX,
    ORDERS_MAX,
    VERSIONS,
)
from anycastle.wire.link.message import (
    AgentMessage,
    Assign,
    Bye,
    Delta,
    Events,
    EventsAcked,
    Grant,
    Hello,
    Message,
    Order,
    OrderDone,
    OrderRefused,
    Permits,
    PermitShape,
    Ping,
    Pong,
    Refused,
    Report,
    ReportAcked,
    ReportWanted,
    Revoke,
    Taken,
    Welcome,
)

HELLO_S: Final = 10.0
"""How long an agent may take for its hello."""


class State(Enum):
    """Where a session stands."""

    AWAITING_HELLO = "awaiting hello"
    GREETED = "greeted"
    WELCOMED = "welcomed"
    JOINED = "joined"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a controller offers to agents."""

    versions: Sequence[int] = VERSIONS
    heartbeat_s: float = HEARTBEAT_S
    events_window: int = EVENTS_WINDOW


class ControllerSession:
    """One session. Every input takes `now` and gives commands; `deadline` says when to call `wake`."""

    def __init__(self, pop: str, now: Now, terms: Terms = Terms()) -> None:
        self.pop = pop
        self.state = State.AWAITING_HELLO
        self.version = 0
        self.hello: Hello | None = None
        self.unknown = 0
        """Messages of kinds that are not known; a later release may have sent them."""
        self._terms = terms
        self._book = ReportBook()
        self._until = after(now.monotonic, HELLO_S)
        self._events_told = 0
        self._events_stored = 0
        self._events_acked = 0
        self._assignment: Assign | None = None
        self._commands: dict[str, Grant | Revoke] = {}
        self._orders: list[Order] = []
        self._orders_under_way: set[str] = set()
        self._blocked = False

    @property
    def deadline(self) -> Instant:
        """When `wake` must be called at the latest."""
        return FAR_FUTURE if self.state is State.OVER else self._until

    @property
    def sections(self) -> Sections:
        """The agent's state as it was last told."""
        return self._book.sections

    # -- of the agent ---------------------------------------------------------------------------------------------

    def received(self, octets: bytes, now: Now) -> list[ControllerCommand]:
        """Take a message of the agent."""
        if self.state is State.OVER:
            return []
        try:
            return self._hear(decode_agent(octets), now)
        except LinkError as error:
            return self.dismiss(f"protocol broken: {error}")

    def disconnected(self, why: str) -> list[ControllerCommand]:
        """The connection is gone."""
        return self._end(why)

    def blocked(self) -> None:
        """Take that the connection takes no more for now."""
        self._blocked = True

    def drained(self) -> list[ControllerCommand]:
        """Take that the connection takes more again."""
        self._blocked = False
        return self._send()

    def wake(self, now: Now) -> list[ControllerCommand]:
        """Do what is due."""
        if self.state is State.OVER or now.monotonic < self._until:
            return []
        if self.state is State.AWAITING_HELLO:
            return self.dismiss(f"no hello within {HELLO_S:g} s")
        return self.dismiss(f"nothing was heard for {MISSED_MAX} heartbeats")

    # -- of the controller ----------------------------------------------------------------------------------------

    def welcome(self, term: int, events_acked: int, now: Now) -> list[ControllerCommand]:
        """Welcome the agent that said hello."""
        if self.state is not State.GREETED:
            return []
        self.state = State.WELCOMED
        self._events_told = self._events_stored = self._events_acked = events_acked
        self._heard(now.monotonic)
        terms = self._terms
        welcome = Welcome(
            self.version, term, terms.heartbeat_s, events_acked, terms.events_window, max(0.0, float(now.wall))
        )
        return [_say(welcome)]

    def dismiss(self, reason: str, *, leader: str = "", retry_s: float = 0.0) -> list[ControllerCommand]:
        """End the session with a reason, and where to go instead."""
        if self.state is State.OVER:
            return []
        return [_say(Bye(reason[:4096], retry_s, leader)), Hang(), *self._end(reason)]

    def assign(self, digest: str, octets: bytes) -> list[ControllerCommand]:
        """Send an assignment; one that waits to be sent is replaced."""
        self._assignment = Assign(digest, octets)
        return self._send()

    def command(self, command: Grant | Revoke) -> list[ControllerCommand]:
        """Send a grant or a revocation; one for the same service that waits to be sent is replaced."""
        if len(self._commands) >= COMMANDS_MAX and command.service not in self._commands:
            return []  # unanswered, it is given anew
        self._commands[command.service] = command
        return self._send()

    def order(self, order: Order) -> list[ControllerCommand]:
        """Send an order. Raises `MisuseError` where too many are under way."""
        if order.id not in self._orders_under_way and len(self._orders_under_way) >= ORDERS_MAX:
            raise MisuseError(f"{self.pop} has {ORDERS_MAX} orders under way")
        self._orders_under_way.add(order.id)
        if all(order.id != waiting.id for waiting in self._orders):
            self._orders.append(order)
        return self._send()

    def events_stored(self, upto: int) -> list[ControllerCommand]:
        """Take that the agent's events up to a number are durable."""
        self._events_stored = max(self._events_stored, min(upto, self._events_told))
        return self._send()

    # -- hearing --------------------------------------------------------------------------------------------------

    def _hear(self, message: AgentMessage | Unknown, now: Now) -> list[ControllerCommand]:
        match message:
            case Bye(reason):
                return [Hang(), *self._end(f"the agent says: {reason}")]
            case Hello() if self.state is State.AWAITING_HELLO:
                return self._greeted(message)
        if self.state not in (State.WELCOMED, State.JOINED):
            raise LinkError("a message before the welcome")
        self._heard(now.monotonic)
        match message:
            case Unknown():
                self.unknown += 1
                return []
            case Ping(number, clock):
                return [_say(Pong(number, clock, max(0.0, float(now.wall))))]
            case Permits(reports):
                return self._permits_told(reports)
            case Report() | Delta():
                return self._reported(message)
            case Events():
                return self._events_came(message)
            case Taken(digest):
                return [AssignmentAnswered(digest, None)]
            case Refused(digest, reason):
                return [AssignmentAnswered(digest, reason)]
            case OrderDone(order_id):
                return self._answered(order_id, None)
            case OrderRefused(order_id, reason):
                return self._answered(order_id, reason)
            case _:
                raise LinkError("a second hello")

    def _greeted(self, hello: Hello) -> list[ControllerCommand]:
        if hello.pop != self.pop:
            return self.dismiss(f"the certificate is that of {self.pop}: it does not speak for {hello.pop}")
        common = set(self._terms.versions).intersection(hello.versions)
        if not common:
            ours, theirs = (", ".join(map(str, versions)) for versions in (self._terms.versions, hello.versions))
            return self.dismiss(f"no version in common: the controller speaks {ours}, the agent {theirs}")
        self.version, self.hello, self.state = max(common), hello, State.GREETED
        return [Greeted(hello)]

    def _permits_told(self, shapes: list[PermitShape]) -> list[ControllerCommand]:
        reports = tuple(
            PermitReport(shape.service, shape.state, shape.epoch, shape.exported, shape.wanted) for shape in shapes
        )
        if self.state is State.JOINED:
            return [PermitsTold(reports)]
        self.state = State.JOINED
        return [Joined(reports), *self._send()]

    def _reported(self, message: Report | Delta) -> list[ControllerCommand]:
        if isinstance(message, Delta) and self.version < DELTA_VERSION:
            raise LinkError(f"a delta in a session of version {self.version}")
        changes = take(self._book, message)
        if changes is None:
            return [_say(ReportWanted())]
        return [_say(ReportAcked(message.revision)), *([StateTold(changes)] if changes else [])]

    def _events_came(self, message: Events) -> list[ControllerCommand]:
        last = message.first + len(message.events) - 1
        known = self._events_told
        assert self.hello is not None
        if self.hello.log not in ("", message.log):
            raise LinkError("events of another log than the hello names")
        if message.first > known + 1:
            raise LinkError(f"events from {message.first}, and {known} was the last one told")
        if last - self._events_stored > self._terms.events_window:
            raise LinkError(f"more than {self._terms.events_window} events under way")
        if last <= known:
            return []
        self._events_told = last
        return [EventsTold(message.log, known + 1, tuple(message.events[known + 1 - message.first :]))]

    def _answered(self, order_id: str, refusal: str | None) -> list[ControllerCommand]:
        self._orders_under_way.discard(order_id)
        return [OrderAnswered(order_id, refusal)]

    # -- sending --------------------------------------------------------------------------------------------------

    def _send(self) -> list[ControllerCommand]:
        """Say what waits, in the order of what matters most."""
        if self._blocked or self.state is not State.JOINED:
            return []
        said: list[Message] = list(self._commands.values())
        self._commands.clear()
        if self._assignment is not None:
            said.append(self._assignment)
            self._assignment = None
        said += self._orders
        self._orders.clear()
        if self._events_stored > self._events_acked:
            self._events_acked = self._events_stored
            said.append(EventsAcked(self._events_acked))
        return [_say(message) for message in said]

    def _heard(self, instant: Instant) -> None:
        self._until = after(instant, MISSED_MAX * self._terms.heartbeat_s)

    def _end(self, why: str) -> list[ControllerCommand]:
        if self.state is State.OVER:
            return []
        joined = self.state is State.JOINED
        self.state = State.OVER
        self._commands.clear()
        self._orders.clear()
        self._assignment = None
        return [Left(why, joined)]


def _say(message: Message) -> Say:
    return Say(encode_message(message))
