"""Two connections with one peer: which lives (RFC 4271 §6.8), and graceful restart (RFC 4724 §4.2)."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from anycastle.base.errors import MisuseError
from anycastle.base.ports import FAR_FUTURE, after
from anycastle.model.prefix import Family
from anycastle.session.command import (
    Cause,
    Close,
    Command,
    ConnectFault,
    Down,
    Established,
    RoutesLost,
    RoutesStale,
    Send,
    StaleRoutesEnded,
)
from anycastle.session.config import RestartConfig
from anycastle.session.fsm import State
from anycastle.session.peer import BGPPeer
from anycastle.wire.bgp.capability import GracefulRestart, RestartFamily
from anycastle.wire.bgp.error_codes import CeaseSubcode
from anycastle.wire.bgp.message import Keepalive, Notification, Open, RouteRefresh, Update
from tests.unit.session.dialogue import CONFIG, T0, FullRandom, octets, only, peer_open, sent

V4, V6 = Family.IPV4, Family.IPV6
HIGH, LOW = IPv4Address("10.0.0.9"), IPv4Address("10.0.0.0")
COLLISION = Notification(6, 7)
KEEPALIVE = octets(Keepalive())


def peer(**changes: object) -> BGPPeer:
    engine = BGPPeer(replace(CONFIG, **changes), FullRandom())
    engine.start(T0)
    return engine


def said_on(commands: list[Command], link: int) -> list:
    return sent([each for each in commands if isinstance(each, Send) and each.link == link])


def colliding() -> tuple[BGPPeer, int]:
    """A peer that we dialled and that dialled us, both connections in OpenSent."""
    engine = peer()
    engine.connected(0, T0)
    link, commands = engine.accepted(T0)
    assert link is not None
    assert link != 0
    assert isinstance(said_on(commands, link)[0], Open)
    return engine, link


@pytest.mark.rfc("4271", "6.8", "8.2.1.2")
@pytest.mark.rfc("6286", "2.3")
@pytest.mark.parametrize("first", ["ours", "theirs"])
@pytest.mark.parametrize(("identifier", "kept"), [(HIGH, "theirs"), (LOW, "ours")])
def test_a_collision_keeps_what_the_higher_identifier_dialled(first: str, identifier: IPv4Address, kept: str) -> None:
    engine, incoming = colliding()
    opening = octets(peer_open(identifier=identifier))
    order = (0, incoming) if first == "ours" else (incoming, 0)
    assert said_on(engine.received(order[0], opening, T0), order[0]) == [Keepalive()]
    commands = engine.received(order[1], opening, T0)
    loser, winner = (0, incoming) if kept == "theirs" else (incoming, 0)
    assert said_on(commands, loser)[-1] == COLLISION
    assert Close(loser) in commands
    assert only(commands, Down).cause is Cause.COLLISION
    up = only(engine.received(winner, KEEPALIVE, T0), Established)
    assert up.link == winner
    assert engine.state is State.ESTABLISHED
    assert engine.received(loser, KEEPALIVE, T0) == []


@pytest.mark.rfc("6286", "2.3")
def test_with_equal_identifiers_the_higher_asn_decides() -> None:
    engine, incoming = colliding()
    opening = octets(peer_open(identifier=CONFIG.identifier))  # AS64501 over our AS64500
    engine.received(0, opening, T0)
    commands = engine.received(incoming, opening, T0)
    assert Close(0) in commands
    assert only(engine.received(incoming, KEEPALIVE, T0), Established)


@pytest.mark.rfc("4271", "6.8")
def test_an_established_session_beats_a_newcomer() -> None:
    engine = peer()
    engine.connected(0, T0)
    engine.received(0, octets(peer_open(identifier=HIGH), Keepalive()), T0)
    link, commands = engine.accepted(T0)
    assert link is not None
    assert said_on(commands, link)[-1] == COLLISION
    assert Close(link) in commands
    assert engine.state is State.ESTABLISHED
    assert engine.negotiated is not None


@pytest.mark.rfc("4271", "6.8")
def test_a_connection_that_is_up_ends_our_own_dialling() -> None:
    engine = peer()
    link, _ = engine.accepted(T0)
    assert link is not None
    commands = engine.received(link, octets(peer_open(identifier=LOW)), T0)
    assert Close(0) in commands
    assert engine.connected(0, T0) == []
    assert only(engine.received(link, KEEPALIVE, T0), Established).link == link
    # It is the peer's session now, and starts again as such.
    engine.disconnected(link, T0)
    assert engine.state is State.IDLE
    assert engine.wake(engine.deadline)


@pytest.mark.rfc("4271", "6.8")
def test_the_other_connection_may_come_up_before_the_peer_answers_on_ours() -> None:
    engine, incoming = colliding()
    engine.received(incoming, octets(peer_open(identifier=HIGH)), T0)
    commands = engine.received(incoming, KEEPALIVE, T0)
    assert only(commands, Established).link == incoming
    assert said_on(commands, 0) == [COLLISION]


def test_a_newer_connection_of_the_peer_replaces_its_unfinished_one() -> None:
    engine, first = colliding()
    second, commands = engine.accepted(T0)
    assert second not in (0, first)
    assert Close(first) in commands


def test_a_connection_in_a_failed_state_is_refused_and_a_waiting_one_taken() -> None:
    engine = peer(passive=True)
    link, commands = engine.accepted(T0)
    assert link == 0
    assert isinstance(said_on(commands, 0)[0], Open)
    engine.disconnected(0, T0)
    engine.stop(T0, "bye")
    assert engine.accepted(T0) == (None, [])


def test_our_own_connection_may_fail_while_theirs_goes_on() -> None:
    engine, incoming = colliding()
    engine.disconnected(0, T0)
    engine.received(incoming, octets(peer_open(), Keepalive()), T0)
    assert engine.state is State.ESTABLISHED
    assert engine.connection_failed(0, T0, ConnectFault.REFUSED) == []


def test_what_goes_through_to_the_session() -> None:
    engine = peer(prefix_limits={V4: 1})
    engine.connected(0, T0)
    with pytest.raises(MisuseError):
        engine.send([Keepalive()], T0)
    engine.received(0, octets(peer_open(), Keepalive()), T0)
    assert sent(engine.send([Update.end_of_rib(V4)], T0)) == [Update.end_of_rib(V4)]
    assert sent(engine.request_refresh(V4, T0)) == [RouteRefresh(1, 1)]
    commands = engine.count(V4, 2, T0)
    assert sent(commands) == [Notification(6, 1)]
    assert commands[-2:] == [RoutesLost(V4), RoutesLost(V6)]
    engine = peer()
    engine.connected(0, T0)
    failed = engine.fail(T0, Cause.RESOURCES, "queue full", CeaseSubcode.OUT_OF_RESOURCES)
    assert only(failed, Down).reason == "queue full"


# Graceful restart

RESTART = RestartConfig(restart_time_s=60, stale_time_s=100)


def helping(*families: Family, **changes: object) -> BGPPeer:
    """An established session whose peer keeps forwarding for the families."""
    engine = peer(graceful_restart=RESTART, **changes)
    engine.connected(0, T0)
    come_back(engine, 0, *families)
    return engine


def come_back(engine: BGPPeer, link: int, *families: Family, forwarding: bool = True) -> list[Command]:
    opening = peer_open(identifier=LOW)
    capability = GracefulRestart(60, tuple(RestartFamily(each, 1, forwarding) for each in families))
    opening = replace(opening, capabilities=(*opening.capabilities, capability))
    commands = engine.received(link, octets(opening, Keepalive()), T0)
    assert engine.state is State.ESTABLISHED
    return commands


@pytest.mark.rfc("4724", "4.2", "2")
def test_routes_are_kept_stale_until_end_of_rib() -> None:
    engine = helping(V4, V6)
    commands = engine.disconnected(0, T0)
    assert commands[-2:] == [RoutesStale(V4), RoutesStale(V6)]
    assert engine.stale == {V4, V6}
    engine.wake(after(T0, 1.0))
    engine.connected(0, after(T0, 1.0))
    assert not any(isinstance(each, StaleRoutesEnded) for each in come_back(engine, 0, V4, V6))
    commands = engine.received(0, octets(Update.end_of_rib(V4)), T0)
    assert commands[-1] == StaleRoutesEnded(V4)
    assert engine.stale == {V6}
    engine.received(0, octets(Update.end_of_rib(V6)), T0)
    assert engine.stale == frozenset()
    assert len(engine.received(0, octets(Update.end_of_rib(V6)), T0)) == 1


@pytest.mark.rfc("4724", "4.2")
def test_a_peer_that_does_not_come_back_in_time_loses_its_routes() -> None:
    engine = helping(V4)
    assert engine.disconnected(0, T0)[-2:] == [RoutesLost(V6), RoutesStale(V4)]
    assert not any(isinstance(each, StaleRoutesEnded) for each in engine.wake(after(T0, 59.0)))
    assert engine.wake(after(T0, 60.0))[-1] == StaleRoutesEnded(V4)


@pytest.mark.rfc("4724", "4.2")
@pytest.mark.parametrize(("families", "forwarding"), [((V6,), True), ((V4, V6), False), ((), True)])
def test_a_family_that_lost_its_forwarding_is_dropped_at_once(families: tuple[Family, ...], forwarding: bool) -> None:
    engine = helping(V4)
    engine.disconnected(0, T0)
    engine.wake(after(T0, 1.0))
    engine.connected(0, T0)
    assert StaleRoutesEnded(V4) in come_back(engine, 0, *families, forwarding=forwarding)
    assert engine.stale == frozenset()


@pytest.mark.rfc("4724", "4.2")
def test_a_peer_that_is_back_without_the_capability_keeps_nothing() -> None:
    engine = helping(V4)
    engine.disconnected(0, T0)
    engine.wake(after(T0, 1.0))
    engine.connected(0, T0)
    assert StaleRoutesEnded(V4) in engine.received(0, octets(peer_open(), Keepalive()), T0)


@pytest.mark.rfc("4724", "4.2")
def test_end_of_rib_that_never_comes_is_waited_for_no_longer_than_configured() -> None:
    engine = helping(V4, hold_time_s=0)
    engine.disconnected(0, T0)
    engine.wake(after(T0, 1.0))
    engine.connected(0, T0)
    come_back(engine, 0, V4)
    assert engine.deadline == after(T0, 100.0)
    assert engine.wake(after(T0, 100.0)) == [StaleRoutesEnded(V4)]
    assert engine.deadline == FAR_FUTURE


@pytest.mark.rfc("4724", "4.2")
@pytest.mark.parametrize("octets_of_end", [octets(Notification(6, 4)), b"\x00" * 19])
def test_a_notification_in_either_direction_keeps_nothing(octets_of_end: bytes) -> None:
    engine = helping(V4, V6)
    commands = engine.received(0, octets_of_end, T0)
    assert commands[-2:] == [RoutesLost(V4), RoutesLost(V6)]


@pytest.mark.rfc("4724", "5")
def test_a_new_connection_of_a_restarting_peer_replaces_the_established_one() -> None:
    engine = helping(V4, V6)
    link, commands = engine.accepted(T0)
    assert link not in (None, 0)
    assert said_on(commands, 0) == [], "no NOTIFICATION: the routes are to be kept"
    assert Close(0) in commands
    assert RoutesStale(V4) in commands
    assert only(commands, Down).cause is Cause.RESTARTED
    assert link is not None
    assert only(come_back(engine, link, V4, V6), Established).link == link


@pytest.mark.rfc("4724", "4.2")
def test_stopping_ends_what_was_kept() -> None:
    engine = helping(V4)
    engine.disconnected(0, T0)
    assert engine.stop(T0, "bye")[-1] == StaleRoutesEnded(V4)


@pytest.mark.rfc("4724", "3")
def test_the_restart_bit_is_set_until_the_first_session_only() -> None:
    engine = BGPPeer(replace(CONFIG, graceful_restart=replace(RESTART, restarting=True)), FullRandom())
    engine.start(T0)

    def restarting(commands: list[Command]) -> bool:
        (opening,) = [each for each in sent(commands) if isinstance(each, Open)]
        return any(isinstance(each, GracefulRestart) and each.restarting for each in opening.capabilities)

    assert restarting(engine.connected(0, T0))
    engine.received(0, octets(peer_open(), Keepalive()), T0)
    engine.disconnected(0, T0)
    engine.wake(after(T0, 1.0))
    assert not restarting(engine.connected(0, T0))


def test_when_the_winner_of_a_race_fails_the_other_connection_goes_on() -> None:
    engine, incoming = colliding()
    engine.received(incoming, octets(peer_open(identifier=HIGH)), T0)
    engine.disconnected(incoming, T0)
    assert engine.state is State.OPEN_SENT
    engine.received(0, octets(peer_open(identifier=HIGH), Keepalive()), T0)
    assert engine.state is State.ESTABLISHED
