from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.model.announcement import RouteAttributes
from anycastle.model.check import Check, HTTPTarget
from anycastle.model.fleet import Fleet
from anycastle.model.service import (
    Dampening,
    Floor,
    Lease,
    LeaseEnd,
    MaintenanceWindow,
    OnExit,
    Policy,
    Quorum,
    SlowStart,
    WhenAlone,
)
from anycastle.rollout.compose import compose
from anycastle.rollout.definition import Definitions, differing_parts
from anycastle.rollout.desired import Desired
from anycastle.rollout.difference import DefinitionChange
from anycastle.rollout.live import PoPReport
from anycastle.rollout.revision import Revision
from anycastle.rollout.staging import StepKind
from tests.property.test_compose import fleets
from tests.unit.rollout.state import STEERED, UPSTREAMS, fleet, found, live, plan, pop, report, saying, service

pytestmark = pytest.mark.mission("C3", "C5")

CHECK = Check("http", HTTPTarget("https://dns.example.net/"))
CHANGES: dict[str, dict[str, object]] = {
    "addresses": {"manage_addresses": False},
    "checks": {"checks": (CHECK,)},
    "quorum": {"quorum": Quorum(1)},
    "floor": {"floor": Floor(1)},
    "lease": {"lease": Lease(LeaseEnd.KEEP)},
    "on_exit": {"on_exit": OnExit.HOLD},
    "when_alone": {"when_alone": WhenAlone.WITHDRAW},
    "dampening": {"dampening": Dampening(half_life_s=61)},
    "slow_start": {"slow_start": SlowStart(60.0, RouteAttributes(prepend=1))},
    "maintenance": {"windows": (MaintenanceWindow(1.0, 2.0, ("ams", "fra"), "line cards"),)},
    "steering via one": {"policy": Policy(steered=RouteAttributes(prepend=9))},
}


@pytest.mark.parametrize("part", CHANGES)
def test_each_part_is_found_alone(part: str) -> None:
    changed = service(**CHANGES[part])
    parts = differing_parts(Definitions().at(service(), pop("ams", "eu")), Definitions().at(changed, pop("ams", "eu")))
    assert parts == (("steering via one", "steering via two") if part.startswith("steering") else (part,))


def test_a_part_that_one_side_does_not_know_is_no_difference() -> None:
    assert differing_parts({"checks": "1", "to come": "2"}, {"checks": "1", "floor": "3"}) == ()


def test_what_is_steered_of_a_route_that_is_not_announced_is_nothing() -> None:
    silent = service(policy=Policy(announce=False, steered=STEERED))
    assert not [part for part in Definitions().at(silent, pop("ams", "eu")) if part.startswith("steering")]


def test_a_whole_number_is_the_same_as_its_fraction() -> None:
    one, other = service(lease=Lease(duration_s=10)), service(lease=Lease(duration_s=10.0))
    assert Definitions().at(one, pop("ams", "eu")) == Definitions().at(other, pop("ams", "eu"))


@given(fleets(), st.sampled_from(("ams", "fra")))
def test_an_agent_that_lives_by_an_assignment_says_what_its_files_would(made: Fleet, at: str) -> None:
    told = compose(Desired("one"), {"one": Revision(made)}, at)
    if told is not None:
        by_files = {each.name: Definitions().at(each, made.pop(at)) for each in made.services_at(at)}
        assert {each.name: Definitions().at(each, told.pop(at)) for each in told.services} == by_files


class TestPlan:
    def test_a_check_that_changes_is_staged_with_a_canary(self) -> None:
        made = plan(fleet(service(checks=(CHECK,))), live(fleet()))
        assert not made.difference.changes
        assert not made.difference.empty
        assert made.difference.definitions == tuple(
            DefinitionChange(name, "dns", ("checks",)) for name in ("ams", "fra", "iad", "nrt")
        )
        assert made.difference.pops == ("ams", "fra", "iad", "nrt")
        assert [step.kind for step in made.steps[:2]] == [StepKind.CANARY, StepKind.POP]
        assert [step.pops for step in made.steps] == [("ams",), ("fra",), ("iad",), ("nrt",)]
        assert [each for step in made.steps for each in step.definitions] == list(made.difference.definitions)

    def test_it_follows_the_canary_of_a_route_of_its_pop(self) -> None:
        longer = {("ams", each): Policy(attributes=RouteAttributes(prepend=1), steered=STEERED) for each in UPSTREAMS}
        made = service()
        made = replace(made, checks=(CHECK,), policies={**made.policies, **longer})
        first, second = plan(fleet(made), live(fleet())).steps[:2]
        assert (first.upstreams, first.definitions) == (("one",), ())
        assert second.upstreams == ("two",)
        assert second.definitions == (DefinitionChange("ams", "dns", ("checks",)),)

    def test_a_service_that_comes_or_goes_changes_no_definition(self) -> None:
        web = service("web", prefixes=(service().prefixes[0],), checks=(CHECK,))
        assert not plan(fleet(service(), web), live(fleet())).difference.definitions
        assert not plan(fleet(), live(fleet(service(), web))).difference.definitions

    def test_agents_that_are_too_old_to_say_are_named_and_nothing_is_made_up(self) -> None:
        after = fleet(service(checks=(CHECK,)))
        old = saying(report(fleet(), "iad"), definitions=None)
        made = plan(after, live(fleet(), old))
        assert [each.pop for each in made.difference.definitions] == ["ams", "fra", "nrt"]
        assert made.difference.undefined == ("iad",)
        (notice,) = [each for each in made.findings if "too old to say" in each.text]
        assert (notice.code, notice.evidence) == ("PLN015", ("iad",))

    def test_the_limits_count_pops_that_only_a_definition_touches(self) -> None:
        names = {f"p{number:02}": "eu" for number in range(40)}
        before, after = (
            fleet(service(pops=tuple(names), **changes), pops=names) for changes in ({}, {"checks": (CHECK,)})
        )
        made = plan(after, live(before))
        assert max(len(step.pops) for step in made.steps) == 8  # 20 % of 40
        assert not [each for each in found(made) if each[0] == "PLN002"]

    def test_it_is_drained_or_under_maintenance_like_a_route(self) -> None:
        window = MaintenanceWindow(0.0, 2_000_000_000.0, ("fra",), "line cards")
        before, after = fleet(service(windows=(window,))), fleet(service(windows=(window,), checks=(CHECK,)))
        assert [each for each in found(plan(after, live(before))) if each[0] == "PLN008"] == [
            ("PLN008", "warning", "dns")
        ]

    def test_an_agent_that_takes_it_makes_the_plan_stale(self) -> None:
        from anycastle.rollout.plan import stale

        after = fleet(service(checks=(CHECK,)))
        made = plan(after, live(fleet()))
        taken: PoPReport = report(after, "ams")
        assert stale(made.basis, plan(after, live(fleet(), taken)).basis) == ("a definition at ams changed",)
