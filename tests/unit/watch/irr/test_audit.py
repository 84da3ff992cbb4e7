"""Each check by the object that calls it up, and by one that does not."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from anycastle.kernels.vrp_table import VRPTable
from anycastle.model.asn import ASN
from anycastle.model.fleet import Fleet
from anycastle.model.irr import ASSet, AutNum, RouteObject, SetName, parse_member, parse_set_name
from anycastle.model.prefix import parse_prefix
from anycastle.model.rpki import VRP
from anycastle.model.service import Service
from anycastle.model.watch import MoreSpecificRule, WatchPlan
from anycastle.watch.irr import checks
from anycastle.watch.irr.audit import audit
from anycastle.watch.irr.expansion import Expanded
from anycastle.watch.irr.finding import RegistryView, SetView

pytestmark = pytest.mark.mission("C11")

OURS, SCRUBBER, PARTNER, OTHER = ASN(64500), ASN(64999), ASN(64501), ASN(64666)
V4, V6 = parse_prefix("192.0.2.0/23"), parse_prefix("2001:db8:53::/48")
FLEET = Fleet("test", OURS, ("here",), (), (Service("dns", (V4, V6), (), (), ()),))
NETWORKS = {OURS: AutNum(OURS)}


def with_watch(**plan: object) -> Fleet:
    return replace(FLEET, watch=WatchPlan(**plan))


def route(prefix: str, origin: int, *maintainers: str, source: str = "RIPE") -> RouteObject:
    return RouteObject(parse_prefix(prefix), ASN(origin), source, maintainers)


def as_set(name: str, *members: str, source: str = "RIPE", maintainer: str = "OUR-MNT", **found: object) -> SetView:
    parsed = tuple(map(parse_member, members))
    asns = frozenset(each for each in parsed if not isinstance(each, SetName))
    held = ASSet(parse_set_name(name), parsed, (), source, (maintainer,))
    return SetView(held.name, Expanded(asns, {held.name: 0}, **found), (held,))


WHOLE = (route("192.0.2.0/23", OURS, "OUR-MNT"), route("2001:db8:53::/48", OURS, "OUR-MNT"))


def found(
    *routes: RouteObject,
    fleet: Fleet = FLEET,
    sets: tuple[SetView, ...] = (),
    vrps: list[VRP] | None = None,
    maintainers: tuple[str, ...] = (),
) -> list[tuple[str, str, str]]:
    view = RegistryView(routes, sets, NETWORKS)
    table = None if vrps is None else VRPTable.of(vrps)
    return [(each.code, each.severity, each.subject) for each in audit(fleet, view, table, frozenset(maintainers))]


def test_a_fleet_whose_objects_are_whole_has_nothing_to_do() -> None:
    sets = (as_set("AS64500:AS-ALL", "AS64500"),)
    vrps = [VRP(V4, 23, OURS), VRP(V6, 48, OURS)]
    assert found(*WHOLE, sets=sets, vrps=vrps, maintainers=("OUR-MNT",)) == []


def test_an_announcement_without_an_object_is_an_error_that_says_what_there_is_instead() -> None:
    routes = (route("192.0.2.0/23", OTHER), route("2001:db8::/32", OURS))
    (foreign,) = (each for each in audit(FLEET, RegistryView(routes, (), NETWORKS)) if each.code == "IRR004")
    first, second = (each for each in audit(FLEET, RegistryView(routes, (), NETWORKS)) if each.code == "IRR001")
    assert first.severity == second.severity == "error"
    assert first.text == "AS64500, announced for dns, has no route object, only others' origins have"
    assert first.evidence == ("192.0.2.0/23 AS64666 of RIPE",)
    assert second.text == "AS64500, announced for dns, has no route6 object, only what covers it has"
    assert foreign.subject == "192.0.2.0/23"


def test_what_is_kept_ready_needs_its_objects_before_it_is_needed() -> None:
    rule = MoreSpecificRule(V4, 24, (OURS, SCRUBBER))
    assert found(*WHOLE, fleet=with_watch(more_specifics=(rule,))) == [
        ("IRR002", "warning", "192.0.2.0/24"),
        ("IRR002", "warning", "192.0.3.0/24"),
        ("IRR003", "warning", "192.0.2.0/24"),
        ("IRR003", "warning", "192.0.3.0/24"),
    ]
    ready = [route(prefix, asn) for prefix in ("192.0.2.0/24", "192.0.3.0/24") for asn in (OURS, SCRUBBER)]
    assert found(*WHOLE, *ready, fleet=with_watch(more_specifics=(rule,))) == []


def test_a_rule_for_too_many_is_told_and_what_it_allows_is_not_foreign() -> None:
    rule = MoreSpecificRule(V4, 32, (SCRUBBER,))
    assert found(*WHOLE, route("192.0.2.1/32", SCRUBBER), fleet=with_watch(more_specifics=(rule,))) == [
        ("IRR015", "warning", "192.0.2.0/23")
    ]


def test_objects_of_others_and_those_left_over() -> None:
    stray = (route("192.0.2.0/24", OTHER, "THEIR-MNT"), route("192.0.3.0/24", OURS), route("192.0.0.0/16", OTHER))
    assert found(*WHOLE, *stray) == [("IRR004", "warning", "192.0.2.0/24"), ("IRR005", "notice", "192.0.3.0/24")]
    text = next(each.text for each in audit(FLEET, RegistryView((*WHOLE, *stray), (), NETWORKS)))
    assert text.endswith("none of the fleet's, maintained by THEIR-MNT")
    unannounced = parse_prefix("198.51.100.0/24")
    assert found(*WHOLE, route("198.51.100.0/24", OURS), fleet=with_watch(unannounced=(unannounced,))) == [
        ("IRR005", "notice", "198.51.100.0/24")
    ]


def test_objects_that_only_others_maintain_are_told_where_ours_are_known() -> None:
    proxy = (route("192.0.2.0/23", OURS, "UPSTREAM-MNT", source="RADB"), WHOLE[1])
    assert found(*proxy) == []
    assert found(*proxy, maintainers=("OUR-MNT",)) == [("IRR006", "warning", "192.0.2.0/23")]
    assert found(*proxy, WHOLE[0], maintainers=("OUR-MNT",)) == []
    sets = (as_set("AS64500:AS-ALL", "AS64500", maintainer="THEIR-MNT"),)
    assert found(*WHOLE, sets=sets, maintainers=("OUR-MNT",)) == [("IRR006", "warning", "AS64500:AS-ALL")]


def test_a_set_holds_our_origins_and_is_told_what_else_it_holds() -> None:
    fleet = with_watch(origins=(PARTNER,))
    ready = (route("192.0.2.0/23", PARTNER), route("2001:db8:53::/48", PARTNER))
    name = "AS64500:AS-ALL"
    assert found(*WHOLE, *ready, fleet=fleet, sets=(as_set(name, "AS64500", "AS64501"),)) == []
    assert found(*WHOLE, *ready, fleet=fleet, sets=(as_set(name, "AS64500"),)) == [("IRR007", "warning", name)]
    assert found(*WHOLE, *ready, fleet=fleet, sets=(as_set(name, "AS64501", "AS1"),)) == [
        ("IRR007", "error", name),
        ("IRR011", "notice", name),
    ]


def test_a_set_that_is_not_there_or_not_whole() -> None:
    gone = SetView(SetName("AS64500:AS-ALL"), Expanded(frozenset(), {}), ())
    assert found(*WHOLE, sets=(gone,)) == [("IRR008", "error", "AS64500:AS-ALL")]
    for holes in (
        {"missing": (SetName("AS-GONE"),)},
        {"unreadable": ("ANY in AS-X",)},
        {"incomplete": ("more than 4 sets",)},
        {"loops": (SetName("AS-X"),)},
    ):
        assert found(*WHOLE, sets=(as_set("AS64500:AS-ALL", "AS64500", **holes),)) == [
            ("IRR009", "warning", "AS64500:AS-ALL")
        ]


def test_a_name_that_means_two_things_or_might() -> None:
    one, two = as_set("AS-X", "AS64500"), as_set("AS-X", "AS64500", "AS1", source="RADB")
    assert found(*WHOLE, sets=(one,)) == [("IRR014", "notice", "AS-X")]
    both = replace(one, objects=one.objects + two.objects)
    assert found(*WHOLE, sets=(both,)) == [("IRR010", "warning", "AS-X")]
    same = replace(one, objects=(*one.objects, replace(one.objects[0], source="RADB")))
    assert found(*WHOLE, sets=(same,)) == [("IRR014", "notice", "AS-X")]


def test_objects_that_the_rpki_makes_invalid() -> None:
    vrps = [VRP(V4, 23, OTHER), VRP(V6, 48, OURS)]
    assert found(*WHOLE, route("2001:db8:53::/48", OTHER), vrps=vrps) == [
        ("IRR012", "error", "192.0.2.0/23"),
        ("IRR004", "warning", "2001:db8:53::/48"),
        ("IRR012", "warning", "2001:db8:53::/48"),
    ]
    assert found(*WHOLE, vrps=[]) == []


def test_an_asn_without_an_object() -> None:
    assert [each.code for each in audit(FLEET, RegistryView(WHOLE))] == ["IRR013"]


def test_every_code_has_its_section_in_the_reference_and_no_other() -> None:
    root = Path(__file__).parents[4]
    folder = Path(next(iter(checks.__path__)))
    emitted = {code for path in folder.glob("*.py") for code in re.findall(r'"(IRR\d{3})"', path.read_text())}
    page = (root / "docs" / "reference" / "irr-findings.md").read_text()
    assert set(re.findall(r"^## (IRR\d{3}) ", page, re.MULTILINE)) == emitted
    assert set(re.findall(r"^\| \[?(IRR\d{3})", page, re.MULTILINE)) == emitted
