"""Where networks are: countries and their centres, points, regions of graphs made here."""

import random

import numpy as np
import pytest

from anycastle.base.errors import ParseError
from anycastle.io.placement.places import countries, located_by_country, located_by_csv, located_by_region
from anycastle.twin.rtt import great_circle_km
from anycastle.twin.synthetic import REGIONS, make_graph
from tests.unit.twin.twelve import twelve


def test_countries_are_where_their_people_are():
    """Most Australians are within 1,500 km of Canberra, and nobody's centre is in the desert between."""
    places = countries()
    mine = places.place == places.name.index("AU")
    apart = great_circle_km(places.point[mine], np.array([[-35.28, 149.13]]))[:, 0]
    assert (places.people[mine] * (apart < 1500)).sum() / places.people[mine].sum() > 0.8
    assert set(places.region) >= set(REGIONS)
    assert len(places.name) == len(set(places.name)) > 240
    assert (places.people > 0).all()
    assert (np.bincount(places.place) >= 1).all()


@pytest.fixture
def ranges(tmp_path):
    (tmp_path / "asn.csv").write_text("100,199,1,One\n200,299,2\n300,399,77\n")
    (tmp_path / "country.csv").write_text("100,199,DE\n200,399,XX\n")
    return tmp_path


def test_by_country(ranges):
    """AS 1 has its addresses in Germany; 2 in a country that no table has; of the others nothing is known."""
    graph = twelve()
    found = located_by_country(graph, ranges / "asn.csv", ranges / "country.csv")
    assert found.places.name[found.place_of[graph.node(1)]] == "DE"
    assert found.place_of[graph.node(2)] == -1
    assert (found.place_of >= 0).sum() == 1


def test_points_go_before_countries(ranges):
    (ranges / "points.csv").write_text("asn,lat,lon,region\nAS1,10,20,here\nAS3,-5,7,\nAS3,-6,8,\nAS999,0,0,there\n")
    graph = twelve()
    found = located_by_csv(
        graph, ranges / "points.csv", located_by_country(graph, ranges / "asn.csv", ranges / "country.csv")
    )
    one, three = found.place_of[graph.node(1)], found.place_of[graph.node(3)]
    assert (found.places.name[one], found.places.region[one]) == ("AS1", "here")
    assert found.places.point[found.places.place == three].tolist() == [[-5, 7], [-6, 8]]
    assert found.places.region[three] == "unknown"
    assert "points.csv" in found.source


def test_points_alone(ranges):
    (ranges / "points.csv").write_text("asn,lat,lon\n12,10,20\n")
    found = located_by_csv(twelve(), ranges / "points.csv")
    assert (found.place_of >= 0).sum() == 1


def test_bad_points(ranges):
    (ranges / "points.csv").write_text("asn,lat,lon\n12,10,200\n")
    with pytest.raises(ParseError, match=r"points.csv:2:7: lon: '200'"):
        located_by_csv(twelve(), ranges / "points.csv")


def test_by_region_of_a_graph_made_here():
    made = make_graph(400, random.Random(1))
    found = located_by_region(made.graph, made.region, np.random.default_rng(1))
    assert (found.place_of >= 0).all()
    for node, asn in enumerate(made.graph.asn.tolist()):
        assert found.places.region[found.place_of[node]] == made.region[asn]
