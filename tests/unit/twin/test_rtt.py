"""Round trips: distances, the model's quantiles, countries of several centres, measurements."""

import numpy as np
import pytest

from anycastle.base.errors import MisuseError
from anycastle.kernels.intervals import weighted_quantiles
from anycastle.twin.rtt import (
    ATLAS_2015,
    LEVELS,
    Inflation,
    Places,
    great_circle_km,
    modelled,
    round_trips,
)  # fmt: skip

LONDON, SYDNEY, SINGAPORE = (51.51, -0.13), (-33.87, 151.21), (1.35, 103.82)


def points(*each):
    return np.array(each, np.float64)


def test_distances_of_cities():
    """London to Sydney 16,990 km, to Singapore 10,850, Singapore to Sydney 6,300 (published, to the nearest 20 km)."""
    km = great_circle_km(points(LONDON, SINGAPORE), points(SYDNEY, SINGAPORE))
    assert np.allclose(km, [[16_990, 10_850], [6_300, 0]], atol=20)


def test_the_other_side_of_the_earth_is_half_its_girth():
    assert great_circle_km(points((0, 179)), points((0, -179)))[0, 0] == pytest.approx(222, rel=0.01)
    assert great_circle_km(points((10, 20)), points((-10, -160)))[0, 0] == pytest.approx(np.pi * 6371, abs=1)


@pytest.mark.mission("C18")
def test_the_model_is_slower_than_light_and_ascends():
    """No path is faster than light in fibre (1 ms a 100 km), and a higher level is never faster, at any distance."""
    km = np.linspace(0, 20_000, 500)
    ms = ATLAS_2015.at(km)
    assert (ms >= km[:, None] / 100).all()
    assert (np.diff(ms, axis=1) >= 0).all()
    assert (np.diff(ms, axis=0) >= 0).all()


def test_the_median_of_the_model():
    """Between the levels 0.45 and 0.55 lies the median, 14.2 + 2.00 * 82.09 = 178 ms from Seoul to Sydney."""
    below, above = ATLAS_2015.at(points(8209.06))[0, 4:6]
    assert below < 178.4 < above
    assert above - below < 10


def test_a_model_is_refused_that_is_none():
    with pytest.raises(MisuseError, match="as many"):
        Inflation((0.5,), (1.0, 2.0), (1.0,), "")


def test_quantiles_by_weight():
    """Of the weights 1, 1, 2 on 10, 20, 30: half is reached at 20, three quarters at 30, a quarter at 10."""
    values, weights = points(30, 10, 20), points(2, 1, 1)
    assert weighted_quantiles(values, weights, (0.25, 0.5, 0.75)).tolist() == [10, 20, 30]


def test_a_country_of_two_centres_is_a_mixture():
    """Nine tenths live at the PoP, a tenth at the antipodes: the last tenth of users alone has the long way."""
    far = Inflation((0.05, 0.95), (1.0, 1.0), (1.0, 1.0), "")
    country = Places(("XX",), ("r",), np.zeros(2, np.int32), points((0, 0), (0, 180)), points(9, 1), np.zeros(2))
    ms = modelled(country, points((0, 0)), far)[0, 0]
    assert np.allclose(ms[:9], 1.0)
    assert ms[9] == pytest.approx(1 + np.pi * 6371 / 100, rel=1e-4)


def test_people_around_a_centre_are_farther_than_it():
    """3 and 4: a spread of 400 km at 300 km of distance is 500 km."""
    plain = Inflation((0.5,), (0.0,), (1.0,), "")
    one = Places(("XX",), ("r",), np.zeros(1, np.int32), points((0, 0)), points(1), points(400))
    degrees = 300 / (2 * np.pi * 6371 / 360)
    assert modelled(one, points((0, degrees)), plain)[0, 0] == pytest.approx([5.0] * len(LEVELS), rel=1e-4)


@pytest.fixture
def two_places():
    return Places.of_points(("London", "Sydney"), ("europe", "oceania"), points(LONDON, SYDNEY))


def test_measurements_stand_in_place_of_the_model(two_places):
    found = round_trips(np.array([0, 1, -1], np.int32), two_places, points(LONDON, SINGAPORE), {(1, 1): [95.0]})
    assert found.place_of.tolist() == [0, 2, -1]
    assert found.region == ("europe", "oceania")
    assert found.region_of.tolist() == [0, 1, 1]
    assert found.ms[2, 1].tolist() == [95.0] * len(LEVELS)
    assert found.ms[2, 0].tolist() == found.ms[1, 0].tolist()
    assert found.measured.tolist() == [[False, False], [False, False], [False, True]]


def test_several_measurements_are_a_distribution(two_places):
    found = round_trips(np.array([0], np.int32), two_places, points(LONDON), {(0, 0): [10.0, 20.0]})
    assert found.ms[2, 0, 0] == pytest.approx(10.5)
    assert found.ms[2, 0, -1] == pytest.approx(19.5)


def test_a_network_known_by_measurements_alone(two_places):
    found = round_trips(np.array([-1], np.int32), two_places, points(LONDON, SYDNEY), {(0, 0): [10.0]})
    assert found.region[found.region_of[found.place_of[0]]] == "unknown"
    assert found.ms[found.place_of[0]].min() == found.ms[found.place_of[0]].max() == 10.0


def test_a_round_trip_of_nothing_is_refused(two_places):
    with pytest.raises(MisuseError, match="above 0 ms"):
        round_trips(np.array([0], np.int32), two_places, points(LONDON), {(0, 0): [0.0]})
