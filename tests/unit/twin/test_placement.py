"""Placement on the graph of twelve, derived by hand: who lands at a candidate, what that gives, and what it costs.

West (at 7) and east (at 11) are there; nine (at 9) is a candidate. Without nine, west has 1, 3, 4, 7, 8, 9 and, for its
routes by 1 and 2 are no worse than those by east, see the tests below; with nine, west 1 3 7 8, nine 4 5 9 10, east
2 6 11 12 (`test_failures`). Everybody stands at one of three points, a, b and c; light goes straight, 1 ms in 100 km.
"""

import numpy as np
import pytest

from anycastle.base.errors import MisuseError
from anycastle.model.asn import ASN
from anycastle.model.pop import Location
from anycastle.twin.deployment import Session
from anycastle.twin.placement import Placement, Search, Site, Terms, joined_deployment
from anycastle.twin.routes import propagate
from anycastle.twin.rtt import Inflation, Places, round_trips
from anycastle.twin.sweep import compile_deployment
from anycastle.twin.users import Users
from tests.unit.twin.twelve import BOTH, OURS, catchment, twelve

STRAIGHT = Inflation((0.5,), (0.0,), (1.0,), "light")
DEGREE_KM = 2 * np.pi * 6371 / 360
POINTS = np.array([(0.0, 0.0), (0.0, 30.0), (0.0, 60.0)])
"""On the equator: 33.4 ms from one to the next."""
STEP_MS = 30 * DEGREE_KM / 100

NINE = Site("nine", "C", Location(0, 60), (Session(ASN(9)),), cost_per_month=1000, cost_per_mbps=2, setup_cost=6000)
TEN = Site("ten", "C", Location(0, 60), (Session(ASN(10)),), cost_per_month=500)
EIGHT = Site("eight", "A", Location(0, 0), (Session(ASN(8)),), cost_per_month=100)
HERE = {"west": (0.0, 0.0), "east": (0.0, 30.0), "nine": (0.0, 60.0), "ten": (0.0, 60.0), "eight": (0.0, 0.0)}
AT = {1: 0, 3: 0, 7: 0, 8: 0, 2: 1, 6: 1, 11: 1, 12: 1, 4: 2, 5: 2, 9: 2, 10: 2}
"""AS -> point: those that land at west, east and nine stand there."""


def users_of(*candidates: Site, weights=None, at=AT) -> Users:
    graph = twelve()
    deployment = joined_deployment(BOTH, candidates, OURS)
    places = Places.of_points("abc", ("left", "left", "right"), POINTS)
    place_of = np.array([at.get(int(asn), -1) for asn in graph.asn], np.int32)
    pops = np.array([HERE[pop] for pop in deployment.pops])
    trips = round_trips(place_of, places, pops, model=STRAIGHT)
    return Users.of(compile_deployment(graph, deployment), trips, weights)


def search(*candidates: Site, **terms) -> Placement:
    return Search.of(users_of(*candidates), ("west", "east"), candidates, Terms(**terms)).run()


def test_the_premise_who_lands_where_without_the_candidate():
    """4 hears 1 and thus west at 5 long, not its peer 5, that hears east from its provider and tells no peer. 5 hears
    its provider 2: east (customer route of 6). 9 follows 4; 10 follows 5."""
    routes = propagate(twelve(), BOTH)
    assert catchment(routes, "west") == {1, 3, 4, 7, 8, 9}
    assert catchment(routes, "east") == {2, 5, 6, 10, 11, 12}


@pytest.mark.mission("C18", "S4")
def test_what_one_candidate_gives():
    """Today 4 and 9 go from c to a (2 steps), 5 and 10 from c to b (1 step): mean 6/12 of a step. With nine, all are
    at home. Under 50 ms today: all but 4 and 9, that are 66.7 ms away; under 30 ms: the eight at a and b.
    """
    found = search(NINE)
    today, added = found.today.served, found.greedy[0].served
    assert today.all.mean_ms.value == pytest.approx(0.5 * STEP_MS, rel=1e-4)
    assert [each.value for each in today.all.under] == pytest.approx([8 / 12, 10 / 12, 1])
    assert added.all.mean_ms.value == pytest.approx(0, abs=1e-3)
    assert [each.value for each in added.all.under] == pytest.approx([1, 1, 1])
    assert added.shares == pytest.approx((4 / 12, 4 / 12, 4 / 12))
    assert found.greedy[0].added == ("nine",)
    assert found.exact is not None
    assert (found.exact.added, found.gap, found.tried) == (("nine",), 0, 2)


