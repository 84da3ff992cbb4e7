"""Predictions add up, cascades end, and every member of an ensemble is what plain Python gives, on random graphs."""

from dataclasses import replace
from ipaddress import IPv4Address
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anycastle.model.asn import ASN
from anycastle.model.pop import Location
from anycastle.model.prefix import Family, Prefix
from anycastle.model.service import Floor
from anycastle.twin.attack import Seen, estimate
from anycastle.twin.cascade import Act, Rules, cascade
from anycastle.twin.deployment import Configuration, Deployment, Session
from anycastle.twin.ensemble import Ensemble
from anycastle.twin.graph import Link, Links, build_graph
from anycastle.twin.intent import Intent, Site
from anycastle.twin.load import shares_by_group, shares_by_pop
from anycastle.twin.playbook import Attack, make_options, play
from anycastle.twin.predict import Asked, PredictedShift, predict_shift
from anycastle.twin.reference import PlainInternet, plain_routes
from anycastle.twin.routes import NO_GROUP
from anycastle.twin.sweep import compile_deployment
from anycastle.twin.weights import Weights, place_weights
from tests.property.internets import Scenario, configurations, scenarios

LANES_TRIED = (0, 17, 63)


def renumbered(scenario: Scenario, ensemble: Ensemble, lane: int) -> tuple[PlainInternet, Deployment, dict[int, ASN]]:
    """The internet of a member: every ASN is its place in the member's order, and so are groups."""
    graph, batch = ensemble.compiled.graph, ensemble.batches[0]
    wiring = batch.wirings[lane]
    number = {int(asn): ASN(int(batch.orders[node, lane])) for node, asn in enumerate(graph.asn)}
    number |= {group.asn: ASN(rank) for group, rank in zip(wiring.deployment.groups, wiring.own_rank, strict=True)}
    links = [Link(number[a], number[b], relation) for a, b, relation in scenario.links]
    groups = tuple(
        replace(
            group,
            asn=number[group.asn],
            sessions=tuple(Session(number[s.neighbour], s.standing) for s in group.sessions),
        )
        for group in wiring.deployment.groups
    )
    return PlainInternet.of(links), Deployment(groups), number


def renamed(configuration: Configuration, number: dict[int, ASN]) -> Configuration:
    return Configuration(
        {
            name: replace(
                how,
                no_export_to=frozenset(number[asn] for asn in how.no_export_to),
                poison=tuple(number[asn] for asn in how.poison),
            )
            for name, how in configuration.announced.items()
        }
    )


@settings(max_examples=60, deadline=None)
@given(scenarios())
def test_a_member_is_what_plain_python_gives_in_its_order(scenario: Scenario) -> None:
    graph = build_graph(Links.of(scenario.links))
    compiled = compile_deployment(graph, scenario.deployment, named=scenario.asns)
    ensemble = Ensemble.of(compiled, np.random.default_rng(len(scenario.links)), 64)
    members = ensemble.run(scenario.configurations[0])
    names = [group.name for group in scenario.deployment.groups]

    for lane in LANES_TRIED:
        internet, deployment, number = renumbered(scenario, ensemble, lane)
        routes = plain_routes(internet, deployment, renamed(scenario.configurations[0], number))
        expected = {asn: deployment.groups[routes[new].group].name for asn, new in number.items() if new in routes}
        landed = members.group[members.row_of_node, lane].tolist()
        found = {int(asn): names[at] for asn, at in zip(graph.asn, landed, strict=True) if at != NO_GROUP}
        assert found == expected


def intent_of(scenario: Scenario, configuration: Configuration) -> Intent:
    sites = tuple(Site(pop, pop, Location(0, 0), 5.0) for pop in scenario.deployment.pops)
    prefix = Prefix(Family.IPV4, int(IPv4Address("192.0.2.0")), 24)
    return Intent("dns", prefix, sites, scenario.deployment, configuration, {}, Floor(1), ())


