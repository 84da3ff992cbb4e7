"""A speaker without sockets and clocks: its sessions, its routes, and what each does to the other.

Theory of operation. Whoever owns the connections says what happened on them, and when. The core gives back what is to
be done on them, in order: `Connect`, `Close` and `Send`, each with its neighbour's name. What a session says of routes
is carried out here and at once, before the session's next command, since one call may bring both a route and the end
of its session. Actions that come of an action (a queue that is full) are done after those that were given before it:
otherwise a neighbour would hear of two changes in the wrong order.
"""

from collections.abc import Callable, Iterable, Mapping

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Instant
from anycastle.io.speaker.config import NeighbourConfig, SpeakerConfig
from anycastle.io.speaker.event import (
    BestChanged,
    EndOfRIBReceived,
    RoutesReceived,
    SessionDown,
    SessionUp,
    SpeakerEvent,
    SpeakerWarning,
)
from anycastle.io.speaker.route_book import AnnouncementBook, Exports, NetworkBook, RouteBook
from anycastle.io.speaker.session_core import Actions, SessionCore
from anycastle.model.announcement import Announcements
from anycastle.model.prefix import Address, Family, family_of
from anycastle.rib.adj_rib_in import AdjRIBIn
from anycastle.rib.adj_rib_out import AdjRIBOut, Changes
from anycastle.rib.exchange import routes_of, updates_of, withdrawals_of
from anycastle.rib.route import Route, Source
from anycastle.rib.table import RIB
from anycastle.session.command import (
    Close,
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
from anycastle.session.peer import BGPPeer
from anycastle.wire.bgp.family import SAFI_UNICAST
from anycastle.wire.bgp.message import Message, RefreshSubtype, RouteRefresh, Update


class SpeakerCore(SessionCore):
    """Several neighbours, and the routes that each is sent. Inputs about a neighbour name it."""

    def __init__(
        self,
        config: SpeakerConfig,
        sessions: Mapping[str, BGPPeer],
        emit: Callable[[SpeakerEvent], None],
    ) -> None:
        """`sessions` holds the engine of each neighbour, in the order of the configuration."""
        if config.network is not None and any(neighbour.policy is None for neighbour in config.neighbours):
            raise MisuseError("every neighbour of an emulated network needs a policy")
        super().__init__(sessions)
        self.reasons: dict[str, str] = {}
        """Neighbour -> why it is not established, or was last lost."""
        self._emit = emit
        self._neighbours = {neighbour.name: neighbour for neighbour in config.neighbours}
        self._local: dict[tuple[str, int], Address] = {}
        self._negotiated: dict[str, Negotiated] = {}
        # What holds for the messages now being told: the engine may have read on to the session's end.
        self._announcements = AnnouncementBook(config.neighbours, keep_received=config.keep_received)
        self._network = (
            NetworkBook(config.neighbours, config.network, lambda changes: emit(BestChanged(changes)))
            if config.network is not None
            else None
        )

    @property
    def rib(self) -> RIB:
        """The RIB of an emulated network. Raises `MisuseError` for a plain speaker."""
        return self._require_network().rib

    def stop(self, name: str, text: str, now: Instant, *, withdraw: bool) -> Actions:
        """End the session with Cease and `text` (RFC 9003); with `withdraw`, take back every route before."""
        actions = self._send(name, self._book.sent(name).replace(()), now) if withdraw else []
        return actions + self._follow(name, self.sessions[name].stop(now, text), now)

    def set_routes(self, wanted: Announcements, now: Instant) -> Actions:
        """Announce exactly `wanted`; see `Speaker.set_routes`."""
        if self._network is not None:
            raise MisuseError("an emulated network announces by its policy: use originate")
        unknown = {each.upstream for each in wanted} - {each.upstream for each in self._neighbours.values()}
        if unknown:
            raise MisuseError(f"no neighbour belongs to {', '.join(sorted(unknown))}")
        if len({(each.prefix, each.upstream) for each in wanted}) != len(wanted):
            raise MisuseError("a prefix is announced to an upstream once, with one set of attributes")
        return self._export(self._announcements.set(wanted), now)

    def originate(self, routes: Iterable[Route], now: Instant) -> Actions:
        """Hold exactly these routes of our own; see `Speaker.originate`."""
        return self._export(self._require_network().originate(routes), now)

    def exported(self) -> Announcements:
        """Give what the neighbours with an established session really were sent."""
        return self._announcements.exported()

    def configured(self) -> Announcements:
        """Give what `set_routes` asked for last."""
        return self._announcements.wanted

    def received_from(self, name: str) -> AdjRIBIn:
        """Give what a neighbour told us, as far as it is kept."""
        return self._book.received(name)

    def sent_to(self, name: str) -> AdjRIBOut:
        """Give what a neighbour was told."""
        return self._book.sent(name)

    def accepted(self, name: str, local: Address, now: Instant) -> tuple[int | None, Actions]:
        """See `SessionCore`; routes that are sent on the connection have `local` as their next hop."""
        link, actions = super().accepted(name, local, now)
        if link is not None and (name, Close(link)) not in actions:
            self._local[name, link] = local
        return link, actions

    def connected(self, name: str, link: int, local: Address, now: Instant) -> Actions:
        """See `accepted`."""
        self._local[name, link] = local
        return super().connected(name, link, local, now)

    def disconnected(self, name: str, link: int, detail: str, now: Instant) -> Actions:
        """See `SessionCore`."""
        actions = super().disconnected(name, link, detail, now)
        self._local.pop((name, link), None)
        return actions

    @property
    def _book(self) -> RouteBook:
        return self._network if self._network is not None else self._announcements

    def _require_network(self) -> NetworkBook:
        if self._network is None:
            raise MisuseError("this speaker has no RIB: it announces what set_routes says")
        return self._network

    def _follow(self, name: str, commands: Iterable[Command], now: Instant) -> Actions:
        actions = super()._follow(name, commands, now)
        for owner, action in actions:
            if isinstance(action, Close):
                self._local.pop((owner, action.link), None)
        return actions

    def _join(self, parts: Iterable[Actions]) -> Actions:
        return [action for part in parts for action in part]

    def _carry_out(self, name: str, command: Command, now: Instant) -> Actions:
        config = self._neighbours[name]
        match command:
            case Established(link=link, negotiated=negotiated):
                return self._established(config, link, negotiated, now)
            case Down(state=state, cause=cause, reason=reason):
                self.reasons[name] = reason
                if state is State.ESTABLISHED:
                    self._negotiated.pop(name, None)
                    self._book.down(name)
                self._emit(SessionDown(config.upstream, config.address, state, cause, reason))
            case Received(update=update):
                return self._received(config, update, now)
            case EndOfRIB(family=family):
                self._emit(EndOfRIBReceived(config.upstream, config.address, family))
            case RefreshRequested(family=family, enhanced=enhanced):
                return self._refresh(name, family, now, enhanced=enhanced)
            case RoutesLost(family=family):
                return self._export(self._book.change(name, lambda routes: routes.delete(family)), now)
            case RoutesStale(family=family) | RefreshBegan(family=family):
                return self._export(self._book.change(name, lambda routes: routes.mark_stale(family)), now)
            case StaleRoutesEnded(family=family) | RefreshEnded(family=family):
                return self._export(self._book.change(name, lambda routes: routes.delete_stale(family)), now)
            case FaultsFound(text=text):
                self._emit(SpeakerWarning(name, text))
            case PrefixLimitNear(family=family, count=count, limit=limit):
                self._emit(SpeakerWarning(name, f"{count} {family} prefixes, the limit is {limit}"))
        return []

    def _established(self, config: NeighbourConfig, link: int, negotiated: Negotiated, now: Instant) -> Actions:
        name, local = config.name, self._local[config.name, link]
        self.reasons.pop(name, None)
        self._negotiated[name] = negotiated
        self._emit(SessionUp(config.upstream, config.address, negotiated))
        next_hops = {family_of(local): local, **config.next_hops}
        actions = self._export(self._book.up(name, negotiated, next_hops), now)
        # RFC 4724 §2: the marker helps a neighbour also where it does not restart gracefully.
        return actions + self._say(name, [Update.end_of_rib(family) for family in sorted(negotiated.families)], now)

    def _received(self, config: NeighbourConfig, update: Update, now: Instant) -> Actions:
        name, negotiated = config.name, self._negotiated.get(config.name)
        if negotiated is None:  # an earlier message of the same octets crossed a limit and ended the session
            return []
        source = Source(name, negotiated.peer_asn, negotiated.peer_identifier, config.address, negotiated.internal)
        routes = routes_of(update, source, negotiated.families)
        withdrawn = withdrawals_of(update, negotiated.families)
        exports = self._book.receive(name, routes, withdrawn)
        self._emit(RoutesReceived(config.upstream, config.address, routes, tuple(prefix for prefix, _ in withdrawn)))
        actions = self._export(exports, now)
        session, kept = self.sessions[name], self._book.received(name)
        for family in negotiated.families:
            actions += self._follow(name, session.count(family, kept.count(family), now), now)
        return actions

    def _refresh(self, name: str, family: Family, now: Instant, *, enhanced: bool) -> Actions:
        begin, end = (
            [RouteRefresh(family, SAFI_UNICAST, each)] if enhanced else []  # RFC 7313 §4.1
            for each in (RefreshSubtype.BEGIN, RefreshSubtype.END)
        )
        sent = Changes(announced=self._book.sent(name).of_family(family))
        return self._say(name, begin, now) + self._send(name, sent, now) + self._say(name, end, now)

    def _export(self, exports: Exports, now: Instant) -> Actions:
        return self._join(self._send(name, changes, now) for name, changes in exports.items())

    def _send(self, name: str, changes: Changes, now: Instant) -> Actions:
        negotiated = self.sessions[name].negotiated
        return [] if negotiated is None else self._say(name, updates_of(changes, negotiated.options), now)

    def _say(self, name: str, messages: Iterable[Message], now: Instant) -> Actions:
        """Send, unless the session ended meanwhile: octets that brought it up may also hold its end."""
        session = self.sessions[name]
        return self._follow(name, session.send(messages, now), now) if session.negotiated is not None else []
