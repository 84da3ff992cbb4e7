"""Every row of the state machine as a dialogue: in a state, something happens; what is said, and what is next."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from anycastle.base.ports import FAR_FUTURE, Instant, after
from anycastle.model.prefix import Family
from anycastle.session.command import Cause, Close, Connect, ConnectFault, Down, Established, Received, Send
from anycastle.session.fsm import TABLE, Event, State, transition
from anycastle.session.session import REJECTIONS_MAX, BGPSession
from anycastle.wire.bgp.error_codes import CeaseSubcode
from anycastle.wire.bgp.message import Keepalive, Notification, Open, RouteRefresh, Update
from tests.unit.session.dialogue import T0, bring_to, octets, only, peer_open, sent, session

KEEPALIVE = octets(Keepalive())
UPDATE = octets(Update.end_of_rib(Family.IPV4))
VERSION = octets(Notification(2, 1))
NOTIFICATION = octets(Notification(6, 4))
REJECTED = octets(Notification(6, 5))
BAD_HEADER = b"\x00" * 19
BAD_UPDATE = b"\xff" * 16 + b"\x00\x17\x02\xff\xff\x00\x00"
REFRESH = octets(RouteRefresh(1, 1))

Happening = Callable[[BGPSession], list]


def hears(raw: bytes) -> Happening:
    return lambda speaker: speaker.received(raw, T0)


def waits() -> Happening:
    """Let the next timer expire."""
    return lambda speaker: speaker.wake(speaker.deadline)


@dataclass(frozen=True)
class Row:
    """A line of the table as a dialogue."""

    state: State
    happening: Happening
    then: State
    says: tuple = ()
    cause: Cause | None = None
    config: tuple = ()

    @property
    def name(self) -> str:
        return f"{self.state.value}-{self.then.value}-{self.cause.value if self.cause else 'ok'}"


S, C = State, Cause
CEASE_STOP = Notification(6, 2, b"\x03bye")


def stop(speaker: BGPSession) -> list:
    return speaker.stop(T0, "bye")


def automatic_stop(speaker: BGPSession) -> list:
    return speaker.fail(T0, Cause.RESOURCES, "full", CeaseSubcode.OUT_OF_RESOURCES)


def drops(speaker: BGPSession) -> list:
    return speaker.disconnected(T0)


def hold_expires(speaker: BGPSession) -> list:
    return speaker.wake(after(T0, 10_000))


def begins(speaker: BGPSession) -> list:
    return speaker.start(T0)


def dumps(speaker: BGPSession) -> list:
    return speaker.dump(T0)


def connects(speaker: BGPSession) -> list:
    return speaker.connected(T0)


DELAYED = (("delay_open_s", 3.0),)


def delayed(then: Happening, *, passive: bool = False) -> Happening:
    def happening(speaker: BGPSession) -> list:
        assert speaker.connected(T0, initiated=not passive) == []
        return then(speaker)

    return happening


ROWS = [
    # Idle
    Row(S.IDLE, begins, S.CONNECT),
    Row(S.IDLE, begins, S.ACTIVE, config=(("passive", True),)),
    Row(S.IDLE, stop, S.IDLE),
    Row(S.IDLE, connects, S.IDLE),
    Row(S.IDLE, hears(KEEPALIVE), S.IDLE),
    Row(S.IDLE, dumps, S.IDLE),
    # Connect
    Row(S.CONNECT, begins, S.CONNECT),
    Row(S.CONNECT, stop, S.IDLE, cause=C.STOPPED),
    Row(S.CONNECT, automatic_stop, S.IDLE, cause=C.RESOURCES),
    Row(S.CONNECT, waits(), S.CONNECT, cause=C.NO_ANSWER),
    Row(S.CONNECT, connects, S.OPEN_SENT, says=(Open,)),
    Row(S.CONNECT, delayed(lambda speaker: []), S.CONNECT, config=DELAYED),
    Row(S.CONNECT, delayed(waits()), S.OPEN_SENT, says=(Open,), config=DELAYED),
    Row(S.CONNECT, delayed(hears(octets(peer_open()))), S.OPEN_CONFIRM, says=(Open, Keepalive), config=DELAYED),
    Row(S.CONNECT, delayed(hears(BAD_HEADER)), S.IDLE, (Notification(1, 1),), C.PROTOCOL_ERROR, DELAYED),
    Row(
        S.CONNECT,
        delayed(hears(octets(peer_open(local_asn=64999)))),
        S.IDLE,
        (Notification(2, 2),),
        C.ASN_MISMATCH,
        DELAYED,
    ),
    Row(S.CONNECT, delayed(hears(VERSION)), S.IDLE, (), C.VERSION, DELAYED),
    Row(S.CONNECT, delayed(hears(NOTIFICATION)), S.IDLE, (), C.PEER_STOPPED, DELAYED),
    Row(S.CONNECT, delayed(hears(REJECTED)), S.IDLE, (), C.PEER_CEASED, DELAYED),
    Row(S.CONNECT, delayed(hears(KEEPALIVE)), S.IDLE, (), C.STATE_ERROR, DELAYED),
    Row(S.CONNECT, delayed(stop), S.IDLE, (), C.STOPPED, DELAYED),
    Row(S.CONNECT, delayed(drops), S.ACTIVE, (), C.DISCONNECTED, DELAYED),
    Row(S.CONNECT, lambda speaker: speaker.connection_failed(T0, ConnectFault.REFUSED), S.ACTIVE, (), C.REFUSED),
    Row(S.CONNECT, dumps, S.IDLE, (), C.COLLISION),
    # Active
    Row(S.ACTIVE, begins, S.ACTIVE),
    Row(S.ACTIVE, lambda speaker: speaker.listen(T0), S.ACTIVE),
    Row(S.ACTIVE, stop, S.IDLE, (), C.STOPPED),
    Row(S.ACTIVE, automatic_stop, S.IDLE, (), C.RESOURCES),
    Row(S.ACTIVE, waits(), S.ACTIVE),
    Row(S.ACTIVE, connects, S.OPEN_SENT, (Open,)),
    Row(S.ACTIVE, delayed(lambda speaker: [], passive=True), S.ACTIVE, config=DELAYED),
    Row(S.ACTIVE, delayed(waits(), passive=True), S.OPEN_SENT, (Open,), config=DELAYED),
    Row(S.ACTIVE, delayed(hears(octets(peer_open()))), S.OPEN_CONFIRM, (Open, Keepalive), config=DELAYED),
    Row(S.ACTIVE, delayed(drops), S.IDLE, (), C.DISCONNECTED, DELAYED),
    Row(S.ACTIVE, delayed(hears(BAD_HEADER)), S.IDLE, (Notification(1, 1),), C.PROTOCOL_ERROR, DELAYED),
    Row(S.ACTIVE, delayed(hears(UPDATE)), S.IDLE, (), C.STATE_ERROR, DELAYED),
    Row(S.ACTIVE, delayed(hears(VERSION)), S.IDLE, (), C.VERSION, DELAYED),
    # OpenSent
    Row(S.OPEN_SENT, begins, S.OPEN_SENT),
    Row(S.OPEN_SENT, stop, S.IDLE, (CEASE_STOP,), C.STOPPED),
    Row(S.OPEN_SENT, automatic_stop, S.IDLE, (Notification(6, 8),), C.RESOURCES),
    Row(S.OPEN_SENT, hold_expires, S.IDLE, (Notification(4, 0),), C.HOLD_TIMER),
    Row(S.OPEN_SENT, drops, S.ACTIVE, (), C.DISCONNECTED),
    Row(S.OPEN_SENT, hears(octets(peer_open())), S.OPEN_CONFIRM, (Keepalive,)),
    Row(S.OPEN_SENT, hears(BAD_HEADER), S.IDLE, (Notification(1, 1),), C.PROTOCOL_ERROR),
    Row(S.OPEN_SENT, hears(octets(peer_open(local_asn=64999))), S.IDLE, (Notification(2, 2),), C.ASN_MISMATCH),
    Row(S.OPEN_SENT, dumps, S.IDLE, (Notification(6, 7),), C.COLLISION),
    Row(S.OPEN_SENT, hears(VERSION), S.IDLE, (), C.VERSION),
    Row(S.OPEN_SENT, hears(NOTIFICATION), S.IDLE, (), C.PEER_STOPPED),
    Row(S.OPEN_SENT, hears(REJECTED), S.ACTIVE, (), C.PEER_CEASED),
    Row(S.OPEN_SENT, hears(KEEPALIVE), S.IDLE, (Notification(5, 1, b"\x04"),), C.STATE_ERROR),
    Row(S.OPEN_SENT, hears(UPDATE), S.IDLE, (Notification(5, 1, b"\x02"),), C.STATE_ERROR),
    Row(S.OPEN_SENT, hears(REFRESH), S.IDLE, (Notification(5, 1, b"\x05"),), C.STATE_ERROR),
    Row(S.OPEN_SENT, hears(BAD_UPDATE), S.IDLE, (Notification(5, 1),), C.PROTOCOL_ERROR),
    # OpenConfirm
    Row(S.OPEN_CONFIRM, begins, S.OPEN_CONFIRM),
    Row(S.OPEN_CONFIRM, stop, S.IDLE, (CEASE_STOP,), C.STOPPED),
    Row(S.OPEN_CONFIRM, automatic_stop, S.IDLE, (Notification(6, 8),), C.RESOURCES),
    Row(S.OPEN_CONFIRM, hold_expires, S.IDLE, (Notification(4, 0),), C.HOLD_TIMER),
    Row(S.OPEN_CONFIRM, waits(), S.OPEN_CONFIRM, (Keepalive,)),
    Row(S.OPEN_CONFIRM, drops, S.IDLE, (), C.DISCONNECTED),
    Row(S.OPEN_CONFIRM, hears(VERSION), S.IDLE, (), C.VERSION),
    Row(S.OPEN_CONFIRM, hears(NOTIFICATION), S.IDLE, (), C.PEER_STOPPED),
    Row(S.OPEN_CONFIRM, hears(REJECTED), S.IDLE, (), C.PEER_CEASED),
    Row(S.OPEN_CONFIRM, hears(BAD_HEADER), S.IDLE, (Notification(1, 1),), C.PROTOCOL_ERROR),
    Row(S.OPEN_CONFIRM, dumps, S.IDLE, (Notification(6, 7),), C.COLLISION),
    Row(S.OPEN_CONFIRM, hears(KEEPALIVE), S.ESTABLISHED),
    Row(S.OPEN_CONFIRM, hears(octets(peer_open())), S.IDLE, (Notification(5, 2, b"\x01"),), C.STATE_ERROR),
    Row(S.OPEN_CONFIRM, hears(UPDATE), S.IDLE, (Notification(5, 2, b"\x02"),), C.STATE_ERROR),
    Row(S.OPEN_CONFIRM, hears(BAD_UPDATE), S.IDLE, (Notification(5, 2),), C.PROTOCOL_ERROR),
    # Established
    Row(S.ESTABLISHED, begins, S.ESTABLISHED),
    Row(S.ESTABLISHED, stop, S.IDLE, (CEASE_STOP,), C.STOPPED),
    Row(S.ESTABLISHED, automatic_stop, S.IDLE, (Notification(6, 8),), C.RESOURCES),
    Row(S.ESTABLISHED, hold_expires, S.IDLE, (Notification(4, 0),), C.HOLD_TIMER),
    Row(S.ESTABLISHED, waits(), S.ESTABLISHED, (Keepalive,)),
    Row(S.ESTABLISHED, drops, S.IDLE, (), C.DISCONNECTED),
    Row(S.ESTABLISHED, hears(VERSION), S.IDLE, (), C.VERSION),
    Row(S.ESTABLISHED, hears(NOTIFICATION), S.IDLE, (), C.PEER_STOPPED),
    Row(S.ESTABLISHED, hears(REJECTED), S.IDLE, (), C.PEER_CEASED),
    Row(S.ESTABLISHED, hears(BAD_HEADER), S.IDLE, (Notification(1, 1),), C.PROTOCOL_ERROR),
    Row(S.ESTABLISHED, dumps, S.IDLE, (Notification(6, 7),), C.COLLISION),
    Row(S.ESTABLISHED, hears(KEEPALIVE), S.ESTABLISHED),
    Row(S.ESTABLISHED, hears(UPDATE), S.ESTABLISHED),
    Row(S.ESTABLISHED, hears(REFRESH), S.ESTABLISHED),
    Row(S.ESTABLISHED, hears(BAD_UPDATE), S.IDLE, (Notification(3, 1),), C.PROTOCOL_ERROR),
    Row(S.ESTABLISHED, hears(octets(peer_open())), S.IDLE, (Notification(5, 3, b"\x01"),), C.STATE_ERROR),
]


@pytest.mark.rfc("4271", "8.1.2", "8.1.4", "8.1.5", "8.2.1", "8.2.1.1", "8.2.1.3", "8.2.2", "6.5", "6.6", "6.7")
@pytest.mark.rfc("6608", "3", "4")
@pytest.mark.rfc("4486", "3", "4")
@pytest.mark.mission("I1")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row(row: Row) -> None:
    speaker = bring_to(row.state, **dict(row.config))
    commands = row.happening(speaker)
    assert speaker.state is row.then
    said = sent(commands)
    assert len(said) == len(row.says), said
    for message, expected in zip(said, row.says, strict=True):
        assert isinstance(message, expected) if isinstance(expected, type) else message == expected
    if row.cause is None:
        assert not any(isinstance(command, Down) for command in commands)
        return
    down = only(commands, Down)
    assert (down.cause, down.state) == (row.cause, row.state)
    assert down.reason
    notified = [command for command in commands if isinstance(command, (Send, Close))]
    assert not said or isinstance(notified[-1], Close), "what is said goes out before the connection closes"


@pytest.mark.rfc("4271", "8.2.2")
def test_every_state_answers_every_event() -> None:
    for state in State:
        for event in Event:
            line = transition(state, event)
            assert isinstance(line.next, State)
        assert Event.ANY_OTHER in TABLE[state]


@pytest.mark.rfc("4271", "8.2.2")
def test_the_way_up() -> None:
    speaker = session()
    assert speaker.start(T0) == [Connect(0)]
    (opening,) = sent(speaker.connected(T0))
    assert isinstance(opening, Open)
    assert (opening.asn, opening.hold_time_s, str(opening.identifier)) == (64500, 30, "10.0.0.1")
    assert sent(speaker.received(octets(peer_open()), T0)) == [Keepalive()]
    up = only(speaker.received(KEEPALIVE, T0), Established)
    assert up.negotiated.peer_asn == 64501
    assert str(up.negotiated.peer_identifier) == "10.0.0.2"


@pytest.mark.rfc("4271", "4.1")
def test_octets_may_be_cut_anywhere() -> None:
    speaker = bring_to(State.OPEN_SENT)
    commands = []
    for octet in octets(peer_open(), Keepalive()):
        commands += speaker.received(bytes((octet,)), T0)
    assert speaker.state is State.ESTABLISHED
    assert only(commands, Established)


def test_what_follows_the_end_is_not_read() -> None:
    speaker = bring_to(State.ESTABLISHED)
    commands = speaker.received(NOTIFICATION + UPDATE + BAD_HEADER, T0)
    assert [type(command) for command in commands] == [Close, Down]
    assert speaker.received(KEEPALIVE, T0) == []
    assert speaker.disconnected(T0) == []
    assert speaker.connection_failed(T0, ConnectFault.REFUSED) == []
    assert not any(isinstance(command, Received) for command in commands)


@pytest.mark.rfc("4271", "8.1.3", "10")
def test_a_stopped_session_wants_no_waking() -> None:
    speaker = bring_to(State.ESTABLISHED)
    speaker.stop(T0, "bye")
    assert speaker.deadline == FAR_FUTURE
    assert speaker.wake(Instant(1e12)) == []


@pytest.mark.rfc("4486", "4")
def test_a_peer_that_goes_on_rejecting_is_waited_out() -> None:
    speaker = bring_to(State.OPEN_SENT)
    states = []
    for _ in range(REJECTIONS_MAX + 1):
        speaker.received(REJECTED, T0)
        states.append(speaker.state)
        speaker.wake(speaker.deadline)  # ConnectRetryTimer
        speaker.connected(T0)
    assert states == [*[State.ACTIVE] * REJECTIONS_MAX, State.IDLE]
