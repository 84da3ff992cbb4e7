"""A BGP speaker on asyncio: several neighbours, dialled and accepted, and the routes that each is sent.

It keeps no MinRouteAdvertisementIntervalTimer (RFC 4271 §9.2.1.1), on purpose: a withdrawal that waits is an outage,
and whoever decides here already gathers changes into batches and dampens flapping.
"""

import asyncio
import random
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_address

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.clock import now
from anycastle.io.speaker.config import NeighbourConfig, SpeakerConfig
from anycastle.io.speaker.connection import Connection
from anycastle.io.speaker.core import Actions, SpeakerCore
from anycastle.io.speaker.event import SpeakerEvent, SpeakerWarning
from anycastle.io.speaker.neighbour import NeighbourSession
from anycastle.io.speaker.reception import Reception
from anycastle.io.speaker.socket_options import new_socket, require_near, send_far, set_password
from anycastle.model.announcement import Announcements
from anycastle.model.prefix import Address, Family
from anycastle.rib.route import Route
from anycastle.rib.table import RIB
from anycastle.session.command import Close, Connect, Send
from anycastle.session.fsm import State
from anycastle.session.negotiation import Negotiated
from anycastle.session.peer import BGPPeer

EVENTS_WAITING_MAX = 10_000
"""Events that an iterator may be behind; beyond it the oldest are dropped."""


@dataclass(frozen=True, slots=True)
class NeighbourStatus:
    """One neighbour as it stands."""

    upstream: str
    neighbour: Address
    state: State
    reason: str
    """Why it is not established, or was last lost."""
    negotiated: Negotiated | None
    routes_sent: int
    routes_received: int


