from dataclasses import replace

import pytest

from anycastle.model.announcement import NOTHING, Announcement, RouteAttributes
from anycastle.model.fleet import SharedPrefix
from anycastle.model.prefix import parse_prefix
from anycastle.model.service import Policy, Service, SlowStart
from anycastle.model.stance import Stance
from anycastle.rollout.difference import AttributeChange, differ
from anycastle.rollout.intent import RouteKey, intent_of
from anycastle.rollout.live import PoPReport, live_of
from tests.unit.rollout.state import STEERED, UPSTREAMS, V4, V6, fleet, lines, live, plan, report, saying, service

LONGER = Policy(True, RouteAttributes(prepend=1), STEERED)


def with_policy(pop: str, upstream: str, policy: Policy) -> Service:
    made = service()
    return replace(made, policies={**made.policies, (pop, upstream): policy})


def exporting(told: PoPReport, upstream: str, attributes: RouteAttributes | None) -> PoPReport:
    """A human at the router: the IPv4 route to an upstream is announced otherwise than it was told."""
    kept = {route for route in told.exported if (route.upstream, route.prefix) != (upstream, V4)}
    added = set() if attributes is None else {Announcement(V4, upstream, attributes)}
    return replace(told, exported=frozenset(kept | added))


@pytest.mark.mission("C3")
def test_an_applied_plan_leaves_nothing_to_do() -> None:
    assert plan(fleet(), live(fleet())).difference == differ(intent_of(fleet()), live(fleet()))
    assert plan(fleet(), live(fleet())).difference.empty


@pytest.mark.mission("C3")
def test_a_changed_attribute_is_shown_with_its_values_before_and_after() -> None:
    after = fleet(with_policy("fra", "two", LONGER))
    made = plan(after, live(fleet()))
    assert lines(made) == [f"~ dns fra two {V4}", f"~ dns fra two {V6}"]
    assert made.difference.changes[0].attributes == (AttributeChange("prepend", "0", "1"),)


@pytest.mark.mission("C3")
def test_pops_and_upstreams_that_come_and_go() -> None:
    quiet = fleet(with_policy("fra", "two", Policy(announce=False)))
    assert lines(plan(quiet, live(fleet()))) == [f"- dns fra two {V4}", f"- dns fra two {V6}"]
    assert lines(plan(fleet(), live(quiet))) == [f"+ dns fra two {V4}", f"+ dns fra two {V6}"]


def test_a_pop_that_was_deleted_from_the_folder_would_end() -> None:
    fewer = {"ams": "eu", "fra": "eu", "iad": "us"}
    made = plan(fleet(service(pops=tuple(fewer)), pops=fewer), live(fleet()))
    assert {line[:9] for line in lines(made)} == {"- dns nrt"}
    assert len(lines(made)) == len(UPSTREAMS) * 2


@pytest.mark.mission("C16")
@pytest.mark.parametrize(
    ("stance", "exported"),
    [
        (Stance.WITHDRAW, None),
        (Stance.STEER, STEERED),
        (Stance.STEER, RouteAttributes(prepend=3)),
    ],
)
def test_what_an_agent_does_for_health_is_no_change_of_the_plan(
    stance: Stance, exported: RouteAttributes | None
) -> None:
    made = fleet(service(slow_start=SlowStart(30.0, RouteAttributes(prepend=3))))
    routes = frozenset(
        Announcement(prefix, each, exported) for prefix in (V4, V6) for each in UPSTREAMS if exported is not None
    )
    told = replace(saying(report(made, "fra"), stance=stance, reason="because"), exported=routes, wanted=routes)
    difference = plan(made, live(made, told)).difference
    assert difference.empty
    assert not difference.drifts
    assert [each.key for each in difference.explained] == sorted(
        RouteKey("fra", each, prefix) for each in UPSTREAMS for prefix in (V4, V6)
    )
    assert difference.explained[0].why == f"dns {stance.value}: because"


def test_a_changed_policy_reaches_a_steered_service_as_its_new_steered_attributes() -> None:
    made = fleet()
    routes = frozenset(Announcement(prefix, each, STEERED) for prefix in (V4, V6) for each in UPSTREAMS)
    told = replace(saying(report(made, "fra"), stance=Stance.STEER), exported=routes, wanted=routes)
    far = replace(STEERED, prepend=5)
    after = fleet(with_policy("fra", "one", Policy(steered=far)))
    changes = plan(after, live(made, told)).difference.changes
    assert [(change.before, change.after) for change in changes] == [(STEERED, far)] * 2