@st.composite
def plans(draw: st.DrawFn) -> tuple[Scenario, Configuration, Configuration, Configuration, Weights]:
    scenario = draw(scenarios())
    graph = build_graph(Links.of(scenario.links))
    told = [draw(configurations(scenario.deployment, scenario.asns)) for _ in range(3)]
    values = draw(st.lists(st.integers(0, 9), min_size=len(graph), max_size=len(graph)))
    weight_of = {int(asn): float(value) for asn, value in zip(graph.asn, values, strict=True)}
    weight_of[int(graph.asn[0])] += 1
    return scenario, told[0], told[1], told[2], place_weights(graph, weight_of | {4_000_000_000: 5.0}, "drawn")


def predicted(
    plan: tuple[Scenario, Configuration, Configuration, Configuration, Weights], a: int, b: int
) -> PredictedShift:
    scenario, weights = plan[0], plan[4]
    graph = build_graph(Links.of(scenario.links))
    asked = Asked(weights, 12.0, members=64)
    named = Configuration({name: how for at in (1, 2, 3) for name, how in plan[at].announced.items()})
    assert named.announced.keys() <= {group.name for group in scenario.deployment.groups}
    before, after = intent_of(scenario, plan[a]), intent_of(scenario, plan[b])
    return predict_shift(graph, before, after, np.random.default_rng(3), asked)


@settings(max_examples=60, deadline=None)
@given(plans())
def test_shares_add_up_and_flows_are_their_difference(plan) -> None:
    found = predicted(plan, 1, 2)
    names = [pop.name for pop in found.pops]

    assert sum(pop.now.mean for pop in found.pops) + found.no_route_now.mean == pytest.approx(1)
    assert sum(pop.after.mean for pop in found.pops) + found.no_route.mean == pytest.approx(1)
    assert sum(flow.share for flow in found.flows) == pytest.approx(1)
    for name, pop in zip(names, found.pops, strict=True):
        assert sum(f.share for f in found.flows if f.source == name) == pytest.approx(pop.now.mean, abs=1e-9)
        assert sum(f.share for f in found.flows if f.target == name) == pytest.approx(pop.after.mean, abs=1e-9)
        assert sum(each.after.mean for each in pop.upstreams) == pytest.approx(pop.after.mean, abs=1e-9)
        assert pop.change.mean == pytest.approx(pop.after.mean - pop.now.mean, abs=1e-9)
        assert pop.now.p5 <= pop.now.p50 <= pop.now.p95
    moved = sum(flow.share for flow in found.flows if flow.source != flow.target)
    assert found.moved.mean == pytest.approx(moved, abs=1e-9)
    assert found.moved_though_kept.mean <= found.moved.mean + 1e-9
    assert sum(found.provenance.values()) == pytest.approx(1)
    assert -1e-9 <= found.doubt <= 1
    assert found.weights.unplaced == pytest.approx(5 / found.weights.total)


@settings(max_examples=40, deadline=None)
@given(plans())
def test_a_plan_is_the_sum_of_its_steps(plan) -> None:
    """From a to b and from b to c, as from a to c: the members are the same, so shares agree and changes add up."""
    first, second, whole = predicted(plan, 1, 2), predicted(plan, 2, 3), predicted(plan, 1, 3)

    for one, other, both in zip(first.pops, second.pops, whole.pops, strict=True):
        assert one.after.mean == pytest.approx(other.now.mean, abs=1e-9)
        assert one.change.mean + other.change.mean == pytest.approx(both.change.mean, abs=1e-9)
    assert whole.moved.mean <= first.moved.mean + second.moved.mean + 1e-9


@settings(max_examples=40, deadline=None)
@given(plans())
def test_no_load_is_made_or_lost(plan) -> None:
    found = predicted(plan, 1, 2)
    assert found.cascade is not None
    for step in found.cascade.steps:
        assert step.served + sum(step.lost) + step.no_route == pytest.approx(12.0)
        assert all(lost <= load + 1e-9 for lost, load in zip(step.lost, step.load, strict=True))
        silent = [load for pop, load in zip(found.cascade.pops, step.load, strict=True) if pop not in step.announcing]
        assert not any(silent)


PLACES = ("a", "b", "c", "d", "e")


