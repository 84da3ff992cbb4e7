"""One BGP connection's life: what happens goes in as events, commands come out (RFC 4271 §8).

The rules stand in `fsm.TABLE`; here each of its actions is one short method. A caller that has carried out a list of
commands waits until `deadline` or until something happens, and calls again. Times are `Instant`s that the caller reads.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.base.limits import MESSAGE_MAX, MESSAGE_MAX_EXTENDED
from anycastle.base.ports import Instant, Randomness, after
from anycastle.model.prefix import Family
from anycastle.session import explanation
from anycastle.session.command import (
    Cause,
    Close,
    Command,
    Connect,
    ConnectFault,
    Down,
    EndOfRIB,
    Established,
    FaultsFound,
    PrefixLimitNear,
    Received,
    RefreshBegan,
    RefreshEnded,
    RefreshRequested,
    Send,
)
from anycastle.session.config import SessionConfig
from anycastle.session.fsm import Action, Event, State, transition
from anycastle.session.negotiation import Negotiated, negotiate, own_open
from anycastle.session.timers import Timer, Timers, jittered
from anycastle.wire.bgp import errors as wire_errors
from anycastle.wire.bgp.codec import Framer, decode_message, encode_message
from anycastle.wire.bgp.error_codes import CeaseSubcode, ErrorCode, FSMSubcode, OpenSubcode
from anycastle.wire.bgp.errors import NotificationError
from anycastle.wire.bgp.family import SAFI_UNICAST, unicast_family
from anycastle.wire.bgp.message import (
    Keepalive,
    Message,
    MessageType,
    Notification,
    Open,
    RefreshSubtype,
    RouteRefresh,
    Update,
)
from anycastle.wire.bgp.notification import cease
from anycastle.wire.bgp.options import BEFORE_OPEN

LARGE_HOLD_S: Final = 240.0
"""HoldTimer while an OPEN is awaited (RFC 4271 §8.2.2)."""

REJECTIONS_MAX: Final = 3
"""Rejections after which a peer is taken to mean it (RFC 4486 §4 asks for a bound): then each is waited out longer."""

_NOTIFICATION_DATA_MAX: Final = MESSAGE_MAX - 21
"""Octets of data beside header, code and subcode (RFC 4271 §4.5)."""

_STATE_SUBCODES: Final = {
    State.OPEN_SENT: FSMSubcode.UNEXPECTED_MESSAGE_IN_OPEN_SENT,
    State.OPEN_CONFIRM: FSMSubcode.UNEXPECTED_MESSAGE_IN_OPEN_CONFIRM,
    State.ESTABLISHED: FSMSubcode.UNEXPECTED_MESSAGE_IN_ESTABLISHED,
}
_MESSAGE_TYPES: Final[Mapping[type[Message], MessageType]] = {
    Open: MessageType.OPEN,
    Update: MessageType.UPDATE,
    Notification: MessageType.NOTIFICATION,
    Keepalive: MessageType.KEEPALIVE,
    RouteRefresh: MessageType.ROUTE_REFRESH,
}
_ERROR_EVENTS: Final[Mapping[int, Event]] = {
    ErrorCode.OPEN_MESSAGE_ERROR: Event.OPEN_ERROR,
    ErrorCode.UPDATE_MESSAGE_ERROR: Event.UPDATE_ERROR,
}
_NOTIFICATION_EVENTS: Final[Mapping[tuple[int, int], Event]] = {
    (ErrorCode.OPEN_MESSAGE_ERROR, OpenSubcode.UNSUPPORTED_VERSION_NUMBER): Event.NOTIFICATION_VERSION,
    (ErrorCode.CEASE, CeaseSubcode.CONNECTION_REJECTED): Event.REJECTED,
}


@dataclass(frozen=True, slots=True)
class _Occasion:
    """What an event brings along for its actions."""

    cause: Cause = Cause.STATE_ERROR
    reason: str = ""
    notification: Notification | None = None
    """To be sent by NOTIFY and NOTIFY_CEASE; for a NOTIFICATION from the peer, what it sent."""
    message: Message | None = None


_NO_OCCASION: Final = _Occasion()


class BGPSession:
    """The state machine of one connection to a peer.

    `link` goes into the commands that are about the TCP connection, so that a peer's two connections are told apart.
    """

    def __init__(self, config: SessionConfig, random: Randomness, link: int = 0) -> None:
        self.config = config
        self.link = link
        self.state = State.IDLE
        self.negotiated: Negotiated | None = None
        self.initiated = False
        """Whether we dialled the present connection; it settles a collision (RFC 4271 §6.8)."""
        self._random = random
        self._timers = Timers()
        self._framer = Framer(BEFORE_OPEN)
        self._wired = False
        self._dialling = False
        self._retries = 0
        self._established_at: Instant | None = None
        self._warned: set[Family] = set()
        self._rejections = 0
        """Rejections by the peer since the session was last up."""

    @property
    def wired(self) -> bool:
        """Whether there is a TCP connection."""
        return self._wired

    @property
    def deadline(self) -> Instant:
        """When `wake` must be called at the latest."""
        return self._timers.deadline

    def start(self, now: Instant) -> list[Command]:
        """Begin: dial, or wait for the peer. Does nothing in a session that already runs."""
        return self._handle(Event.START_PASSIVE if self.config.passive else Event.START, now)

    def listen(self, now: Instant) -> list[Command]:
        """Begin without dialling, whatever the configuration says: for a connection that the peer made."""
        return self._handle(Event.START_PASSIVE, now)

    def stop(
        self, now: Instant, text: str, subcode: CeaseSubcode = CeaseSubcode.ADMINISTRATIVE_SHUTDOWN
    ) -> list[Command]:
        """End by an operator's will; the session stays down until `start`. `text` goes to the peer (RFC 9003)."""
        occasion = _Occasion(Cause.STOPPED, f"stopped here: {text}", cease(subcode, text))
        return self._handle(Event.STOP, now, occasion)

    def fail(self, now: Instant, cause: Cause, reason: str, subcode: CeaseSubcode) -> list[Command]:
        """End because something here went wrong, and start again after the idle hold time (AutomaticStop)."""
        return self._handle(Event.AUTOMATIC_STOP, now, _Occasion(cause, reason, cease(subcode)))

    def dump(self, now: Instant) -> list[Command]:
        """End as the loser of a collision (RFC 4271 §6.8)."""
        notification = cease(CeaseSubcode.CONNECTION_COLLISION_RESOLUTION)
        occasion = _Occasion(Cause.COLLISION, "collision: the other connection is kept", notification)
        return self._handle(Event.COLLISION_DUMP, now, occasion)

    def connected(self, now: Instant, *, initiated: bool = True) -> list[Command]:
        """A TCP connection is up: one that we dialled (`initiated`) or one that we accepted."""
        if self.state not in (State.CONNECT, State.ACTIVE):
            return []
        self._wired, self._dialling, self.initiated = True, False, initiated
        self._framer = Framer(BEFORE_OPEN)
        self.negotiated = None
        delayed = self.config.delay_open_s > 0
        return self._handle(Event.CONNECTED_DELAYED if delayed else Event.CONNECTED, now)

    def connection_failed(self, now: Instant, fault: ConnectFault, detail: str = "") -> list[Command]:
        """A dial came to nothing."""
        if not self._dialling:
            return []
        self._dialling = False
        cause, reason = explanation.connect_failed(self.config, fault, detail)
        return self._handle(Event.TCP_FAILS, now, _Occasion(cause, reason))

    def disconnected(self, now: Instant, detail: str = "", cause: Cause = Cause.DISCONNECTED) -> list[Command]:
        """The TCP connection is gone."""
        if not self._wired:
            return []
        occasion = _Occasion(cause, explanation.disconnected(self.config, self.state, detail))
        return self._handle(Event.TCP_FAILS, now, occasion)

    def received(self, octets: bytes, now: Instant) -> list[Command]:
        """Octets from the peer, cut anywhere."""
        commands: list[Command] = []
        for start in range(0, len(octets), MESSAGE_MAX_EXTENDED):  # the framer's buffer is bounded
            try:
                self._take(octets[start : start + MESSAGE_MAX_EXTENDED], commands, now)
            except NotificationError as error:
                commands += self._refuse(error, now)
        return commands

    def _take(self, octets: bytes, commands: list[Command], now: Instant) -> None:
        if self._wired:
            self._framer.feed(octets)
        for raw in self._framer:
            if not self._wired:
                return
            commands += self._message(decode_message(raw, self._framer.options), now)

    def wake(self, now: Instant) -> list[Command]:
        """Carry out what the expired timers call for."""
        commands: list[Command] = []
        while (timer := self._timers.pop_expired(now)) is not None:
            commands += self._expired(timer, now)
        return commands

    def send(self, messages: Iterable[Message], now: Instant) -> list[Command]:
        """Send messages on an established session. Raises `MisuseError` when it is not, or a message does not fit."""
        if self.state is not State.ESTABLISHED or self.negotiated is None:
            raise MisuseError(f"a session in {self.state.value} sends no routes")
        octets = b"".join(encode_message(message, self.negotiated.options) for message in messages)
        if not octets:
            return []
        self._restart_keepalive(now, _NO_OCCASION)
        return [Send(self.link, octets)]

    def request_refresh(self, family: Family, now: Instant) -> list[Command]:
        """Ask the peer for its routes of a family again (RFC 2918). Raises `MisuseError` when it cannot."""
        if self.negotiated is None or not self.negotiated.route_refresh:
            raise MisuseError("the peer does not support route refresh")
        return self.send([RouteRefresh(family, SAFI_UNICAST)], now)

    def count(self, family: Family, routes: int, now: Instant) -> list[Command]:
        """Compare the number of routes that the peer has given us with its limit (RFC 4486 §4, Cease 6/1)."""
        limit = self.config.prefix_limits.get(family)
        if limit is None or self.state is not State.ESTABLISHED:
            return []
        if routes > limit:
            reason = f"peer announced {routes} {family} prefixes, its limit is {limit}"
            return self.fail(now, Cause.PREFIX_LIMIT, reason, CeaseSubcode.MAXIMUM_NUMBER_OF_PREFIXES_REACHED)
        if routes < limit * self.config.prefix_warning:
            self._warned.discard(family)
        elif family not in self._warned:
            self._warned.add(family)
            return [PrefixLimitNear(family, routes, limit)]
        return []

    def _handle(self, event: Event, now: Instant, occasion: _Occasion = _NO_OCCASION) -> list[Command]:
        line = transition(self.state, event)
        commands: list[Command] = []
        for action in line.actions:
            commands += _ACTIONS[action](self, now, occasion)
        self.state = line.next
        return commands

    def _message(self, message: Message, now: Instant) -> list[Command]:
        unexpected = f"unexpected {_MESSAGE_TYPES[type(message)].name} from the peer in {self.state.value}"
        occasion = _Occasion(Cause.STATE_ERROR, unexpected, None, message)
        match message:
            case Open():
                return self._open(message, now, occasion)
            case Keepalive():
                return self._handle(Event.KEEPALIVE, now, occasion)
            case Notification():
                return self._notified(message, now)
            case RouteRefresh():
                return self._handle(Event.ROUTE_REFRESH, now, occasion)
            case Update():
                return self._update(message, now, occasion)

    def _open(self, message: Open, now: Instant, occasion: _Occasion) -> list[Command]:
        delayed = self._timers.running(Timer.DELAY_OPEN)
        if delayed or self.state is State.OPEN_SENT:
            self.negotiated = negotiate(self.config, message)
            self._framer.options = self.negotiated.options
        return self._handle(Event.OPEN_WHILE_DELAYED if delayed else Event.OPEN, now, occasion)

    def _notified(self, message: Notification, now: Instant) -> list[Command]:
        event = _NOTIFICATION_EVENTS.get((message.code, message.subcode), Event.NOTIFICATION)
        if event is Event.REJECTED:
            self._rejections += 1
            if self._rejections > REJECTIONS_MAX:
                event = Event.NOTIFICATION
        cause = explanation.cause_of(message.code, message.subcode)
        return self._handle(event, now, _Occasion(cause, explanation.received(self.config, message), message))

    def _update(self, message: Update, now: Instant, occasion: _Occasion) -> list[Command]:
        # RFC 7606 §2 lets a receiver answer AFI/SAFI disable with a reset; a family given up silently helps nobody.
        if message.action is not None and message.action >= wire_errors.Action.DISABLE_FAMILY:
            worst = max(message.errors, key=lambda fault: fault.action)
            raise NotificationError(ErrorCode.UPDATE_MESSAGE_ERROR, worst.subcode, worst.data, str(worst))
        return self._handle(Event.UPDATE, now, occasion)

    def _refuse(self, error: NotificationError, now: Instant) -> list[Command]:
        notification = Notification(error.code, error.subcode, error.data[:_NOTIFICATION_DATA_MAX])
        cause = explanation.cause_of(error.code, error.subcode)
        event = _ERROR_EVENTS.get(error.code, Event.HEADER_ERROR)
        return self._handle(event, now, _Occasion(cause, error.text, notification))

    def _expired(self, timer: Timer, now: Instant) -> list[Command]:
        passive = self.config.passive
        match timer:
            case Timer.HOLD:
                heard = "no OPEN" if self.negotiated is None else "nothing"
                waited = LARGE_HOLD_S if self.negotiated is None else self.negotiated.hold_time_s
                reason = f"hold timer expired: {heard} from {self.config.peer} for {waited:g} s"
                return self._handle(Event.HOLD_EXPIRES, now, _Occasion(Cause.HOLD_TIMER, reason))
            case Timer.KEEPALIVE:
                return self._handle(Event.KEEPALIVE_EXPIRES, now)
            case Timer.DELAY_OPEN:
                return self._handle(Event.DELAY_OPEN_EXPIRES, now)
            case Timer.IDLE_HOLD:
                return self._handle(Event.IDLE_HOLD_EXPIRES_PASSIVE if passive else Event.IDLE_HOLD_EXPIRES, now)
            case Timer.CONNECT_RETRY:
                cause, reason = explanation.connect_failed(self.config, ConnectFault.NO_ANSWER, "")
                event = Event.CONNECT_RETRY_EXPIRES_PASSIVE if passive else Event.CONNECT_RETRY_EXPIRES
                return self._handle(event, now, _Occasion(cause, reason))

    # The actions of `fsm.TABLE`, in the order of `Action`.

    def _dial(self, _now: Instant, _occasion: _Occasion) -> list[Command]:
        self._dialling = True
        return [Connect(self.link)]

    def _drop(self, _now: Instant, _occasion: _Occasion) -> list[Command]:
        if not (self._wired or self._dialling):
            return []
        self._wired = self._dialling = False
        return [Close(self.link)]

    def _clear_retries(self, _now: Instant, _occasion: _Occasion) -> list[Command]:
        self._retries = 0
        return []

    def _count_retry(self, now: Instant, occasion: _Occasion) -> list[Command]:
        stable = self._established_at is not None and now - self._established_at >= self.config.stable_s
        # A peer that said that it stops does not oscillate: it may be back at once, and must not be kept waiting.
        if stable or occasion.cause is Cause.PEER_STOPPED:
            self._retries = 0
        self._established_at = None
        self._retries += 1
        return []

    def _start_connect_retry(self, now: Instant, _occasion: _Occasion) -> list[Command]:
        wait = jittered(self.config.connect_retry_s, self._random)
        self._timers.start(Timer.CONNECT_RETRY, after(now, wait))
        return []

    def _start_delay_open(self, now: Instant, _occasion: _Occasion) -> list[Command]:
        self._timers.start(Timer.DELAY_OPEN, after(now, self.config.delay_open_s))
        return []

    def _stop_timers(self, _now: Instant, _occasion: _Occasion) -> list[Command]:
        self._timers.stop_all()
        return []

    def _start_idle_hold(self, now: Instant, _occasion: _Occasion) -> list[Command]:
        if self.config.restart:
            doublings = min(self._retries - 1, 16)
            wait = min(self.config.idle_hold_s * 2**doublings, self.config.idle_hold_max_s)
            self._timers.start(Timer.IDLE_HOLD, after(now, jittered(wait, self._random)))
        return []

    def _send_open(self, _now: Instant, _occasion: _Occasion) -> list[Command]:
        return [Send(self.link, encode_message(own_open(self.config), BEFORE_OPEN))]

    def _start_large_hold(self, now: Instant, _occasion: _Occasion) -> list[Command]:
        self._timers.start(Timer.HOLD, after(now, LARGE_HOLD_S))
        return []

    def _send_keepalive(self, _now: Instant, _occasion: _Occasion) -> list[Command]:
        return [Send(self.link, encode_message(Keepalive(), BEFORE_OPEN))]

    def _start_negotiated(self, now: Instant, occasion: _Occasion) -> list[Command]:
        self._restart_hold(now, occasion)
        self._restart_keepalive(now, occasion)
        return []

    def _restart_hold(self, now: Instant, _occasion: _Occasion) -> list[Command]:
        if self.negotiated is not None and self.negotiated.hold_time_s:
            self._timers.start(Timer.HOLD, after(now, self.negotiated.hold_time_s))
        return []

    def _restart_keepalive(self, now: Instant, _occasion: _Occasion) -> list[Command]:
        if self.negotiated is not None and self.negotiated.hold_time_s:
            wait = jittered(self.negotiated.keepalive_s, self._random)
            self._timers.start(Timer.KEEPALIVE, after(now, wait))
        return []

    def _establish(self, now: Instant, _occasion: _Occasion) -> list[Command]:
        assert self.negotiated is not None
        self._established_at = now
        self._rejections = 0
        self._warned.clear()
        return [Established(self.link, self.negotiated)]

    def _deliver(self, _now: Instant, occasion: _Occasion) -> list[Command]:
        update = occasion.message
        assert isinstance(update, Update)
        family = update.end_of_rib_family
        if family is not None:
            return [EndOfRIB(family)]
        commands: list[Command] = []
        if update.errors:
            text = "; ".join(map(str, update.errors))
            commands.append(FaultsFound(update.errors, f"malformed UPDATE from {self.config.peer}: {text}"))
        return [*commands, Received(update)]

    def _deliver_refresh(self, _now: Instant, occasion: _Occasion) -> list[Command]:
        message, negotiated = occasion.message, self.negotiated
        assert isinstance(message, RouteRefresh)
        assert negotiated is not None
        family = unicast_family(message.afi, message.safi)
        if family is None or family not in negotiated.families:  # RFC 2918 §4: ignore it
            return []
        match message.subtype:
            case RefreshSubtype.REQUEST:
                return [RefreshRequested(family, negotiated.enhanced_route_refresh)]
            case RefreshSubtype.BEGIN:
                return [RefreshBegan(family)]
            case RefreshSubtype.END:
                return [RefreshEnded(family)]
        return []  # RFC 7313 §5: ignore an unknown subtype

    def _notify(self, _now: Instant, occasion: _Occasion) -> list[Command]:
        if not self._wired or occasion.notification is None:
            return []
        return [Send(self.link, encode_message(occasion.notification, BEFORE_OPEN))]

    def _notify_hold(self, now: Instant, _occasion: _Occasion) -> list[Command]:
        return self._notify(now, _Occasion(notification=Notification(ErrorCode.HOLD_TIMER_EXPIRED, 0)))

    def _notify_state(self, now: Instant, occasion: _Occasion) -> list[Command]:
        # RFC 6608 §3: the data is the type of the message that was not expected.
        data = bytes((_MESSAGE_TYPES[type(occasion.message)],)) if occasion.message is not None else b""
        notification = Notification(ErrorCode.FINITE_STATE_MACHINE_ERROR, _STATE_SUBCODES[self.state], data)
        return self._notify(now, _Occasion(notification=notification))

    def _report_down(self, _now: Instant, occasion: _Occasion) -> list[Command]:
        sent = occasion.notification
        code = (sent.code, sent.subcode) if sent is not None else None
        return [Down(self.link, self.state, occasion.cause, occasion.reason, code)]


