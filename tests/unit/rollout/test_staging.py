"""The steps of units: who leaves goes last, and the order in which units are named means nothing."""

import pytest

from anycastle.rollout.intent import RouteKey
from anycastle.rollout.limits import BlastLimits, extent_of
from anycastle.rollout.staging import stage_units
from tests.unit.rollout.state import POPS, V4, fleet, live

UNITS = [RouteKey(pop, upstream, V4) for pop in POPS for upstream in ("one", "two")]


@pytest.mark.mission("C3")
def test_what_comes_is_there_before_anything_leaves() -> None:
    made = fleet()
    extent = extent_of(made, live(made))
    leaving = {unit for unit in UNITS if unit.pop in ("ams", "iad")}
    steps = stage_units(UNITS, leaving, made, extent, BlastLimits())
    assert [unit for step in steps for unit in step if unit in leaving]
    kinds = [bool(step & leaving) for step in steps]
    assert kinds == sorted(kinds), "no step that adds comes after one that ends"
    assert all(step <= leaving or not step & leaving for step in steps)
    assert frozenset().union(*steps) == set(UNITS)
    assert stage_units(reversed(UNITS), leaving, made, extent, BlastLimits()) == steps


@pytest.mark.mission("C3")
def test_the_canary_takes_the_upstreams_that_were_selected_at_one_pop_first() -> None:
    made = fleet()
    steps = stage_units(UNITS, (), made, extent_of(made, live(made)), BlastLimits(), ("two",))
    assert [sorted(map(str, step)) for step in steps[:2]] == [["ams two 192.0.2.0/24"], ["ams one 192.0.2.0/24"]]
    assert all(len({unit.pop for unit in step}) == 1 for step in steps)
