"""Placement against plain Python: who lands where from whole propagations, and round trips added up one by one."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anycastle.model.asn import ASN
from anycastle.model.pop import Location
from anycastle.twin.deployment import Deployment, Session, SessionGroup, Standing
from anycastle.twin.placement import Aim, Search, Site, Terms, joined_deployment
from anycastle.twin.routes import NO_GROUP, propagate
from anycastle.twin.rtt import Places, round_trips
from anycastle.twin.sweep import compile_deployment
from anycastle.twin.synthetic import make_graph
from anycastle.twin.users import UNDER_MS, Users

OURS = ASN(64500)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), aim=st.sampled_from(Aim), most=st.integers(1, 3))
@pytest.mark.mission("C18")
def test_placement_equals_plain_python(seed, aim, most):
    draw, numbers = random.Random(seed), np.random.default_rng(seed)
    graph = make_graph(120, draw).graph
    asns = graph.asn.tolist()

    def neighbours():
        return tuple(
            Session(ASN(asn), draw.choice(list(Standing)[:2])) for asn in draw.sample(asns, draw.randint(1, 3))
        )

    present = Deployment(
        tuple(SessionGroup(f"here/{at}", "here", OURS, (each,)) for at, each in enumerate(neighbours()))
    )
    sites = [Site(f"c{at}", "", Location(*numbers.uniform(-60, 60, 2)), neighbours()) for at in range(4)]
    deployment = joined_deployment(present, sites, OURS)
    places = Places.of_points("abcdefgh", ["x", "y"] * 4, numbers.uniform(-60, 60, (8, 2)))
    place_of = numbers.integers(-1, 8, len(graph)).astype(np.int32)
    weights = numbers.exponential(1.0, len(graph))
    pops = np.array([(0.0, 0.0), *((site.location.latitude, site.location.longitude) for site in sites)])
    users = Users.of(compile_deployment(graph, deployment), round_trips(place_of, places, pops), weights)
    found = Search.of(users, ["here"], sites, Terms(aim, most)).run()

    options = {frozenset(each.added): each for each in (found.today, *found.single, *found.greedy, found.exact)}
    for added, option in options.items():
        gone = {site.name for site in sites} - added
        pop_of = propagate(graph, deployment, deployment.without(*gone)).pop()
        rows = [
            (weights[node] / 10, float(ms))
            for node in range(len(graph))
            if place_of[node] >= 0 and pop_of[node] != NO_GROUP
            for ms in users.trips.ms[place_of[node], pop_of[node]]
        ]
        routed, located = sum(weight for weight, _ in rows), weights[place_of >= 0].sum()
        fare = option.served.all
        assert fare.no_route == pytest.approx(1 - routed / located, abs=1e-9)
        for each in (*fare.under, fare.p50_ms, fare.p95_ms, fare.mean_ms) if rows else ():
            low, high = sorted((each.best, each.worst))
            assert low - 1e-6 <= each.value <= high + 1e-6
        if not rows:
            assert np.isnan(fare.mean_ms.value)
            assert np.isnan(fare.p50_ms.value)
            continue
        assert fare.mean_ms.value == pytest.approx(sum(weight * ms for weight, ms in rows) / routed)
        for limit, under in zip(UNDER_MS, fare.under, strict=True):
            assert under.value == pytest.approx(sum(weight for weight, ms in rows if ms < limit) / located, abs=1e-9)
        reached, medians = 0.0, []  # from the first value that half may be reached at to the last, by rounding
        for ms, weight in sorted((ms, weight) for weight, ms in rows):
            if reached <= routed / 2 * (1 + 1e-9) and reached + weight >= routed / 2 * (1 - 1e-9):
                medians.append(ms)
            reached += weight
        assert medians[0] - 1.001 <= fare.p50_ms.value <= medians[-1] + 1.001  # a histogram of milliseconds
    assert found.gap >= 0
    if aim is Aim.MEAN and found.today.served.all.no_route < 1:
        assert found.exact.served.all.mean_ms.value <= found.today.served.all.mean_ms.value + 1e-6
