"""Failures, repairs, sets and chances on the graph of twelve, derived by hand."""

import numpy as np
import pytest

from anycastle.base.errors import MisuseError
from anycastle.model.asn import ASN
from anycastle.twin.deployment import Deployment, Session, SessionGroup, Wiring
from anycastle.twin.ensemble import Ensemble
from anycastle.twin.possible import possible_pops, tie_ensemble, tie_prediction
from anycastle.twin.provenance import Provenance
from anycastle.twin.repair import Repair
from anycastle.twin.routes import NO_GROUP, Propagation
from anycastle.twin.survive import survive, survive_ties
from anycastle.twin.sweep import compile_deployment, sweep
from tests.unit.twin.twelve import BOTH, EAST, OURS, WEST, catchment, told, twelve

NINE = SessionGroup("nine", "nine", OURS, (Session(ASN(9)),))
THREE = Deployment((WEST, EAST, NINE))
"""West: 3 and 7 by customers, 1 (3 before 4, at 4 long), 8 (3 before 4). Nine: 9, 4. East: 6, 11, 2, and 12, 5, 10
below: 5 hears its peer 4 at 4 long, better than any provider, so 5 and 10 land at nine."""


def test_three_pops() -> None:
    from anycastle.twin.routes import propagate

    routes = propagate(twelve(), THREE)

    assert catchment(routes, "west") == {1, 3, 7, 8}
    assert catchment(routes, "nine") == {4, 5, 9, 10}
    assert catchment(routes, "east") == {2, 6, 11, 12}


@pytest.mark.mission("C12")
def test_the_failure_of_each_pop() -> None:
    """Without west, 1 hears nine from its customer 4; 3 hears east from its peer 6, and its customers 7 and 8 hear 3 (5
    long) and for 8 also 4 with nine (4 long), which is better. Without east, 2 hears its peer 1, and 6 its peer 3 (4
    long): both west; 11 and 12 follow 6. Without nine, 4 hears 1: west; 5 hears 2: east; so do 9 and 10. Nobody whose
    PoP stays moves.
    """
    found = survive(compile_deployment(twelve(), THREE))
    shares = np.round(12 * found.shares).astype(int).tolist()

    assert (found.pops, found.failed.tolist()) == (("west", "east", "nine"), [[0], [1], [2]])
    assert np.allclose(12 * found.base, [4, 4, 4])
    assert shares == [[0, 6, 6], [8, 0, 4], [6, 6, 0]]
    assert np.allclose(12 * found.moved, [4, 4, 4])
    assert found.moved_though_kept.tolist() == [0, 0, 0]
    assert found.unreached.tolist() == [0, 0, 0]


@pytest.mark.mission("C12")
def test_what_is_expected_where_nothing_ties_is_what_happens() -> None:
    """With two prepends at nine, no choice is a tie (see test_predict), so every member gives the same."""
    compiled = compile_deployment(twelve(), THREE)
    once = survive(compiled, prepends=[0, 0, 2])
    found = survive_ties(Ensemble.of(compiled, np.random.default_rng(1), 64), THREE.everywhere({"nine": 2}))

    assert np.allclose(found.base, once.base)
    assert np.allclose(found.shares, once.shares)
    assert np.allclose(found.moved_though_kept, once.moved_though_kept)


def test_two_pops_at_one_upstream_share_it() -> None:
    """Both announce to 7: each tie there is an even one, and `survive` gives all to the first. When it fails, those of
    its users move to the other, who no other PoP is for.
    """
    pair = Deployment((WEST, SessionGroup("also", "also", OURS, WEST.sessions), EAST))
    compiled = compile_deployment(twelve(), pair)
    told = []
    found = survive_ties(Ensemble.of(compiled, np.random.default_rng(1), 512), pair.everywhere(), told=told.append)

    assert survive(compiled).base[1] == 0
    assert found.base[0] == pytest.approx(found.base[1], rel=0.25)
    assert found.base.sum() == pytest.approx(1)
    assert found.shares[0][1] == pytest.approx(found.base[:2].sum())
    assert told == [1, 1, 1]


