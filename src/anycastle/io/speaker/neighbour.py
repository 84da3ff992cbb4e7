"""The shell around one neighbour of the core: its sockets, its timer, and what the core asks of them."""

import asyncio
from collections.abc import Callable
from ipaddress import ip_address

from anycastle.base.errors import WorldError
from anycastle.base.ports import FAR_FUTURE, Instant
from anycastle.io.clock import now
from anycastle.io.speaker.config import NeighbourConfig
from anycastle.io.speaker.connection import Connection
from anycastle.io.speaker.session_core import Actions, SessionCore
from anycastle.io.speaker.socket_options import connect_fault, new_socket, require_near, set_password
from anycastle.model.prefix import Address, Family
from anycastle.session.command import Close, Connect, ConnectFault, Send
from anycastle.session.peer import BGPPeer


class NeighbourSession:
    """Runs one neighbour's connections on the event loop; all that comes of it goes to `perform`."""

    def __init__(
        self, config: NeighbourConfig, core: SessionCore, perform: Callable[[Actions], None], close_s: float
    ) -> None:
        self.config = config
        self._core = core
        self._engine = core.sessions[config.name]
        self._perform = perform
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

    def stop(self, text: str, *, withdraw: bool) -> None:
        """Say Cease with `text` and close."""
        self._do(self._core.stop(self.config.name, text, now().monotonic, withdraw=withdraw))

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

    def request_refresh(self, family: Family) -> None:
        """Ask for the neighbour's routes again. Raises `MisuseError` when it cannot."""
        self._do(self._core.request_refresh(self.config.name, family, now().monotonic))

    def accept(self, connection: Connection, early: bytes = b"") -> bool:
        """Take a connection that the neighbour made; `early` was already read from it. False: it must be closed."""
        link, actions = self._core.accepted(self.config.name, _local_address(connection), now().monotonic)
        if link is None:
            return False
        self._own(link, connection)
        self._do(actions)
        if early:
            self._received(link, connection, early)
        return True

    def carry_out(self, action: Connect | Close | Send) -> None:
        """Do what the core asks for."""
        match action:
            case Connect(link=link):
                self._dials[link] = self._loop.create_task(self._dial(link))
            case Close(link=link):
                self._shut(link)
            case Send(link=link, octets=octets):
                self._send(link, octets)
        self.set_timer()

    def set_timer(self) -> None:
        """Wake the engine at its deadline."""
        deadline = self._engine.deadline
        if deadline == self._timer_at:
            return
        self._cancel_timer()
        if deadline != FAR_FUTURE:
            self._timer_at = deadline
            self._timer = self._loop.call_at(deadline, self._wake)

    def _do(self, actions: Actions) -> None:
        self._perform(actions)
        self.set_timer()

    def _own(self, link: int, connection: Connection) -> None:
        connection.received = lambda octets: self._received(link, connection, octets)
        connection.lost = lambda detail: self._lost(link, connection, detail)
        self._connections[link] = connection

    def _received(self, link: int, connection: Connection, octets: bytes) -> None:
        if self._connections.get(link) is connection:
            self._do(self._core.received(self.config.name, link, octets, now().monotonic))

    def _lost(self, link: int, connection: Connection, detail: str) -> None:
        if self._connections.get(link) is connection:
            del self._connections[link]
            self._do(self._core.disconnected(self.config.name, link, detail, now().monotonic))

    def _send(self, link: int, octets: bytes) -> None:
        connection = self._connections.get(link)
        if connection is None or connection.write(octets):
            return
        assert connection.transport is not None
        connection.transport.abort()  # nothing more can be said to a peer that does not read
        self._perform(self._core.overrun(self.config.name, now().monotonic))

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
            self._do(self._core.connection_failed(config.name, link, fault, detail, now().monotonic))
        except asyncio.CancelledError:
            target.close()
            raise

    def _dialled(self, link: int, connection: Connection) -> None:
        if self._dials.pop(link, None) is None:  # given up meanwhile
            connection.close(self._close_s)
            return
        self._own(link, connection)
        self._do(self._core.connected(self.config.name, link, _local_address(connection), now().monotonic))

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = None, FAR_FUTURE

    def _wake(self) -> None:
        self._timer, self._timer_at = None, FAR_FUTURE
        self._do(self._core.wake(self.config.name, now().monotonic))


def _local_address(connection: Connection) -> Address:
    assert connection.transport is not None
    return ip_address(connection.transport.get_extra_info("sockname")[0].partition("%")[0])
