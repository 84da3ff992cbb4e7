"""What the public is told, and what it is not."""

from dataclasses import replace
from pathlib import Path

import pytest

from anycastle.base.ports import Timestamp
from anycastle.io.config import load_fleet
from anycastle.model.fleet import Fleet
from anycastle.model.public_page import Detail, PublicComponent, PublicPage
from anycastle.model.service import Floor, MaintenanceWindow
from anycastle.response.incident import Incident, Status
from anycastle.response.public_status import PAST_S, Health, PublicStatus, Seen, judge, key_of, public_status
from anycastle.response.signal import Urgency

pytestmark = pytest.mark.mission("C10")

EXAMPLE = Path(__file__).parents[3] / "src/anycastle/io/config/example"
NOW = Timestamp(1_000_000.0)
SERVES, GONE, PLANNED, SICK = Seen(True, True), Seen(False, True), Seen(False, True, planned=True), Seen(True, False)


def fleet(detail: Detail = Detail.WHOLE, floor: int = 2) -> Fleet:
    loaded = load_fleet(EXAMPLE).fleet
    assert loaded is not None
    service = replace(loaded.services[0], floor=Floor(pops=floor), windows=())
    page = PublicPage("Example", "", (PublicComponent("Name servers", service.name, "", detail),))
    return replace(loaded, services=(service,), status=page)


def told(made: Fleet, *stands: Seen | None, incidents: tuple[Incident, ...] = ()) -> PublicStatus:
    """Give what is told where the service's PoPs stand so, in their order."""
    (service,) = made.services
    assert len(stands) == len(service.pops)
    seen = {(pop, service.name): each for pop, each in zip(service.pops, stands, strict=True) if each is not None}
    return public_status(made, seen, incidents, NOW)


@pytest.mark.parametrize(
    ("stands", "floor", "health"),
    [
        ((SERVES, SERVES, SERVES, SERVES), 2, Health.OPERATIONAL),
        ((GONE, SERVES, SERVES, SERVES), 2, Health.OPERATIONAL),  # the others carry its clients
        ((GONE, GONE, SERVES, SERVES), 2, Health.DEGRADED),
        ((PLANNED, PLANNED, SERVES, SERVES), 2, Health.MAINTENANCE),
        ((GONE, GONE, GONE, SERVES), 2, Health.PARTIAL),
        ((PLANNED, PLANNED, PLANNED, SERVES), 2, Health.PARTIAL),  # planned or not, the floor is crossed
        ((GONE, GONE, GONE, GONE), 2, Health.MAJOR),
        ((SICK, SERVES, SERVES, SERVES), 2, Health.DEGRADED),
        ((None, None, SERVES, SERVES), 2, Health.OPERATIONAL),  # who is out of contact goes on announcing
        ((PLANNED, SICK, SERVES, SERVES), 2, Health.DEGRADED),  # planned work excuses nothing else
        ((None, GONE, GONE, GONE), 2, Health.PARTIAL),
    ],
)
def test_a_component_is_judged_by_its_floor(stands: tuple[Seen | None, ...], floor: int, health: Health) -> None:
    made = told(fleet(floor=floor), *stands)
    assert (made.health, made.known) == (health, True)


def test_what_nobody_told_is_not_known(tmp_path: Path) -> None:
    made = told(fleet(), None, None, None, None)
    assert not made.known
    assert not made.components[0].known


def test_where_pops_that_are_not_heard_might_tip_it_nothing_is_known() -> None:
    made = told(fleet(), None, None, None, SERVES)
    assert not made.known
    assert told(fleet(floor=1), None, None, None, SERVES).known, "one is enough"


def test_a_floor_of_capacity_is_one_too() -> None:
    made = fleet(floor=1)
    (service,) = made.services
    half = sum(pop.capacity for pop in made.pops if pop.name in service.pops) / 2
    made = replace(made, services=(replace(service, floor=Floor(pops=1, capacity=half)),))
    assert told(made, GONE, GONE, GONE, SERVES).health is Health.PARTIAL


def test_nothing_but_what_is_named_is_told() -> None:
    secret = replace(fleet(), status=PublicPage())
    assert told(secret, GONE, GONE, GONE, GONE).components == ()


