"""Ties among sessions of one upstream, where it is known where users are."""

import re
from dataclasses import replace

import numpy as np
import pytest

from anycastle.model.announcement import RouteAttributes
from anycastle.model.pop import Location
from anycastle.model.service import Policy
from anycastle.twin.intent import intent_of, without_pops
from anycastle.twin.nearest import sets_alike
from anycastle.twin.predict import Asked, predict_shift
from anycastle.twin.regions import (
    MIDDLE,
    REGION_OF_COUNTRY,
    from_middles_km,
    region_of_label,
    region_of_pop,
    regions_of_nodes,
)
from anycastle.twin.synthetic import REGIONS
from anycastle.twin.weights import place_weights
from tests.unit.twin.fleets import fleet, pop, upstream
from tests.unit.twin.twelve import twelve

FRANKFURT, TOKYO = Location(50.1, 8.7), Location(35.8, 140.4)


def two(prepend: int = 0):
    pops = (
        replace(pop("fra", 1.0, upstream(11)), location=FRANKFURT),
        replace(pop("nrt", 1.0, upstream(11)), location=TOKYO),
    )
    return fleet(pops, {("nrt", "as11"): Policy(attributes=RouteAttributes(prepend=prepend))})


def predicted(before, after):
    graph = twelve()
    region = regions_of_nodes(graph, {12: "DE", 6: "europe", 10: "JP", 5: "elsewhere"})
    weights = place_weights(graph, {12: 1.0, 10: 1.0, 7: 2.0}, "users")
    now, then = intent_of(before, graph), intent_of(after, graph)
    return predict_shift(graph, now, then, np.random.default_rng(1), Asked(weights, region=region, members=128))


def test_each_as_lands_at_the_pop_that_is_nearest() -> None:
    """Both PoPs are at 11, alike. 12 (Germany) lands at Frankfurt: Tokyo is nine times as far, and a distance errs by
    a third. 10 (Japan) lands at Tokyo. Of 7 nothing is known: it falls to either as a whole.
    """
    found = predicted(two(), two())
    fra, nrt = (each.now for each in found.pops)
    assert (fra.p5, fra.p95) == pytest.approx((0.25, 0.75))
    assert (nrt.p5, nrt.p95) == pytest.approx((0.25, 0.75))
    assert 0.4 < fra.mean < 0.6


def test_only_sessions_that_are_treated_alike_are_equal() -> None:
    """With a prepend at Tokyo, 11 has one shortest path: all land at Frankfurt, Japan too. That moves 10, and 7 where
    it was at Tokyo.
    """
    found = predicted(two(), two(1))
    assert [each.after.mean for each in found.pops] == pytest.approx([1, 0])
    assert (found.moved.p5, found.moved.p95) == pytest.approx((0.25, 0.75))


def test_who_is_near_one_pop_moves_when_it_goes_and_nobody_else() -> None:
    graph = twelve()
    now = intent_of(two(), graph)
    region = regions_of_nodes(graph, dict.fromkeys(range(1, 13), "DE"))
    asked = Asked(region=region, members=64)
    found = predict_shift(graph, now, without_pops(now, ["nrt"]), np.random.default_rng(1), asked)
    assert found.pops[0].now.mean > 0.99
    assert found.moved.mean == pytest.approx(found.pops[1].now.mean)


def test_sets_of_sessions_that_are_alike() -> None:
    graph = twelve()
    plain, prepended = (intent_of(two(prepend), graph) for prepend in (0, 1))
    assert sets_alike(plain.deployment, plain.configuration) == (0, 0)
    assert sets_alike(prepended.deployment, prepended.configuration) == (0, 1)


def test_regions() -> None:
    assert all(re.fullmatch("[A-Z]{2}", country) for country in REGION_OF_COUNTRY)
    assert len(REGION_OF_COUNTRY) > 240  # no code stands in two regions, or the later one would have won
    assert set(REGION_OF_COUNTRY.values()) == set(REGIONS) == set(MIDDLE)
    assert [region_of_label(each) for each in ("de", "BR", "africa", "moon")] == [
        "europe",
        "south-america",
        "africa",
        "",
    ]
    assert region_of_pop("asia", FRANKFURT) == "asia"
    assert region_of_pop("emea-1", FRANKFURT) == "europe"
    assert region_of_pop("apac", TOKYO) == "asia"


def test_distances_from_the_middles() -> None:
    """Each region's middle is 0 km from itself; Europe's is nearer to Frankfurt than to Tokyo."""
    assert np.diag(from_middles_km(list(MIDDLE.values()))).tolist() == [0.0] * len(REGIONS)
    assert list(MIDDLE) == list(REGIONS)
    europe = from_middles_km([FRANKFURT, TOKYO])[REGIONS.index("europe")]
    assert europe == pytest.approx([93, 9300], rel=0.02)


def test_no_country_stands_in_two_regions() -> None:
    from anycastle.twin import regions

    codes = [code for countries in regions._COUNTRIES.values() for code in countries.split()]
    assert len(codes) == len(set(codes))
