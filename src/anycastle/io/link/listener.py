"""The controller's listener: takes agents' connections, and keeps one session for each PoP."""

import asyncio
import socket
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass

from anycastle.base.errors import AnycastleError, MisuseError, ParseError, WorldError
from anycastle.base.ports import FAR_FUTURE
from anycastle.io.clock import now
from anycastle.io.link.admission import Admission, AdmissionLimits
from anycastle.io.link.channel import Channel
from anycastle.io.link.credentials import Credentials, Peer, peer_of
from anycastle.io.link.host import AgentsHost, Elsewhere
from anycastle.io.link.tls_stream import TLSStream
from anycastle.io.listening import listening_socket
from anycastle.io.system_words import system_words
from anycastle.model.identity import Role
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
from anycastle.session.link_controller import ControllerSession, Terms
from anycastle.wire.link.message import Grant, Order, Revoke

BACKLOG = 1024
"""Connections that the system holds for us; all agents of a fleet may come at once."""

CLOSING_S = 2.0
"""How long what the host does for sessions may take to end."""


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session, for who wants to see it."""

    pop: str
    address: str
    version: int
    agent_version: str
    joined: bool
    unknown: int


class LinkListener:
    """Serves agents for a host."""

    def __init__(
        self,
        host: AgentsHost,
        credentials: Credentials,
        *,
        terms: Terms = Terms(),
        limits: AdmissionLimits = AdmissionLimits(),
        complain: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self.host = host
        self.credentials = credentials
        self.admission = Admission(limits)
        self._terms = terms
        self._complain = complain
        self._server: asyncio.Server | None = None
        self._connections: set[_AgentConnection] = set()
        self._pops: dict[str, _AgentConnection] = {}
        self._closed = False

    async def start(self, host: str, port: int) -> int:
        """Begin to listen; gives the port. Raises `WorldError`."""
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._arriving, sock=listening_socket(host, port, BACKLOG), backlog=BACKLOG
            )
        except OSError as error:
            raise WorldError(f"{host} port {port}: {system_words(error)}", retryable=False) from error
        listening: socket.socket = self._server.sockets[0]
        return int(listening.getsockname()[1])

    async def close(self, reason: str = "the controller stops", retry_s: float = 0.0) -> None:
        """Say bye to all, and listen no more."""
        self._closed = True
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._connections):
            connection.dismiss(Elsewhere(reason, retry_s=retry_s))
        tasks = [task for connection in self._connections for task in connection.tasks]
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSING_S)
        for connection in tuple(self._connections):
            connection.channel.stream.abort()

    def reload(self, credentials: Credentials) -> list[str]:
        """Use other credentials from the next handshake on; give the PoPs whose certificate is revoked by now.

        Their sessions end. All others go on.
        """
        self.credentials = credentials
        ended = []
        for connection in tuple(self._connections):
            if connection.peer is not None and credentials.revocations.refuses(connection.peer):
                ended.append(connection.peer.identity.name)
                connection.dismiss(Elsewhere("the certificate was revoked", retry_s=60.0))
        return sorted(ended)

    def dismiss_all(self, elsewhere: Elsewhere) -> None:
        """Send all agents away: another controller leads."""
        for connection in tuple(self._connections):
            connection.dismiss(elsewhere)

    # -- to agents ------------------------------------------------------------------------------------------------

    @property
    def sessions(self) -> Sequence[SessionView]:
        """All sessions, by PoP."""
        return [connection.view() for _, connection in sorted(self._pops.items())]

    def assign(self, pop: str, digest: str, octets: bytes) -> bool:
        """Send an assignment; False where the PoP has no session."""
        return self._give(pop, lambda session: session.assign(digest, octets))

    def command(self, pop: str, command: Grant | Revoke) -> bool:
        """Send a grant or a revocation; False where the PoP has no session."""
        return self._give(pop, lambda session: session.command(command))

    def order(self, pop: str, order: Order) -> None:
        """Send an order. Raises `MisuseError` where the PoP has no session, or too many are under way."""
        if not self._give(pop, lambda session: session.order(order)):
            raise MisuseError(f"{pop} has no session with this controller")

    def _give(self, pop: str, give: Callable[[ControllerSession], list[ControllerCommand]]) -> bool:
        connection = self._pops.get(pop)
        if connection is None or connection.session is None:
            return False
        connection.perform(give(connection.session))
        return True

    # -- of connections -------------------------------------------------------------------------------------------

    def _arriving(self) -> TLSStream:
        stream = TLSStream(self.credentials.context)
        connection = _AgentConnection(self, stream)
        self._connections.add(connection)
        return stream

    def admit(self, stream: TLSStream) -> str | None:
        """Tell why a certificate's bearer is refused, or None."""
        try:
            peer = peer_of(stream.certificate)
        except ParseError as error:
            return str(error)
        ours = self.credentials.identity
        if peer.identity.role is not Role.POP or peer.identity.fleet != ours.fleet:
            return f"{peer.identity} is no PoP of {ours.fleet}"
        if self.credentials.revocations.refuses(peer):
            return f"the certificate of {peer.identity} with the serial number {peer.serial:x} was revoked"
        return "the controller stops" if self._closed else None

    def new_session(self, pop: str) -> ControllerSession:
        """Make a session's engine."""
        return ControllerSession(pop, now(), self._terms)

    def entered(self, connection: "_AgentConnection", pop: str) -> None:
        """Take the place of an older session of the same PoP."""
        older = self._pops.get(pop)
        if older is not None and older is not connection:
            older.dismiss(Elsewhere("the agent came back"))
        self._pops[pop] = connection

    def gone(self, connection: "_AgentConnection") -> None:
        """Forget a connection's session."""
        if connection.peer is not None and self._pops.get(connection.peer.identity.name) is connection:
            del self._pops[connection.peer.identity.name]

    def closed(self, connection: "_AgentConnection") -> None:
        """Forget a connection."""
        self._connections.discard(connection)

    def broken(self, pop: str, error: Exception) -> None:
        """Tell that our own side failed in a session, which ends; others go on."""
        self._complain(f"session of {pop}: {error!r}")


