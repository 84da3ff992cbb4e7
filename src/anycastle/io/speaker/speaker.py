"""A BGP speaker on asyncio: several neighbours, dialled and accepted, and the routes that each is sent.

It keeps no MinRouteAdvertisementIntervalTimer (RFC 4271 §9.2.1.1), on purpose: a withdrawal that waits is an outage,
and whoever decides here already gathers changes into batches and dampens flapping.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.speaker.config import NeighbourConfig, SpeakerConfig
from anycastle.io.speaker.connection import Connection
from anycastle.io.speaker.event import (
    BestChanged,
    EndOfRIBReceived,
    RoutesReceived,
    SessionDown,
    SessionUp,
    SpeakerEvent,
    SpeakerWarning,
)
from anycastle.io.speaker.neighbour import NeighbourSession
from anycastle.io.speaker.reception import Reception
from anycastle.io.speaker.route_book import AnnouncementBook, Exports, NetworkBook, RouteBook
from anycastle.io.speaker.socket_options import new_socket, require_near, send_far, set_password
from anycastle.model.announcement import Announcements
from anycastle.model.prefix import Address, Family
from anycastle.rib.adj_rib_out import Changes
from anycastle.rib.exchange import routes_of, updates_of, withdrawals_of
from anycastle.rib.route import Route, Source
from anycastle.rib.table import RIB
from anycastle.session.command import (
    Command,
    Down,
    EndOfRIB,
    Established,
    FaultsFound,
    PrefixLimitNear,
    Received,
    RefreshBegan,
    RefreshEnded,
    RefreshRequested,
    RoutesLost,
    RoutesStale,
    StaleRoutesEnded,
)
from anycastle.session.fsm import State
from anycastle.session.negotiation import Negotiated
from anycastle.wire.bgp.family import SAFI_UNICAST
from anycastle.wire.bgp.message import Message, RefreshSubtype, RouteRefresh, Update

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
        if config.network is not None and any(neighbour.policy is None for neighbour in config.neighbours):
            raise MisuseError("every neighbour of an emulated network needs a policy")
        self.config = config
        self._on_event = on_event
        self._iterators: set[asyncio.Queue[SpeakerEvent]] = set()
        self._sessions: dict[str, NeighbourSession] = {}
        self._reasons: dict[str, str] = {}
        self._servers: list[asyncio.Server] = []
        self._reception = Reception(config.neighbours)
        self._announcements = AnnouncementBook(config.neighbours, keep_received=config.keep_received)
        self._network = (
            NetworkBook(config.neighbours, config.network, lambda changes: self._emit(BestChanged(changes)))
            if config.network is not None
            else None
        )

    @property
    def listening(self) -> tuple[tuple[Address, int], ...]:
        """Addresses and ports on which connections are accepted."""
        names = (each.getsockname() for server in self._servers for each in server.sockets)
        return tuple((ip_address(name[0]), name[1]) for name in names)

    @property
    def rib(self) -> RIB:
        """The RIB of an emulated network. Raises `MisuseError` for a plain speaker."""
        return self._require_network().rib

    async def start(self) -> None:
        """Listen, and begin with every neighbour. Raises `WorldError` when a socket cannot be had."""
        for address, port in self.config.listen:
            self._servers.append(await self._listen(address, port))
        for neighbour in self.config.neighbours:
            session = NeighbourSession(neighbour, self._told, self.config.close_s)
            self._sessions[neighbour.name] = session
        for session in self._sessions.values():
            session.start()

    async def stop(self, text: str, *, withdraw: bool = True) -> None:
        """Withdraw everything, then end each session with Cease and `text` (RFC 9003), and close.

        Without `withdraw`, neighbours that agreed on graceful restart are left without a word and keep our routes.
        """
        for server in self._servers:
            server.close()
        for name, session in self._sessions.items():
            negotiated = session.engine.negotiated
            if negotiated is not None and withdraw:
                self._send(name, self._book.sent(name).replace(()))
            if negotiated is not None and negotiated.peer_restart is not None and not withdraw:
                session.vanish()
            else:
                session.stop(text)
        await asyncio.gather(*(session.closed() for session in self._sessions.values()))
        self._reception.close()
        self._servers.clear()

    def set_routes(self, wanted: Announcements) -> None:
        """Announce exactly `wanted`, to each upstream its own; only differences are sent. Raises `MisuseError`."""
        if self._network is not None:
            raise MisuseError("an emulated network announces by its policy: use originate")
        upstreams = {neighbour.upstream for neighbour in self.config.neighbours}
        unknown = {each.upstream for each in wanted} - upstreams
        if unknown:
            raise MisuseError(f"no neighbour belongs to {', '.join(sorted(unknown))}")
        if len({(each.prefix, each.upstream) for each in wanted}) != len(wanted):
            raise MisuseError("a prefix is announced to an upstream once, with one set of attributes")
        self._export(self._announcements.set(wanted))

    def originate(self, routes: Iterable[Route]) -> None:
        """Hold exactly these routes of our own in an emulated network. Raises `MisuseError` for a plain speaker."""
        self._export(self._require_network().originate(routes))

    def exported(self) -> Announcements:
        """Give what the neighbours with an established session really were sent."""
        return self._announcements.exported()

    def configured(self) -> Announcements:
        """Give what `set_routes` asked for last, whether or not a session is up to carry it."""
        return self._announcements.wanted

    def received(self, upstream: str) -> tuple[Route, ...]:
        """Give the routes of an upstream's neighbours, before policy, as far as they are kept."""
        return tuple(
            route
            for neighbour in self.config.neighbours
            if neighbour.upstream == upstream
            for route in self._book.received(neighbour.name)
        )

    def status(self) -> tuple[NeighbourStatus, ...]:
        """Give the state of every neighbour, in the order of the configuration."""
        return tuple(
            NeighbourStatus(
                session.config.upstream,
                session.config.address,
                session.engine.state,
                self._reasons.get(name, ""),
                session.engine.negotiated,
                len(self._book.sent(name)),
                len(self._book.received(name)),
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

    @property
    def _book(self) -> RouteBook:
        return self._network if self._network is not None else self._announcements

    def _require_network(self) -> NetworkBook:
        if self._network is None:
            raise MisuseError("this speaker has no RIB: it announces what set_routes says")
        return self._network

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

    def _told(self, session: NeighbourSession, command: Command) -> None:
        """Act on what a session says that is not about its sockets."""
        config, name = session.config, session.config.name
        match command:
            case Established(negotiated=negotiated):
                self._established(session, negotiated)
            case Down(state=state, cause=cause, reason=reason):
                self._reasons[name] = reason
                if state is State.ESTABLISHED:
                    self._book.down(name)
                self._emit(SessionDown(config.upstream, config.address, state, cause, reason))
            case Received(update=update):
                self._received(session, update)
            case EndOfRIB(family=family):
                self._emit(EndOfRIBReceived(config.upstream, config.address, family))
            case RefreshRequested(family=family, enhanced=enhanced):
                self._refresh(session, family, enhanced=enhanced)
            case RoutesLost(family=family):
                self._export(self._book.change(name, lambda routes: routes.delete(family)))
            case RoutesStale(family=family) | RefreshBegan(family=family):
                self._export(self._book.change(name, lambda routes: routes.mark_stale(family)))
            case StaleRoutesEnded(family=family) | RefreshEnded(family=family):
                self._export(self._book.change(name, lambda routes: routes.delete_stale(family)))
            case FaultsFound(text=text):
                self._emit(SpeakerWarning(name, text))
            case PrefixLimitNear(family=family, count=count, limit=limit):
                self._emit(SpeakerWarning(name, f"{count} {family} prefixes, the limit is {limit}"))

    def _established(self, session: NeighbourSession, negotiated: Negotiated) -> None:
        config = session.config
        self._reasons.pop(config.name, None)
        self._emit(SessionUp(config.upstream, config.address, negotiated))
        self._export(self._book.up(config.name, negotiated, session.next_hops))
        # RFC 4724 §2: the marker helps a neighbour also where it does not restart gracefully.
        _say(session, [Update.end_of_rib(family) for family in sorted(negotiated.families)])

    def _received(self, session: NeighbourSession, update: Update) -> None:
        config, negotiated = session.config, session.negotiated
        if negotiated is None:  # an earlier message of the same octets crossed a limit and ended the session
            return
        source = Source(
            config.name, negotiated.peer_asn, negotiated.peer_identifier, config.address, negotiated.internal
        )
        routes = routes_of(update, source, negotiated.families)
        withdrawn = withdrawals_of(update, negotiated.families)
        exports = self._book.receive(config.name, routes, withdrawn)
        self._emit(RoutesReceived(config.upstream, config.address, routes, tuple(prefix for prefix, _ in withdrawn)))
        self._export(exports)
        kept = self._book.received(config.name)
        for family in negotiated.families:
            session.count(family, kept.count(family))

    def _refresh(self, session: NeighbourSession, family: Family, *, enhanced: bool) -> None:
        sent = Changes(announced=self._book.sent(session.config.name).of_family(family))
        marks = [RouteRefresh(family, SAFI_UNICAST, each) for each in (RefreshSubtype.BEGIN, RefreshSubtype.END)]
        _say(session, marks[:1] if enhanced else [])  # RFC 7313 §4.1
        self._send(session.config.name, sent)
        _say(session, marks[1:] if enhanced else [])

    def _export(self, exports: Exports) -> None:
        for name, changes in exports.items():
            self._send(name, changes)

    def _send(self, name: str, changes: Changes) -> None:
        session = self._sessions[name]
        negotiated = session.engine.negotiated
        if negotiated is not None:
            _say(session, updates_of(changes, negotiated.options))

    def _emit(self, event: SpeakerEvent) -> None:
        if self._on_event is not None:
            self._on_event(event)
        for waiting in self._iterators:
            if waiting.full():
                waiting.get_nowait()
            waiting.put_nowait(event)


def _say(session: NeighbourSession, messages: Iterable[Message]) -> None:
    """Send, unless the session ended meanwhile: octets that brought it up may also hold its end."""
    if session.engine.negotiated is not None:
        session.send(messages)
