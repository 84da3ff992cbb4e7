from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.model.prefix import Family
from anycastle.watch import bmp
from anycastle.watch.bmp import NOTES_MAX, BMPReader
from anycastle.watch.engine import WatchEngine
from anycastle.watch.fact import (
    Fact,
    OwnAction,
    OwnChange,
    Peer,
    PeerDown,
    PeerUp,
    RouteGone,
    RouteSeen,
    TableSize,
)
from anycastle.watch.intent import Intent
from anycastle.wire.bgp.codec import encode_message
from anycastle.wire.bgp.message import Keepalive, Update
from anycastle.wire.bgp.options import CodecOptions
from anycastle.wire.bmp.codec import encode_bmp
from anycastle.wire.bmp.message import TLV, BMPMessage, Initiation, PeerType, RIBView, RouteMonitoring, Termination
from anycastle.wire.bmp.message import PeerDown as BMPPeerDown
from anycastle.wire.bmp.message import PeerUp as BMPPeerUp
from tests.unit.watch.scene import OURS, OWN, watched
from tests.unit.wire.bmp.bmp_values import LOC_RIB, OPEN, PEER, THEIRS, update

AT = Timestamp(PEER.at_us / 1_000_000)
NOW = Timestamp(AT + 1.0)
HEARD = Peer("edge1", ASN(64601), "192.0.2.1")
OUT = replace(PEER, view=RIBView.ADJ_RIB_OUT_POST_POLICY)
INITIATION = Initiation((TLV(1, b"FRR"), TLV(2, b"edge1")))
UP = BMPPeerUp(PEER, IPv4Address("192.0.2.9"), 179, 40000, OPEN, THEIRS)
IN_TURN = (OwnAction.ANNOUNCE, OwnAction.CHANGE, OwnAction.WITHDRAW)
MORE = "192.0.2.128/25"


def reader(pop: str | None = None) -> BMPReader:
    return BMPReader(WatchEngine(Intent((watched(),), frozenset({OWN}))).table, "198.51.100.7", pop)


def hear(made: BMPReader, *messages: BMPMessage, now: Timestamp = NOW) -> list[Fact]:
    return made.feed(b"".join(map(encode_bmp, messages)), now)


def monitored(prefix: str, *path: int, peer: object = PEER) -> RouteMonitoring:
    return RouteMonitoring(peer, update(prefix, *path))  # type: ignore[arg-type]


@pytest.mark.mission("C6", "I2")
@pytest.mark.rfc("7854", "4.4", "4.6", "4.9", "4.10")
def test_what_a_router_hears_of_a_peer() -> None:
    made = reader()
    facts = hear(made, INITIATION, UP, monitored(str(OURS), 64601, 64500), monitored("203.0.113.0/24", 64601))
    assert made.collector == "edge1"
    up, seen = facts
    assert up == PeerUp(AT, HEARD)
    assert isinstance(seen, RouteSeen)
    assert (seen.at, seen.peer, seen.prefix, str(seen.path)) == (AT, HEARD, OURS, "64601 64500")
    assert hear(made, monitored(str(OURS))) == [RouteGone(AT, HEARD, OURS)]
    assert [type(fact) for fact in hear(made, monitored(MORE, 64601, 64666))] == [RouteSeen]
    assert hear(made, BMPPeerDown(PEER, 4)) == [PeerDown(AT, HEARD, "remote without notification")]
    assert hear(made, BMPPeerDown(PEER, 4)) == []
    assert made.messages == 8


def test_the_end_of_a_connection_is_the_end_of_what_is_known_of_its_peers() -> None:
    made = reader()
    hear(made, INITIATION, UP, Termination((TLV(0, b"going down"),)))
    assert made.ended == "going down"
    assert made.closed(NOW, made.ended) == [PeerDown(NOW, HEARD, "going down")]
    assert made.closed(NOW, "again") == []


def test_a_table_that_was_told_whole_has_a_size() -> None:
    made = reader()
    end = RouteMonitoring(PEER, encode_message(Update.end_of_rib(Family.IPV4), CodecOptions()))
    routes = [monitored(f"10.{n}.0.0/16", 64601) for n in range(5)]
    assert hear(made, INITIATION, UP, *routes, end)[-1] == TableSize(AT, HEARD, Family.IPV4, 5)


def test_the_view_after_policy_counts_only_without_the_view_before() -> None:
    after = replace(PEER, view=RIBView.ADJ_RIB_IN_POST_POLICY)
    made = reader()
    assert len(hear(made, UP, monitored(str(OURS), 64601, 64500, peer=after))) == 2
    assert len(hear(made, monitored(str(OURS), 64601, 64500), monitored(str(OURS), peer=after))) == 1