def test_regions():
    """The region `right` is point c: today two at one step and two at two steps."""
    regions = dict(search(NINE).today.served.by_region)
    assert regions["left"].mean_ms.value == pytest.approx(0, abs=1e-3)
    assert regions["right"].users == pytest.approx(4 / 12)
    assert regions["right"].mean_ms.value == pytest.approx(1.5 * STEP_MS, rel=1e-4)
    assert regions["right"].p50_ms.value == pytest.approx(STEP_MS, abs=1)
    assert regions["right"].p95_ms.value == pytest.approx(2 * STEP_MS, abs=1)


@pytest.mark.mission("S4")
def test_the_nearest_pop_is_not_where_they_land():
    """If distance decided, c would go to b (one step) today: 4 and 9 as well."""
    served = search(NINE).today.served
    assert served.nearest.mean_ms.value == pytest.approx(4 / 12 * STEP_MS, rel=1e-4)
    assert served.nearest.mean_ms.value < served.all.mean_ms.value


@pytest.mark.mission("S4")
def test_the_money():
    """1000 a month and 2 for each of 1200/3 Mbit/s that land there: 1800. It saves half a step, 16.68 ms, so 107.9
    a millisecond; 6000 over 12 months are 500 more. At 200 a millisecond, it earns 3336 - 1800 = 1536 a month.
    """
    money = search(NINE, traffic_mbps=1200, months=12, value_per_ms=200).greedy[0].economics
    assert money.cost_per_month == pytest.approx(1800)
    assert money.saved_ms == pytest.approx(STEP_MS / 2, rel=1e-4)
    assert money.cost_per_ms == pytest.approx(1800 / (STEP_MS / 2), rel=1e-4)
    assert money.break_even_per_ms == pytest.approx(2300 / (STEP_MS / 2), rel=1e-4)
    assert money.payback_months == pytest.approx(6000 / (200 * STEP_MS / 2 - 1800), rel=1e-4)


def test_traffic_that_leaves_a_pop_is_no_longer_billed_there():
    """4 and 9 leave west, 5 and 10 east: at 3 a Mbit/s at both, 400 Mbit/s less are 1200 less."""
    known = [Site(pop, "", Location(0, 0), cost_per_mbps=3) for pop in ("west", "east")]
    found = Search.of(users_of(NINE), ("west", "east"), [NINE], Terms(traffic_mbps=1200), known).run()
    assert found.greedy[0].economics.cost_per_month == pytest.approx(1800 - 1200)


def test_a_budget_is_kept():
    assert search(NINE, budget=999).greedy == ()
    assert search(NINE, TEN, budget=999).greedy[0].added == ("ten",)


def test_ten_is_worse_than_nine_and_both_are_no_better():
    """10 gives its provider 5 a customer's route, which 5 tells 2 and its peer 4: 4 still lies nearer to its provider 1
    than nothing, but prefers the peer's. So 4, 5, 9 and 10 land at ten; and 2 hears 5 at 4 long as it does 6, and
    takes the lower: the users of b at 2 go to c. Nine alone leaves 2 where it is.
    """
    routes = propagate(twelve(), joined_deployment(BOTH, [TEN], OURS))
    assert catchment(routes, "ten") == {2, 4, 5, 9, 10}
    found = search(TEN, NINE)
    assert [option.added for option in found.single] == [("nine",), ("ten",)]
    assert found.greedy[0].added == ("nine",)
    assert len(found.greedy) == 1
    assert found.exact is not None
    assert found.exact.added == ("nine",)


FOUR = Site("four", "A", Location(0, 0), (Session(ASN(4)),))
TWELVE = Site("twelve", "A", Location(0, 0), (Session(ASN(12)),))
UNEVEN = {1: 2, 2: 2, 3: 1, 4: 0, 5: 0, 6: 0, 7: 2, 8: 2, 9: 2, 10: 1, 11: 0, 12: 0}


def by_hand(pops, at, where, candidates):
    """The mean distance in steps, from routes of a configuration alone."""
    deployment = joined_deployment(BOTH, candidates, OURS)
    routes = propagate(twelve(), deployment, deployment.without(*(set(deployment.pops) - set(pops))))
    return sum(abs(at[asn] - where[pop]) for pop in pops for asn in catchment(routes, pop)) / 12


