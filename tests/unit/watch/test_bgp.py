"""What one router tells us by BGP, path by path, over resets and refreshes."""

import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.model.prefix import Family, parse_prefix
from anycastle.watch.add_path import PLACES_MAX
from anycastle.watch.bgp import BGPReader
from anycastle.watch.engine import WatchEngine
from anycastle.watch.fact import Fact, PeerDown, PeerUp, RouteGone, RouteSeen, TableSize
from anycastle.watch.intent import Intent
from anycastle.wire.bgp.as_path import ASPath
from anycastle.wire.bgp.attributes import PathAttributes
from anycastle.wire.bgp.message import Update
from anycastle.wire.bgp.nlri import NLRI
from tests.unit.watch.scene import OURS, OWN, watched

AT = Timestamp(1000.0)
ELSEWHERE = parse_prefix("203.0.113.0/24")


def reader() -> BGPReader:
    return BGPReader(WatchEngine(Intent((watched(),), frozenset({OWN}))).table, ASN(64601), "192.0.2.1")


def tell(*path: int, path_id: int | None = None, prefix: object = OURS) -> Update:
    attributes = PathAttributes(as_path=ASPath.sequence(64601, *path))
    return Update(attributes=attributes, nlri=(NLRI(prefix, path_id),))  # type: ignore[arg-type]


def take_back(path_id: int | None = None) -> Update:
    return Update(withdrawn=(NLRI(OURS, path_id),))


def told(facts: list[Fact]) -> list[tuple[str, int, str]]:
    """Give each route's fact, with the place of its path."""
    return [
        ("gone", fact.peer.place, "") if isinstance(fact, RouteGone) else ("seen", fact.peer.place, str(fact.path))
        for fact in facts
        if isinstance(fact, RouteGone | RouteSeen)
    ]


def test_routes_that_concern_nobody_are_counted_and_not_kept() -> None:
    made = reader()
    assert made.up(AT) == [PeerUp(AT, made.peer)]
    assert told(made.update(tell(64496, OWN), AT)) == [("seen", 0, f"64601 64496 {OWN}")]
    assert made.update(tell(64496, prefix=ELSEWHERE), AT) == []
    assert made.count(Family.IPV4) == 2
    assert made.retold(Family.IPV4, AT) == [TableSize(AT, made.peer, Family.IPV4, 2)]
    assert made.update(Update(withdrawn=(NLRI(ELSEWHERE),)), AT) == []
    assert made.count(Family.IPV4) == 1
    assert told(made.update(take_back(), AT)) == [("gone", 0, "")]
    assert made.updates == 4


@pytest.mark.rfc("7911", "3", "5")
def test_a_hijack_beside_the_right_path_stays_seen_until_it_is_taken_back() -> None:
    made = reader()
    made.up(AT)
    assert told(made.update(tell(64496, OWN, path_id=7), AT)) == [("seen", 0, f"64601 64496 {OWN}")]
    made.retold(Family.IPV4, AT)
    second = made.update(tell(64666, path_id=9), AT)
    assert isinstance(second[0], TableSize), "the new path sees what the session sees"
    assert told(second) == [("seen", 1, "64601 64666")]
    assert told(made.update(tell(64497, OWN, path_id=7), AT)) == [("seen", 0, f"64601 64497 {OWN}")]
    assert told(made.update(take_back(9), AT)) == [("gone", 1, "")]
    assert told(made.update(take_back(9), AT)) == []
    assert made.count(Family.IPV4) == 1


@pytest.mark.rfc("4724", "2", "4.2")
def test_a_reset_makes_routes_unknown_and_only_end_of_rib_makes_them_gone() -> None:
    made = reader()
    made.up(AT)
    made.update(tell(64496, OWN, path_id=7), AT)
    made.update(tell(64666, path_id=9), AT)
    downs = made.down(AT, "the peer restarts")
    assert [type(fact) for fact in downs] == [PeerDown, PeerDown]
    assert made.count(Family.IPV4) == 0
    assert [type(fact) for fact in made.up(AT)] == [PeerUp, PeerUp]
    assert told(made.update(tell(64496, OWN, path_id=40), AT)) == [("seen", 0, f"64601 64496 {OWN}")]
    assert told(made.retold(Family.IPV4, AT)) == [("gone", 1, "")]
    assert told(made.retold(Family.IPV4, AT)) == []


@pytest.mark.rfc("7313", "4.2")
def test_what_a_refresh_does_not_tell_again_is_gone() -> None:
    made = reader()
    made.up(AT)
    made.update(tell(64496, OWN), AT)
    made.retell(Family.IPV4)
    made.retell(Family.IPV6)
    assert told(made.retold(Family.IPV6, AT)) == []
    assert told(made.retold(Family.IPV4, AT)) == [("gone", 0, "")]


@pytest.mark.rfc("7313", "4.2")
def test_what_a_refresh_does_not_tell_again_counts_no_more_and_makes_room() -> None:
    made = reader()
    made.up(AT)
    for number in range(PLACES_MAX):
        made.update(tell(64496, OWN, path_id=number), AT)
    made.update(tell(64496, prefix=ELSEWHERE), AT)
    made.retell(Family.IPV4)
    made.update(tell(64496, OWN, path_id=3), AT)
    gone = told(made.retold(Family.IPV4, AT))
    assert gone == [("gone", place, "") for place in range(PLACES_MAX) if place != 3]
    assert made.count(Family.IPV4) == 1
    assert told(made.update(tell(64666, path_id=99), AT)) == [("seen", 0, "64601 64666")]
    assert made.refused == 0
