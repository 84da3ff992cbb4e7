"""The BGP finite state machine (RFC 4271 §8.2.2) as a table: state × event -> actions, next state.

Theory of operation. `TABLE` says everything: for each state, what each event does and where it leads. An event that
a state's row does not name takes the row's last line, `Event.ANY_OTHER`. `BGPSession` turns what happens (octets,
timers, an operator) into events, looks the row up, and carries the actions out in order. No other code changes a state.

Three departures from RFC 4271, each with its reason:

- A dial that fails leads from Connect to Active, as RFC 1771 had it, and not to Idle: an Idle speaker refuses
  connections, so two speakers that both dial and both wait could miss each other for long.
- A peer that rejects our connection (Cease 6/5, RFC 4486 §4) leads from OpenSent to Active, as one that closes it does,
  and not to Idle: mostly it rejects because it is Idle itself. Two speakers that each wait out a failure of the session
  would otherwise go on rejecting each other, each time with a longer wait. A few rejections in turn are waited out.
- A passive speaker has events of its own for its starts (4, 5), so that the table needs no conditions; the same is
  done for a TCP connection whose OPEN is delayed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final


class State(Enum):
    """The states of RFC 4271 §8.2.2."""

    IDLE = "Idle"
    CONNECT = "Connect"
    ACTIVE = "Active"
    OPEN_SENT = "OpenSent"
    OPEN_CONFIRM = "OpenConfirm"
    ESTABLISHED = "Established"


class Event(Enum):
    """The events of RFC 4271 §8.1; each value holds its number there."""

    START = "1, 3: ManualStart, AutomaticStart"
    START_PASSIVE = "4, 5: the same with PassiveTcpEstablishment"
    STOP = "2: ManualStop"
    AUTOMATIC_STOP = "8: AutomaticStop"
    CONNECT_RETRY_EXPIRES = "9: ConnectRetryTimer_Expires"
    CONNECT_RETRY_EXPIRES_PASSIVE = "9: the same with PassiveTcpEstablishment"
    HOLD_EXPIRES = "10: HoldTimer_Expires"
    KEEPALIVE_EXPIRES = "11: KeepaliveTimer_Expires"
    DELAY_OPEN_EXPIRES = "12: DelayOpenTimer_Expires"
    IDLE_HOLD_EXPIRES = "13: IdleHoldTimer_Expires"
    IDLE_HOLD_EXPIRES_PASSIVE = "13: the same with PassiveTcpEstablishment"
    CONNECTED = "16, 17: Tcp_CR_Acked, TcpConnectionConfirmed"
    CONNECTED_DELAYED = "16, 17: the same with DelayOpen"
    TCP_FAILS = "18: TcpConnectionFails"
    OPEN = "19: BGPOpen"
    OPEN_WHILE_DELAYED = "20: BGPOpen with DelayOpenTimer running"
    HEADER_ERROR = "21: BGPHeaderErr"
    OPEN_ERROR = "22: BGPOpenMsgErr"
    COLLISION_DUMP = "23: OpenCollisionDump"
    NOTIFICATION_VERSION = "24: NotifMsgVerErr"
    NOTIFICATION = "25: NotifMsg"
    REJECTED = "25: the same with Cease, Connection Rejected (RFC 4486 §4)"
    KEEPALIVE = "26: KeepAliveMsg"
    UPDATE = "27: UpdateMsg"
    UPDATE_ERROR = "28: UpdateMsgErr"
    ROUTE_REFRESH = "RFC 2918 §4: a ROUTE-REFRESH message"
    ANY_OTHER = "any other event"


class Action(Enum):
    """What a transition makes the session do; each is one method of `BGPSession`."""

    DIAL = "initiate a TCP connection"
    DROP = "drop the TCP connection, if there is one"
    CLEAR_RETRIES = "set ConnectRetryCounter to zero"
    COUNT_RETRY = "increment ConnectRetryCounter"
    START_CONNECT_RETRY = "(re)start ConnectRetryTimer"
    START_DELAY_OPEN = "start DelayOpenTimer"
    STOP_TIMERS = "stop every timer"
    START_IDLE_HOLD = "start IdleHoldTimer, doubled with each retry (DampPeerOscillations)"
    SEND_OPEN = "send an OPEN"
    START_LARGE_HOLD = "start HoldTimer with its large value"
    SEND_KEEPALIVE = "send a KEEPALIVE"
    START_NEGOTIATED = "start HoldTimer and KeepaliveTimer with the negotiated values"
    RESTART_HOLD = "restart HoldTimer, unless the hold time is zero"
    RESTART_KEEPALIVE = "restart KeepaliveTimer, unless the hold time is zero"
    ESTABLISH = "say that the session is up"
    DELIVER = "hand the UPDATE to the caller"
    DELIVER_REFRESH = "hand the ROUTE-REFRESH to the caller"
    NOTIFY = "send the NOTIFICATION that the event calls for"
    NOTIFY_CEASE = "send a Cease (RFC 4486)"
    NOTIFY_HOLD = "send Hold Timer Expired (4/0)"
    NOTIFY_STATE = "send Finite State Machine Error with the state's subcode (RFC 6608 §3)"
    REPORT_DOWN = "say that the connection ended, and why"


@dataclass(frozen=True, slots=True)
class Transition:
    """What an event does in a state: the actions in order, then the next state."""

    next: State
    actions: tuple[Action, ...]


def _to(state: State, *actions: Action) -> Transition:
    return Transition(state, actions)


_S, _E, _A = State, Event, Action

_DIAL = _to(_S.CONNECT, _A.STOP_TIMERS, _A.START_CONNECT_RETRY, _A.DIAL)
_LISTEN = _to(_S.ACTIVE, _A.STOP_TIMERS, _A.START_CONNECT_RETRY)
_OPEN = _to(_S.OPEN_SENT, _A.STOP_TIMERS, _A.SEND_OPEN, _A.START_LARGE_HOLD)
_CONFIRM = (_A.SEND_KEEPALIVE, _A.START_NEGOTIATED)
_AGAIN = _to(_S.ACTIVE, _A.STOP_TIMERS, _A.DROP, _A.REPORT_DOWN, _A.START_CONNECT_RETRY)
_REST = (_A.STOP_TIMERS, _A.DROP, _A.COUNT_RETRY, _A.REPORT_DOWN, _A.START_IDLE_HOLD)

_QUIT = _to(_S.IDLE, *_REST)
_STOP_UNOPENED = _to(_S.IDLE, _A.STOP_TIMERS, _A.DROP, _A.CLEAR_RETRIES, _A.REPORT_DOWN)
_STOP = _to(_S.IDLE, _A.NOTIFY_CEASE, _A.STOP_TIMERS, _A.DROP, _A.CLEAR_RETRIES, _A.REPORT_DOWN)
_NOTIFY = _to(_S.IDLE, _A.NOTIFY, *_REST)
_CEASE = _to(_S.IDLE, _A.NOTIFY_CEASE, *_REST)
_HOLD = _to(_S.IDLE, _A.NOTIFY_HOLD, *_REST)
_WRONG = _to(_S.IDLE, _A.NOTIFY_STATE, *_REST)

# An UPDATE or KEEPALIVE before the OPENs is answered like any event that the state does not know (RFC 4271 §8.2.2).
_UNOPENED: Final = {
    _E.START: _to(_S.CONNECT),
    _E.START_PASSIVE: _to(_S.CONNECT),
    _E.STOP: _STOP_UNOPENED,
    _E.AUTOMATIC_STOP: _QUIT,
    _E.CONNECTED: _OPEN,
    _E.CONNECTED_DELAYED: _to(_S.CONNECT, _A.STOP_TIMERS, _A.START_DELAY_OPEN),
    _E.DELAY_OPEN_EXPIRES: _OPEN,
    _E.OPEN_WHILE_DELAYED: _to(_S.OPEN_CONFIRM, _A.STOP_TIMERS, _A.SEND_OPEN, *_CONFIRM),
    _E.HEADER_ERROR: _NOTIFY,
    _E.OPEN_ERROR: _NOTIFY,
    _E.COLLISION_DUMP: _QUIT,
    _E.NOTIFICATION_VERSION: _QUIT,
    _E.NOTIFICATION: _QUIT,
    _E.REJECTED: _QUIT,
    _E.ANY_OTHER: _QUIT,
}

TABLE: Final[Mapping[State, Mapping[Event, Transition]]] = MappingProxyType(
    {
        State.IDLE: {
            Event.START: _to(_S.CONNECT, _A.CLEAR_RETRIES, *_DIAL.actions),
            Event.START_PASSIVE: _to(_S.ACTIVE, _A.CLEAR_RETRIES, *_LISTEN.actions),
            Event.STOP: _to(_S.IDLE, _A.STOP_TIMERS, _A.CLEAR_RETRIES),
            Event.IDLE_HOLD_EXPIRES: _DIAL,
            Event.IDLE_HOLD_EXPIRES_PASSIVE: _LISTEN,
            Event.ANY_OTHER: _to(_S.IDLE),
        },
        State.CONNECT: {
            **_UNOPENED,
            Event.CONNECT_RETRY_EXPIRES: _to(_S.CONNECT, _A.DROP, _A.REPORT_DOWN, *_DIAL.actions),
            Event.TCP_FAILS: _AGAIN,
        },
        State.ACTIVE: {
            **_UNOPENED,
            Event.START: _to(_S.ACTIVE),
            Event.START_PASSIVE: _to(_S.ACTIVE),
            Event.CONNECT_RETRY_EXPIRES: _DIAL,
            Event.CONNECT_RETRY_EXPIRES_PASSIVE: _LISTEN,
            Event.CONNECTED_DELAYED: _to(_S.ACTIVE, _A.STOP_TIMERS, _A.START_DELAY_OPEN),
            Event.TCP_FAILS: _QUIT,
        },
        State.OPEN_SENT: {
            Event.START: _to(_S.OPEN_SENT),
            Event.START_PASSIVE: _to(_S.OPEN_SENT),
            Event.STOP: _STOP,
            Event.AUTOMATIC_STOP: _CEASE,
            Event.HOLD_EXPIRES: _HOLD,
            Event.TCP_FAILS: _AGAIN,
            Event.OPEN: _to(_S.OPEN_CONFIRM, _A.STOP_TIMERS, *_CONFIRM),
            Event.HEADER_ERROR: _NOTIFY,
            Event.OPEN_ERROR: _NOTIFY,
            Event.COLLISION_DUMP: _CEASE,
            Event.NOTIFICATION_VERSION: _QUIT,
            Event.NOTIFICATION: _QUIT,
            Event.REJECTED: _AGAIN,
            Event.UPDATE_ERROR: _WRONG,
            Event.ANY_OTHER: _WRONG,
        },
        State.OPEN_CONFIRM: {
            Event.START: _to(_S.OPEN_CONFIRM),
            Event.START_PASSIVE: _to(_S.OPEN_CONFIRM),
            Event.STOP: _STOP,
            Event.AUTOMATIC_STOP: _CEASE,
            Event.HOLD_EXPIRES: _HOLD,
            Event.KEEPALIVE_EXPIRES: _to(_S.OPEN_CONFIRM, _A.SEND_KEEPALIVE, _A.RESTART_KEEPALIVE),
            Event.TCP_FAILS: _QUIT,
            Event.NOTIFICATION_VERSION: _QUIT,
            Event.NOTIFICATION: _QUIT,
            Event.REJECTED: _QUIT,
            Event.HEADER_ERROR: _NOTIFY,
            Event.OPEN_ERROR: _NOTIFY,
            Event.COLLISION_DUMP: _CEASE,
            Event.KEEPALIVE: _to(_S.ESTABLISHED, _A.RESTART_HOLD, _A.ESTABLISH),
            Event.ANY_OTHER: _WRONG,
        },
        State.ESTABLISHED: {
            Event.START: _to(_S.ESTABLISHED),
            Event.START_PASSIVE: _to(_S.ESTABLISHED),
            Event.STOP: _STOP,
            Event.AUTOMATIC_STOP: _CEASE,
            Event.HOLD_EXPIRES: _HOLD,
            Event.KEEPALIVE_EXPIRES: _to(_S.ESTABLISHED, _A.SEND_KEEPALIVE, _A.RESTART_KEEPALIVE),
            Event.TCP_FAILS: _QUIT,
            Event.NOTIFICATION_VERSION: _QUIT,
            Event.NOTIFICATION: _QUIT,
            Event.REJECTED: _QUIT,
            Event.HEADER_ERROR: _NOTIFY,
            Event.COLLISION_DUMP: _CEASE,
            Event.KEEPALIVE: _to(_S.ESTABLISHED, _A.RESTART_HOLD),
            Event.UPDATE: _to(_S.ESTABLISHED, _A.RESTART_HOLD, _A.DELIVER),
            Event.UPDATE_ERROR: _NOTIFY,
            Event.ROUTE_REFRESH: _to(_S.ESTABLISHED, _A.RESTART_HOLD, _A.DELIVER_REFRESH),
            Event.ANY_OTHER: _WRONG,
        },
    }
)


def transition(state: State, event: Event) -> Transition:
    """Give the table's line for an event in a state."""
    row = TABLE[state]
    return row.get(event) or row[Event.ANY_OTHER]
