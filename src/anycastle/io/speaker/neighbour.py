"""The shell around one neighbour's session engine: its sockets, its timer, its commands carried out."""

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from ipaddress import ip_address

from anycastle.base.errors import WorldError
from anycastle.base.ports import FAR_FUTURE, Instant
from anycastle.io.speaker.config import NeighbourConfig
from anycastle.io.speaker.connection import Connection
from anycastle.io.speaker.socket_options import connect_fault, new_socket, require_near, set_password
from anycastle.model.prefix import Address, Family, family_of
from anycastle.session.command import (
    Cause,
    Close,
    Command,
    Connect,
    ConnectFault,
    Down,
    Established,
    Send,
)
from anycastle.session.fsm import State
from anycastle.session.negotiation import Negotiated
from anycastle.session.peer import BGPPeer
from anycastle.wire.bgp.error_codes import CeaseSubcode
from anycastle.wire.bgp.message import Message


class NeighbourSession:
    """Runs one neighbour on the event loop. What is not about sockets goes to `tell`, command by command."""

    def __init__(
        self, config: NeighbourConfig, tell: "Callable[[NeighbourSession, Command], None]", close_s: float
    ) -> None:
        self.config = config
        self.next_hops: dict[Family, Address] = {}
        self.negotiated: Negotiated | None = None
        """What holds for the messages now being told; the engine may have read on to the session's end."""
        session = replace(config.session, authenticated=config.password is not None)
        self._engine = BGPPeer(session, random.Random())
        self._tell = tell
        self._close_s = close_s
        self._loop = asyncio.get_running_loop()
        self._connections: dict[int, Connection] = {}
        self._dials: dict[int, asyncio.Task[None]] = {}
        self._closing: set[Connection] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: Instant = FAR_FUTURE

    @property
    def engine(self) -> BGPPeer:
        """The session engine, to be read."""
        return self._engine

    def start(self) -> None:
        """Begin."""
        self._carry_out(self._engine.start(self._now()))

    def stop(self, text: str) -> None:
        """Say Cease with `text` and close."""
        self._carry_out(self._engine.stop(self._now(), text))

    def vanish(self) -> None:
        """Close without a word, so that a neighbour with graceful restart keeps our routes (RFC 4724 §4.2)."""
        for link, connection in tuple(self._connections.items()):
            self._close(link, connection)
        self._connections.clear()
        self._cancel_timer()

    async def closed(self) -> None:
        """Wait until every connection is gone, at most the configured time."""
        for dial in tuple(self._dials.values()):
            dial.cancel()
        ended = [connection.ended for connection in self._closing]
        if ended:
            await asyncio.wait(ended, timeout=self._close_s)
        for connection in self._closing:
            if connection.transport is not None:
                connection.transport.abort()

    def send(self, messages: Iterable[Message]) -> None:
        """Send messages on the established session."""
        self._carry_out(self._engine.send(messages, self._now()))

    def request_refresh(self, family: Family) -> None:
        """Ask for the neighbour's routes again. Raises `MisuseError` when it cannot."""
        self._carry_out(self._engine.request_refresh(family, self._now()))

    def count(self, family: Family, routes: int) -> None:
        """Compare the number of received routes with the limit."""
        self._carry_out(self._engine.count(family, routes, self._now()))

    def accept(self, connection: Connection, early: bytes = b"") -> bool:
        """Take a connection that the neighbour made; `early` was already read from it. False: it must be closed."""
        link, commands = self._engine.accepted(self._now())
        if link is None:
            return False
        self._own(link, connection)
        self._carry_out(commands)
        if early:
            self._received(link, connection, early)
        return True

    def _own(self, link: int, connection: Connection) -> None:
        connection.received = lambda octets: self._received(link, connection, octets)
        connection.lost = lambda detail: self._lost(link, connection, detail)
        self._connections[link] = connection

    def _now(self) -> Instant:
        return Instant(self._loop.time())

    def _received(self, link: int, connection: Connection, octets: bytes) -> None:
        if self._connections.get(link) is connection:
            self._carry_out(self._engine.received(link, octets, self._now()))

    def _lost(self, link: int, connection: Connection, detail: str) -> None:
        if self._connections.get(link) is connection:
            del self._connections[link]
            self._carry_out(self._engine.disconnected(link, self._now(), detail))

    def _carry_out(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Connect(link=link):
                    self._dials[link] = self._loop.create_task(self._dial(link))
                case Close(link=link):
                    self._shut(link)
                case Send(link=link, octets=octets):
                    self._send(link, octets)
                case Established(link=link, negotiated=negotiated):
                    self._note_next_hops(link)
                    self.negotiated = negotiated
                    self._tell(self, command)
                case Down(state=State.ESTABLISHED):
                    self.negotiated = None
                    self._tell(self, command)
                case _:
                    self._tell(self, command)
        self._set_timer()

    def _send(self, link: int, octets: bytes) -> None:
        connection = self._connections.get(link)
        if connection is None or connection.write(octets):
            return
        assert connection.transport is not None
        connection.transport.abort()  # nothing more can be said to a peer that does not read
        reason = f"{self.config.name} does not read: the send queue is full"
        self._carry_out(self._engine.fail(self._now(), Cause.RESOURCES, reason, CeaseSubcode.OUT_OF_RESOURCES))

    def _shut(self, link: int) -> None:
        dial = self._dials.pop(link, None)
        if dial is not None:
            dial.cancel()
        connection = self._connections.pop(link, None)
        if connection is not None:
            self._close(link, connection)

    def _close(self, _link: int, connection: Connection) -> None:
        self._closing.add(connection)
        connection.ended.add_done_callback(lambda _ended: self._closing.discard(connection))
        connection.close(self._close_s)

    async def _dial(self, link: int) -> None:
        config = self.config
        target = new_socket(config.address)
        try:
            if config.password is not None:
                set_password(target, config.address, config.password)
            if config.ttl_security_hops is not None:
                require_near(target, config.ttl_security_hops)
            if config.local_address is not None:
                target.bind((str(config.local_address), 0))
            await self._loop.sock_connect(target, (str(config.address), config.port))
            await self._loop.create_connection(lambda: Connection(lambda made: self._dialled(link, made)), sock=target)
        except (OSError, WorldError) as error:
            target.close()
            self._dials.pop(link, None)
            fault = connect_fault(error) if isinstance(error, OSError) else ConnectFault.LOCAL
            detail = error.strerror or str(error) if isinstance(error, OSError) else str(error)
            self._carry_out(self._engine.connection_failed(link, self._now(), fault, detail))
        except asyncio.CancelledError:
            target.close()
            raise

    def _dialled(self, link: int, connection: Connection) -> None:
        if self._dials.pop(link, None) is None:  # given up meanwhile
            connection.close(self._close_s)
            return
        self._own(link, connection)
        self._carry_out(self._engine.connected(link, self._now()))

    def _note_next_hops(self, link: int) -> None:
        self.next_hops = dict(self.config.next_hops)
        connection = self._connections[link]
        assert connection.transport is not None
        local = ip_address(connection.transport.get_extra_info("sockname")[0].partition("%")[0])
        self.next_hops.setdefault(family_of(local), local)

    def _set_timer(self) -> None:
        deadline = self._engine.deadline
        if deadline == self._timer_at:
            return
        self._cancel_timer()
        if deadline != FAR_FUTURE:
            self._timer_at = deadline
            self._timer = self._loop.call_at(deadline, self._wake)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = None, FAR_FUTURE

    def _wake(self) -> None:
        self._timer, self._timer_at = None, FAR_FUTURE
        self._carry_out(self._engine.wake(self._now()))
