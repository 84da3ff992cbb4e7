from dataclasses import replace

import pytest

from anycastle.base.ports import Timestamp
from anycastle.kernels.vrp_table import VRPTable, columns_of
from anycastle.model.asn import ASN
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import Family, parse_prefix
from anycastle.model.rpki import VRP
from anycastle.model.service import Service
from anycastle.model.watch import MoreSpecificRule, WatchPlan
from anycastle.watch.roas import AS0, audit, planned_routes, roa_plan

NOW = Timestamp(1_800_000_000.0)
V4, V6 = parse_prefix("192.0.2.0/24"), parse_prefix("2001:db8::/46")
OURS, SCRUBBER, OTHER = ASN(64500), ASN(64999), ASN(64666)
FLEET = Fleet("test", OURS, ("here",), (), (Service("dns", (V4, V6), (), (), ()),))


def with_watch(**plan: object) -> Fleet:
    return replace(FLEET, watch=WatchPlan(**plan))


def vrp(prefix: str, asn: int, max_length: int | None = None) -> VRP:
    parsed = parse_prefix(prefix)
    return VRP(parsed, parsed.length if max_length is None else max_length, ASN(asn))


EXACT = [vrp("192.0.2.0/24", OURS), vrp("2001:db8::/46", OURS)]


def codes(fleet: Fleet, *vrps: VRP) -> list[tuple[str, str, str]]:
    return [(each.code, each.severity, str(each.prefix)) for each in audit(fleet, VRPTable.of(vrps), NOW)]


@pytest.mark.mission("C11", "I8")
def test_a_fleet_whose_roas_are_exact_has_nothing_to_do() -> None:
    assert codes(FLEET, *EXACT) == []
    assert roa_plan(FLEET, VRPTable.of(EXACT)).empty


def test_an_announcement_that_is_invalid_comes_first_and_names_what_it_is_invalid_against() -> None:
    vrps = [vrp("192.0.0.0/16", OTHER, 24), vrp("2001:db8::/32", OURS, 48)]
    issues = audit(FLEET, VRPTable.of(vrps), NOW)
    assert [(each.code, each.severity) for each in issues] == [("RPKI001", "error")]
    assert issues[0].text == "AS64500, announced for dns, is invalid against 192.0.0.0/16-24 AS64666"


def test_what_no_roa_covers_is_told() -> None:
    assert codes(FLEET) == [("RPKI002", "warning", str(V4)), ("RPKI002", "warning", str(V6))]


def test_a_loose_maximum_length_is_told_and_replaced() -> None:
    loose = vrp("192.0.2.0/24", OURS, 32)
    assert codes(FLEET, loose, EXACT[1]) == [("RPKI004", "warning", str(V4))]
    plan = roa_plan(FLEET, VRPTable.of([loose, EXACT[1]]))
    assert plan.create == ((EXACT[0], "announced for dns"),)
    assert plan.delete == ((loose, "its maximum length 32 is loose; /24 is enough"),)


def test_roas_for_others_and_for_nothing_are_told_and_deleted() -> None:
    other, stale = vrp("192.0.2.128/25", OTHER), vrp("2001:db8:1::/48", OURS)
    assert codes(FLEET, *EXACT, other, stale) == [
        ("RPKI006", "warning", "192.0.2.128/25"),
        ("RPKI005", "notice", "2001:db8:1::/48"),
    ]
    assert roa_plan(FLEET, VRPTable.of([*EXACT, other, stale])).delete == (
        (other, "its ASN is none of the fleet's origins"),
        (stale, "nobody plans to announce it"),
    )


def test_more_specifics_that_are_kept_ready_want_roas_of_their_own_for_those_who_may_announce_them() -> None:
    rule = MoreSpecificRule(V6, 48, origins=(OURS, SCRUBBER))
    fleet = with_watch(more_specifics=(rule,))
    ready = {(str(each.prefix), each.origin) for each in planned_routes(fleet) if not each.announced}
    assert ready == {(f"2001:db8:{n or ''}::/48".replace(":::", "::"), asn) for n in range(4) for asn in rule.origins}
    found = codes(fleet, *EXACT)
    assert found == [
        ("RPKI003", "warning", f"2001:db8:{n or ''}::/48".replace(":::", "::")) for n in range(4) for _ in "12"
    ]
    plan = roa_plan(fleet, VRPTable.of(EXACT))
    assert len(plan.create) == 8
    assert all(each.max_length == each.prefix.length == 48 for each, _ in plan.create)
    assert codes(fleet, *EXACT, *(each for each, _ in plan.create)) == []


def test_a_rule_that_allows_too_many_is_told_and_gets_no_roas() -> None:
    fleet = with_watch(more_specifics=(MoreSpecificRule(parse_prefix("2001:db8::/32"), 48),))
    assert ("RPKI008", "warning", "2001:db8::/32") in codes(fleet, *EXACT)
    assert roa_plan(fleet, VRPTable.of(EXACT)).create == ()


def test_a_roa_that_a_rule_allows_stays_though_none_is_planned_for_it() -> None:
    wide = MoreSpecificRule(parse_prefix("2001:db8::/32"), 48, origins=(SCRUBBER,))
    fleet = with_watch(more_specifics=(wide, MoreSpecificRule(V4, 26)))
    kept = [vrp("2001:db8:77::/48", SCRUBBER), vrp("192.0.2.0/25", OURS)]
    assert roa_plan(fleet, VRPTable.of([*EXACT, *kept])).delete == ()
    assert not {code for code, _, _ in codes(fleet, *EXACT, *kept)} & {"RPKI005", "RPKI006"}


def test_other_origins_of_the_fleet_are_its_own() -> None:
    fleet = with_watch(origins=(SCRUBBER,))
    assert codes(fleet, *EXACT, vrp("192.0.2.0/24", SCRUBBER), vrp("2001:db8::/46", SCRUBBER)) == []
    assert len(roa_plan(fleet, VRPTable.of(EXACT)).create) == 2


def test_what_is_not_to_be_announced_wants_as0() -> None:
    unused = parse_prefix("198.51.100.0/24")
    fleet = with_watch(unannounced=(unused,))
    assert codes(fleet, *EXACT) == [("RPKI009", "notice", str(unused))]
    (created,) = roa_plan(fleet, VRPTable.of(EXACT)).create
    assert created == (VRP(unused, 24, AS0), "not to be announced")
    assert codes(fleet, *EXACT, created[0]) == []


@pytest.mark.parametrize(("hours", "text"), [(2, "expires in 2 h"), (-3, "expired 3 h ago"), (9, None)])
def test_a_roa_about_to_expire_is_told(hours: int, text: str | None) -> None:
    v4 = columns_of(Family.IPV4, EXACT[:1], int(NOW) + 3600 * hours)
    issues = audit(FLEET, VRPTable(v4, columns_of(Family.IPV6, EXACT[1:])), NOW)
    assert [each.code for each in issues] == (["RPKI007"] if text else [])
    assert all(text in each.text for each in issues if text)