@settings(max_examples=300)
@given(
    st.lists(st.floats(0, 10), min_size=32 * 6, max_size=32 * 6),
    st.lists(st.one_of(st.none(), st.floats(0.1, 10)), min_size=5, max_size=5),
    st.integers(0, 5),
    st.floats(0, 5),
)
def test_a_cascade_ends_above_the_floor(loads, capacity, floor_pops, floor_capacity) -> None:
    """Whatever the loads after each withdrawal: at most one step a PoP, one more at rest, and never below the floor."""
    table = np.array(loads).reshape(32, 6)

    def load_of(announcing: frozenset[str]) -> np.ndarray:
        bits = sum(1 << at for at, pop in enumerate(PLACES) if pop in announcing)
        return table[bits] * np.array([pop in announcing for pop in PLACES] + [True])

    rules = Rules(PLACES, tuple(capacity), Floor(floor_pops, floor_capacity), dict.fromkeys(PLACES, 1.0))
    found = cascade(load_of, PLACES, rules)

    assert 1 <= len(found.steps) <= len(PLACES)
    assert found.rest.act is not Act.WITHDRAWS
    assert len(set(found.withdrawn)) == len(found.withdrawn) == len(found.steps) - 1
    for step in found.steps[1:]:
        assert len(step.announcing) >= max(1, floor_pops)
        assert len(step.announcing) >= floor_capacity
    over = [pop for pop, lost in zip(PLACES, found.rest.lost, strict=True) if lost > 0]
    assert bool(over) is (found.rest.act is Act.HELD)


@settings(max_examples=40, deadline=None)
@given(plans())
def test_a_playbook_adds_up(plan) -> None:
    scenario, present, weights = plan[0], plan[1], plan[4]
    graph = build_graph(Links.of(scenario.links))
    ensemble = Ensemble.of(
        compile_deployment(graph, scenario.deployment, named=scenario.asns), np.random.default_rng(5), 64
    )
    sources = np.full(len(graph), 1 / len(graph))
    attack = Attack("uniform", weights.of_node, 3.0, sources, 9.0)
    found = play(ensemble, make_options(scenario.deployment, present), attack, [2.0] * len(scenario.deployment.pops))

    for each in found.outcomes:
        assert sum(each.users) + each.no_route == pytest.approx(1)
        assert sum(each.attack) <= 1 + 1e-9
        expected = [3 * users + 9 * attack for users, attack in zip(each.users, each.attack, strict=True)]
        assert each.load == pytest.approx(expected, abs=1e-9)
        assert 0 <= each.kept.mean <= sum(each.users) + 1e-9
    kept = [each.kept.mean for each in found.outcomes]
    assert all(one >= other - 1e-3 for one, other in pairwise(kept))


@settings(max_examples=40, deadline=None)
@given(plans(), st.floats(0.5, 50))
def test_an_attack_that_nothing_hides_is_found(plan, size: float) -> None:
    """Where no PoP is full, the size of the right mix is found as it is, in every member that reality could be."""
    scenario, present, weights = plan[0], plan[1], plan[4]
    graph = build_graph(Links.of(scenario.links))
    ensemble = Ensemble.of(
        compile_deployment(graph, scenario.deployment, named=scenario.asns), np.random.default_rng(5), 64
    )
    members = ensemble.run(present)
    users, sources = (
        shares_by_pop(members, each)[:, :-1] for each in (weights.of_node, np.full(len(graph), 1 / len(graph)))
    )
    real = users[7] * 2 + size * sources[7]
    if not sources[7].any():
        return
    seen = Seen(scenario.deployment.pops, real, (None,) * len(real), 2 * users)
    found = estimate(seen, {"uniform": sources})[0]

    off = np.abs(2 * users + size * sources - real).max(axis=1)
    assert found.misfit < 1e-6 or (off > 1e-6).sum() > 48
    if found.misfit < 1e-6:
        assert found.attack.p50 == pytest.approx(size, rel=1e-3)
    assert shares_by_group(members, weights.of_node).sum(axis=1) == pytest.approx(np.ones(64))
