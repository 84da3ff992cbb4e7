"""The steps of units: who leaves goes last, and the order in which units are named means nothing."""

import pytest

from anycastle.rollout.intent import RouteKey
from anycastle.rollout.limits import BlastLimits, Extent, extent_of
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


@pytest.mark.mission("C3")
def test_groups_go_on_growing_from_the_last_one_of_the_region_before() -> None:
    names = [f"p{number:02}" for number in range(20)]
    regions = {name: "eu" if name < "p10" else "us" for name in names}
    extent = Extent(20, {"eu": 10, "us": 10}, dict.fromkeys(names, 1.0), regions, 20.0)
    everything = BlastLimits(pops_share=1.0, region_share=1.0, capacity_share=1.0)
    units = [RouteKey(name, "one", V4) for name in names]
    steps = stage_units(units, (), fleet(pops=regions), extent, everything)
    assert [len(step) for step in steps] == [1, 1, 2, 4, 2, 4, 6]
