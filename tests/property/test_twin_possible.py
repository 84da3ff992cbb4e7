"""Sets and chances, against plain Python that breaks ties in every way."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings

from anycastle.base.errors import MisuseError
from anycastle.model.asn import ASN
from anycastle.twin.deployment import Wiring
from anycastle.twin.possible import possible_pops, tie_ensemble, tie_prediction
from anycastle.twin.sweep import compile_deployment
from tests.property.internets import Scenario, scenarios


def plain_chances(scenario: Scenario) -> dict[ASN, dict[str, Fraction]]:
    """AS -> PoP -> chance, by following every equal offer to its end."""
    graph, configuration = scenario.graph(), scenario.configurations[0]
    deployment = scenario.deployment
    chosen = {ASN(asn): route for asn, route in scenario.expected(configuration).items()}
    relations = {}
    for a, b, relation in scenario.links:
        relations.setdefault(a, {})[b] = 2 if relation == 0 else 3
        relations.setdefault(b, {})[a] = 2 if relation == 0 else 1
    speakers = {group.asn for group in deployment.groups if group.sessions}
    preferred = {
        session.neighbour
        for group in deployment.groups
        if group.name in configuration.announced and configuration.announced[group.name].preference.value == "first"
        for session in group.sessions
        if session.neighbour not in speakers
    }

    def chances(asn: ASN) -> dict[str, Fraction]:
        class_, length, _, _ = chosen[asn]
        offers: list[dict[str, Fraction]] = []
        for group in deployment.groups:
            how = configuration.announced.get(group.name)
            if how is None:
                continue
            if not group.sessions and group.asn == asn and how.length == length:
                offers.append({group.pop: Fraction(1)})
            for session in group.sessions:
                asked = {"as-peer": 2, "as-provider": 1}.get(how.preference.value, 3 - session.standing.value)
                first = how.preference.value == "first"
                if session.neighbour == asn and first == (asn in preferred) and how.length + 1 == length:
                    offers += [{group.pop: Fraction(1)}] if asked == min(class_, 3) else []
        if class_ != 4 and asn not in preferred:
            for neighbour, relation in relations[asn].items():
                told = chosen.get(neighbour)
                if told and relation == class_ and told[1] + 1 == length and (relation == 1 or told[0] >= 3):
                    offers.append(chances(neighbour))
        return {
            pop: sum((offer.get(pop, Fraction(0)) for offer in offers), Fraction(0)) / len(offers)
            for pop in {pop for offer in offers for pop in offer}
        }

    assert len(graph) >= len(chosen)
    return {asn: chances(asn) for asn in chosen}


@settings(max_examples=200)
@given(scenarios())
def test_sets_and_chances(scenario: Scenario) -> None:
    graph, configuration = scenario.graph(), scenario.configurations[0]
    assume(not any(how.poison or how.no_export_to for how in configuration.announced.values()))
    scenario = Scenario(scenario.links, scenario.deployment, scenario.configurations, {}, ())
    wiring = Wiring.of(graph, scenario.deployment)
    expected = plain_chances(scenario)

    possible = possible_pops(wiring, configuration)
    prediction = tie_prediction(wiring, configuration)
    lanes = tie_ensemble(
        compile_deployment(graph, scenario.deployment), configuration, np.random.Generator(np.random.PCG64(1))
    )
    for node, asn in enumerate(graph.asn.tolist()):
        chances = expected.get(ASN(asn), {})
        for index, pop in enumerate(scenario.deployment.pops):
            assert possible.contains(index)[node] == (chances.get(pop, 0) > 0)
            assert prediction.chance[node, index] == pytest.approx(float(chances.get(pop, 0)), abs=1e-5)
        assert possible.count()[node] == sum(chance > 0 for chance in chances.values())
    for lane in range(0, 64, 16):
        for node, pop in enumerate(lanes.pops_of(lane).tolist()):
            assert pop == 65535 if not possible.count()[node] else possible.contains(pop)[node]


def test_what_an_exact_set_cannot_say() -> None:
    from anycastle.twin.deployment import Configuration, Treatment
    from tests.unit.twin.twelve import BOTH, twelve

    poisoned = Configuration({"west": Treatment(poison=(ASN(3),))})
    with pytest.raises(MisuseError, match="poisons"):
        possible_pops(Wiring.of(twelve(), BOTH), poisoned)