@pytest.mark.mission("C18")
def test_greedy_is_not_always_best(monkeypatch):
    """Today 14/12 steps. Twelve alone saves one, four or eight alone nothing, so greedy takes twelve, and nothing
    further helps. But four and eight together save two: half of the gain is missed.
    """
    monkeypatch.setitem(HERE, "four", (0.0, 0.0))
    monkeypatch.setitem(HERE, "twelve", (0.0, 0.0))
    monkeypatch.setitem(HERE, "eight", (0.0, 60.0))
    sites = (FOUR, TWELVE, EIGHT)
    found = Search.of(users_of(*sites, at=UNEVEN), ("west", "east"), sites, Terms(most=2)).run()
    where = {"west": 0, "east": 1, "four": 0, "twelve": 0, "eight": 2}
    for option in (found.today, *found.single, *found.greedy, found.exact):
        steps = by_hand(("west", "east", *option.added), UNEVEN, where, sites)
        assert option.served.all.mean_ms.value == pytest.approx(steps * STEP_MS, rel=1e-4)
    assert [option.added for option in found.greedy] == [("twelve",)]
    assert found.exact.added == ("four", "eight")
    assert found.gap == pytest.approx(0.5)


def test_weights_decide_what_is_worth_it():
    """Where only 4 counts, today's mean is two steps, and nine makes it nothing."""
    graph = twelve()
    weights = (graph.asn == 4).astype(np.float64)
    found = Search.of(users_of(NINE, weights=weights), ("west", "east"), [NINE], Terms()).run()
    assert found.today.served.all.mean_ms.value == pytest.approx(2 * STEP_MS, rel=1e-4)
    assert found.greedy[0].economics.saved_ms == pytest.approx(2 * STEP_MS, rel=1e-4)


def test_prepends_of_today_stay():
    """With four more at west, routes are as by whole propagations; with west alone, no tie changes where one lands."""
    deployment = joined_deployment(BOTH, [NINE], OURS)
    users = Users.of(
        compile_deployment(twelve(), deployment), users_of(NINE).trips, None, deployment.everywhere({"west": 4})
    )
    routes = propagate(twelve(), deployment, deployment.without("nine", base=deployment.everywhere({"west": 4})))
    (landed,) = users.landed([frozenset({"west", "east"})])
    assert (12 * landed.sum(axis=0)[:2]).tolist() == pytest.approx((12 * routes.shares()[:2]).tolist())
    assert users.routes(frozenset({"west", "east"})).pop().tolist() == routes.pop().tolist()
    assert sorted(users.tie_means_ms(frozenset({"west"}), np.random.default_rng(1))) == pytest.approx(
        [users.mean_ms(next(users.landed([frozenset({"west"})])))] * 64
    )


def test_networks_without_a_place_are_left_out_and_told():
    users = users_of(NINE, at={asn: point for asn, point in AT.items() if asn != 4})
    assert users.located == pytest.approx(11 / 12)


def test_nobody_has_a_route_without_a_pop():
    users = users_of(NINE)
    (landed,) = users.landed([frozenset()])
    fare = users.fare(landed)
    assert (fare.no_route, [each.value for each in fare.under]) == (1.0, [0, 0, 0])
    assert np.isnan(fare.mean_ms.value)


def test_the_quick_mean_is_the_mean():
    users = users_of(NINE)
    (landed,) = users.landed([frozenset({"west", "nine"})])
    assert users.mean_ms(landed) == pytest.approx(users.fare(landed).mean_ms.value)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: joined_deployment(BOTH, [Site("x", "", Location(0, 0))], OURS), "needs a neighbour"),
        (lambda: joined_deployment(BOTH, [Site("west", "", Location(0, 0), (Session(ASN(9)),))], OURS), "no PoP has"),
        (lambda: Search.of(users_of(NINE), ("west",), [], Terms()), "one candidate"),
        (lambda: list(users_of(NINE).landed([frozenset({"nowhere"})])), "no PoP nowhere"),
        (lambda: users_of(NINE, at={}), "known place"),
    ],
)
def test_misuse(call, words):
    with pytest.raises(MisuseError, match=words):
        call()
