from dataclasses import replace

import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.announcement import Announcement, RouteAttributes
from anycastle.model.permit import PermitState
from anycastle.model.rpki import Validity
from anycastle.model.service import MaintenanceWindow, Policy
from anycastle.rollout.check_input import Evidence
from anycastle.rollout.limits import BlastLimits
from anycastle.rollout.plan import Basis, InputKind, Plan, kind_of, stale
from tests.unit.rollout.state import (
    FOLDER,
    NOW,
    STEERED,
    UPSTREAMS,
    V4,
    fleet,
    live,
    plan,
    report,
    saying,
    service,
)

LONGER = Policy(attributes=RouteAttributes(prepend=1), steered=STEERED)


def moved_pops(made: Plan) -> list[tuple[str, str, str]]:
    return [(step.kind.value, ",".join(step.pops), ",".join(step.upstreams)) for step in made.steps]


class TestStages:
    def everywhere(self, count: int, regions: int, evidence: Evidence = Evidence()) -> Plan:
        pops = {f"p{number:02}": f"r{number % regions}" for number in range(count)}
        keys = [(at, each) for at in pops for each in UPSTREAMS]
        before = fleet(service(pops=tuple(pops), policies=dict.fromkeys(keys, Policy())), pops=pops)
        after = fleet(service(pops=tuple(pops), policies=dict.fromkeys(keys, LONGER)), pops=pops)
        return plan(after, live(before), evidence)

    @pytest.mark.mission("C4")
    def test_canary_then_its_pop_then_one_pop_then_groups_that_grow(self) -> None:
        steps = moved_pops(self.everywhere(40, 2))
        assert steps[0] == ("canary", "p00", "one")
        assert steps[1] == ("pop", "p00", "two")
        assert [len(pops.split(",")) for _, pops, _ in steps[2:]] == [1, 2, 4, 8, 4, 8, 8, 4]
        assert [kind for kind, _, _ in steps[2:]] == ["pop", *["group"] * 7]

    @pytest.mark.mission("C4")
    def test_a_group_stays_within_a_region_and_half_of_it(self) -> None:
        made = self.everywhere(12, 3, Evidence(BlastLimits(pops_share=1.0, capacity_share=1.0)))
        for step in made.steps:
            assert len({int(pop[1:]) % 3 for pop in step.pops}) == 1
            assert len(step.pops) <= 2

    def test_the_canary_takes_the_upstreams_that_were_named(self) -> None:
        made = self.everywhere(4, 2, Evidence(canary_upstreams=("two", "other")))
        assert moved_pops(made)[:2] == [("canary", "p00", "two"), ("pop", "p00", "one")]

    @pytest.mark.mission("C5")
    def test_a_service_that_moves_is_there_before_it_leaves(self) -> None:
        quiet = Policy(announce=False)
        keys = [(at, each) for at in ("ams", "fra", "iad", "nrt") for each in UPSTREAMS]

        def silent_at(pop: str) -> object:
            laid = {key: quiet if key[0] == pop else Policy() for key in keys}
            return service(policies=laid)

        made = plan(fleet(silent_at("ams")), live(fleet(silent_at("nrt"))))  # type: ignore[arg-type]
        assert [pops for _, pops, _ in moved_pops(made)] == ["nrt", "nrt", "ams", "ams"]


class TestStale:
    """What a plan rests on, and what is said when it moved."""

    AFTER = replace(service(), policies={**service().policies, ("fra", "one"): LONGER})

    def basis(self, evidence: Evidence = Evidence(), **changed: object) -> Basis:
        return plan(fleet(self.AFTER), live(fleet(), **changed), evidence).basis  # type: ignore[arg-type]

    def moved(self, now: Basis) -> tuple[str, ...]:
        return stale(self.basis(), now)

    @pytest.mark.mission("C3")
    def test_a_plan_holds_while_nothing_moves(self) -> None:
        later = plan(fleet(self.AFTER), live(fleet()), at=Timestamp(NOW + 60))
        assert self.moved(later.basis) == ()

    @pytest.mark.mission("C3")
    def test_a_router_edit_makes_it_stale(self) -> None:
        told = report(fleet(), "iad")
        edited = replace(told, exported=told.exported | {Announcement(V4, "three", RouteAttributes())})
        now = plan(fleet(self.AFTER), live(fleet(), edited)).basis
        assert self.moved(now) == ("iad announces something else",)

    def test_so_do_files(self) -> None:
        now = self.basis()
        other = replace(now, folder=replace(FOLDER, commit="bad" * 14, digest="d2"))
        assert self.moved(other) == (
            "the files of the fleet folder changed",
            "the folder's git revision was c0ffeec0ffee and is badbadbadbad",
        )

    def test_so_does_who_is_heard(self) -> None:
        assert self.moved(self.basis(without=("nrt",)))[0] == "nrt is not heard any more"
        assert stale(self.basis(without=("nrt",)), self.basis())[0] == "nrt was not heard then, and is now"

    def test_so_do_permits_of_a_service_that_changes_and_of_no_other(self) -> None:
        told = saying(report(fleet(), "ams"), permit=PermitState.NONE)
        now = plan(fleet(self.AFTER), live(fleet(), told)).basis
        assert self.moved(now) == ("the health of ams changed",)
        assert stale(plan(fleet(), live(fleet())).basis, plan(fleet(), live(fleet(), told)).basis) == ()

    def test_so_does_what_else_the_checks_looked_at(self) -> None:
        assert self.moved(self.basis(Evidence(BlastLimits(pops_share=0.5)))) == ("the limits changed",)
        assert self.moved(self.basis(Evidence(validity={V4: Validity.VALID}))) == ("RPKI validity changed",)
        assert self.moved(self.basis(Evidence(foreseen=()))) == ("the predicted shift changed",)
        assert self.moved(self.basis(Evidence(retiring=frozenset({"web"})))) == ("what is retired changed",)

    def test_so_does_a_window_that_opens(self) -> None:
        window = MaintenanceWindow(NOW + 60, NOW + 120, ("fra",), "line cards")
        after = replace(self.AFTER, windows=(window,))
        before, then = (plan(fleet(after), live(fleet()), at=Timestamp(NOW + at)).basis for at in (0, 60))
        assert stale(before, then) == ("the maintenance windows that are open changed",)


def test_what_a_plan_rests_on_is_known_by_kind_and_not_by_its_words() -> None:
    inputs = plan(fleet(), live(fleet())).basis.inputs
    kinds = {kind_of(name) for name in inputs}
    assert kinds == set(InputKind)
    assert {name for name in inputs if kind_of(name) is InputKind.HEALTH} == {
        InputKind.HEALTH.of(pop) for pop in ("ams", "fra", "iad", "nrt")
    }
    assert kind_of("the health of ams") is None
