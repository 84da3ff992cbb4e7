import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.model.watch import Thresholds
from anycastle.watch.add_path import PLACES_MAX, PathPlaces
from anycastle.watch.claim import ClaimKey, Life, RouteClaim, Support, Suspicion
from anycastle.watch.fact import Peer
from tests.unit.watch.scene import OURS, OURS_6


@pytest.mark.rfc("7911", "3")
def test_a_path_keeps_its_place_and_a_freed_one_is_taken_again() -> None:
    places = PathPlaces()
    assert [places.take(OURS, number) for number in (70, 71, 70, 72)] == [0, 1, 0, 2]
    assert places.take(OURS_6, 71) == 0, "places are counted for each prefix"
    assert places.free(OURS, 71) == 1
    assert places.free(OURS, 71) is None
    assert places.take(OURS, 99) == 1
    places.forget()
    assert places.free(OURS, 70) is None


def test_too_many_paths_are_counted_and_not_followed() -> None:
    places = PathPlaces()
    taken = [places.take(OURS, number) for number in range(PLACES_MAX + 2)]
    assert taken == [*range(PLACES_MAX), None, None]
    assert places.refused == 2


def test_two_paths_of_one_router_are_one_witness() -> None:
    claim = RouteClaim(ClaimKey("origin_change", "AS64666", OURS), Life(), Thresholds(peers=2, asns=1))
    said = Support(Timestamp(0.0), "64601 64666", Suspicion("origin_change", "AS64666", 80, ()))
    first, second = (Peer("bgp", ASN(64601), "192.0.2.1", place) for place in (0, 1))
    claim.add(first, said)
    claim.add(second, said)
    assert (claim.peers, claim.holds(1)) == (1, None)
    claim.remove(first)
    assert claim.peers == 1
    claim.add(Peer("bgp", ASN(64602), "192.0.2.2"), said)
    assert claim.holds(1) is True
