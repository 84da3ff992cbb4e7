"""Hijacks and leaks, against plain Python with whole paths."""

from itertools import pairwise

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from anycastle.model.asn import ASN
from anycastle.twin.deployment import deployment_of_origins
from anycastle.twin.graph import Link, Links, build_graph
from anycastle.twin.hijack import Attack, Pair, hijack
from anycastle.twin.leak import leaks
from anycastle.twin.policy import Adopters, Policy
from tests.property.internets import _asns, internets
from tests.property.path_vector import Path, World


def verifying(world: World, policies: dict[ASN, Policy], right: set[ASN]) -> None:
    """Let adopters of ROV and ASPA verify; `right` are the rightful origins."""

    def accepts(to: ASN, source: ASN, path: Path) -> bool:
        policy = policies.get(to, Policy(0))
        if policy & Policy.ROV and path[-1] not in right:
            return False
        return not policy & Policy.ASPA or world.aspa_valid(to, source, path)

    world.accepts = accepts


def packet_ends(specific: dict[ASN, Path], covering: dict[ASN, Path], start: ASN) -> bool:
    """Tell whether packets from `start` meet an AS that has the specific route."""
    return any(asn in specific for asn in covering.get(start, (start,)))


@settings(max_examples=300)
@given(internets(), st.sampled_from(Attack), st.data())
def test_hijack(links: list[Link], attack: Attack, data: st.DataObject) -> None:
    asns = _asns(links)
    attacker = data.draw(st.sampled_from(asns))
    victim = data.draw(st.sampled_from([asn for asn in asns if asn != attacker]))
    policies = data.draw(st.dictionaries(st.sampled_from(asns), st.sampled_from([*Policy, Policy(3)])))
    graph = build_graph(Links.of(links))
    adopters = Adopters.of(graph, {p: [a for a, has in policies.items() if has & p] for p in Policy})
    path = (attacker, victim) if attack is Attack.FORGED else (attacker,)
    origins = {attacker: path} if attack is Attack.SUBPREFIX else {attacker: path, victim: (victim,)}
    world = World(links, origins)
    verifying(world, policies, {victim})
    if attack is Attack.SUBPREFIX:
        inner = world.accepts
        world.accepts = lambda to, source, path: to != victim and inner(to, source, path)
    paths = world.settle()
    assert paths is not None
    others = [asn for asn in asns if asn not in (attacker, victim)]
    if attack is Attack.SUBPREFIX:
        covering = World(links, {victim: (victim,)}).settle()
        assert covering is not None
        caught = [asn for asn in others if asn in paths or packet_ends(paths, covering, asn)]
    else:
        caught = [asn for asn in others if attacker in paths.get(asn, ())]
    assume(others)

    share = hijack(graph, [Pair(attacker, victim)] * 2, attack, adopters).share
    assert np.allclose(share, len(caught) / len(others))


@settings(max_examples=300)
@given(internets(), st.data())
def test_leak(links: list[Link], data: st.DataObject) -> None:
    asns = _asns(links)
    origin, leaker = (data.draw(st.sampled_from(asns)) for _ in range(2))
    assume(origin != leaker)
    policies = data.draw(st.dictionaries(st.sampled_from(asns), st.sampled_from([Policy.ASPA, Policy.OTC, Policy(6)])))
    graph = build_graph(Links.of(links))
    adopters = Adopters.of(graph, {p: [a for a, has in policies.items() if has & p] for p in Policy})
    world = World(links, {origin: (origin,)})
    base = world.settle()
    assert base is not None
    world.leaker = None if policies.get(leaker, Policy(0)) & Policy.OTC else leaker

    def marked(to: ASN, path: Path) -> bool:
        """Tell whether an adopter on the way set Only to Customer, before the last hop to `to`."""
        return any(
            world.relations[low][high] in (1, 2) and (policies.get(low, Policy(0)) | policies.get(high, Policy(0))) & 4
            for low, high in pairwise(path)
        )

    def accepts(to: ASN, source: ASN, path: Path) -> bool:
        policy = policies.get(to, Policy(0))
        if policy & Policy.OTC and world.relations[to][source] != 2 and marked(to, path):
            return False
        return not policy & Policy.ASPA or world.aspa_valid(to, source, path)

    world.accepts = accepts
    paths = world.settle(base)
    assume(paths is not None)
    assert paths is not None
    through = set()
    for asn, path in paths.items():
        if leaker in path[1:]:
            before = path[path.index(leaker) - 1]
            after = path[path.index(leaker) + 1] if path[-1] != leaker else None
            if after is not None and world.relations[leaker][before] != 0 and world.relations[leaker][after] != 0:
                through.add(asn)

    (found,) = leaks(graph, deployment_of_origins([origin]), [leaker], adopters)
    assert {int(graph.asn[node]) for node in found.through} == through
    assert np.isclose(found.share, len(through) / len(asns))
    if found.why_not:
        assert not through