@pytest.mark.rfc("9069", "4.1")
def test_a_routers_own_best_route_is_a_view_as_well() -> None:
    (seen,) = hear(reader(), INITIATION, monitored(str(OURS), 64601, 64500, peer=LOC_RIB))
    assert isinstance(seen, RouteSeen)
    assert seen.peer == Peer("edge1", ASN(64500), "Loc-RIB")


@pytest.mark.rfc("8671", "4")
@pytest.mark.mission("M2")
def test_what_our_own_router_tells_a_neighbour_is_our_change() -> None:
    told = [
        monitored(str(OURS), 64500, peer=OUT),
        monitored(str(OURS), 64500, 64500, peer=OUT),
        monitored(str(OURS), peer=OUT),
    ]
    facts = hear(reader("fra1"), *told)
    assert facts == [OwnChange(AT, OURS, action, "fra1", "AS64601") for action in IN_TURN]
    assert hear(reader(), *told) == []  # another's router


def test_a_vpns_routes_are_not_the_internets() -> None:
    vpn = replace(PEER, type=PeerType.RD_INSTANCE, distinguisher=b"\0\0\xfb\xf4\0\0\0\1")
    assert hear(reader(), monitored(str(OURS), 64601, 64666, peer=vpn)) == []


@pytest.mark.parametrize(
    ("at_us", "expected"),
    [(0, NOW), (int((NOW + 3600) * 1e6), NOW), (int((NOW - 3600) * 1e6), NOW), (int(AT * 1e6), AT)],
)
def test_a_time_that_cannot_be_is_ours(at_us: int, expected: Timestamp) -> None:
    (seen,) = hear(reader(), monitored(str(OURS), 64601, peer=replace(PEER, at_us=at_us)))
    assert seen.at == pytest.approx(expected)


def test_a_path_of_two_octets_is_read_where_the_router_says_so() -> None:
    old = replace(PEER, two_octet_path=True)
    (seen,) = hear(reader(), RouteMonitoring(old, update(str(OURS), 64601, 64500, options=CodecOptions())))
    assert isinstance(seen, RouteSeen)
    assert str(seen.path) == "64601 64500"


def test_what_cannot_be_read_is_counted_with_its_reason() -> None:
    made = reader()
    bad = update(str(OURS), 64601)[:-4]
    hear(made, RouteMonitoring(PEER, bad), RouteMonitoring(PEER, encode_message(Keepalive(), CodecOptions())))
    made.feed(b"\3\0\0\0\6\x63", NOW)
    assert made.garbage == 3
    assert [reason.split(":")[0] for reason in made.garbage_reasons] == [
        "an UPDATE of 192.0.2.1",
        "a Keepalive where an UPDATE belongs",
        "message of type 99",
    ]
    for _ in range(2 * NOTES_MAX):
        made.feed(b"\3\0\0\0\6\x63", NOW)
    assert len(made.garbage_reasons) == NOTES_MAX


@pytest.mark.parametrize("message", [BMPPeerDown(PEER, 4), UP])
def test_a_vpns_peer_is_not_the_internets_of_the_same_address(message: BMPMessage) -> None:
    made = reader()
    hear(made, INITIATION, UP, monitored(str(OURS), 64601, 64500))
    vpn = replace(PEER, type=PeerType.RD_INSTANCE, distinguisher=b"\0\0\xfb\xf4\0\0\0\1")
    assert hear(made, replace(message, peer=vpn)) == []


@pytest.mark.rfc("8671", "6.1")
def test_a_peer_down_counts_whatever_its_view_and_what_was_told_is_forgotten() -> None:
    made = reader("fra1")
    hear(made, INITIATION, UP, monitored(str(OURS), 64500, peer=OUT))
    assert [type(fact) for fact in hear(made, BMPPeerDown(OUT, 4))] == [PeerDown]
    (again,) = hear(made, monitored(str(OURS), 64500, peer=OUT))
    assert isinstance(again, OwnChange)
    assert again.action is OwnAction.ANNOUNCE


def test_a_peer_down_for_a_notification_that_is_left_out_counts() -> None:
    made = reader()
    hear(made, INITIATION, UP)
    assert hear(made, BMPPeerDown(PEER, 3)) == [PeerDown(AT, HEARD, "remote notification")]


def test_nothing_is_taken_from_a_connection_that_was_replaced() -> None:
    made = reader()
    hear(made, INITIATION, UP)
    made.closed(NOW, "the router dialled again")
    assert hear(made, monitored(str(OURS), 64601, 64500)) == []


def test_peers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bmp, "PEERS_MAX", 1)
    made = reader()
    other = replace(UP, peer=replace(PEER, address=IPv4Address("192.0.2.77")))
    assert len(hear(made, INITIATION, UP, other)) == 1
    assert made.garbage_reasons == ["more than 1 peers"]