class Speaker:
    """Speaks BGP with the configured neighbours.

    In a plain speaker `set_routes` says what each upstream is announced. With `SpeakerConfig.network` it is an emulated
    network: a whole RIB, and `originate` says what it announces of its own.
    """

    def __init__(self, config: SpeakerConfig, on_event: Callable[[SpeakerEvent], None] | None = None) -> None:
        names = [neighbour.name for neighbour in config.neighbours]
        if len(names) != len(set(names)):
            raise MisuseError("two neighbours of one upstream have the same address and port")
        self.config = config
        self._on_event = on_event
        self._iterators: set[asyncio.Queue[SpeakerEvent]] = set()
        self._sessions: dict[str, NeighbourSession] = {}
        self._servers: list[asyncio.Server] = []
        self._reception = Reception(config.neighbours)
        engines = {neighbour.name: _engine(neighbour) for neighbour in config.neighbours}
        self._core = SpeakerCore(config, engines, self._emit)
        self._actions: deque[tuple[str, Connect | Close | Send]] = deque()
        self._performing = False

    @property
    def listening(self) -> tuple[tuple[Address, int], ...]:
        """Addresses and ports on which connections are accepted."""
        names = (each.getsockname() for server in self._servers for each in server.sockets)
        return tuple((ip_address(name[0]), name[1]) for name in names)

    @property
    def rib(self) -> RIB:
        """The RIB of an emulated network. Raises `MisuseError` for a plain speaker."""
        return self._core.rib

    async def start(self) -> None:
        """Listen, and begin with every neighbour. Raises `WorldError` when a socket cannot be had."""
        for address, port in self.config.listen:
            self._servers.append(await self._listen(address, port))
        for neighbour in self.config.neighbours:
            session = NeighbourSession(neighbour, self._core, self._perform, self.config.close_s)
            self._sessions[neighbour.name] = session
        self._perform(self._core.start(now().monotonic))
        for session in self._sessions.values():
            session.set_timer()

    async def stop(self, text: str, *, withdraw: bool = True) -> None:
        """Withdraw everything, then end each session with Cease and `text` (RFC 9003), and close.

        Without `withdraw`, neighbours that agreed on graceful restart are left without a word and keep our routes.
        """
        for server in self._servers:
            server.close()
        for session in self._sessions.values():
            negotiated = session.engine.negotiated
            if negotiated is not None and negotiated.peer_restart is not None and not withdraw:
                session.vanish()
            else:
                session.stop(text, withdraw=withdraw)
        await asyncio.gather(*(session.closed() for session in self._sessions.values()))
        self._reception.close()
        self._servers.clear()

    def set_routes(self, wanted: Announcements) -> None:
        """Announce exactly `wanted`, to each upstream its own; only differences are sent. Raises `MisuseError`."""
        self._perform(self._core.set_routes(wanted, now().monotonic))

    def originate(self, routes: Iterable[Route]) -> None:
        """Hold exactly these routes of our own in an emulated network. Raises `MisuseError` for a plain speaker."""
        self._perform(self._core.originate(routes, now().monotonic))

    def exported(self) -> Announcements:
        """Give what the neighbours with an established session really were sent."""
        return self._core.exported()

    def configured(self) -> Announcements:
        """Give what `set_routes` asked for last, whether or not a session is up to carry it."""
        return self._core.configured()

    def received(self, upstream: str) -> tuple[Route, ...]:
        """Give the routes of an upstream's neighbours, before policy, as far as they are kept."""
        return tuple(
            route
            for neighbour in self.config.neighbours
            if neighbour.upstream == upstream
            for route in self._core.received_from(neighbour.name)
        )

    def status(self) -> tuple[NeighbourStatus, ...]:
        """Give the state of every neighbour, in the order of the configuration."""
        return tuple(
            NeighbourStatus(
                session.config.upstream,
                session.config.address,
                session.engine.state,
                self._core.reasons.get(name, ""),
                session.engine.negotiated,
                len(self._core.sent_to(name)),
                len(self._core.received_from(name)),
            )
            for name, session in self._sessions.items()
        )

    def request_refresh(self, upstream: str, family: Family) -> None:
        """Ask an upstream's established neighbours for their routes again (RFC 2918)."""
        for session in self._sessions.values():
            if session.config.upstream == upstream and session.engine.negotiated is not None:
                session.request_refresh(family)

    async def events(self) -> AsyncIterator[SpeakerEvent]:
        """Give what happens from now on, for ever."""
        waiting: asyncio.Queue[SpeakerEvent] = asyncio.Queue(EVENTS_WAITING_MAX)
        self._iterators.add(waiting)
        try:
            while True:
                yield await waiting.get()
        finally:
            self._iterators.discard(waiting)

    async def _listen(self, address: Address, port: int) -> asyncio.Server:
        listener = new_socket(address)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            for neighbour in self._reception.expected_at(address):
                if neighbour.password is not None and neighbour.address.version == address.version:
                    set_password(listener, neighbour.address, neighbour.password)
                if neighbour.ttl_security_hops is not None:
                    send_far(listener)  # our SYN-ACK must pass the neighbour's check
            listener.bind((str(address), port))
            loop = asyncio.get_running_loop()
            return await loop.create_server(lambda: Connection(self._accepted), sock=listener)
        except OSError as error:
            listener.close()
            raise WorldError(f"cannot listen on {address} port {port}: {error.strerror}") from error
        except WorldError:
            listener.close()
            raise

    def _accepted(self, connection: Connection) -> None:
        self._reception.receive(connection, self._place, self._stranger)

    def _place(self, neighbour: NeighbourConfig, connection: Connection, early: bytes) -> bool:
        if neighbour.ttl_security_hops is not None:
            assert connection.transport is not None
            require_near(connection.transport.get_extra_info("socket"), neighbour.ttl_security_hops)
        session = self._sessions.get(neighbour.name)
        return session is not None and session.accept(connection, early)

    def _stranger(self, text: str) -> None:
        self._emit(SpeakerWarning("connection", text))

    def _perform(self, actions: Actions) -> None:
        """Do what the core asks for; what comes of it meanwhile waits its turn."""
        self._actions.extend(actions)
        if self._performing:
            return
        self._performing = True
        try:
            while self._actions:
                name, action = self._actions.popleft()
                self._sessions[name].carry_out(action)
        finally:
            self._performing = False

    def _emit(self, event: SpeakerEvent) -> None:
        if self._on_event is not None:
            self._on_event(event)
        for waiting in self._iterators:
            if waiting.full():
                waiting.get_nowait()
            waiting.put_nowait(event)


def _engine(neighbour: NeighbourConfig) -> BGPPeer:
    return BGPPeer(replace(neighbour.session, authenticated=neighbour.password is not None), random.Random())
