"""Repairs of any series of withdrawals and returns leave what a new propagation gives."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from anycastle.twin.deployment import Wiring
from anycastle.twin.repair import Repair
from anycastle.twin.routes import Propagation
from tests.property.internets import Scenario, found, scenarios


@settings(max_examples=400)
@given(scenarios(), st.data())
def test_repair_equals_propagation(scenario: Scenario, data: st.DataObject) -> None:
    plain = data.draw(st.booleans())
    graph, deployment = scenario.graph(), scenario.deployment
    configuration = deployment.everywhere() if plain else scenario.configurations[0]
    adopters, faults = (None, ()) if plain else (scenario.adopters(graph), scenario.faults)
    propagation = Propagation(Wiring.of(graph, deployment), adopters, faults)
    repair = Repair.of(propagation, configuration)

    for _ in range(data.draw(st.integers(1, 5))):
        pop = data.draw(st.sampled_from(deployment.pops))
        mine = {group.name for group in deployment.groups if group.pop == pop} & configuration.announced.keys()
        if not mine:
            continue
        pops = repair.routes.pop().copy()
        change = repair.withdraw(pop) if mine & repair.configuration.announced.keys() else repair.announce(pop)
        anew = propagation.run(repair.configuration)

        assert found(repair.routes) == found(anew)
        assert np.array_equal(change.pop_before, pops[change.node])
        assert np.array_equal(change.pop_after, anew.pop()[change.node])
        untouched = np.ones(len(graph), np.bool_)
        untouched[change.node] = False
        assert np.array_equal(pops[untouched], anew.pop()[untouched])
        assert not set(change.pop_before[change.moved_though_kept].tolist()) & change.withdrawn
