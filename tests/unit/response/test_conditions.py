"""What agents say, as signals and causes."""

from dataclasses import replace

import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.announcement import Announcement, RouteAttributes
from anycastle.model.prefix import Family, parse_prefix
from anycastle.model.service import MaintenanceWindow
from anycastle.model.stance import DrainStep, Stance
from anycastle.response.conditions import (
    Levels,
    PoPSeen,
    RolloutSeen,
    ServiceSeen,
    alone,
    drains_of,
    maintenance_of,
    rollouts_of,
    signals_of,
    with_urgency,
)
from anycastle.response.follows import explains
from anycastle.response.signal import Cause, CauseKind, Place, Signal, Subject, Topology, Urgency
from tests.unit.health.world import fleet, service

PREFIX, OTHER = parse_prefix("192.0.2.0/24"), parse_prefix("198.51.100.0/24")


def route(upstream: str, prefix: object = PREFIX) -> Announcement:
    return Announcement(prefix, upstream, RouteAttributes())  # type: ignore[arg-type]


def said(seen: PoPSeen) -> list[tuple[str, str, str, str]]:
    return [(each.name, each.subject.service, each.subject.pop, each.urgency.value) for each in signals_of(seen)]


WELL = PoPSeen(
    "fra", True, (ServiceSeen("dns", Stance.ANNOUNCE),), (route("a"), route("b")), (route("a"), route("b")),
    {("a", Family.IPV4), ("b", Family.IPV4)},
)  # fmt: skip


def test_a_pop_that_is_well_says_nothing() -> None:
    assert signals_of(WELL) == []


def test_a_pop_that_is_gone_says_so_and_nothing_else() -> None:
    assert said(PoPSeen("fra", False, WELL.services)) == [("pop_down", "", "fra", "page")]


@pytest.mark.parametrize("stance", [Stance.WITHDRAW, Stance.STEER])
def test_a_service_that_fails_is_a_page_and_one_that_is_drained_is_none(stance: Stance) -> None:
    failing = ServiceSeen("dns", stance, reason="dns: SERVFAIL")
    assert said(replace(WELL, services=(failing,))) == [("service_down", "dns", "fra", "page")]
    drained = replace(failing, drain=DrainStep.WITHDRAWN)
    assert said(replace(WELL, services=(drained,))) == []
    (cause,) = drains_of(replace(WELL, services=(drained,)))
    assert (cause.kind, cause.subject) == (CauseKind.DRAIN, Subject(service="dns", pop="fra"))


def test_a_session_that_others_make_up_for_is_a_ticket_and_the_last_one_is_a_page() -> None:
    one = replace(WELL, exported=(route("b"),), established={("b", Family.IPV4)})
    assert said(one) == [("session_down", "", "fra", "ticket")]
    assert said(replace(one, exported=(), established=set())) == [("session_down", "", "fra", "page")]


def test_a_session_that_nothing_is_wanted_over_is_not_missed() -> None:
    assert said(replace(WELL, wanted=(), exported=(), established=set())) == []


def test_a_prefix_that_the_router_does_not_announce_is_a_page() -> None:
    assert said(replace(WELL, exported=())) == [("withdrawn", "", "fra", "page")]
    assert said(replace(WELL, exported=(route("a"),))) == [("withdrawn", "", "fra", "ticket")]
    both = replace(WELL, wanted=(*WELL.wanted, route("a", OTHER)))
    assert said(both) == [("withdrawn", "", "fra", "page")], "of the other prefix nothing is left"


def test_nothing_is_said_of_a_router_that_was_not_read() -> None:
    assert said(replace(WELL, exported=(), established=set(), booted=False)) == []


def test_all_gone_at_once_is_the_controllers_own_trouble() -> None:
    found = alone([PoPSeen("fra", False), PoPSeen("ams", False)])
    assert (found.name, found.subject, found.urgency) == ("controller_alone", Subject(), Urgency.PAGE)
    assert found.summary == "none of 2 PoPs has a session with the controller"


def test_edges_are_what_changed() -> None:
    levels = Levels()
    fires = Signal("pop_down", Subject(pop="fra"), Urgency.PAGE, firing=True, summary="gone")
    assert levels.signals_now([fires]) == [fires]
    assert levels.signals_now([fires]) == []
    assert levels.signals_now([]) == [replace(fires, firing=False)]
    assert levels.signals_now([]) == []
    cause = Cause("d", CauseKind.DRAIN, Subject(pop="fra"), "drain")
    assert levels.causes_now([cause]) == ([cause], [])
    assert levels.causes_now([]) == ([], [cause])


def test_what_the_operator_says_of_a_kind_counts_for_pages() -> None:
    fires = Signal("service_down", Subject(pop="fra"), Urgency.PAGE, firing=True, summary="x")
    (told,) = with_urgency([fires], {"service_down": Urgency.TICKET})
    assert told.urgency is Urgency.TICKET
    (ticket,) = with_urgency([replace(fires, urgency=Urgency.TICKET)], {"service_down": Urgency.PAGE})
    assert ticket.urgency is Urgency.TICKET


def test_windows_explain_a_pop_only_where_all_of_its_services_are_within_one() -> None:
    window = MaintenanceWindow(Timestamp(100), Timestamp(200), ("fra",), "line cards")
    one = replace(service(), windows=(window,))
    other = replace(service(), name="web")
    assert maintenance_of(fleet(one, other), Timestamp(99)) == []
    assert maintenance_of(fleet(one, other), Timestamp(200)) == []
    found = maintenance_of(fleet(one, other), Timestamp(100))
    assert [each.subject for each in found] == [Subject(service="dns", pop="fra")]
    topology = Topology({"fra": Place("eu", frozenset({"dns", "web"}), frozenset())})
    assert not explains(found[0], "pop_down", Subject(pop="fra"), topology)
    alone_there = maintenance_of(fleet(one), Timestamp(100))
    assert [each.subject for each in alone_there] == [Subject(service="dns", pop="fra"), Subject(pop="fra")]
    assert explains(alone_there[1], "pop_down", Subject(pop="fra"), topology)


def test_rollouts_are_changes_of_their_prefixes_and_bounded() -> None:
    (cause,) = rollouts_of([RolloutSeen(3, ["192.0.2.0/24"], "ann", "less load")])
    assert (cause.kind, cause.subject, cause.summary) == (
        CauseKind.CHANGE, Subject(prefix="192.0.2.0/24"), "rollout 3 of ann: less load",
    )  # fmt: skip
    assert len(rollouts_of([RolloutSeen(3, [str(each) for each in range(9999)], "ann", "x")])) == 500
