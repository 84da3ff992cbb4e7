from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.errors import MisuseError
from anycastle.model.announcement import Announcement, RouteAttributes
from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitState
from anycastle.model.service import Floor, Policy
from anycastle.model.stance import DrainStep, Stance
from anycastle.rollout.desired import DefinitionKey, Desired, Unit
from anycastle.rollout.fleet_composer import FleetComposer
from anycastle.rollout.intent import RouteKey
from anycastle.rollout.live import PoPReport, ServiceReport
from anycastle.rollout.staged import start_of
from tests.property.test_compose import fleets
from tests.unit.health.world import ESTABLISHED, PREFIX, STEERED, fleet, service
from tests.unit.rollout.controller_world import OTHER

POPS = ("ams", "fra", "lon")


def composer(**revisions: Fleet) -> FleetComposer:
    made = FleetComposer(lambda each: sha256(repr(each).encode()).hexdigest())
    for name, each in revisions.items():
        made.add(name, each)
    return made


def prepended(made: Fleet, *pops: str) -> Fleet:
    only = made.services[0]
    policies = {**only.policies, **{(pop, "transit"): Policy(True, RouteAttributes(2), STEERED) for pop in pops}}
    return replace(made, services=(replace(only, policies=policies),))


def silent(made: Fleet, *pops: str) -> Fleet:
    only = made.services[0]
    policies = {**only.policies, **{(pop, "transit"): Policy(announce=False, steered=STEERED) for pop in pops}}
    return replace(made, services=(replace(only, policies=policies),))


def route(pop: str) -> RouteKey:
    return RouteKey(pop, "transit", PREFIX)


def report(pop: str, drain: DrainStep = DrainStep.NORMAL, *, announced: bool = True) -> PoPReport:
    routes = frozenset({Announcement(PREFIX, "transit")}) if announced else frozenset()
    told = ServiceReport("dns", Stance.ANNOUNCE, "", PermitState.HELD, drain, prefixes=(PREFIX,))
    return PoPReport(pop, routes, routes, {"dns": told}, ESTABLISHED)


@given(fleets(), fleets(), fleets(), st.data())
def test_what_differs_is_what_is_not_the_same(one: Fleet, two: Fleet, target: Fleet, data: st.DataObject) -> None:
    made = composer(one=one, two=two, target=target)
    units: list[Unit] = sorted({u for name in ("one", "two", "target") for u in made._revisions[name].units}, key=str)
    exceptions = {unit: "two" for unit in units if data.draw(st.booleans())}
    desired = Desired("one", exceptions)

    def content(unit: Unit, revision: str) -> object:
        return made._revisions[revision].units.get(unit)

    differing = {unit for unit in units if content(unit, desired.of(unit)) != content(unit, "target")}
    assert made.differing(desired, "target") == differing


def test_units_of_some_prefixes_are_their_routes_and_the_services_that_have_them() -> None:
    before = fleet(service(floor=Floor(1)))
    after = prepended(replace(before, services=(replace(before.services[0], floor=Floor(2)),)), "ams")
    made = composer(before=before, after=after)
    wanted = {route("ams"), *(DefinitionKey(pop, "dns") for pop in POPS)}
    assert made.differing(Desired("before"), "after", {PREFIX}) == wanted
    assert made.differing(Desired("before"), "after", set()) == frozenset()


def test_the_highest_floor_is_in_force_while_any_pop_is_desired_to_hold_to_it() -> None:
    low, high = (fleet(service(floor=Floor(pops, capacity))) for pops, capacity in ((1, 3.0), (2, 0.0)))
    made = composer(low=low, high=high)
    assert made.in_force(Desired("low")).services[0].floor == Floor(1, 3.0)
    assert made.in_force(Desired("low", {DefinitionKey("fra", "dns"): "high"})).services[0].floor == Floor(2, 3.0)


@pytest.mark.mission("C16", "F7")
def test_a_step_that_would_cross_the_floor_is_told() -> None:
    before = fleet(service(floor=Floor(2)))
    made = composer(before=before, after=silent(before, "ams", "fra"))
    for pop in POPS:
        made.heard(report(pop))
    one, both = frozenset({route("ams")}), frozenset({route("ams"), route("fra")})
    assert made.below_floor(one, Desired("before").with_units(one, "after")) is None
    assert made.below_floor(both, Desired("before").with_units(both, "after")) == (
        "dns would be announced by lon alone, and its floor is 2 PoPs; it would end at ams, fra"
    )
    made.gone("lon")
    said = made.below_floor(one, Desired("before").with_units(one, "after"))
    assert said is not None, "who was not heard counts for none"
    assert made.below_floor(one, Desired("before")) is None, "nothing ends"


@pytest.mark.mission("C5", "F7")
def test_a_drain_counts_those_that_drain_already() -> None:
    made = composer(one=fleet(service(floor=Floor(1))))
    for pop in POPS:
        made.heard(report(pop))
    assert made.drained_below_floor(["ams", "fra"], ["dns"], Desired("one")) is None
    made.heard(report("lon", DrainStep.SHUTTING))
    said = made.drained_below_floor(["ams", "fra"], ["dns"], Desired("one"))
    assert said is not None
    assert said.startswith("dns would be announced by no PoP alone")
    assert made.drained_below_floor(["ams"], ["dns"], Desired("one")) is None