_Method = Callable[[BGPSession, Instant, _Occasion], list[Command]]

_ACTIONS: Final[Mapping[Action, _Method]] = {
    Action.DIAL: BGPSession._dial,
    Action.DROP: BGPSession._drop,
    Action.CLEAR_RETRIES: BGPSession._clear_retries,
    Action.COUNT_RETRY: BGPSession._count_retry,
    Action.START_CONNECT_RETRY: BGPSession._start_connect_retry,
    Action.START_DELAY_OPEN: BGPSession._start_delay_open,
    Action.STOP_TIMERS: BGPSession._stop_timers,
    Action.START_IDLE_HOLD: BGPSession._start_idle_hold,
    Action.SEND_OPEN: BGPSession._send_open,
    Action.START_LARGE_HOLD: BGPSession._start_large_hold,
    Action.SEND_KEEPALIVE: BGPSession._send_keepalive,
    Action.START_NEGOTIATED: BGPSession._start_negotiated,
    Action.RESTART_HOLD: BGPSession._restart_hold,
    Action.RESTART_KEEPALIVE: BGPSession._restart_keepalive,
    Action.ESTABLISH: BGPSession._establish,
    Action.DELIVER: BGPSession._deliver,
    Action.DELIVER_REFRESH: BGPSession._deliver_refresh,
    Action.NOTIFY: BGPSession._notify,
    Action.NOTIFY_CEASE: BGPSession._notify,
    Action.NOTIFY_HOLD: BGPSession._notify_hold,
    Action.NOTIFY_STATE: BGPSession._notify_state,
    Action.REPORT_DOWN: BGPSession._report_down,
}
