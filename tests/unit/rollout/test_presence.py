"""Who announces a service, and what shares are shares of: what is counted on is known."""

from dataclasses import replace

import pytest

from anycastle.model.stance import Stance
from anycastle.rollout.limits import BlastLimits, Extent, extent_of
from anycastle.rollout.presence import Presence
from tests.unit.rollout.state import V4, V6, fleet, live, report, saying, service

DNS, WEB = service("dns"), service("web", pops=("ams",))


@pytest.mark.mission("C16")
def test_a_pop_announces_a_service_when_each_of_its_prefixes_has_a_route() -> None:
    made = fleet(DNS)
    told = report(made, "ams")
    halved = replace(told, exported=frozenset(route for route in told.exported if route.prefix == V4))
    assert {route.prefix for route in told.exported} == {V4, V6}
    assert Presence(live(made, halved)).announcing(DNS) == ["fra", "iad", "nrt"]


@pytest.mark.mission("C16")
def test_a_prefix_that_another_service_keeps_up_does_not_count_for_one_that_is_withdrawn() -> None:
    made = fleet(DNS, WEB)
    withdrawn = saying(report(made, "ams"), "web", stance=Stance.WITHDRAW)
    assert Presence(live(made)).announcing(WEB) == ["ams"]
    assert Presence(live(made, withdrawn)).announcing(WEB) == []
    assert "ams" in Presence(live(made, withdrawn)).announcing(DNS)


def test_a_pop_that_shares_the_prefix_and_knows_nothing_of_the_service_is_no_pop_of_it() -> None:
    assert Presence(live(fleet(DNS, WEB))).announcing(WEB) == ["ams"]


def test_a_pop_that_serves_on_though_the_files_name_it_no_more_is_one() -> None:
    now = live(fleet(DNS))
    assert Presence(now).announcing(service("dns", pops=("ams", "fra"))) == ["ams", "fra", "iad", "nrt"]


def test_what_the_files_say_of_a_pop_goes_before_what_its_agent_read_once() -> None:
    made = fleet(DNS, capacity=100.0)
    older = replace(report(made, "ams"), capacity=7.0, region="old")
    stranger = replace(report(made, "fra"), pop="gone", capacity=9.0, region="far")
    extent = extent_of(made, live(made, older, stranger))
    assert (extent.of_pop["ams"], extent.regions["ams"]) == (100.0, "eu")
    assert (extent.of_pop["gone"], extent.regions["gone"]) == (9.0, "far")
    assert extent.of_region == {"eu": 2, "us": 1, "asia": 1, "far": 1}
    assert extent.share(["gone"]) == 9.0 / 409.0


def test_a_pop_whose_capacity_nobody_states_adds_nothing() -> None:
    made = fleet(DNS, capacity=100.0)
    stranger = replace(report(made, "fra"), pop="gone", capacity=None)
    extent = extent_of(made, live(made, stranger))
    assert (extent.of_pop["gone"], extent.capacity) == (0.0, 400.0)


@pytest.mark.mission("C16")
def test_one_pop_is_always_allowed_and_no_more_than_the_shares() -> None:
    limits = BlastLimits(pops_share=0.2, region_share=0.5, capacity_share=0.25)
    pops = {f"p{number}": 10.0 for number in range(10)}
    extent = Extent(10, {"eu": 4, "us": 1}, pops, dict.fromkeys(pops, "eu"), 100.0)
    assert limits.pops_max(extent) == 2
    assert limits.pops_max(replace(extent, pops=4)) == 1
    assert [limits.region_max(region, extent) for region in ("eu", "us", "nowhere")] == [2, 1, 1]
    assert limits.capacity_fits(["p0", "p1"], extent)
    assert not limits.capacity_fits(["p0", "p1", "p2"], extent)


def test_a_share_of_a_capacity_that_is_not_known_is_none_and_fits() -> None:
    nothing, unstated = Extent(1, {}, {"p0": 0.0}, {}, 0.0), Extent(1, {}, {"p0": 1.0}, {}, None)
    assert nothing.share(["p0"]) == unstated.share(["p0"]) == 0.0
    assert BlastLimits().capacity_fits(["p0"], unstated)


def test_where_nothing_has_a_capacity_no_share_of_it_is_touched() -> None:
    assert extent_of(fleet(DNS, capacity=0.0), live(fleet(DNS))).share(["ams"]) == 0.0


def test_a_pop_that_nobody_names_has_no_share() -> None:
    extent = extent_of(fleet(DNS), live(fleet(DNS)))
    assert extent.share(["ams", "nowhere"]) == extent.share(["ams"]) == 0.25
