"""The kernels give what plain Python gives, on random graphs, for everything that an announcement can ask."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from anycastle.kernels.route_key import NARROW, WIDE
from anycastle.twin.deployment import Configuration, Treatment, Wiring
from anycastle.twin.routes import NO_GROUP, Propagation
from anycastle.twin.sweep import compile_deployment, sweep
from tests.property.internets import Scenario, found, scenarios


@settings(max_examples=300)
@given(scenarios())
def test_one_configuration(scenario: Scenario) -> None:
    graph, configuration = scenario.graph(), scenario.configurations[0]
    expected = scenario.expected(configuration)
    propagation = Propagation(Wiring.of(graph, scenario.deployment), scenario.adopters(graph), scenario.faults)

    for layout in (NARROW, WIDE):
        routes, longest = propagation.with_layout(configuration, layout)

        assert found(routes) == expected
        assert longest == max((route[1] for route in expected.values()), default=0)


@settings(max_examples=300)
@given(scenarios(configurations_max=4))
def test_lanes(scenario: Scenario) -> None:
    graph = scenario.graph()
    compiled = compile_deployment(graph, scenario.deployment, scenario.adopters(graph), scenario.asns)
    faults = [scenario.faults] * len(scenario.configurations)
    lanes = compiled.run(scenario.configurations, keep_keys=True, faults=faults)

    for lane, configuration in enumerate(scenario.configurations):
        expected = scenario.expected(configuration)
        assert found(lanes.routes(lane)) == expected
        groups = lanes.groups_of(lane).tolist()
        landed = {int(asn): at for asn, at in zip(graph.asn, groups, strict=True) if at != NO_GROUP}
        assert landed == {asn: route[3] for asn, route in expected.items()}


@settings(max_examples=150)
@given(scenarios(), st.data())
def test_rows_of_a_table(scenario: Scenario, data: st.DataObject) -> None:
    graph, deployment = scenario.graph(), scenario.deployment
    row = st.lists(st.integers(-1, 3), min_size=len(deployment.groups), max_size=len(deployment.groups))
    table = np.array(data.draw(st.lists(row, min_size=1, max_size=3)), np.int16)
    compiled = compile_deployment(graph, deployment)
    lanes, shares = compiled.run(table, keep_keys=True), sweep(compiled, table)
    propagation = Propagation(Wiring.of(graph, deployment))

    for lane, prepends in enumerate(table.tolist()):
        named = zip(deployment.groups, prepends, strict=True)
        routes = propagation.run(Configuration({group.name: Treatment(each) for group, each in named if each >= 0}))
        assert found(lanes.routes(lane)) == found(routes)
        assert np.allclose(shares[lane], routes.shares(), atol=1e-12)
