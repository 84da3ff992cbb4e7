from dataclasses import replace

import pytest

from anycastle.base.errors import MisuseError
from anycastle.model.announcement import Announcement
from anycastle.model.asn import ASN
from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitState
from anycastle.model.prefix import Prefix, parse_prefix
from anycastle.model.rpki import Validity
from anycastle.model.stance import DrainStep, Stance
from anycastle.rollout.desired import DefinitionKey, Desired
from anycastle.rollout.intent import RouteKey
from anycastle.rollout.live import PoPReport, ServiceReport
from anycastle.rollout.mitigation import (
    active,
    active_in,
    base_of,
    mitigated,
    share_won,
    target,
    with_active,
)
from anycastle.rollout.orders import Mitigate
from anycastle.rollout.staged import start_of
from tests.unit.health.world import ESTABLISHED, fleet, service
from tests.unit.rollout.test_fleet_composer import composer

pytestmark = [pytest.mark.mission("C5"), pytest.mark.mission("S3")]

WHOLE, LOW, HIGH, QUARTER = map(parse_prefix, ("192.0.2.0/23", "192.0.2.0/24", "192.0.3.0/24", "192.0.2.0/25"))
DESIRED = Desired("r0")


def world() -> Fleet:
    return fleet(replace(service(), prefixes=(WHOLE,), mitigations=(LOW, HIGH)))


def valid(prefix: Prefix) -> Validity:
    return Validity.VALID


def test_a_revision_names_its_files_and_what_is_beside_them() -> None:
    made = with_active("4f0c", {HIGH, LOW})
    assert made == "4f0c+192.0.2.0/24+192.0.3.0/24"
    assert (base_of(made), active_in(made)) == ("4f0c", {LOW, HIGH})
    assert with_active(made, set()) == "4f0c"
    assert active(Desired("r0", {DefinitionKey("ams", "dns"): made})) == {LOW, HIGH}


def test_what_is_hijacked_whole_is_won_back_by_all_that_is_approved_and_a_part_by_what_is_in_it() -> None:
    assert target(world(), DESIRED, Mitigate(WHOLE, "it"), valid) == "r0+192.0.2.0/24+192.0.3.0/24"
    assert target(world(), DESIRED, Mitigate(HIGH, "it"), valid) == "r0+192.0.3.0/24"


@pytest.mark.parametrize(
    ("prefix", "said", "words"),
    [
        (QUARTER, Validity.VALID, "no approved more-specific is within 192.0.2.0/25: approved are 192.0.2.0/24"),
        (parse_prefix("203.0.113.0/24"), Validity.VALID, "no service announces 203.0.113.0/24"),
        (WHOLE, Validity.NOT_FOUND, "192.0.2.0/24, 192.0.3.0/24: no ROA makes it valid from AS64500"),
        (WHOLE, Validity.INVALID, "no ROA makes it valid"),
        (WHOLE, Validity.UNKNOWN, "no RPKI data are here yet"),
    ],
)
def test_what_cannot_be_announced_is_refused_with_why(prefix: Prefix, said: Validity, words: str) -> None:
    with pytest.raises(MisuseError, match=words):
        target(replace(world(), asn=ASN(64500)), DESIRED, Mitigate(prefix, "it"), lambda _: said)


def test_one_that_is_not_there_cannot_be_ended_and_one_of_two_can() -> None:
    with pytest.raises(MisuseError, match="nothing is announced against a hijack of 192"):
        target(world(), DESIRED, Mitigate(WHOLE, "it", end=True), valid)
    both = Desired("r0+192.0.2.0/24+192.0.3.0/24")
    assert target(world(), both, Mitigate(LOW, "it", end=True), valid) == "r0+192.0.3.0/24"
    assert target(world(), both, Mitigate(WHOLE, "it", end=True), valid) == "r0"


def test_files_that_do_not_approve_of_what_is_announced_say_so() -> None:
    with pytest.raises(MisuseError, match="is announced against a hijack, and these files do not approve"):
        mitigated(world(), {QUARTER})


def test_it_is_announced_wherever_its_service_is_and_as_it_is_and_nothing_else_changes() -> None:
    before = world()
    after = mitigated(before, {LOW})
    made = composer(r0=before, mitigated=after)
    started = start_of(made, DESIRED, "mitigated", "it", concerning=frozenset({LOW}))
    routes = {unit for step in started.steps for unit in step if isinstance(unit, RouteKey)}
    assert {(unit.pop, unit.prefix) for unit in routes} == {(pop.name, LOW) for pop in before.pops}
    for unit in routes:
        beside = made.content(RouteKey(unit.pop, unit.upstream, WHOLE), "r0")
        assert made.content(unit, "mitigated") == beside
        there = made.fleet(unit.pop, Desired("mitigated"))
        assert there is not None
        assert there.services[0].prefixes == (WHOLE, LOW)


@pytest.mark.parametrize(("prefixes", "share"), [((LOW,), 0.5), ((LOW, HIGH), 1.0), ((LOW, QUARTER), 0.5), ((), 0.0)])
def test_what_is_won_is_the_part_that_is_covered(prefixes: tuple[Prefix, ...], share: float) -> None:
    assert share_won(WHOLE, prefixes) == share


def test_it_can_end_everywhere_at_once_for_no_pop_serves_by_it() -> None:
    before = mitigated(world(), {LOW})
    made = composer(mitigated=before, r0=world())
    told = ServiceReport("dns", Stance.ANNOUNCE, "", PermitState.HELD, DrainStep.NORMAL, prefixes=(WHOLE, LOW))
    routes = frozenset({Announcement(WHOLE, "transit"), Announcement(LOW, "transit")})
    for pop in before.pops:
        made.heard(PoPReport(pop.name, routes, routes, {"dns": told}, ESTABLISHED))
    desired = Desired("mitigated")
    units = made.differing(desired, "r0")
    assert made.below_floor(units, desired.with_units(units, "r0")) is None
    all_routes = [RouteKey(pop.name, "transit", WHOLE) for pop in before.pops]
    silent = composer(mitigated=before, none=replace(before, services=()))
    for pop in before.pops:
        silent.heard(PoPReport(pop.name, routes, routes, {"dns": told}, ESTABLISHED))
    assert silent.below_floor(all_routes, desired.with_units(all_routes, "none")) is not None, "but by the rest"
