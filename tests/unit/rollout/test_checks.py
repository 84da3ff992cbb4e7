"""Each check: what it finds, and what it lets pass."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.announcement import Announcement, RouteAttributes
from anycastle.model.community import LargeCommunity, StandardCommunity
from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitState
from anycastle.model.prefix import Prefix, parse_prefix
from anycastle.model.rpki import Validity
from anycastle.model.service import Floor, MaintenanceWindow, Policy, Service
from anycastle.model.stance import DrainStep, Stance
from anycastle.rollout import checks
from anycastle.rollout.check_input import Evidence
from anycastle.rollout.foreseen import ForeseenPoP, ForeseenShift, Loss
from anycastle.rollout.limits import BlastLimits
from anycastle.rollout.plan import Plan
from tests.unit.rollout.state import (
    NOW,
    POPS,
    STEERED,
    UPSTREAMS,
    V4,
    V6,
    fleet,
    found,
    live,
    plan,
    pop,
    report,
    saying,
    service,
)

LONGER = Policy(attributes=RouteAttributes(prepend=1), steered=STEERED)
QUIET = Policy(announce=False)
WIDE = BlastLimits(capacity_share=1.0)


def policies(policy: Policy, *pops: str, upstreams: tuple[str, ...] = UPSTREAMS, **changes: object) -> Service:
    """The service, announced otherwise at some PoPs."""
    made = service()
    laid = {(at, each): policy for at in pops for each in upstreams}
    return replace(made, policies={**made.policies, **laid}, **changes)  # type: ignore[arg-type]


def errors(made: Plan) -> list[tuple[str, str]]:
    return [(code, subject) for code, severity, subject in found(made) if severity == "error"]


def test_a_small_change_is_found_faultless() -> None:
    made = plan(fleet(policies(LONGER, "fra")), live(fleet()))
    assert found(made) == []
    assert not made.refused
    assert [each.code for each in made.findings] == ["PLN015", "PLN015", "PLN015"]


class TestFloor:
    @pytest.mark.mission("C16")
    def test_a_plan_that_ends_too_many_is_refused_at_the_step_that_does(self) -> None:
        made = plan(fleet(policies(QUIET, "fra", "iad", "nrt")), live(fleet()), Evidence(WIDE))
        assert ("PLN001", "dns") in errors(made)
        (finding,) = [each for each in made.findings if each.code == "PLN001"]
        assert finding.text == "step 4 leaves 1 PoP, of the floor of 2 PoPs; it ends fra, iad, nrt"
        assert finding.evidence == ("ams",)

    @pytest.mark.mission("C16")
    def test_capacity_counts_as_well(self) -> None:
        floor = Floor(pops=1, capacity=30_000.0)
        before = fleet(service(floor=floor))
        one = fleet(policies(QUIET, "fra", floor=floor))
        two = fleet(policies(QUIET, "fra", "iad", floor=floor))
        assert ("PLN001", "dns") not in errors(plan(one, live(before), Evidence(WIDE)))
        assert ("PLN001", "dns") in errors(plan(two, live(before), Evidence(WIDE)))

    @pytest.mark.mission("C16")
    def test_a_floor_is_not_lowered_by_the_plan_that_would_cross_it(self) -> None:
        lowered = fleet(policies(QUIET, "fra", floor=Floor(pops=1)))
        made = plan(lowered, live(fleet(service(floor=Floor(pops=4)))))
        assert ("PLN001", "dns") in errors(made)
        assert errors(plan(lowered, live(fleet(service(floor=Floor(pops=1)))))) == []

    @pytest.mark.mission("C16")
    def test_a_pop_that_was_not_heard_does_not_count(self) -> None:
        quiet = fleet(policies(QUIET, "fra"))
        assert ("PLN001", "dns") not in errors(plan(quiet, live(fleet(), without=("iad",)), Evidence(WIDE)))
        assert ("PLN001", "dns") in errors(plan(quiet, live(fleet(), without=("iad", "nrt")), Evidence(WIDE)))

    @pytest.mark.mission("C16")
    def test_a_pop_that_is_withdrawn_for_health_does_not_count(self) -> None:
        def dead(at: str) -> object:
            told = saying(report(fleet(), at), stance=Stance.WITHDRAW)
            return replace(told, exported=frozenset(), wanted=frozenset())

        made = plan(fleet(policies(QUIET, "fra")), live(fleet(), dead("iad"), dead("nrt")), Evidence(WIDE))  # type: ignore[arg-type]
        assert ("PLN001", "dns") in errors(made)

    def test_a_pop_that_comes_in_the_same_plan_counts_from_the_step_after(self) -> None:
        before = fleet(policies(QUIET, "nrt", floor=Floor(pops=3)))
        after = fleet(policies(QUIET, "ams", floor=Floor(pops=3)))
        assert errors(plan(after, live(before), Evidence(WIDE))) == []

    def test_what_no_session_carries_does_not_count(self) -> None:
        before = fleet(policies(QUIET, "nrt", floor=Floor(pops=3)))
        after = fleet(policies(QUIET, "ams", floor=Floor(pops=3)))
        told = replace(report(before, "nrt"), established=frozenset())
        assert ("PLN001", "dns") in errors(plan(after, live(before, told), Evidence(WIDE)))

    def test_a_plan_that_mends_is_not_refused_for_what_it_mends(self) -> None:
        before = fleet(policies(QUIET, "fra", "iad", "nrt"))
        made = plan(fleet(), live(before))
        assert errors(made) == []
        assert ("PLN001", "warning", "dns") in found(made)

    def test_one_of_two_upstreams_may_go(self) -> None:
        after = fleet(policies(QUIET, "fra", "iad", "nrt", upstreams=("one",)))
        assert errors(plan(after, live(fleet()))) == []


class TestBlastRadius:
    def test_what_is_staged_is_within_it(self) -> None:
        pops = {f"p{number:02}": f"r{number % 4}" for number in range(40)}
        before = fleet(service(pops=tuple(pops), policies={}), pops=pops)
        everywhere = {(at, each): LONGER for at in pops for each in UPSTREAMS}
        quiet = fleet(service(pops=tuple(pops), policies=everywhere), pops=pops)
        there = fleet(service(pops=tuple(pops), policies=dict.fromkeys(everywhere, Policy())), pops=pops)
        assert before.pops == quiet.pops
        made = plan(quiet, live(there))
        assert errors(made) == []
        assert max(len(step.pops) for step in made.steps) == 5  # half of a region's ten; a fifth of all would be 8

    def test_a_pop_with_too_much_of_the_capacity_does_not_leave_at_once(self) -> None:
        def sized(made: Fleet) -> Fleet:
            return replace(
                made,
                pops=(*made.pops[:1], *(replace(each, capacity=20_000.0) for each in made.pops[1:2]), *made.pops[2:]),
            )

        quiet, longer = sized(fleet(policies(QUIET, "fra"))), sized(fleet(policies(LONGER, "fra")))
        made = plan(quiet, live(sized(fleet())))
        assert errors(made) == [("PLN002", "step 2")]
        assert made.findings[0].text == "ends fra, 40 % of the capacity, at once; at most 25 % may be"
        assert errors(plan(longer, live(sized(fleet())))) == []
        assert errors(plan(quiet, live(sized(fleet())), Evidence(BlastLimits(capacity_share=0.4)))) == []

    def test_so_does_one_that_the_folder_has_no_more(self) -> None:
        fewer = {name: region for name, region in POPS.items() if name != "nrt"}
        told = replace(report(fleet(), "nrt"), capacity=20_000.0)
        made = plan(fleet(service(pops=tuple(fewer)), pops=fewer), live(fleet(), told))
        assert errors(made) == [("PLN002", "step 2")]

    def test_where_no_capacity_is_stated_it_is_not_counted_and_that_is_said(self) -> None:
        made = plan(fleet(policies(QUIET, "fra"), capacity=1.0), live(fleet(capacity=1.0)))
        assert errors(made) == []
        assert any("not all PoPs state theirs" in each.text for each in made.findings if each.code == "PLN015")

    def test_prefixes_that_end_in_one_region(self) -> None:
        made = plan(fleet(policies(QUIET, "nrt")), live(fleet()), Evidence(BlastLimits(region_prefixes=1)))
        assert [finding.text for finding in made.findings if finding.code == "PLN002"] == [
            "withdraws 2 prefixes in asia at once; at most 1 may be",
            "withdraws 2 prefixes in asia at once; at most 1 may be",
        ]


class TestShrunken:
    @pytest.mark.mission("C16")
    def test_a_folder_with_half_of_its_pops_is_refused_with_what_it_would_do(self) -> None:
        half = {"ams": "eu", "fra": "eu"}
        made = plan(fleet(service(pops=tuple(half)), pops=half), live(fleet()), Evidence(WIDE))
        assert ("PLN003", "test") in errors(made)
        finding = next(each for each in made.findings if each.code == "PLN003" and each.subject == "test")
        assert finding.text == "the folder has lost 2 of the 4 PoPs that announce; this is refused"
        assert finding.evidence[0] == f"- dns iad one {V4}"
        assert len(finding.evidence) == 8

    def test_so_is_a_service_with_half_of_its_pops(self) -> None:
        made = plan(fleet(service(pops=("ams", "fra"))), live(fleet()), Evidence(WIDE))
        assert ("PLN003", "dns") in errors(made)

    def test_one_pop_may_leave(self) -> None:
        fewer = {name: region for name, region in POPS.items() if name != "nrt"}
        made = plan(fleet(service(pops=tuple(fewer)), pops=fewer), live(fleet()))
        assert errors(made) == []


class TestServiceEnd:
    def test_nothing_is_never_a_wish(self) -> None:
        other = service("web", prefixes=(V6,))
        before = fleet(service(prefixes=(V4,)), other)
        made = plan(fleet(service(prefixes=(V4,))), live(before))
        assert [(each.subject, each.text) for each in made.findings if each.code == "PLN004"] == [
            (
                "web",
                "would end at ams, fra, iad, nrt: the folder has no file of it; --retire web says that this is meant",
            )
        ]

    def test_a_service_that_is_retired_by_name_may_end(self) -> None:
        before = fleet(service(prefixes=(V4,)), service("web", prefixes=(V6,)))
        made = plan(fleet(service(prefixes=(V4,))), live(before), Evidence(retiring=frozenset({"web"})))
        assert errors(made) == []
        assert ("PLN004", "warning", "web") in found(made)

    @pytest.mark.mission("C16")
    def test_no_name_helps_where_the_file_is_there(self) -> None:
        after = fleet(policies(QUIET, *POPS))
        made = plan(after, live(fleet()), Evidence(WIDE, retiring=frozenset({"dns"})))
        assert {("PLN001", "dns"), ("PLN004", "dns")} <= set(errors(made))


class TestPermit:
    @pytest.mark.mission("C16")
    def test_no_announcement_ends_without_a_permit(self) -> None:
        told = saying(report(fleet(), "fra"), permit=PermitState.NONE)
        made = plan(fleet(policies(QUIET, "fra")), live(fleet(), told))
        assert errors(made) == [("PLN005", "dns")]
        assert made.findings[0].evidence == ("held by ams", "held by iad", "held by nrt")

    def test_none_is_needed_for_what_stays(self) -> None:
        told = saying(report(fleet(), "fra"), permit=PermitState.NONE)
        assert errors(plan(fleet(policies(QUIET, "fra", upstreams=("one",))), live(fleet(), told))) == []
        assert errors(plan(fleet(policies(LONGER, "fra")), live(fleet(), told))) == []


@pytest.mark.parametrize(
    ("step", "severity"),
    [(DrainStep.SHUTTING, "error"), (DrainStep.WITHDRAWN, "error"), (DrainStep.STOPPED, "warning")],
)
def test_a_drain_of_the_same_service(step: DrainStep, severity: str) -> None:
    told = saying(report(fleet(), "ams"), drain=step, drain_owner="ann", stance=Stance.STEER)
    routes = frozenset(Announcement(prefix, each, STEERED) for prefix in (V4, V6) for each in UPSTREAMS)
    draining = replace(told, exported=routes, wanted=routes)
    assert ("PLN006", severity, "dns") in found(plan(fleet(policies(LONGER, "fra")), live(fleet(), draining)))
    assert found(plan(fleet(), live(fleet(), draining))) == []


@pytest.mark.mission("F8")
def test_no_edit_of_a_human_is_overwritten() -> None:
    said = report(fleet(), "fra")
    edited = Announcement(V4, "one", RouteAttributes(med=7))
    told = replace(said, exported=said.exported - {Announcement(V4, "one")} | {edited})
    there = plan(fleet(policies(LONGER, "fra")), live(fleet(), told))
    elsewhere = plan(fleet(policies(LONGER, "iad")), live(fleet(), told))
    assert ("PLN007", "error", f"fra one {V4}") in found(there)
    assert ("PLN007", "warning", f"fra one {V4}") in found(elsewhere)
    finding = next(each for each in there.findings if each.code == "PLN007")
    assert finding.evidence[0] == "router: prepend 0, med 7, local_preference -, communities -"


@pytest.mark.parametrize(("minutes", "open_then"), [(-1, False), (0, True), (59, True), (60, False)])
def test_a_maintenance_window(minutes: int, open_then: bool) -> None:
    window = MaintenanceWindow(NOW, NOW + 3600, ("fra",), "line cards")
    before, after = fleet(service(windows=(window,))), fleet(policies(LONGER, "fra", windows=(window,)))
    made = plan(after, live(before), at=Timestamp(NOW + 60 * minutes))
    assert (("PLN008", "warning", "dns") in found(made)) is open_then


class TestROA:
    def judged(self, before: Fleet, validity: Validity) -> list[tuple[str, str, str]]:
        made = plan(fleet(), live(before), Evidence(validity={V4: validity, V6: Validity.VALID}))
        return [each for each in found(made) if each[0] == "PLN009"]

    def test_no_invalid_route_is_added(self) -> None:
        before = fleet(policies(QUIET, "fra"))
        assert self.judged(before, Validity.INVALID) == [("PLN009", "error", str(V4))]
        assert self.judged(before, Validity.NOT_FOUND) == [("PLN009", "warning", str(V4))]
        assert self.judged(before, Validity.VALID) == []

    def test_one_that_is_announced_already_does_not_hold_a_plan_up(self) -> None:
        assert self.judged(fleet(), Validity.INVALID) == [("PLN009", "warning", str(V4))]


PART = parse_prefix("192.0.2.128/25")


class TestRouteObjects:
    """PLN017: what registries do not have, upstreams that filter by them drop."""

    def judged(self, before: Fleet, after: Fleet, *registered: Prefix) -> list[tuple[str, str, str]]:
        evidence = Evidence(WIDE, registered=frozenset(registered))
        return found(plan(after, live(before), evidence))

    def test_what_is_new_has_an_object(self) -> None:
        before = fleet(policies(QUIET, "fra"))
        assert self.judged(before, fleet(), V6) == [("PLN017", "warning", str(V4))]
        assert self.judged(before, fleet(), V4, V6) == []

    def test_what_is_announced_already_is_no_matter_of_a_plan(self) -> None:
        assert self.judged(fleet(), fleet(policies(LONGER, "fra"))) == []

    def test_so_has_what_is_approved_against_a_hijack(self) -> None:
        after = fleet(policies(LONGER, "fra", mitigations=(PART,)))
        assert self.judged(fleet(), after, V4, V6) == [("PLN017", "warning", str(PART))]
        assert self.judged(fleet(), after, V4, V6, PART) == []


class TestPrefixLimits:
    """PLN018: an upstream that is told more than it takes ends the session."""

    more = service("web", ("fra",), prefixes=(parse_prefix("198.51.100.0/24"),), floor=Floor(pops=0))

    def taking(self, limit: int | None, *services: Service) -> Fleet:
        fra = pop("fra", "eu")
        upstreams = tuple(replace(each, takes_prefixes=limit) for each in fra.upstreams)
        made = fleet(*services)
        return replace(made, pops=tuple(replace(fra, upstreams=upstreams) if p.name == "fra" else p for p in made.pops))

    def judged(self, limit: int | None, *services: Service) -> list[tuple[str, str, str]]:
        found_ = found(plan(self.taking(limit, *services), live(fleet()), Evidence(WIDE)))
        return [each for each in found_ if each[0] == "PLN018"]

    def test_each_family_counts_alone(self) -> None:
        assert self.judged(2, service(), self.more) == []
        assert self.judged(1, service(), self.more) == [("PLN018", "error", "fra one"), ("PLN018", "error", "fra two")]
        assert self.judged(None, service(), self.more) == []

    def test_a_session_that_the_plan_does_not_touch_is_no_matter_of_it(self) -> None:
        assert self.judged(1, policies(LONGER, "nrt")) == []

    def test_a_mitigation_finds_room(self) -> None:
        approved = policies(LONGER, "fra", upstreams=("one",), mitigations=(PART,))
        assert self.judged(1, approved) == [("PLN018", "warning", "fra one")]
        assert self.judged(2, approved) == []


def test_a_region_that_changes_is_seen_from_outside() -> None:
    after, five = fleet(policies(LONGER, "nrt")), frozenset(range(64496, 64501))

    def judged(**heard_from: frozenset[int]) -> list[tuple[str, str, str]]:
        return found(plan(after, live(fleet()), Evidence(heard_from=heard_from)))

    assert judged(nrt=five) == []
    assert judged(nrt=five - {64500}, fra=five) == [("PLN019", "warning", "asia")]
    assert judged() == [("PLN019", "warning", "asia")]


def test_communities_that_an_upstream_is_not_known_to_act_on() -> None:
    known, own, strange = StandardCommunity(64601, 1), LargeCommunity(64500, 1, 1), StandardCommunity(64601, 9)
    told = Policy(attributes=RouteAttributes(communities=frozenset({known, own, strange})), steered=STEERED)

    def with_words(made: Fleet) -> Fleet:
        fra = pop("fra", "eu")
        upstreams = tuple(replace(each, vocabulary={"word": known}) for each in fra.upstreams)
        return replace(made, pops=tuple(replace(fra, upstreams=upstreams) if p.name == "fra" else p for p in made.pops))

    made = plan(with_words(fleet(policies(told, "fra"))), live(with_words(fleet())))
    assert found(made) == [("PLN010", "warning", str(strange))]
    assert found(plan(with_words(fleet(policies(told, "fra"))), live(with_words(fleet(policies(told, "fra")))))) == []


def test_who_was_not_heard_is_named() -> None:
    assert found(plan(fleet(), live(fleet(), without=("nrt",)))) == [("PLN011", "warning", "nrt")]


@pytest.mark.parametrize(
    ("age_s", "warned"), [(None, False), (0.0, False), (299.0, False), (301.0, True), (-301.0, True)]
)
def test_a_report_that_is_old(age_s: float | None, warned: bool) -> None:
    told = replace(report(fleet(), "fra"), at=None if age_s is None else Timestamp(NOW - age_s))
    assert found(plan(fleet(), live(fleet(), told))) == ([("PLN016", "warning", "fra")] if warned else [])


def test_agents_that_would_not_act() -> None:
    told = replace(report(fleet(), "fra"), observe_only=True, problems=("the watchdog is gone",))
    made = plan(fleet(policies(LONGER, "fra")), live(fleet(), told))
    assert found(made) == [("PLN012", "error", "fra"), ("PLN012", "warning", "fra")]
    assert found(plan(fleet(policies(LONGER, "iad")), live(fleet(), told))) == []


class TestCapacity:
    def shift(self, load: float, chance: float = 0.0, now: float = 0.2, loss: float = 0.0) -> Evidence:
        pops = (ForeseenPoP("fra", now, 0.4, 10.0, load, chance), ForeseenPoP("ams", 0.5, 0.5, None, 99.0))
        losses = (Loss("ams", "fra", loss, 10.0),)
        return Evidence(foreseen=(ForeseenShift("dns", V4, "g", pops, 0.1, 0.0, 0.0, 0.0, losses),))

    @pytest.mark.parametrize(
        ("load", "chance", "now", "severity"),
        [(9.0, 0.0, 0.2, None), (9.0, 0.3, 0.2, "warning"), (11.0, 0.6, 0.2, "error"), (11.0, 0.6, 0.5, "warning")],
    )
    def test_after_the_shift(self, load: float, chance: float, now: float, severity: str | None) -> None:
        made = plan(fleet(policies(LONGER, "fra")), live(fleet()), self.shift(load, chance, now))
        assert [each[1] for each in found(made) if each[0] == "PLN013"] == ([severity] if severity else [])

    @pytest.mark.parametrize(("loss", "warned"), [(9.0, False), (11.0, True)])
    def test_after_one_more_is_lost(self, loss: float, warned: bool) -> None:
        made = plan(fleet(policies(LONGER, "fra")), live(fleet()), self.shift(5.0, loss=loss))
        assert (("PLN014", "warning", f"dns {V4}") in found(made)) is warned


def test_what_was_not_checked_is_said() -> None:
    def lacking(evidence: Evidence) -> list[str]:
        made = plan(fleet(policies(LONGER, "fra")), live(fleet()), evidence)
        return [each.text.split(":")[0] for each in made.findings if each.code == "PLN015"]

    seen = "who would see it from outside was not checked"
    assert lacking(Evidence()) == ["ROAs were not checked", "capacity was not checked", seen]
    assert lacking(Evidence(validity={}, foreseen=(), heard_from={})) == []
    made = plan(fleet(), live(fleet(policies(QUIET, "fra"))))
    assert any("--irr-server" in each.text for each in made.findings if each.code == "PLN015")


def test_every_code_has_its_section_in_the_reference_and_no_other() -> None:
    root = Path(__file__).parents[3]
    folder = Path(next(iter(checks.__path__)))
    emitted = {code for path in folder.glob("*.py") for code in re.findall(r'"(PLN\d{3})"', path.read_text())}
    page = (root / "docs" / "reference" / "plan-findings.md").read_text()
    assert set(re.findall(r"^## (PLN\d{3}) ", page, re.MULTILINE)) == emitted
    assert set(re.findall(r"^\| \[?(PLN\d{3})", page, re.MULTILINE)) == emitted


def test_each_check_is_listed() -> None:
    from anycastle.rollout.check_table import CHECKS

    folder = Path(next(iter(checks.__path__)))
    listed: set[str] = {check.__module__.rpartition(".")[2] for check in CHECKS}
    assert listed == {path.stem for path in folder.glob("*.py")} - {"__init__"}
