"""The three RIBs, each by itself."""

from ipaddress import ip_address

import pytest

from anycastle.model.prefix import Family, parse_prefix
from anycastle.rib.adj_rib_in import AdjRIBIn
from anycastle.rib.adj_rib_out import AdjRIBOut, Changes
from anycastle.rib.loc_rib import BestChange, LocRIB
from tests.unit.rib.routes import PREFIX, route

V4, V6 = Family.IPV4, Family.IPV6
P = parse_prefix(PREFIX)
P6 = parse_prefix("2001:db8::/48")


@pytest.mark.rfc("4271", "3.2", "9")
def test_a_route_replaces_the_one_of_its_key() -> None:
    rib = AdjRIBIn()
    assert rib.add([route(), route("2001:db8::/48")]) == {P, P6}
    assert rib.add([route()]) == set()
    assert rib.add([route(med=1)]) == {P}
    assert (len(rib), rib.count(V4), rib.count(V6)) == (2, 1, 1)
    assert [each.attributes.med for each in rib.routes(P)] == [1]


@pytest.mark.rfc("4271", "3.1")
def test_a_withdrawal_takes_out_what_is_there() -> None:
    rib = AdjRIBIn()
    rib.add([route()])
    assert rib.withdraw([(P, 0), (P, 0), (P6, 0)]) == {P}
    assert len(rib) == 0
    assert rib.routes(P) == ()


@pytest.mark.rfc("7911", "2", "3")
def test_paths_with_identifiers_stand_side_by_side() -> None:
    rib = AdjRIBIn()
    rib.add([route(path_id=1), route(path_id=2)])
    assert len(rib.routes(P)) == 2
    assert rib.withdraw([(P, 1)]) == {P}
    assert [each.path_id for each in rib.routes(P)] == [2]


@pytest.mark.rfc("4724", "4.2")
def test_stale_routes_end_unless_they_come_again() -> None:
    rib = AdjRIBIn()
    rib.add([route(), route("198.51.100.0/24"), route("2001:db8::/48")])
    assert rib.mark_stale(V4) == set()
    assert rib.is_stale(route())
    assert rib.add([route()]) == set(), "the same route again changes nothing but its mark"
    assert not rib.is_stale(route())
    assert rib.delete_stale(V4) == {parse_prefix("198.51.100.0/24")}
    assert rib.delete_stale(V6) == set()
    assert set(rib) == {route(), route("2001:db8::/48")}


@pytest.mark.rfc("4724", "4.2")
def test_a_second_restart_deletes_what_was_stale_since_the_first() -> None:
    rib = AdjRIBIn()
    rib.add([route(), route("198.51.100.0/24")])
    rib.mark_stale(V4)
    rib.add([route()])
    assert rib.mark_stale(V4) == {parse_prefix("198.51.100.0/24")}
    assert rib.is_stale(route())
    assert rib.delete(V4) == {P}


def test_the_best_route_changes_only_when_it_does() -> None:
    rib = LocRIB()
    worse, better = route(number=1, path=(1, 2)), route(number=2)
    assert rib.decide(P, [worse]) == BestChange(P, None, worse)
    assert rib.decide(P, [better, worse]) == BestChange(P, worse, better)
    assert rib.decide(P, [worse, better]) is None
    assert rib.decide(P, []) == BestChange(P, better, None)
    assert rib.decide(P, []) is None
    assert len(rib) == 0


@pytest.mark.rfc("4271", "9.1.4")
def test_a_packet_takes_the_longest_prefix() -> None:
    rib = LocRIB()
    for each in (route("192.0.0.0/8"), route(PREFIX)):
        rib.decide(each.prefix, [each])
    assert rib.lookup(ip_address("192.0.2.53")).prefix == P
    assert rib.lookup(ip_address("192.9.9.9")).prefix == parse_prefix("192.0.0.0/8")
    assert rib.lookup(ip_address("8.8.8.8")) is None
    assert rib.best(P) == route(PREFIX)


@pytest.mark.rfc("4271", "9.2")
def test_only_differences_leave() -> None:
    rib = AdjRIBOut()
    assert rib.replace([route(), route("2001:db8::/48")]) == Changes((route(), route("2001:db8::/48")))
    assert not rib.replace([route("2001:db8::/48"), route()])
    assert rib.replace([route(med=3)]) == Changes((route(med=3),), (P6,))
    assert rib.apply({P: None, P6: None}) == Changes((), (P,))
    assert len(rib) == 0
    rib.replace([route()])
    assert rib.of_family(V4) == (route(),)
    assert rib.of_family(V6) == ()
    rib.reset()
    assert rib.sent(P) is None
    assert rib.replace([route()]).announced == (route(),)