PREPENDED = THREE.everywhere({"west": 5, "nine": 1})
"""3 hears west from its customer 7 at 8 long, and so 8 does at 9; from 4, 8 hears nine at 5, and takes it. Without
west, 3 hears east from its peer 6 at 4, and 8 has east at 5 from 3, nine at 5 from 4: 3 is the lower ASN."""


@pytest.mark.mission("C12")
def test_who_moves_although_its_pop_goes_on() -> None:
    """8 moves from nine to east when west fails, beside 3 and 7 that have to."""
    found = survive(compile_deployment(twelve(), THREE), prepends=[5, 0, 1])
    west = 0

    assert np.allclose(12 * found.moved[west], 2)
    assert np.allclose(12 * found.moved_though_kept[west], 1)
    repair = Repair.of(Propagation(Wiring.of(twelve(), THREE)), PREPENDED)
    change = repair.withdraw("west")
    also = change.node[change.moved_though_kept]
    assert twelve().asn[also].tolist() == [8]
    assert (change.pop_before[change.moved_though_kept], change.pop_after[change.moved_though_kept]) == ([2], [1])
    assert not change.path_only.any()


def test_both_of_two_cannot_fail() -> None:
    compiled = compile_deployment(twelve(), BOTH)

    with pytest.raises(MisuseError, match="2 of 2 PoPs cannot fail"):
        survive(compiled, 2)
    pairs = survive(compile_deployment(twelve(), THREE), 2)
    assert pairs.failed.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert np.allclose(pairs.shares.max(axis=1), 1)


def test_a_repair_tells_who_moved() -> None:
    """West fails: 1, 7, 8 and 3 move (see above); nobody else does. When it returns, all is as before."""
    graph = twelve()
    repair = Repair.of(Propagation(Wiring.of(graph, THREE)))
    before = told(repair.routes)
    change = repair.withdraw("west")
    moved = {int(graph.asn[node]): pop for node, pop in zip(change.node, change.pop_after.tolist(), strict=True)}

    assert {asn for asn in moved if moved[asn] == 2} == {1, 8}
    assert {asn for asn in moved if moved[asn] == 1} == {3, 7}
    assert not change.moved_though_kept.any()
    assert change.withdrawn == {0}
    assert repair.announce("west").returned == {0}
    assert told(repair.routes) == before


def test_a_return_reaches_over_a_peering() -> None:
    """With nine and ten alone, 6 and its customers hear ten from their provider 2, and 3 and 7 nine from 1, 8 nine from
    4. West returns: 3 has it from a customer, tells its peer 6, and that its customers 11 and 12; 1 has 3 and 4 equally
    long, and 8 as well.
    """
    ten = SessionGroup("ten", "ten", OURS, (Session(ASN(10)),))
    graph = twelve()
    repair = Repair.of(Propagation(Wiring.of(graph, Deployment((WEST, NINE, ten)))))
    repair.withdraw("west")
    assert catchment(repair.routes, "nine") == {1, 3, 4, 7, 8, 9}
    assert catchment(repair.routes, "ten") == {2, 5, 6, 10, 11, 12}
    change = repair.announce("west")
    assert {int(graph.asn[node]) for node in change.node} == {1, 3, 6, 7, 8, 11, 12}
    assert set(change.pop_after.tolist()) == {0}


@pytest.mark.parametrize("act", ["withdraw", "announce"])
def test_repairs_that_cannot_be(act: str) -> None:
    repair = Repair.of(Propagation(Wiring.of(twelve(), BOTH)))

    with pytest.raises(MisuseError, match="no PoP north; there are: west, east"):
        getattr(repair, act)("north")
    if act == "withdraw":
        repair.withdraw("west")
    with pytest.raises(MisuseError, match=r"announces nothing|does not announce already"):
        getattr(repair, act)("west" if act == "withdraw" else "east")