@pytest.mark.mission("F8")
def test_an_edit_on_the_router_is_drift_and_not_a_change() -> None:
    told = exporting(report(fleet(), "fra"), "one", RouteAttributes(med=7))
    difference = plan(fleet(), live(fleet(), told)).difference
    (drift,) = difference.drifts
    assert (drift.key, drift.service) == (RouteKey("fra", "one", V4), "dns")
    assert (drift.told, drift.exported, drift.intended) == (
        RouteAttributes(),
        RouteAttributes(med=7),
        RouteAttributes(),
    )
    assert difference.empty


@pytest.mark.mission("F8")
def test_an_edit_where_the_files_want_a_third_thing_is_drift_and_a_change() -> None:
    told = exporting(report(fleet(), "fra"), "one", RouteAttributes(med=7))
    difference = plan(fleet(with_policy("fra", "one", LONGER)), live(fleet(), told)).difference
    assert [drift.key for drift in difference.drifts] == [RouteKey("fra", "one", V4)]
    assert [change.key.prefix for change in difference.changes] == [V4, V6]


@pytest.mark.mission("F8")
def test_an_edit_that_the_files_have_learned_is_drift_until_the_agent_has_read_them() -> None:
    told = exporting(report(fleet(), "fra"), "one", RouteAttributes(prepend=1))
    difference = plan(fleet(with_policy("fra", "one", LONGER)), live(fleet(), told)).difference
    assert [drift.key for drift in difference.drifts] == [RouteKey("fra", "one", V4)]
    assert [change.key for change in difference.changes] == [RouteKey("fra", "one", V6)]


@pytest.mark.mission("F8")
def test_a_route_that_nobody_of_ours_announced_is_drift() -> None:
    other = parse_prefix("198.51.100.0/24")
    said = report(fleet(), "ams")
    told = replace(said, exported=said.exported | {Announcement(other, "one")})
    difference = plan(fleet(), live(fleet(), told)).difference
    assert [(drift.key, drift.service, drift.told) for drift in difference.drifts] == [
        (RouteKey("ams", "one", other), "(unknown)", None)
    ]


def test_a_session_that_is_down_explains_its_silence_and_hides_no_change() -> None:
    said = report(fleet(), "fra")
    up = frozenset(each for each in said.established if each[0] != "two")
    silent = replace(
        said, established=up, exported=frozenset(route for route in said.exported if route.upstream != "two")
    )
    difference = plan(fleet(), live(fleet(), silent)).difference
    assert difference.empty
    assert not difference.drifts
    assert difference.explained[0].why == "no session with two is up for ipv4"
    changed = plan(fleet(with_policy("fra", "two", LONGER)), live(fleet(), silent))
    assert lines(changed) == [f"~ dns fra two {V4}", f"~ dns fra two {V6}"]


def test_nothing_is_said_of_a_pop_that_was_not_heard() -> None:
    after = fleet(with_policy("fra", "two", LONGER))
    made = plan(after, live(fleet(), without=("fra",)))
    assert made.difference.empty
    assert made.difference.unheard == ("fra",)


def test_an_agent_that_has_not_read_its_router_is_not_heard() -> None:
    told = replace(report(fleet(), "fra"), exported=NOTHING, booted=False)
    assert live_of([told], ["fra"]).unheard == ("fra",)
    assert live_of([told], ["ams"]).unheard == ("ams", "fra")
    assert plan(fleet(), live(fleet(), told)).difference.empty


@pytest.mark.parametrize(("rule", "kept"), [(SharedPrefix.ALL, True), (SharedPrefix.ANY, False)])
def test_a_shared_prefix_follows_its_rule(rule: SharedPrefix, kept: bool) -> None:
    made = replace(fleet(service(), service("web")), shared_prefixes={V4: rule, V6: rule})
    said = saying(report(made, "fra"), stance=Stance.WITHDRAW)
    routes = said.exported if kept else NOTHING
    difference = plan(made, live(made, replace(said, exported=routes, wanted=routes))).difference
    assert difference.empty
    assert bool(difference.explained) is not kept


def test_the_live_revision_moves_with_exports_and_with_who_is_heard() -> None:
    made = fleet()
    whole = live(made)
    assert whole.revision == live(made).revision
    edited = exporting(report(made, "fra"), "one", RouteAttributes(med=7))
    assert len({whole.revision, live(made, edited).revision, live(made, without=("fra",)).revision}) == 3
