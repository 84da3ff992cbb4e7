"""Members by a calibrated model."""

import random
from dataclasses import replace

import numpy as np
import pytest

from anycastle.base.errors import MisuseError
from anycastle.model.announcement import RouteAttributes
from anycastle.model.service import Policy
from anycastle.twin.calibrated import SHARE_ERROR, share_error
from anycastle.twin.calibration import Calibration
from anycastle.twin.graph import ASGraph
from anycastle.twin.intent import intent_of, without_pops
from anycastle.twin.predict import Asked, predict_shift
from anycastle.twin.synthetic import make_graph
from tests.unit.twin.fleets import GIGA, fleet, pop, three, upstream, users_on
from tests.unit.twin.test_predict import replace_policy
from tests.unit.twin.twelve import twelve

POPS = ("east", "nine", "west")
EAST_NINE, EAST_WEST, NINE_WEST = 0, 1, 2


def model(graph: ASGraph, odds=(0.0, 0.0, 0.0), pops=POPS, **more) -> Calibration:
    asn = np.sort(graph.asn)
    pairs = len(pops) * (len(pops) - 1) // 2
    outcome = more.get("outcome", np.zeros((len(asn), pairs), np.int8))
    return Calibration(
        pops, asn, np.tile(np.array(odds, np.float32), (len(asn), 1)), outcome,
        np.ones(len(asn), np.bool_), np.zeros(pairs), np.array([[0.5, 0.5], [1.0, 1.0]]),
        scorecard={"all": {"share_error": more.get("error", 0.001)}},
    )  # fmt: skip


def shift(calibration: Calibration, before=None, after=None, gone=(), graph=None, users=True):
    graph = graph or twelve()
    before = before or three()
    now, then = intent_of(before, graph), intent_of(after or before, graph)
    asked = Asked(users_on(graph) if users else None, 12 * GIGA, calibration, members=64)
    return predict_shift(graph, now, without_pops(then, gone), np.random.default_rng(1), asked)


def plain():
    return replace_policy(three(), "nine", "as9", prepend=0)


def test_what_the_model_is_sure_of_is_predicted() -> None:
    """Every AS takes east before nine and west, and west before nine, each with odds of e^8."""
    found = shift(model(twelve(), (8.0, 8.0, -8.0)), plain(), gone=("east",))
    assert [round(each.now.mean, 2) for each in found.pops] == [0, 1, 0]  # west, east, nine
    assert [round(each.after.mean, 2) for each in found.pops] == [1, 0, 0]
    assert not found.corrected


def test_only_those_of_the_pop_that_goes_move() -> None:
    """All chances are alike. With the same luck before and after, nobody moves but from west."""
    found = shift(model(twelve()), plain(), gone=("west",))
    assert found.moved.mean == pytest.approx(found.pops[0].now.mean)
    assert all(flow.source == "west" or flow.source == flow.target for flow in found.flows)
    assert sum(each.after.mean for each in found.pops) == pytest.approx(1)


def test_what_is_measured_is_told_apart() -> None:
    """7 (3 of 12 users) was measured in every pair; the model knows the others by their surroundings."""
    graph = twelve()
    outcome = np.zeros((12, 3), np.int8)
    outcome[np.searchsorted(np.sort(graph.asn), 7)] = 1
    found = shift(model(graph, outcome=outcome), plain())
    assert found.provenance == pytest.approx({"measured": 0.25, "transitive": 0, "inferred": 0.75, "assumed": 0})


def test_prepends_correct_the_chances_by_the_rules() -> None:
    """West prepends five times: by the rules 1 and 8 move to nine, and nobody else does. The model gives them even
    chances; times 0.05 / 1.05 for west and 1.05 / 0.05 for nine, 8 lands at nine all but surely. The others' chances
    are as they were.
    """
    before = plain()
    found = shift(model(twelve()), before, replace_policy(before, "west", "as7", prepend=5))
    assert found.corrected
    ases = found.ases
    after = {int(asn): ases.pops[pop] for asn, pop in zip(ases.asn, ases.after, strict=True)}
    assert (after[1], after[8]) == ("nine", "nine")
    moved = {int(asn) for asn, a, b in zip(ases.asn, ases.chance_before, ases.chance_after, strict=True) if a != b}
    assert moved <= {1, 8}


def test_upstreams_share_what_their_pop_has() -> None:
    """West has 7, and 3 besides: within west, the rules part users among the two."""
    west = pop("west", 5 * GIGA, upstream(7), upstream(12))
    made = fleet((west, *three().pops[1:]))
    found = shift(model(twelve()), made)
    for each in found.pops:
        assert sum(up.after.mean for up in each.upstreams) == pytest.approx(each.after.mean)
    assert all(up.after.mean > 0 for up in found.pops[0].upstreams)


def test_a_cascade_by_the_model_loses_nothing() -> None:
    found = shift(model(twelve(), (2.0, 2.0, 0.0)), plain(), gone=("west",))
    assert found.cascade is not None
    for step in found.cascade.steps:
        assert step.served + sum(step.lost) + step.no_route == pytest.approx(12 * GIGA)


def test_the_spread_of_shares_is_as_wide_as_the_models_error() -> None:
    """2,000 ASes with even chances of two PoPs: independent draws alone would spread a share by 1.1 points. The model's
    error of 5 points is there as well: together 5.1.
    """
    graph = make_graph(2000, random.Random(1)).graph
    first, second = (int(graph.asn[-1 - at]) for at in range(2))
    made = fleet((pop("east", 1.0, upstream(first)), pop("west", 1.0, upstream(second))))
    calibration = model(graph, (0.0,), ("east", "west"), error=0.05)
    found = shift(calibration, made, graph=graph, users=False)
    width = (found.pops[0].now.p95 - found.pops[0].now.p5) / (2 * 1.645)
    assert 0.035 < width < 0.08
    assert share_error(replace(calibration, scorecard={})) == SHARE_ERROR


def test_a_pop_that_the_model_does_not_have() -> None:
    made = fleet(
        (*three().pops, pop("new", 1.0, upstream(12))), {("nine", "as9"): Policy(attributes=RouteAttributes())}
    )
    with pytest.raises(MisuseError, match="the model has no PoP 'new'; it has east, nine, west"):
        shift(model(twelve()), made)


def test_nothing_announced() -> None:
    found = shift(model(twelve()), plain(), gone=("west", "east", "nine"))
    assert found.no_route.mean == pytest.approx(1)
