"""The agent's end of the link: dials controllers, says what is, and hears what it is to do.

Theory of operation. One connection at a time. The agent says hello, and a controller that leads welcomes it with its
term; the agent itself decides whether it may be spoken with (`Meet`). From then on:
- *State and permits* are told as they are when they can be told, and not as they became: a change only marks them, and
  one look, at most every `LOOK_S`, collects what is to be told. A report waits for the answer to the one before. So a
  controller that is slow, or does not read, costs the agent no memory: it is told less often.
- *Events* are read from the agent's own log behind the last that was told, once the controller knows how things stand
  now, and never more than the window that it gave is under way. The log on disk is the buffer. What was not
  acknowledged is told again in the next session; the controller knows the numbers, so that none is kept twice.
- *Orders* are carried out once (`link_orders`).
- A sign of life is asked for every heartbeat, and its answer compares the clocks. A controller that is silent for three
  heartbeats is lost.

A lost controller is dialled again after a pause that doubles, with jitter; the addresses are tried in turn. One that
says bye may name the leader, which is dialled at once, but no more than `REDIRECTS_MAX` times in a row.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from anycastle.base.ports import FAR_FUTURE, Instant, Now, Randomness, after
from anycastle.model.permit import PermitReport
from anycastle.session.link_clock import Skew, SkewMeter
from anycastle.session.link_command import (
    AgentCommand,
    CarryOut,
    Dial,
    Hang,
    KeepOrders,
    Look,
    Lose,
    Measured,
    Meet,
    Obey,
    ReadEvents,
    Say,
    Trouble,
)
from anycastle.session.link_orders import Answer, OrderBook
from anycastle.session.link_report import ReportBook, Sections, message_of
from anycastle.wire.link.codec import LinkError, Unknown, decode_controller, encode_message
from anycastle.wire.link.limits import EVENTS_MAX, HEARTBEAT_S, MISSED_MAX, ORDERS_MAX, VERSIONS
from anycastle.wire.link.message import (
    Assign,
    Bye,
    ControllerMessage,
    EventRow,
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
    ReportAcked,
    ReportWanted,
    Revoke,
    Taken,
    Welcome,
)

PAUSE_FIRST_S: Final = 0.5
PAUSE_LAST_S: Final = 8.0
"""The longest pause: agents find a controller that was away for long within it, and do not all come at once."""

STEADY_S: Final = 10.0
"""A session that held this long was a good one: the next pause is short again."""

ANSWER_S: Final = 30.0
"""How long dialling, and the welcome, may take; the shell gives up a dialling earlier where nobody answers at all."""

READY_POLL_S: Final = 0.25
"""How soon an agent that may not speak yet is asked again: it knows its router a moment after its start."""

UNREADY_S: Final = 10.0
"""How long that may last before it is told."""

REDIRECTS_MAX: Final = 3

LOOK_S: Final = 0.1
"""How long after one look the next may be."""

GATHER_S: Final = 0.02
"""How long a change waits for what belongs to it."""

EVENTS_POLL_S: Final = 0.5
"""How soon the log is read again when nothing new was in it."""


class State(Enum):
    """Where the agent stands with controllers."""

    RESTING = "resting"
    DIALLING = "dialling"
    GREETING = "greeting"
    JOINED = "joined"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class AgentFacts:
    """What a hello says of the agent."""

    pop: str
    agent_version: str
    term: int = 0
    assignment: str = ""
    log: str = ""


class _Session:
    """What belongs to one session."""

    def __init__(self, log: str) -> None:
        self.version = 0
        self.heartbeat_s = HEARTBEAT_S
        self.log = log
        self.window = 0
        self.book = ReportBook()
        self.permits: dict[str, PermitReport] | None = None
        """What was told; None before anything was."""
        self.report_under_way = False
        self.state_known = False
        """The controller has taken the first report: what was may follow what is."""
        self.state_changed = True
        self.permits_changed = True
        self.looking = False
        self.reading = False
        self.events_told = 0
        self.events_acked = 0
        self.pings = 0
        self.asked: Now | None = None
        self.blocked = False
        self.joined_at = FAR_FUTURE
        self.look_at = FAR_FUTURE
        self.looked_at = Instant(-FAR_FUTURE)
        self.read_at = FAR_FUTURE
        self.ping_at = FAR_FUTURE

    @property
    def room(self) -> int:
        """How many events may be told now."""
        return min(EVENTS_MAX, self.window - (self.events_told - self.events_acked))

    @property
    def tell_at(self) -> Instant:
        """When a look or a reading of the log is due; never while an answer is to come that makes it possible."""
        looking = FAR_FUTURE if self.looking else self.look_at
        reading = FAR_FUTURE if self.reading or self.room <= 0 else self.read_at
        return FAR_FUTURE if self.blocked else min(looking, reading)

    def look_soon(self, now: Instant) -> None:
        """Have the next look once what belongs together has come, and not sooner than `LOOK_S` after the last."""
        self.look_at = min(self.look_at, max(after(now, GATHER_S), after(self.looked_at, LOOK_S)))


class LinkAgent:
    """One agent's link. Every input takes `now` and gives commands; `deadline` says when to call `wake`."""

    def __init__(
        self,
        addresses: Sequence[str],
        random: Randomness,
        *,
        orders: Iterable[Answer] = (),
        versions: Sequence[int] = VERSIONS,
    ) -> None:
        self.state = State.RESTING
        self.address = ""
        """The controller that is dialled, or spoken with."""
        self.unknown = 0
        """Messages of kinds that are not known; a later release may have sent them."""
        self._addresses = list(addresses)
        self._turn = 0
        self._leader: str | None = None
        self._redirects = 0
        self._random = random
        self._versions = list(versions)
        self._orders = OrderBook(orders)
        self._facts: AgentFacts | None = None
        self._session = _Session("")
        self._clocks = SkewMeter()
        self._pause_s = PAUSE_FIRST_S
        self._unready_since: Instant | None = None
        self._next = FAR_FUTURE
        """When the pause, the dialling or the greeting is over; when the controller is lost."""

    @property
    def deadline(self) -> Instant:
        """When `wake` must be called at the latest."""
        if self.state is not State.JOINED:
            return self._next
        session = self._session
        return min(self._next, session.ping_at, session.tell_at)

    @property
    def version(self) -> int:
        """The version that is spoken; 0 without a session."""
        return self._session.version if self.state is State.JOINED else 0

    @property
    def orders(self) -> tuple[Answer, ...]:
        """What became of the last orders."""
        return self._orders.saved()

    @property
    def skew(self) -> Skew | None:
        """What the clocks differ by, as far as it is known."""
        return self._clocks.skew

    # -- inputs ---------------------------------------------------------------------------------------------------

    def start(self, now: Now) -> list[AgentCommand]:
        """Begin; or begin again at once, where a pause is under way."""
        return self._dial(now.monotonic) if self.state is State.RESTING else []

    def stop(self) -> list[AgentCommand]:
        """Say bye, and do nothing more."""
        joined, state = self.state is State.JOINED, self.state
        self.state, self._next = State.STOPPED, FAR_FUTURE
        if state in (State.RESTING, State.STOPPED):
            return []
        said = [_say(Bye("the agent stops"))] if joined else []
        return [*said, Hang(), *([Lose("the agent stops")] if joined else [])]

    def redirect(self, addresses: Sequence[str]) -> None:
        """Take other addresses, from the next dialling on."""
        if list(addresses) != self._addresses:
            self._addresses, self._turn, self._leader = list(addresses), 0, None

    def connected(self, facts: AgentFacts, now: Now) -> list[AgentCommand]:
        """The connection is up: say hello."""
        if self.state is not State.DIALLING:
            return []
        self.state, self._next = State.GREETING, after(now.monotonic, ANSWER_S)
        self._unready_since = None
        self._session = _Session(facts.log)
        hello = Hello(
            self._versions, facts.pop, facts.agent_version, float(now.wall), facts.term, facts.assignment, facts.log
        )
        return [_say(hello)]

    def unready(self, why: str, now: Now) -> list[AgentCommand]:
        """Take that the agent may not speak yet, and so was not dialled for. It is no trouble unless it lasts."""
        if self.state is not State.DIALLING:
            return []
        instant = now.monotonic
        since = self._unready_since = instant if self._unready_since is None else self._unready_since
        self.state, self._next = State.RESTING, after(instant, READY_POLL_S)
        return [Trouble(why)] if instant - since >= UNREADY_S else []

    def disconnected(self, why: str, now: Now) -> list[AgentCommand]:
        """The connection is gone, or could not be made."""
        if self.state in (State.RESTING, State.STOPPED):
            return []
        return self._lost(why, now.monotonic)

    def received(self, octets: bytes, now: Now) -> list[AgentCommand]:
        """Take a message of the controller."""
        if self.state not in (State.GREETING, State.JOINED):
            return []
        try:
            return self._hear(decode_controller(octets), now)
        except LinkError as error:
            return self._part(f"the controller broke the protocol: {error}", now.monotonic)

    def met(self, refusal: str | None, now: Now) -> list[AgentCommand]:
        """Take whether the controller may be spoken with: None, or why not."""
        if self.state is not State.GREETING:
            return []
        instant, session = now.monotonic, self._session
        if refusal is not None:
            return self._part(refusal, instant)
        self.state, self._redirects = State.JOINED, 0
        session.joined_at = session.look_at = instant
        session.ping_at = after(instant, session.heartbeat_s * self._random.random())
        self._heard(instant)
        return self._tell(now)

    def changed(self, now: Now) -> None:
        """Take that the agent's state or permits may have changed; they are looked at soon."""
        session = self._session
        if self.state is not State.JOINED or (session.state_changed and session.permits_changed):
            return
        session.state_changed = session.permits_changed = True
        session.look_soon(now.monotonic)

    def looked(
        self, sections: Sections | None, permits: Iterable[PermitReport] | None, now: Now, *, complete: bool = True
    ) -> list[AgentCommand]:
        """Take the answer to a `Look`. Where it is not complete, as some of it may not be told yet, it comes again."""
        session = self._session
        if self.state is not State.JOINED or not session.looking:
            return []
        session.looking = False
        said: list[AgentCommand] = []
        if permits is not None:
            said += self._tell_permits(permits)
        if sections is not None:
            report = message_of(session.book, sections, session.version)
            session.report_under_way = report is not None
            said += [] if report is None else [_say(report)]
        session.permits_changed |= not complete
        pending = session.permits_changed or (session.state_changed and not session.report_under_way)
        session.look_at = after(now.monotonic, LOOK_S if pending else session.heartbeat_s)
        return said

    def events_read(self, log: str, first: int, rows: Sequence[EventRow], now: Now) -> list[AgentCommand]:
        """Take the answer to a `ReadEvents`."""
        session = self._session
        if self.state is not State.JOINED or not session.reading:
            return []
        session.reading = False
        if session.log == "":
            session.log = log  # it had none when it said hello: nothing of it was told
        if not rows or log != session.log or first != session.events_told + 1:
            session.read_at = after(now.monotonic, EVENTS_POLL_S)
            return []
        session.events_told += len(rows)
        session.read_at = now.monotonic
        return [_say(Events(log, first, list(rows))), *self._tell(now)]

    def order_answered(self, order_id: str, refusal: str | None) -> list[AgentCommand]:
        """Take what became of an order."""
        answer = self._orders.end(order_id, refusal)
        return [KeepOrders(self._orders.saved()), *self._answer(answer)]

    def assignment_answered(self, digest: str, refusal: str | None) -> list[AgentCommand]:
        """Take whether the agent lives by an assignment."""
        if self.state is not State.JOINED:
            return []
        return [_say(Taken(digest) if refusal is None else Refused(digest, refusal[:4096]))]

    def blocked(self) -> None:
        """Take that the connection takes no more for now: nothing is told until `drained`."""
        self._session.blocked = True

    def drained(self, now: Now) -> list[AgentCommand]:
        """Take that the connection takes more again."""
        self._session.blocked = False
        return self._tell(now)

    def wake(self, now: Now) -> list[AgentCommand]:
        """Do what is due."""
        instant, session = now.monotonic, self._session
        if self.state is not State.JOINED:
            return self._overdue(instant) if instant >= self._next else []
        if instant >= self._next:
            return self._part(f"nothing was heard of the controller for {MISSED_MAX} heartbeats", instant)
        commands: list[AgentCommand] = []
        if instant >= session.ping_at:
            session.pings, session.asked = session.pings + 1, now
            session.ping_at = after(instant, session.heartbeat_s)
            commands.append(_say(Ping(session.pings, max(0.0, float(now.wall)))))
        return [*commands, *self._tell(now)]

    # -- telling --------------------------------------------------------------------------------------------------

    def _tell(self, now: Now) -> list[AgentCommand]:
        """Ask for what is due to be told, where it can be."""
        session, commands = self._session, list[AgentCommand]()
        if self.state is not State.JOINED or session.blocked:
            return commands
        if now.monotonic >= session.look_at and not session.looking:
            session.looking, session.look_at = True, FAR_FUTURE
            session.looked_at = now.monotonic
            state = not session.report_under_way
            session.permits_changed = False
            session.state_changed = session.state_changed and not state
            commands.append(Look(state=state, permits=True))
        if now.monotonic >= session.read_at and not session.reading and session.room > 0:
            session.reading, session.read_at = True, FAR_FUTURE
            commands.append(ReadEvents(session.events_told, session.room))
        return commands

    def _tell_permits(self, permits: Iterable[PermitReport]) -> list[AgentCommand]:
        """Tell all permits at first, an empty list as well; then what differs from what was told."""
        session = self._session
        before = session.permits or {}
        news = [report for report in permits if before.get(report.service) != report]
        if session.permits is not None and not news:
            return []
        session.permits = before | {report.service: report for report in news}
        return [_say(Permits([_permit_shape(report) for report in news]))]

    # -- hearing --------------------------------------------------------------------------------------------------

    def _hear(self, message: ControllerMessage | Unknown, now: Now) -> list[AgentCommand]:
        instant = now.monotonic
        match message:
            case Bye():
                return self._dismissed(message, instant)
            case Welcome() if self.state is State.GREETING and not self._session.version:
                return self._welcomed(message)
        if self.state is not State.JOINED:
            raise LinkError(f"a {_name(message)} before the welcome, or a second welcome")
        self._heard(instant)
        match message:
            case Unknown():
                self.unknown += 1
            case Grant() | Revoke() | Assign():
                return [Obey(message)]
            case Order():
                return self._ordered(message)
            case EventsAcked(upto):
                return self._acknowledged(upto, now)
            case ReportAcked() | ReportWanted():
                return self._report_answered(message, now)
            case Pong():
                return self._ponged(message, now)
            case _:
                raise LinkError("a second welcome")
        return []

    def _welcomed(self, welcome: Welcome) -> list[AgentCommand]:
        session = self._session
        if welcome.version not in self._versions:
            raise LinkError(f"version {welcome.version} was not offered")
        session.version, session.heartbeat_s, session.window = (
            welcome.version, welcome.heartbeat_s, welcome.events_window,
        )  # fmt: skip
        session.events_told = session.events_acked = welcome.events_acked
        return [Meet(welcome.term, welcome.version)]

    def _acknowledged(self, upto: int, now: Now) -> list[AgentCommand]:
        session = self._session
        if upto > session.events_told:
            raise LinkError(f"event {upto} is acknowledged, and {session.events_told} was the last one told")
        session.events_acked = max(session.events_acked, upto)
        return self._tell(now)

    def _report_answered(self, message: ReportAcked | ReportWanted, now: Now) -> list[AgentCommand]:
        session = self._session
        if isinstance(message, ReportAcked) and message.revision != session.book.revision:
            return []
        session.report_under_way = False
        if not session.state_known and isinstance(message, ReportAcked):
            session.state_known, session.read_at = True, now.monotonic
        if isinstance(message, ReportWanted):
            session.book, session.state_changed = ReportBook(), True
        if session.state_changed:
            session.look_soon(now.monotonic)
        return self._tell(now)

    def _ponged(self, pong: Pong, now: Now) -> list[AgentCommand]:
        session = self._session
        asked = session.asked
        if asked is None or pong.number != session.pings:
            return []  # a late one: the next answers for the time since
        session.asked = None
        return [Measured(self._clocks.answered(asked, pong.controller_clock, now))]

    def _ordered(self, order: Order) -> list[AgentCommand]:
        known = self._orders.answer(order.id)
        if known is not None:
            return self._answer(known) if known.done else []
        if self._orders.under_way >= ORDERS_MAX:
            return [_say(OrderRefused(order.id, f"{ORDERS_MAX} orders are under way"))]
        self._orders.begin(order.id)
        return [CarryOut(order, self._orders.saved())]

    def _answer(self, answer: Answer) -> list[AgentCommand]:
        if self.state is not State.JOINED:
            return []
        if answer.refusal is None:
            return [_say(OrderDone(answer.id))]
        return [_say(OrderRefused(answer.id, answer.refusal[:4096]))]

    # -- coming and going -----------------------------------------------------------------------------------------

    def _heard(self, instant: Instant) -> None:
        self._next = after(instant, MISSED_MAX * self._session.heartbeat_s)

    def _dial(self, instant: Instant) -> list[AgentCommand]:
        if self._leader is not None:
            self.address, self._leader = self._leader, None
        elif self._addresses:
            self.address = self._addresses[self._turn % len(self._addresses)]
        else:
            self._next = FAR_FUTURE
            return []
        self.state, self._next = State.DIALLING, after(instant, ANSWER_S)
        return [Dial(self.address)]

    def _overdue(self, instant: Instant) -> list[AgentCommand]:
        if self.state is State.RESTING:
            return self._dial(instant)
        what = "dialling took" if self.state is State.DIALLING else "no welcome came for"
        return [Hang(), *self._lost(f"{what} {ANSWER_S:g} s", instant)]

    def _part(self, why: str, instant: Instant) -> list[AgentCommand]:
        """End the session for a reason of ours."""
        return [_say(Bye(why[:4096])), Hang(), *self._lost(why, instant)]

    def _dismissed(self, bye: Bye, instant: Instant) -> list[AgentCommand]:
        commands = [Hang(), *self._lost(f"the controller says: {bye.reason}", instant)]
        self._next = max(self._next, after(instant, bye.retry_s))
        if bye.leader and self._redirects < REDIRECTS_MAX:
            self._redirects += 1
            self._leader, self._next = bye.leader, after(instant, bye.retry_s)
        return commands

    def _lost(self, why: str, instant: Instant) -> list[AgentCommand]:
        joined = self.state is State.JOINED
        if joined and instant - self._session.joined_at >= STEADY_S:
            self._pause_s = PAUSE_FIRST_S
        if not joined:
            self._turn += 1
        self.state = State.RESTING
        self._next = after(instant, self._pause_s * self._random.uniform(0.5, 1.0))
        self._pause_s = min(PAUSE_LAST_S, 2 * self._pause_s)
        return [Lose(why) if joined else Trouble(why)]


def _say(message: Message) -> Say:
    return Say(encode_message(message))


def _name(message: Message | Unknown) -> str:
    return message.kind if isinstance(message, Unknown) else type(message).__name__


def _permit_shape(report: PermitReport) -> PermitShape:
    return PermitShape(report.service, report.state, report.epoch, report.exported, report.wanted)
