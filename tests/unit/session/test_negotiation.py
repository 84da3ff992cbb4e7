"""What two OPENs come to, and what each mismatch is called."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from anycastle.model.asn import AS_TRANS, ASN
from anycastle.model.prefix import Family
from anycastle.session.command import Cause, Down
from anycastle.session.config import RestartConfig, SessionConfig
from anycastle.session.fsm import State
from anycastle.session.negotiation import negotiate, own_open
from anycastle.wire.bgp.capability import (
    AddPath,
    AddPathFamily,
    AddPathMode,
    FourOctetASN,
    GracefulRestart,
    MultiProtocol,
    RestartFamily,
    Role,
    RoleValue,
    encode_capability,
)
from anycastle.wire.bgp.errors import NotificationError
from anycastle.wire.bgp.message import Notification, Open
from tests.unit.session.dialogue import CONFIG, OURS, T0, bring_to, octets, only, peer_open, sent


def config(**changes: object) -> SessionConfig:
    return replace(CONFIG, **changes)


def without(message: Open, *kinds: type) -> Open:
    return replace(message, capabilities=tuple(each for each in message.capabilities if not isinstance(each, kinds)))


PROVIDER, CUSTOMER, PEER = RoleValue.PROVIDER, RoleValue.CUSTOMER, RoleValue.PEER
SERVER, CLIENT = RoleValue.ROUTE_SERVER, RoleValue.ROUTE_SERVER_CLIENT

MISMATCHES = {
    "asn": ({}, peer_open(local_asn=ASN(64502)), 2, Cause.ASN_MISMATCH, "peer says AS64502, we expect AS64501"),
    "four-octet asn": (
        {"peer_asn": ASN(4200000001)},
        replace(without(peer_open(), FourOctetASN), asn=AS_TRANS),
        2,
        Cause.ASN_MISMATCH,
        "four-octet ASN of a speaker that does not support them",
    ),
    "as0": ({"peer_asn": None}, peer_open(local_asn=ASN(0)), 2, Cause.ASN_MISMATCH, "ASN is 0"),
    "identifier": (
        {"peer_asn": OURS},
        peer_open(local_asn=OURS, identifier=CONFIG.identifier),
        3,
        Cause.IDENTIFIER,
        "has our BGP Identifier 10.0.0.1",
    ),
    "hold time": (
        {"hold_time_min_s": 20},
        peer_open(hold_time_s=10),
        6,
        Cause.HOLD_TIME_MISMATCH,
        "peer offers a hold time of 10 s, we accept 20 s or more",
    ),
    "family": (
        {},
        replace(peer_open(), capabilities=(MultiProtocol(1, 133),)),
        7,
        Cause.CAPABILITY,
        "no common address family: peer offers no unicast family, we ipv4 and ipv6",
    ),
    "role": (
        {"role": CUSTOMER},
        peer_open(role=PEER),
        11,
        Cause.ROLE_MISMATCH,
        "peer says its role is peer; ours is customer, so it must be provider",
    ),
    "unknown role": (
        {"role": CUSTOMER},
        replace(peer_open(), capabilities=(MultiProtocol(1, 1), Role(77))),
        11,
        Cause.ROLE_MISMATCH,
        "unknown (77)",
    ),
    "two roles": (
        {"role": CUSTOMER},
        replace(peer_open(), capabilities=(MultiProtocol(1, 1), Role(PROVIDER), Role(PEER))),
        11,
        Cause.ROLE_MISMATCH,
        "provider and peer",
    ),
    "no role": (
        {"role": CUSTOMER, "role_strict": True},
        peer_open(),
        11,
        Cause.ROLE_MISMATCH,
        "peer states no role, we are strict and expect provider",
    ),
}


@pytest.mark.rfc("4271", "6.2")
@pytest.mark.rfc("5492", "3", "5")
@pytest.mark.rfc("9234", "4.2")
@pytest.mark.rfc("7607", "2")
@pytest.mark.rfc("6286", "2.2")
@pytest.mark.rfc("6793", "4.2.1")
@pytest.mark.mission("I1")
@pytest.mark.parametrize("case", MISMATCHES)
def test_a_mismatch_is_refused_and_named(case: str) -> None:
    changes, message, subcode, cause, text = MISMATCHES[case]
    speaker = bring_to(State.OPEN_SENT, **changes)
    commands = speaker.received(octets(message), T0)
    down = only(commands, Down)
    (notification,) = sent(commands)
    assert isinstance(notification, Notification)
    assert (notification.code, notification.subcode) == (2, subcode)
    assert down.cause is cause
    assert text in down.reason
    assert down.notification == (2, subcode)


@pytest.mark.rfc("4271", "6.2")
@pytest.mark.parametrize(
    ("message", "subcode", "text"),
    [
        (replace(peer_open(), version=3), 1, "version 3"),
        (replace(peer_open(), hold_time_s=2), 6, "hold time of 2 s; it is 0 or at least 3 s"),
        (replace(peer_open(), identifier=IPv4Address(0)), 3, "0.0.0.0"),
        (peer_open(local_asn=ASN(0)), 2, "AS0, which no network may use"),
    ],
)
def test_what_no_configuration_accepts(message: Open, subcode: int, text: str) -> None:
    with pytest.raises(NotificationError, match=text) as refused:
        negotiate(CONFIG, message)
    assert (refused.value.code, refused.value.subcode) == (2, subcode)


@pytest.mark.rfc("5492", "5")
def test_a_missing_family_is_named_to_the_peer_as_the_capability_that_it_lacks() -> None:
    with pytest.raises(NotificationError) as refused:
        negotiate(config(families=(Family.IPV6,)), without(peer_open(), MultiProtocol))
    assert refused.value.data == encode_capability(MultiProtocol(2, 1))


@pytest.mark.rfc("4271", "4.2")
@pytest.mark.parametrize(("offered", "agreed"), [(9, 9), (30, 30), (180, 30), (0, 0)])
def test_the_smaller_hold_time_holds(offered: int, agreed: int) -> None:
    negotiated = negotiate(CONFIG, peer_open(hold_time_s=offered))
    assert negotiated.hold_time_s == agreed
    assert negotiated.keepalive_s == pytest.approx(agreed / 3)


@pytest.mark.rfc("4760", "8")
@pytest.mark.rfc("6793", "3")
def test_a_peer_without_any_capability_gets_ipv4_and_two_octets() -> None:
    negotiated = negotiate(CONFIG, replace(peer_open(), capabilities=()))
    assert negotiated.families == {Family.IPV4}
    assert not negotiated.options.four_octet_asn
    assert not negotiated.options.extended_message
    assert not negotiated.route_refresh


@pytest.mark.rfc("6793", "3", "4.2.1")
def test_a_four_octet_asn_goes_into_the_capability() -> None:
    message = own_open(config(local_asn=ASN(4200000001)))
    assert message.asn == AS_TRANS
    assert FourOctetASN(ASN(4200000001)) in message.capabilities
    assert negotiate(config(peer_asn=ASN(4200000001)), message).peer_asn == 4200000001


@pytest.mark.rfc("8654", "3")
def test_extended_messages_need_both_sides() -> None:
    assert negotiate(CONFIG, peer_open()).options.extended_message
    assert not negotiate(CONFIG, peer_open(extended_message=False)).options.extended_message
    assert not negotiate(config(extended_message=False), peer_open()).options.extended_message


@pytest.mark.rfc("7911", "4", "5")
def test_path_identifiers_are_read_when_we_receive_and_the_peer_sends() -> None:
    ask = config(add_path_receive=True)
    assert AddPathMode.RECEIVE in {
        each.mode
        for capability in own_open(ask).capabilities
        if isinstance(capability, AddPath)
        for each in capability.families
    }
    offer = AddPath((AddPathFamily(1, 1, AddPathMode.BOTH), AddPathFamily(2, 1, AddPathMode.RECEIVE)))
    theirs = replace(peer_open(), capabilities=(*peer_open().capabilities, offer))
    assert negotiate(ask, theirs).options.add_path_receive == {(1, 1)}
    assert negotiate(CONFIG, theirs).options.add_path_receive == frozenset()


@pytest.mark.rfc("9234", "4.1", "4.2")
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(PROVIDER, CUSTOMER), (CUSTOMER, PROVIDER), (PEER, PEER), (SERVER, CLIENT), (CLIENT, SERVER)],
)
def test_matching_roles(ours: RoleValue, theirs: RoleValue) -> None:
    assert negotiate(config(role=ours), peer_open(role=theirs)).peer_role is theirs
    assert negotiate(config(role=ours), peer_open()).peer_role is theirs
    assert negotiate(CONFIG, peer_open(role=theirs)).peer_role is None
    for other in set(RoleValue) - {theirs}:
        with pytest.raises(NotificationError):
            negotiate(config(role=ours), peer_open(role=other))


@pytest.mark.rfc("4271", "6.3")
def test_the_first_asn_is_checked_on_ebgp_unless_the_peer_is_a_route_server() -> None:
    assert negotiate(CONFIG, peer_open()).options.first_asn == 64501
    assert negotiate(config(check_first_asn=False), peer_open()).options.first_asn is None
    internal = negotiate(config(peer_asn=OURS, role=PEER), peer_open(local_asn=OURS))
    assert internal.internal
    assert internal.options.first_asn is None
    assert not internal.options.ebgp
    assert internal.peer_role is None


@pytest.mark.rfc("4724", "3")
def test_graceful_restart_is_offered_and_taken_only_where_configured() -> None:
    restart = RestartConfig(restart_time_s=90, restarting=True)
    ours = own_open(config(graceful_restart=restart))
    families = (RestartFamily(1, 1, True), RestartFamily(2, 1, True))
    assert GracefulRestart(90, families, restarting=True) in ours.capabilities
    assert negotiate(config(graceful_restart=restart), peer_open()).peer_restart is None
    theirs = peer_open(graceful_restart=RestartConfig())
    assert negotiate(CONFIG, theirs).peer_restart is None
    assert negotiate(config(graceful_restart=restart), theirs).peer_restart is not None


def test_an_unspecified_peer_may_have_any_asn() -> None:
    assert negotiate(config(peer_asn=None), peer_open(local_asn=ASN(65000))).peer_asn == 65000