@pytest.mark.mission("C12")
def test_sets_and_chances() -> None:
    """1 hears its customers 3 (west) and 4 (nine) at 4 long, 8 its providers 3 and 4 at 4 long: either, evenly. The
    others have one best neighbour.
    """
    graph = twelve()
    possible, prediction = possible_pops(Wiring.of(graph, THREE)), tie_prediction(Wiring.of(graph, THREE))

    two = graph.asn[possible.count() == 2]
    assert two.tolist() == [8, 1]
    for asn in (1, 8):
        assert prediction.chance[graph.node(asn)].tolist() == [0.5, 0.0, 0.5]
    assert set(prediction.provenance.tolist()) == {Provenance.ASSUMED}
    assert np.allclose(12 * prediction.shares(), [3, 4, 5])
    weights = np.where(graph.asn == 1, 12.0, 1.0)
    assert np.allclose(23 * prediction.shares(weights), [8.5, 4, 10.5])


def test_more_than_64_pops_take_another_word() -> None:
    groups = tuple(SessionGroup(f"p{each}", f"p{each}", OURS, (Session(ASN(7)),)) for each in range(70))
    possible = possible_pops(Wiring.of(twelve(), Deployment(groups)))

    assert possible.mask.shape == (12, 2)
    assert possible.count().tolist() == [70] * 12
    assert possible.contains(69).all()


def test_an_ensemble_shows_both_ways() -> None:
    graph = twelve()
    lanes = tie_ensemble(compile_deployment(graph, THREE), THREE.everywhere(), np.random.Generator(np.random.PCG64(5)))
    at_1 = {int(lanes.pops_of(lane)[graph.node(1)]) for lane in range(64)}
    at_4 = {int(lanes.pops_of(lane)[graph.node(4)]) for lane in range(64)}

    assert (at_1, at_4) == ({0, 2}, {2})


def test_lanes_that_cannot_be() -> None:
    compiled = compile_deployment(twelve(), BOTH)

    with pytest.raises(MisuseError, match="65 configurations at once; the most are 64"):
        compiled.run([BOTH.everywhere()] * 65)
    with pytest.raises(MisuseError, match="a table with 3 columns for 2 session groups"):
        compiled.run(np.zeros((1, 3), np.int16))
    with pytest.raises(MisuseError, match="keep_keys=True"):
        compiled.run(np.zeros((1, 2), np.int16)).routes(0)


def test_who_refuses_must_be_named() -> None:
    """A leaf that is not named may share its row with others, which do not refuse."""
    from anycastle.twin.deployment import Configuration, Treatment

    configuration = Configuration({"west": Treatment(poison=(ASN(9),))})
    with pytest.raises(MisuseError, match="name these when the deployment is compiled, for they refuse routes: AS9"):
        compile_deployment(twelve(), BOTH).run([configuration])
    lanes = compile_deployment(twelve(), BOTH, named=[ASN(9)]).run([configuration])
    graph = twelve()
    assert int(lanes.pops_of(0)[graph.node(9)]) == NO_GROUP


def test_leaves_that_hear_the_same_share_a_row() -> None:
    from anycastle.twin.graph import Link, Links, build_graph

    graph = build_graph(Links.of([Link(ASN(1), ASN(each), -1) for each in range(2, 50)]))
    here = Deployment((SessionGroup("x", "x", OURS, (Session(ASN(2)),)),))
    compiled = compile_deployment(graph, here)

    assert len(compiled.compact.stands) == 3  # 1, the leaf with a session, and all other leaves
    assert compiled.compact.weights_of_items().tolist() == [1, 1, 47]
    assert sweep(compiled, np.zeros((130, 1), np.int16)).tolist() == [[1.0]] * 130
