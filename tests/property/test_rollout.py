"""What holds of every plan, whatever the files and the agents say."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.model.announcement import Announcement, RouteAttributes
from anycastle.model.fleet import Fleet
from anycastle.model.permit import PermitState
from anycastle.model.service import Floor, Policy, Service
from anycastle.model.stance import Stance
from anycastle.rollout.check_input import Evidence
from anycastle.rollout.definition import Definitions
from anycastle.rollout.difference import Change
from anycastle.rollout.intent import intent_of
from anycastle.rollout.limits import BlastLimits
from anycastle.rollout.live import Live, PoPReport, ServiceReport, live_of
from anycastle.rollout.plan import Plan, stale
from tests.unit.rollout.state import STEERED, UPSTREAMS, V4, V6, fleet, plan, report, service

NAMES = tuple(f"p{number}" for number in range(7))
REGIONS = ("eu", "us", "asia")

policies = st.builds(
    Policy,
    announce=st.sampled_from([True, True, True, False]),
    attributes=st.builds(RouteAttributes, prepend=st.integers(0, 2), med=st.sampled_from([None, 50])),
    steered=st.just(STEERED),
)


@st.composite
def services(draw: st.DrawFn, name: str, prefixes: tuple[object, ...], pops: tuple[str, ...]) -> Service:
    at = tuple(draw(st.lists(st.sampled_from(pops), min_size=1, unique=True)))
    return service(
        name,
        pops=at,
        prefixes=prefixes,
        policies={(pop, upstream): draw(policies) for pop in at for upstream in UPSTREAMS},
        floor=Floor(draw(st.integers(1, 3)), draw(st.sampled_from([0.0, 20_000.0]))),
    )


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    """Services that share a prefix among them, at some of the PoPs, of which some may be missing."""
    pops = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True).map(sorted))
    made = [draw(services(name, prefixes, tuple(pops))) for name, prefixes in (("dns", (V4, V6)), ("web", (V6,)))]
    chosen = made[: draw(st.integers(1, 2))]
    return fleet(*chosen, pops={pop: REGIONS[int(pop[1:]) % 3] for pop in pops})


def obeys(made: Fleet, pop: str, stances: Mapping[str, Stance]) -> PoPReport:
    """What a healthy router exports for an agent with these stances."""
    routes = frozenset(
        Announcement(key.prefix, key.upstream, told)
        for key, route in intent_of(made).routes.items()
        if key.pop == pop
        for told in route.explained_ways(stances)[:1]
        if told is not None
    )
    said = {
        each.name: ServiceReport(
            each.name,
            stances[each.name],
            "",
            PermitState.HELD,
            prefixes=each.prefixes,
            definitions=Definitions().at(each, made.pop(pop)),
        )
        for each in made.services_at(pop)
    }
    return replace(report(made, pop), exported=routes, wanted=routes, services=said)


@st.composite
def lives(draw: st.DrawFn, made: Fleet) -> Live:
    """Agents that read these files: some services are sick, some PoPs are not heard."""
    told = []
    for pop in made.pops:
        stances = {each.name: draw(st.sampled_from([Stance.ANNOUNCE, *Stance])) for each in made.services}
        if draw(st.integers(0, 5)):
            told.append(obeys(made, pop.name, stances))
    return live_of(told, [pop.name for pop in made.pops])


@st.composite
def changes_of_files(draw: st.DrawFn) -> tuple[Fleet, Live]:
    """Files as they shall be, and the agents that read others."""
    return draw(fleets()), draw(lives(draw(fleets())))


def carried_out(now: Live, made: Plan, after: Fleet) -> Live:
    """The agents once they have the new files and the routers have changed; health is as it was."""
    told = []
    for pop, said in now.reports.items():
        routes = {(route.upstream, route.prefix): route for route in said.exported}
        for change in made.difference.changes:
            if change.key.pop == pop:
                routes.pop((change.key.upstream, change.key.prefix), None)
                if change.after is not None:
                    place = change.key.upstream, change.key.prefix
                    routes[place] = Announcement(place[1], place[0], change.after)
        exported = frozenset(routes.values())
        services = {name: taken(each, pop, made, after) for name, each in said.services.items()}
        told.append(replace(said, exported=exported, wanted=exported, services=services))
    return live_of(told, [pop.name for pop in after.pops])


def taken(said: ServiceReport, pop: str, made: Plan, after: Fleet) -> ServiceReport:
    """What the agent says of a service once it has taken the parts of its definition that the plan changes."""
    for change in made.difference.definitions:
        if (change.pop, change.service) == (pop, said.name):
            there = next(each for each in after.services if each.name == said.name)
            meant = Definitions().at(there, after.pop(pop))
            assert said.definitions is not None
            return replace(said, definitions={**said.definitions, **{part: meant[part] for part in change.parts}})
    return said


@pytest.mark.mission("C3")
@given(changes_of_files())
def test_a_plan_that_was_carried_out_is_followed_by_an_empty_one(given_: tuple[Fleet, Live]) -> None:
    after, now = given_
    made = plan(after, now)
    again = plan(after, carried_out(now, made, after))
    assert again.difference.empty
    assert not again.steps
    assert not again.difference.drifts


@pytest.mark.mission("C4")
@given(changes_of_files())
def test_the_steps_together_are_the_difference(given_: tuple[Fleet, Live]) -> None:
    made = plan(*given_)
    assert Counter(change for step in made.steps for change in step.changes) == Counter(made.difference.changes)
    defined = Counter(each for step in made.steps for each in step.definitions)
    assert defined == Counter(made.difference.definitions)
    assert [step.number for step in made.steps] == list(range(1, len(made.steps) + 1))
    assert plan(*given_) == made


@pytest.mark.mission("C16")
@given(changes_of_files())
def test_no_step_of_a_plan_that_passes_crosses_a_floor(given_: tuple[Fleet, Live]) -> None:
    """Counted anew, from the routes alone, with each change of a step made or not yet made."""
    after, now = given_
    made = plan(after, now, Evidence(BlastLimits(capacity_share=1.0)))
    if made.refused:
        return
    routes = {(key.pop, key.upstream, key.prefix) for key in now.exported}
    before = {each.name: count(now, each, routes) for each in after.services}
    for step in made.steps:
        for worst in (without(routes, step.changes), routes := done(routes, step.changes)):
            for each in after.services:
                pops = count(now, each, worst)
                lost = before[each.name] - pops
                assert not lost or each.floor.met_by([10_000.0 for pop in pops if pop in known(after)]), (
                    each.name,
                    lost,
                )


@pytest.mark.mission("C16")
@given(changes_of_files())
def test_no_step_of_a_plan_that_passes_is_wider_than_the_limits(given_: tuple[Fleet, Live]) -> None:
    after, now = given_
    made = plan(after, now)
    if not made.refused:
        for step in made.steps:
            assert len(step.pops) <= max(1, len(now.reports) // 5)


@given(changes_of_files(), st.data())
def test_a_plan_is_stale_once_an_export_moved_and_not_before(given_: tuple[Fleet, Live], data: st.DataObject) -> None:
    after, now = given_
    made = plan(after, now)
    assert stale(made.basis, plan(after, now).basis) == ()
    if now.reports:
        pop = data.draw(st.sampled_from(sorted(now.reports)))
        extra = Announcement(V4, "one", RouteAttributes(med=99))
        told = replace(now.reports[pop], exported=now.reports[pop].exported | {extra})
        moved = replace(now, reports={**now.reports, pop: told})
        assert f"{pop} announces something else" in stale(made.basis, plan(after, moved).basis)


Places = set[tuple[str, str, object]]


def known(made: Fleet) -> set[str]:
    return {pop.name for pop in made.pops}


def without(routes: Places, changes: Iterable[Change]) -> Places:
    """The routes with only the withdrawals made."""
    return routes - {(c.key.pop, c.key.upstream, c.key.prefix) for c in changes if c.after is None}


def done(routes: Places, changes: Iterable[Change]) -> Places:
    added = {(c.key.pop, c.key.upstream, c.key.prefix) for c in changes if c.after is not None}
    return without(routes, changes) | added


def count(now: Live, each: Service, routes: Places) -> set[str]:
    """The PoPs that have all prefixes of a service, and do not hold it withdrawn."""
    there = set()
    for pop, said in now.reports.items():
        told = said.services.get(each.name)
        if (pop not in each.pops and told is None) or (told is not None and told.stance is Stance.WITHDRAW):
            continue
        if all(any(at == pop and has == prefix for at, _, has in routes) for prefix in each.prefixes):
            there.add(pop)
    return there
