"""Timers, messages both ways, limits, and what a session says when it ends."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Instant, after
from anycastle.model.prefix import Family, parse_prefix
from anycastle.session import explanation
from anycastle.session.command import (
    Cause,
    Close,
    Connect,
    ConnectFault,
    Down,
    EndOfRIB,
    FaultsFound,
    PrefixLimitNear,
    Received,
    RefreshBegan,
    RefreshEnded,
    RefreshRequested,
)
from anycastle.session.fsm import State
from anycastle.session.session import LARGE_HOLD_S, BGPSession
from anycastle.wire.bgp.as_path import ASPath
from anycastle.wire.bgp.attributes import Origin, PathAttributes
from anycastle.wire.bgp.capability import RoleValue
from anycastle.wire.bgp.error_codes import CeaseSubcode
from anycastle.wire.bgp.message import Keepalive, Notification, RouteRefresh, Update
from anycastle.wire.bgp.nlri import NLRI
from anycastle.wire.bgp.notification import cease, decode_shutdown_communication
from tests.unit.session.dialogue import (
    CONFIG,
    T0,
    bring_to,
    octets,
    only,
    peer_open,
    seeded,
    sent,
    session,
)

ROUTE = Update(
    attributes=PathAttributes(origin=Origin.IGP, as_path=ASPath.sequence(64501), next_hop=IPv4Address("192.0.2.1")),
    nlri=(NLRI(parse_prefix("198.51.100.0/24")),),
)


def routes(speaker: BGPSession, *messages: Update) -> bytes:
    assert speaker.negotiated is not None
    return octets(*messages, options=speaker.negotiated.options)


@pytest.mark.rfc("4271", "10", "8.1.3")
def test_timers_run_with_jitter_within_its_bounds() -> None:
    random = seeded(1)
    waits = set()
    for _ in range(200):
        speaker = BGPSession(CONFIG, random)
        speaker.start(T0)
        waits.add((speaker.deadline - T0) / CONFIG.connect_retry_s)
    assert 0.75 <= min(waits) < 0.77
    assert 0.98 < max(waits) <= 1.0


@pytest.mark.rfc("4271", "8.2.2")
def test_the_hold_timer_is_large_until_the_open_came() -> None:
    speaker = bring_to(State.OPEN_SENT)
    assert speaker.deadline == after(T0, LARGE_HOLD_S)
    speaker.received(octets(peer_open(hold_time_s=9)), T0)
    assert speaker.deadline == after(T0, 3.0)  # KeepaliveTimer: a third of the hold time
    down = only(speaker.wake(after(T0, 9.0)), Down)
    assert down.cause is Cause.HOLD_TIMER
    assert "for 9 s" in down.reason


@pytest.mark.rfc("4271", "4.4", "6.5")
def test_keepalives_hold_the_session_and_silence_ends_it() -> None:
    speaker = bring_to(State.ESTABLISHED)
    now = T0
    for _ in range(20):
        now = after(now, 10.0)
        assert sent(speaker.wake(now)) == [Keepalive()]
        speaker.received(octets(Keepalive()), now)
    assert speaker.state is State.ESTABLISHED
    down = only(speaker.wake(after(now, 30.0)), Down)
    assert down.reason == "hold timer expired: nothing from 192.0.2.1 port 179 for 30 s"


@pytest.mark.rfc("4271", "4.2", "4.4")
def test_a_hold_time_of_zero_means_no_timers() -> None:
    speaker = bring_to(State.ESTABLISHED, hold_time_s=0)
    assert speaker.deadline == float("inf")
    assert speaker.send([Update.end_of_rib(Family.IPV4)], T0)
    assert speaker.deadline == float("inf")


@pytest.mark.rfc("4271", "8.2.2")
def test_an_update_of_ours_counts_as_a_keepalive() -> None:
    speaker = bring_to(State.ESTABLISHED)
    speaker.send([Update.end_of_rib(Family.IPV4)], after(T0, 5.0))
    assert speaker.deadline == after(T0, 15.0)
    assert speaker.send([], after(T0, 6.0)) == []
    assert speaker.deadline == after(T0, 15.0)


@pytest.mark.rfc("4271", "8.1.1", "8.1.3")
def test_failures_in_a_row_wait_longer_each_time_and_a_stable_session_forgives() -> None:
    speaker = session()
    waits = []
    now = T0
    speaker.start(now)
    for _ in range(9):
        speaker.connected(now)
        speaker.received(octets(peer_open(), Keepalive(), Notification(6, 5)), now)
        waits.append(speaker.deadline - now)
        now = speaker.deadline
        assert speaker.wake(now) == [Connect(0)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    speaker.connected(now)
    speaker.received(octets(peer_open(), Keepalive()), now)
    later = after(now, CONFIG.stable_s)
    speaker.received(octets(Notification(6, 5)), later)
    assert speaker.deadline - later == 1


@pytest.mark.rfc("4271", "8.1.1")
def test_a_peer_that_stops_in_good_order_is_not_damped() -> None:
    speaker = session()
    now = T0
    speaker.start(now)
    for _ in range(5):
        speaker.connected(now)
        speaker.received(octets(peer_open(), Keepalive(), Notification(6, 2)), now)
        assert speaker.deadline - now == 1
        now = speaker.deadline
        speaker.wake(now)


def test_a_passive_session_listens_again_after_its_wait() -> None:
    speaker = session(passive=True)
    speaker.start(T0)
    speaker.connected(T0, initiated=False)
    speaker.received(octets(Notification(6, 4)), T0)
    assert speaker.wake(speaker.deadline) == []
    assert speaker.state is State.ACTIVE


def test_without_automatic_restart_a_failed_session_stays_down() -> None:
    speaker = bring_to(State.ESTABLISHED, restart=False)
    speaker.disconnected(T0)
    assert speaker.wake(Instant(1e9)) == []
    assert speaker.state is State.IDLE


@pytest.mark.rfc("4271", "8.2.2", "6.8")
def test_a_dial_without_answer_is_tried_again() -> None:
    speaker = bring_to(State.CONNECT)
    commands = speaker.wake(speaker.deadline)
    assert [type(each) for each in commands] == [Close, Down, Connect]
    assert only(commands, Down).reason == (
        "no answer on TCP from 192.0.2.1 port 179: wrong address, filter, "
        "or a TCP-MD5 password that differs (we have none)"
    )
    speaker = bring_to(State.CONNECT, authenticated=True)
    assert only(speaker.wake(speaker.deadline), Down).reason.endswith("password that differs")


@pytest.mark.mission("I1")
@pytest.mark.parametrize(
    ("fault", "cause", "text"),
    [
        (ConnectFault.NO_ANSWER, Cause.NO_ANSWER, "TCP-MD5 password that differs"),
        (ConnectFault.REFUSED, Cause.REFUSED, "no BGP speaker listens there"),
        (ConnectFault.UNREACHABLE, Cause.UNREACHABLE, "cannot be reached: no route"),
        (ConnectFault.LOCAL, Cause.LOCAL, "cannot dial 192.0.2.1 port 179: no route"),
    ],
)
def test_a_failed_dial_says_what_to_look_at(fault: ConnectFault, cause: Cause, text: str) -> None:
    speaker = bring_to(State.CONNECT)
    down = only(speaker.connection_failed(T0, fault, "no route"), Down)
    assert down.cause is cause
    assert text in down.reason
    assert speaker.state is State.ACTIVE
    assert speaker.wake(speaker.deadline) == [Connect(0)]


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (State.OPEN_SENT, "closed TCP before its OPEN (reset): it may not know our address"),
        (State.OPEN_CONFIRM, "closed TCP before the session was up (reset): it may not accept our OPEN"),
        (State.ESTABLISHED, "TCP connection to 192.0.2.1 port 179 lost (reset)"),
    ],
)
def test_a_lost_connection_says_how_far_it_came(state: State, text: str) -> None:
    assert text in only(bring_to(state).disconnected(T0, "reset"), Down).reason


@pytest.mark.rfc("4271", "6.2", "6.4", "4.5")
@pytest.mark.rfc("4486", "4")
@pytest.mark.rfc("9003", "2", "4")
@pytest.mark.parametrize(
    ("notification", "cause", "text"),
    [
        (Notification(2, 2), Cause.ASN_MISMATCH, "it expects another ASN than our AS64500"),
        (Notification(2, 3), Cause.IDENTIFIER, "it does not take our BGP Identifier 10.0.0.1"),
        (Notification(2, 6), Cause.HOLD_TIME_MISMATCH, "it does not accept our hold time of 30 s"),
        (Notification(2, 7), Cause.CAPABILITY, "peer refused our OPEN (OPEN Message Error, Unsupported Capability"),
        (Notification(2, 11), Cause.ROLE_MISMATCH, "our role is customer"),
        (Notification(2, 99), Cause.PROTOCOL_ERROR, "subcode 99"),
        (Notification(3, 1), Cause.PROTOCOL_ERROR, "peer reports an error of ours"),
        (Notification(4, 0), Cause.HOLD_TIMER, "peer heard nothing from us for its hold time"),
        (Notification(5, 3), Cause.STATE_ERROR, "peer reports an error of ours"),
        (Notification(6, 1), Cause.PREFIX_LIMIT, "Maximum Number of Prefixes Reached"),
        (cease(CeaseSubcode.ADMINISTRATIVE_SHUTDOWN, "moving racks"), Cause.PEER_STOPPED, '"moving racks"'),
        (Notification(6, 5), Cause.PEER_CEASED, "Connection Rejected"),
        (Notification(6, 7), Cause.COLLISION, "Connection Collision Resolution"),
        (Notification(6, 8), Cause.RESOURCES, "Out of Resources"),
    ],
)
def test_a_notification_of_the_peer_is_explained(notification: Notification, cause: Cause, text: str) -> None:
    speaker = bring_to(State.OPEN_CONFIRM, role=RoleValue.CUSTOMER)
    down = only(speaker.received(octets(notification), T0), Down)
    assert down.cause is cause
    assert text in down.reason
    assert down.notification == (notification.code, notification.subcode)


def test_a_role_that_was_never_stated_is_called_none() -> None:
    assert explanation.received(CONFIG, Notification(2, 11)).endswith("our role is none")


@pytest.mark.rfc("9003", "2")
@pytest.mark.rfc("4486", "4")
def test_the_reason_of_a_stop_reaches_the_peer_where_it_may() -> None:
    text = "Wartung bis 14 Uhr: é"
    (message,) = sent(bring_to(State.ESTABLISHED).stop(T0, text))
    assert isinstance(message, Notification)
    assert decode_shutdown_communication(message.data) == text
    (message,) = sent(bring_to(State.ESTABLISHED).stop(T0, text, CeaseSubcode.PEER_DECONFIGURED))
    assert message == Notification(6, 3)


def test_routes_and_their_end_are_handed_on() -> None:
    speaker = bring_to(State.ESTABLISHED)
    commands = speaker.received(routes(speaker, ROUTE, Update.end_of_rib(Family.IPV6)), T0)
    assert commands == [Received(ROUTE), EndOfRIB(Family.IPV6)]


@pytest.mark.rfc("7606", "2", "3.a", "3.h")
def test_a_malformed_attribute_is_treated_as_withdrawal_and_reported() -> None:
    speaker = bring_to(State.ESTABLISHED)
    raw = routes(speaker, ROUTE)
    assert raw.count(b"\x40\x01\x01\x00") == 1
    broken = raw.replace(b"\x40\x01\x01\x00", b"\x40\x01\x01\x09")  # ORIGIN of 9
    found, received = speaker.received(broken, T0)
    assert isinstance(found, FaultsFound)
    assert "malformed UPDATE from 192.0.2.1 port 179" in found.text
    assert isinstance(received, Received)
    assert received.update.withdrawn_nlri == ROUTE.nlri
    assert received.update.announced_nlri == ()
    assert speaker.state is State.ESTABLISHED


@pytest.mark.rfc("7606", "2", "5.3")
def test_a_fault_that_hides_the_routes_resets_the_session() -> None:
    speaker = bring_to(State.ESTABLISHED)
    reach = b"\x80\x0e\x05\x00\x02\x01\x10\x20"  # MP_REACH_NLRI that ends within its next hop
    body = b"\x00\x00" + len(reach).to_bytes(2) + reach
    raw = b"\xff" * 16 + (19 + len(body)).to_bytes(2) + b"\x02" + body
    commands = speaker.received(raw, T0)
    assert speaker.state is State.IDLE
    (notification,) = sent(commands)
    assert isinstance(notification, Notification)
    assert notification.code == 3


@pytest.mark.rfc("4271", "6.3")
def test_an_as_path_that_does_not_begin_with_the_peer_is_no_route() -> None:
    speaker = bring_to(State.ESTABLISHED)
    foreign = replace(ROUTE, attributes=replace(ROUTE.attributes, as_path=ASPath.sequence(64999)))
    commands = speaker.received(routes(speaker, foreign), T0)
    assert only(commands, Received).update.announced_nlri == ()


@pytest.mark.rfc("2918", "3", "4")
@pytest.mark.rfc("7313", "3.2", "4", "5")
def test_route_refresh() -> None:
    speaker = bring_to(State.ESTABLISHED)
    assert sent(speaker.request_refresh(Family.IPV6, T0)) == [RouteRefresh(2, 1)]
    said = speaker.received(
        octets(
            RouteRefresh(1, 1),
            RouteRefresh(1, 1, 1),
            RouteRefresh(1, 1, 2),
            RouteRefresh(1, 1, 200),
            RouteRefresh(25, 70),
        ),
        T0,
    )
    v4 = Family.IPV4
    assert said == [RefreshRequested(v4, enhanced=True), RefreshBegan(v4), RefreshEnded(v4)]
    only_v6 = bring_to(State.ESTABLISHED, families=(Family.IPV6,))
    assert only_v6.received(octets(RouteRefresh(1, 1)), T0) == []


def test_refresh_needs_a_peer_that_can() -> None:
    speaker = bring_to(State.OPEN_SENT)
    with pytest.raises(MisuseError, match="does not support route refresh"):
        speaker.request_refresh(Family.IPV4, T0)


def test_routes_are_sent_only_on_an_established_session() -> None:
    speaker = bring_to(State.OPEN_CONFIRM)
    with pytest.raises(MisuseError, match="OpenConfirm sends no routes"):
        speaker.send([ROUTE], T0)
    assert speaker.state is State.OPEN_CONFIRM


@pytest.mark.rfc("4271", "6.7")
@pytest.mark.rfc("4486", "4")
def test_a_peer_near_its_limit_is_warned_of_once_and_beyond_it_cut_off() -> None:
    speaker = bring_to(State.ESTABLISHED, prefix_limits={Family.IPV4: 10})
    assert speaker.count(Family.IPV4, 7, T0) == []
    assert speaker.count(Family.IPV4, 8, T0) == [PrefixLimitNear(Family.IPV4, 8, 10)]
    assert speaker.count(Family.IPV4, 10, T0) == []
    assert speaker.count(Family.IPV4, 5, T0) == []
    assert speaker.count(Family.IPV4, 9, T0) == [PrefixLimitNear(Family.IPV4, 9, 10)]
    assert speaker.count(Family.IPV6, 999, T0) == []
    commands = speaker.count(Family.IPV4, 11, T0)
    assert sent(commands) == [Notification(6, 1)]
    assert only(commands, Down).reason == "peer announced 11 ipv4 prefixes, its limit is 10"
    assert speaker.count(Family.IPV4, 12, T0) == []


def test_more_octets_than_the_buffer_holds_are_taken_in_parts() -> None:
    speaker = bring_to(State.ESTABLISHED)
    commands = speaker.received(octets(Keepalive()) * 20_000, T0)
    assert commands == []
    assert speaker.state is State.ESTABLISHED