class _AgentConnection:
    """One connection, from its arrival on."""

    def __init__(self, listener: LinkListener, stream: TLSStream) -> None:
        self.channel = Channel.of_server(stream, self, listener.admit)
        self.peer: Peer | None = None
        self.session: ControllerSession | None = None
        self._listener = listener
        self._timer: asyncio.TimerHandle | None = None
        self.tasks: set[asyncio.Task[None]] = set()
        self._events = asyncio.Lock()
        self._shaking = True

    # -- arriving -------------------------------------------------------------------------------------------------

    def channel_reached(self) -> None:
        """Wait for a turn to shake hands."""
        stream = self.channel.stream
        admitted = self._listener.admission.arrived(self, stream.peer_address, self.channel.begin, now().monotonic)
        if not admitted:
            stream.abort("too many handshakes of this address have failed, or too many wait")

    def _shaken(self, *, trusted: bool) -> None:
        if self._shaking:
            self._shaking = False
            self._listener.admission.done(self, now().monotonic, trusted=trusted)

    # -- of the channel -------------------------------------------------------------------------------------------

    def channel_opened(self) -> None:
        """The agent is known by its certificate: its session begins."""
        self._shaken(trusted=True)
        self.peer = peer_of(self.channel.stream.certificate)
        self.session = self._listener.new_session(self.peer.identity.name)
        self._set_timer()

    def channel_received(self, octets: bytes) -> None:
        """Take a message."""
        if self.session is not None:
            self.perform(self.session.received(octets, now()))

    def channel_blocked(self) -> None:
        """The agent does not read fast enough."""
        if self.session is not None:
            self.session.blocked()

    def channel_drained(self) -> None:
        """It reads again."""
        if self.session is not None:
            self.perform(self.session.drained())

    def channel_closed(self, why: str) -> None:
        """It is gone."""
        self._shaken(trusted=False)
        if self.session is not None:
            self.perform(self.session.disconnected(why))
        self._listener.closed(self)

    # -- of the session -------------------------------------------------------------------------------------------

    def view(self) -> SessionView:
        """Give what can be seen of it."""
        session = self.session
        assert session is not None
        hello = session.hello
        return SessionView(
            session.pop, self.channel.stream.peer_address, session.version, hello.agent_version if hello else "",
            session.state.value == "joined", session.unknown,
        )  # fmt: skip

    def dismiss(self, elsewhere: Elsewhere) -> None:
        """End the session, or the connection that has none yet."""
        if self.session is None:
            self.channel.stream.abort(elsewhere.reason)
            return
        bye = self.session.dismiss(elsewhere.reason, leader=elsewhere.leader, retry_s=elsewhere.retry_s)
        self.perform(bye)

    def perform(self, commands: Sequence[ControllerCommand]) -> None:
        """Carry out what the session commands; a failure of ours ends this session and no other."""
        for command in commands:
            try:
                self._carry_out(command)
            except Exception as error:  # noqa: BLE001  one session's failure is not the others'
                assert self.session is not None
                self._listener.broken(self.session.pop, error)
                if not isinstance(command, Left):
                    self.perform(self.session.dismiss("the controller failed; come back", retry_s=5.0))
        self._set_timer()

    def _carry_out(self, command: ControllerCommand) -> None:
        host, session = self._listener.host, self.session
        assert session is not None
        pop = session.pop
        match command:
            case Say(octets):
                self.channel.say(octets)
            case Hang():
                self.channel.hang()
            case Greeted():
                self._spawn(self._greet())
            case Joined(reports):
                assert session.hello is not None
                host.agent_joined(pop, session.hello, reports)
            case PermitsTold(reports):
                host.agent_permits(pop, reports)
            case StateTold(changes):
                host.agent_report(pop, changes, session.sections)
            case EventsTold():
                self._spawn(self._store(command))
            case OrderAnswered(order_id, refusal):
                host.agent_answer(pop, order_id, refusal)
            case AssignmentAnswered(digest, refusal):
                host.agent_assignment(pop, digest, refusal)
            case Left(why, joined):
                self._left(why, joined=joined)

    def _left(self, why: str, *, joined: bool) -> None:
        self._listener.gone(self)
        self._listener.closed(self)
        if self._timer is not None:
            self._timer.cancel()
        assert self.session is not None
        if joined:
            self._listener.host.agent_left(self.session.pop, why)

    async def _greet(self) -> None:
        session = self.session
        assert session is not None
        assert session.hello is not None
        answer = await self._listener.host.agent_hello(session.pop, session.hello)
        if isinstance(answer, Elsewhere):
            self.dismiss(answer)
            return
        welcome = session.welcome(answer.term, answer.events_acked, now())
        if welcome:
            self._listener.entered(self, session.pop)
            self.perform(welcome)

    async def _store(self, told: EventsTold) -> None:
        session = self.session
        assert session is not None
        async with self._events:  # tasks of one session store in the order in which they were made
            upto = await self._listener.host.agent_events(session.pop, told.log, told.first, told.events)
        self.perform(session.events_stored(upto))

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(self._guarded(work))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _guarded(self, work: Coroutine[object, object, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  as above
            assert self.session is not None
            if not isinstance(error, AnycastleError):
                self._listener.broken(self.session.pop, error)
            self.dismiss(Elsewhere(f"the controller can not go on: {error}"[:300], retry_s=5.0))

    def _set_timer(self) -> None:
        """Be woken at the deadline; one that moved on is found when the timer fires, cheaper than a timer a message."""
        if self.session is None or self.session.deadline == FAR_FUTURE:
            return
        if self._timer is not None:
            if self._timer.when() <= self.session.deadline:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(self.session.deadline, self._wake)

    def _wake(self) -> None:
        self._timer = None
        if self.session is not None:
            self.perform(self.session.wake(now()))