def incident(**changes: object) -> Incident:
    made = Incident(7, Timestamp(NOW - 600), "dns withdrawn at fra1", Urgency.PAGE, "withdrawn", services={"dns"})
    made.pops = {"fra1"}
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def test_an_incident_is_told_without_its_words() -> None:
    made = incident(status=Status.ACKNOWLEDGED)
    made.note(Timestamp(NOW - 500), "alert", "fra1: tcp check fails")
    made.note(Timestamp(NOW - 400), "acknowledged", "by ann")
    made.note(Timestamp(NOW - 300), "note", "ann: the carrier confirms a cut at fra1")
    made.note(Timestamp(NOW - 200), "note", "ann: public: A supplier's line is cut; we wait for them.")
    found = told(fleet(), SERVES, SERVES, SERVES, SERVES, incidents=(made,))
    assert "fra1" not in repr(found)
    assert "ann" not in repr(found.open)
    (shown,) = found.open
    assert found.health is Health.OPERATIONAL, "the others carry its clients"
    assert (shown.name, shown.impact, shown.components) == (
        "Reduced capacity of Name servers",
        "minor",
        ("name-servers",),
    )
    assert [(each.status, each.text[:10]) for each in shown.updates] == [
        ("identified", "A supplier"),
        ("identified", "Somebody o"),
        ("investigating", "Our monito"),
    ]


def test_of_a_pop_that_is_gone_the_public_hears_where_the_service_suffers_and_of_tickets_never() -> None:
    gone = incident(kind="pop_down", services={"dns"})
    assert told(fleet(), GONE, SERVES, SERVES, SERVES, incidents=(gone,)).open == ()
    assert told(fleet(), GONE, GONE, SERVES, SERVES, incidents=(gone,)).open != ()
    assert told(fleet(), None, None, None, SERVES, incidents=(gone,)).open == (), "of what is not known nothing is told"
    ticket = incident(kind="hijack", urgency=Urgency.TICKET)
    assert told(fleet(), GONE, GONE, SERVES, SERVES, incidents=(ticket,)).open == ()


def test_a_hijack_concerns_the_service_of_the_prefix_also_while_all_announce() -> None:
    made = incident(kind="hijack", services=set(), pops={"a", "b"}, prefixes={str(fleet().services[0].prefixes[0])})
    assert told(fleet(), SERVES, SERVES, SERVES, SERVES, incidents=(made,)).health is Health.PARTIAL
    made.prefixes = {"203.0.113.0/30"}
    assert told(fleet(), SERVES, SERVES, SERVES, SERVES, incidents=(made,)).open == ()


def test_what_is_over_stays_for_a_while() -> None:
    over = incident(kind="hijack", status=Status.CLEARED, cleared=Timestamp(NOW - 60))
    old = incident(kind="hijack", status=Status.CLEARED, cleared=Timestamp(NOW - PAST_S - 60))
    found = told(fleet(), SERVES, SERVES, SERVES, SERVES, incidents=(over, old))
    assert found.open == ()
    assert [each.updates[0].status for each in found.past] == ["resolved"]
    assert found.health is Health.OPERATIONAL


def test_regions_and_pops_are_told_where_that_is_asked_for() -> None:
    regions = told(fleet(Detail.REGIONS), GONE, SERVES, SERVES, SERVES).components[0].parts
    pops = told(fleet(Detail.POPS), GONE, SERVES, SERVES, SERVES).components[0].parts
    assert {each.name for each in regions} <= set(fleet().regions)
    assert len(pops) == len(fleet().services[0].pops)
    assert sorted(each.health.value for each in pops) == ["degraded_performance", *["operational"] * 3]
    assert not {pop.name for pop in fleet().pops} & {each.name for each in pops}


def test_a_region_stands_while_one_of_it_does_whatever_the_floor_of_all() -> None:
    made = fleet(Detail.REGIONS, floor=3)
    (service,) = made.services
    made = replace(made, regions=("eu",), pops=tuple(replace(pop, region="eu") for pop in made.pops))
    (part,) = told(made, SERVES, SERVES, SERVES, None).components[0].parts
    assert (part.health, part.known) == (Health.OPERATIONAL, True)
    both = tuple(replace(pop, region="eu" if pop.name in service.pops[:2] else "us") for pop in made.pops)
    eu, us = told(replace(made, regions=("eu", "us"), pops=both), SERVES, None, None, None).components[0].parts
    assert (eu.health, eu.known, us.known) == (Health.OPERATIONAL, True, False)


def test_planned_maintenance_is_told_before_and_while_it_is_on() -> None:
    made = fleet()
    (service,) = made.services
    windows = tuple(
        MaintenanceWindow(NOW + at, NOW + at + 3600, service.pops[:2], "the metro ring, CHG-1")
        for at in (7200, -60, -7200)
    )
    windows += (replace(windows[0], pops=service.pops[:1]),)
    made = replace(made, services=(replace(service, windows=windows),))
    found = told(made, SERVES, SERVES, SERVES, SERVES)
    assert [each.under_way for each in found.maintenances] == [True, False]
    assert "CHG-1" not in repr(found)


def test_keys_and_judgements_of_fewer_pops_than_the_floor() -> None:
    assert key_of("Name servers, v2") == "name-servers-v2"
    (service,) = fleet().services
    seen = {(service.pops[0], service.name): SERVES}
    assert judge(fleet(), service, service.pops[:1], seen) == (Health.OPERATIONAL, True)
