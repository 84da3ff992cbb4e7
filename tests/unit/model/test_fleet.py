from ipaddress import IPv4Address, ip_address

import pytest

from anycastle.model.asn import ASN
from anycastle.model.fleet import Fleet
from anycastle.model.pop import Location, PoP, Router
from anycastle.model.service import Quorum, Service
from anycastle.model.upstream import Neighbour, Upstream, UpstreamKind

T1 = Upstream("t1", UpstreamKind.TRANSIT, ASN(64601), (Neighbour(ip_address("192.0.2.1")),))
T2 = Upstream("t2", UpstreamKind.IX, ASN(64602), (Neighbour(ip_address("192.0.2.2")),))


def pop(name: str) -> PoP:
    return PoP(name, "City", Location(0, 0), "europe", Router("bird", IPv4Address("10.0.0.1")), (T1, T2))


def service(name: str, *pops: str) -> Service:
    return Service(name, (), (), pops, ())


FLEET = Fleet(
    "test",
    ASN(64500),
    ("europe",),
    (pop("ams"), pop("fra")),
    (service("dns", "ams", "fra"), service("web", "fra"), service("api", "fra", "ams")),
)


def test_a_pop_is_found_by_its_name() -> None:
    assert FLEET.pop("fra").name == "fra"
    with pytest.raises(KeyError, match="lon"):
        FLEET.pop("lon")


def test_a_pops_services_come_in_the_fleets_order() -> None:
    assert [each.name for each in FLEET.services_at("fra")] == ["dns", "web", "api"]
    assert [each.name for each in FLEET.services_at("ams")] == ["dns", "api"]
    assert FLEET.services_at("lon") == ()


def test_an_upstream_is_found_by_its_name() -> None:
    assert FLEET.pop("ams").upstream("t2") is T2


@pytest.mark.parametrize(
    ("need", "total", "required"), [(None, 3, 3), (None, 0, 0), (1, 3, 1), (2, 3, 2), (5, 3, 3), (1, 0, 0)]
)
def test_a_quorum_asks_for_no_more_checks_than_there_are(need: int | None, total: int, required: int) -> None:
    assert Quorum(need).required_of(total) == required
