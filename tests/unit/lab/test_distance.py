import pytest

from anycastle.lab.distance import DETOUR, one_way_s
from anycastle.model.distance import great_circle_km
from anycastle.model.pop import Location

AMSTERDAM, SYDNEY = Location(52.37, 4.90), Location(-33.87, 151.21)


def test_distances_are_those_of_an_atlas() -> None:
    assert great_circle_km(AMSTERDAM, SYDNEY) == pytest.approx(16_650, rel=0.01)
    assert great_circle_km(AMSTERDAM, AMSTERDAM) == 0.0
    assert great_circle_km(Location(0, 0), Location(0, 180)) == pytest.approx(20_015, rel=0.001)


def test_light_in_fibre_takes_five_microseconds_a_kilometre_and_the_detour() -> None:
    assert one_way_s(AMSTERDAM, SYDNEY) == pytest.approx(16_650 * 5e-6 * DETOUR, rel=0.01)