@pytest.mark.mission("C5", "F7")
def test_what_drains_already_is_lost_to_no_drain() -> None:
    made = composer(one=fleet(service(floor=Floor(2))))
    for pop, step in zip(POPS, (DrainStep.NORMAL, DrainStep.SHUTTING, DrainStep.SHUTTING), strict=True):
        made.heard(report(pop, step))
    assert made.drained_below_floor(["fra"], ["dns"], Desired("one")) is None, "there are too few, and it takes none"
    assert made.drained_below_floor(["ams"], ["dns"], Desired("one")) == (
        "dns would be announced by no PoP alone, and its floor is 2 PoPs; it would end at ams"
    )


@pytest.mark.mission("C16", "F7")
def test_a_floor_of_capacity_counts_what_the_files_say_of_each_pop_and_nothing_of_others() -> None:
    before = fleet(service(floor=Floor(1, capacity=1.0)))
    without = replace(before, pops=before.pops[:2], services=(replace(before.services[0], pops=POPS[:2]),))
    made = composer(before=before, without=without)
    for pop in POPS:
        made.heard(report(pop))
    assert {place.name: place.capacity for place in made.in_force(Desired("before")).pops} == dict.fromkeys(POPS, 1.0)
    assert made.drained_below_floor(["ams", "fra"], ["dns"], Desired("before")) is None, "lon suffices"
    said = made.drained_below_floor(["ams", "fra"], ["dns"], Desired("without"))
    assert said is not None, "what the files do not name has no capacity"
    assert said.startswith("dns would be announced by lon alone")


def test_a_revision_becomes_an_order_in_steps_that_begin_small() -> None:
    before = fleet(service(floor=Floor(1)))
    made = composer(before=before, after=prepended(before, *POPS))
    for pop in POPS:
        made.heard(report(pop))
    order = start_of(made, Desired("before"), "after", "less load")
    assert order.steps == ({route("ams")}, {route("fra")}, {route("lon")})
    assert (order.prefixes, order.marks) == ({PREFIX}, ())
    with pytest.raises(MisuseError, match="nothing differs"):
        start_of(made, Desired("before"), "before", "again")


def test_definitions_are_staged_as_routes_are_and_go_with_their_pop() -> None:
    before = fleet(service(floor=Floor(2)))
    checked = replace(before.services[0], checks=(), floor=Floor(1))
    made = composer(before=before, after=prepended(replace(before, services=(checked,)), "ams"))
    for pop in POPS:
        made.heard(report(pop))
    order = start_of(made, Desired("before"), "after", "other checks")
    definition = {pop: DefinitionKey(pop, "dns") for pop in POPS}
    assert order.steps == ({route("ams")}, {definition["ams"]}, {definition["fra"]}, {definition["lon"]})
    assert order.prefixes == {PREFIX}
    assert order.marks == ("it lowers the floor of dns",)


def test_what_ends_goes_last_and_wants_a_second_person() -> None:
    before = fleet(service(floor=Floor(0)), service("web", prefixes=(OTHER,), floor=Floor(0)))
    made = composer(before=before, after=replace(before, services=before.services[:1]))
    for pop in POPS:
        made.heard(report(pop))
    order = start_of(made, Desired("before"), "after", "web is gone")
    assert order.marks == ("it ends web at every PoP",)
    assert order.prefixes == {OTHER}
    assert {unit.pop for unit in order.steps[0]} == {"ams"}


def test_what_comes_precedes_what_ends_whichever_service_it_is_of() -> None:
    before = fleet(service(floor=Floor(0)), service("web", prefixes=(OTHER,), floor=Floor(0)))
    made = composer(before=before, after=prepended(replace(before, services=before.services[:1]), *POPS))
    for pop in POPS:
        made.heard(report(pop))
    steps = start_of(made, Desired("before"), "after", "web is gone, dns is steered").steps
    of_web = {RouteKey(pop, "transit", OTHER) for pop in POPS} | {DefinitionKey(pop, "web") for pop in POPS}
    ends = [step <= of_web for step in steps]
    assert ends == [False] * 3 + [True] * (len(steps) - 3)
    assert of_web == frozenset().union(*steps[3:])


def test_what_a_definition_concerns_are_all_prefixes_of_its_service_and_of_a_pop_all_that_it_serves() -> None:
    web = service("web", pops=("fra",), prefixes=(OTHER,))
    before = fleet(service(), web)
    checked = replace(before, services=(replace(before.services[0], checks=()), web))
    larger = replace(before, pops=(replace(before.pops[0], capacity=7.0), *before.pops[1:]))
    made = composer(before=before, checked=checked, larger=larger)
    for pop in POPS:
        made.heard(report(pop))
    order = start_of(made, Desired("before"), "checked", "other checks")
    assert all(isinstance(unit, DefinitionKey) for step in order.steps for unit in step)
    assert order.prefixes == {PREFIX}
    assert made.differing(Desired("before"), "larger", None) == {DefinitionKey("ams", "")}
    assert start_of(made, Desired("before"), "larger", "a larger machine").prefixes == {PREFIX}
