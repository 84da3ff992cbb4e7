"""Predictions, loads, cascades and playbooks on the graph of twelve, each answer derived by hand.

The fleet announces from three PoPs: `west` at 7, `east` at 11, `nine` at 9 with two prepends (see `twelve.py` for the
graph). No choice below is a tie, so every member of the ensemble gives the same.

AS_PATH lengths, our own ASN counted: 7 has west at 2, 3 at 3, 1 at 4 (through 3). 9 has nine at 4, 4 at 5, and tells
its provider 1 (6: longer than through 3) and its peer 5. 11 has east at 2, 6 at 3, 2 at 4.
- 8 hears 3 with west at 4, and 4 with nine at 6: west.
- 5 hears its peer 4 with nine, better than its provider 2 with east: nine; so does its customer 10.
- 12 follows its only provider 6: east.
West has {1, 3, 7, 8}, nine {4, 5, 9, 10}, east {2, 6, 11, 12}. Users: 7 has 3, 8 has 1, 9 has 2, 10 has 2, 12 has 4:
four of twelve at each PoP.
"""

from dataclasses import replace

import numpy as np
import pytest

from anycastle.base.errors import MisuseError
from anycastle.model.announcement import RouteAttributes
from anycastle.model.asn import ASN
from anycastle.model.community import GRACEFUL_SHUTDOWN, NO_EXPORT, StandardCommunity
from anycastle.model.fleet import Fleet
from anycastle.model.service import Policy
from anycastle.model.upstream import UpstreamKind
from anycastle.twin.attack import Seen, attack_range, estimate, mix_of_asns
from anycastle.twin.cascade import Act
from anycastle.twin.deployment import Preference, Treatment
from anycastle.twin.ensemble import Ensemble
from anycastle.twin.intent import RemarkKind, intent_of, without_pops
from anycastle.twin.load import shares_by_pop
from anycastle.twin.playbook import Attack, make_options, play
from anycastle.twin.predict import Asked, ASShifts, PredictedShift, predict_fleets, predict_shift
from anycastle.twin.sweep import compile_deployment
from tests.unit.twin.fleets import GIGA, fleet, pop, three, upstream, users_on
from tests.unit.twin.twelve import twelve


def shift(before: Fleet, after: Fleet | None = None, gone: tuple[str, ...] = (), load: float | None = None):
    graph = twelve()
    now, then = intent_of(before, graph), intent_of(after or before, graph)
    asked = Asked(users_on(graph), load, members=64)
    return predict_shift(graph, now, without_pops(then, gone), np.random.default_rng(1), asked)


def twelfths(found: PredictedShift, when: str) -> dict[str, float]:
    return {each.name: round(12 * getattr(each, when).mean, 9) for each in found.pops}


def _rows(ases: ASShifts):
    return zip(ases.asn.tolist(), ases.before.tolist(), ases.after.tolist(), strict=True)


def test_nothing_changes() -> None:
    found = shift(three())

    assert twelfths(found, "now") == twelfths(found, "after") == {"west": 4, "east": 4, "nine": 4}
    assert (found.moved.mean, found.ases_moved.mean, found.doubt) == (0, 0, 0)
    assert (found.no_route.mean, found.graph.date) == (0, "2025-09-01")
    assert found.provenance == {"measured": 0, "transitive": 0, "inferred": 0, "assumed": pytest.approx(1)}
    assert {(flow.source, flow.target) for flow in found.flows} == {("west",) * 2, ("east",) * 2, ("nine",) * 2}


@pytest.mark.mission("C12")
def test_west_withdraws() -> None:
    """1 hears nine from its customer 4. 3 hears no customer any more; its peer 6 with east at 4 is better than its
    provider 1. 7 follows 3. 8 hears 3 with east at 5, and 4 with nine at 6: east. So 7 (3 users) and 8 (1) move to
    east, beside the ASes 1 (to nine) and 3; nobody moves whose PoP goes on.
    """
    found = shift(three(), gone=("west",))

    assert twelfths(found, "after") == {"west": 0, "east": 8, "nine": 4}
    assert twelfths(found, "change") == {"west": -4, "east": 4, "nine": 0}
    assert (round(12 * found.moved.mean, 9), found.ases_moved.mean) == (4, 4)
    assert (found.moved_though_kept.mean, found.ases_moved_though_kept.mean) == (0, 0)
    ases = found.ases
    moved = {int(asn): (ases.pops[b], ases.pops[a]) for asn, b, a in _rows(ases) if a != b}
    assert moved == {1: ("west", "nine"), 3: ("west", "east"), 7: ("west", "east"), 8: ("west", "east")}
    assert not next(each for each in found.pops if each.name == "west").announces


@pytest.mark.mission("C12", "F6")
def test_loads_headroom_and_a_cascade() -> None:
    """12G are offered: 1G a user. Without west, east has 8G of 6G: it withdraws. Then 6 and 2 hear nobody below them;
    all goes to nine: 12G of 6G. It is the last, and stays: 6G are served, 6G lost.
    """
    found = shift(three(), gone=("west",), load=12 * GIGA)
    east = next(each for each in found.pops if each.name == "east")

    assert found.cascade is not None
    assert (east.load.mean, east.headroom, east.overload_chance) == (pytest.approx(8e9), pytest.approx(-2e9), 1.0)
    assert [(step.announcing, step.act, step.pop) for step in found.cascade.steps] == [
        (("east", "nine"), Act.WITHDRAWS, "east"),
        (("nine",), Act.HELD, ""),
    ]
    assert [dict(zip(found.cascade.pops, step.load, strict=True)) for step in found.cascade.steps] == [
        pytest.approx({"west": 0, "east": 8e9, "nine": 4e9}),
        pytest.approx({"west": 0, "east": 0, "nine": 12e9}),
    ]
    assert (found.cascade.rest.served, sum(found.cascade.rest.lost)) == pytest.approx((6e9, 6e9))
    assert found.cascade.steps[0].reason == "east has 133 % of its capacity"
    assert found.cascade.rest.reason == "overloaded, and kept: nine (it is the last)"


@pytest.mark.mission("C12", "F6")
def test_the_floor_ends_a_cascade() -> None:
    """With a floor of two PoPs east may not withdraw after west has: it loses 2G of its 8G, and 10G of 12G are served:
    more than the 6G that the cascade would have left.
    """
    found = shift(three(floor=2), gone=("west",), load=12 * GIGA)

    assert found.cascade is not None
    assert [step.act for step in found.cascade.steps] == [Act.HELD]
    assert found.cascade.rest.reason == "overloaded, and kept: east (the floor is 2 PoPs)"
    assert (found.cascade.rest.served, sum(found.cascade.rest.lost)) == pytest.approx((10e9, 2e9))


def test_a_cascade_that_rests() -> None:
    """At 6G there are 4G at east and 2G at nine, within 6G each."""
    found = shift(three(), gone=("west",), load=6 * GIGA)

    assert found.cascade is not None
    assert [(step.act, step.reason) for step in found.cascade.steps] == [
        (Act.RESTS, "no PoP has more than it can serve")
    ]


def test_who_moves_although_both_pops_announce_as_before() -> None:
    """`west` prepends five times: 3 has it at 8, as its customer's all the same, and tells 8 at 9; 4 tells 8 nine at 6,
    which is better. 1 has west at 9 through 3, nine at 6 through 4: nine. So 1 and 8 move to nine, which is a PoP
    beside the one that changed. And then, with west prepended, what does the withdrawal of nine's prepends move? 4 has
    nine at 3, 1 at 4: nobody's PoP changes.
    """
    far = replace_policy(three(), "west", "as7", prepend=5)
    near = replace_policy(far, "nine", "as9", prepend=0)

    found, then = shift(three(), far), shift(far, near)

    assert twelfths(found, "after") == {"west": 3, "east": 4, "nine": 5}
    assert (found.ases_moved.mean, found.ases_moved_though_kept.mean) == (2, 0)
    assert then.ases_moved.mean == 0


def test_who_moves_between_pops_that_nobody_touched() -> None:
    """With west prepended five times and nine once, 8 is at nine (4 has it at 4, 8 at 5). West withdraws: 3 hears its
    peer 6 with east at 4 and tells 8 at 5. Both are providers at 5: the order of ties decides. Where 3 comes before 4,
    8 moves from nine to east, and neither of the two announces otherwise than before.
    """
    start = replace_policy(replace_policy(three(), "west", "as7", prepend=5), "nine", "as9", prepend=1)

    found = shift(start, gone=("west",))

    assert found.ases_moved_though_kept.p5 == 0
    assert found.ases_moved_though_kept.p95 == 1
    assert 0.2 < found.ases_moved_though_kept.mean < 0.8
    assert found.moved_though_kept.p95 == pytest.approx(1 / 12)
    assert found.doubt == pytest.approx(
        min(found.moved_though_kept.mean, 1 / 12 - found.moved_though_kept.mean), abs=1e-9
    )


def replace_policy(before: Fleet, pop_: str, upstream_: str, prepend: int) -> Fleet:
    service = before.services[0]
    policies = {**service.policies, (pop_, upstream_): Policy(attributes=RouteAttributes(prepend=prepend))}
    return replace(before, services=(replace(service, policies=policies),))


def test_one_upstream_at_two_pops_is_a_tie() -> None:
    """East and another PoP `harbour` both announce to 11, alike: which of the two 11 hands its traffic to is not in the
    graph. Together they have what east had, and each member gives all of it to one of them.
    """
    service_of = three()
    pops = (*service_of.pops, pop("harbour", 6 * GIGA, upstream(11)))
    after = fleet(pops, {("nine", "as9"): Policy(attributes=RouteAttributes(prepend=2))})

    found = shift(three(), after)
    spread = {each.name: each.after for each in found.pops}

    assert 12 * (spread["east"].mean + spread["harbour"].mean) == pytest.approx(4)
    assert (12 * spread["east"].p5, 12 * spread["east"].p95) == pytest.approx((0, 4))
    assert 1 < 12 * spread["harbour"].mean < 3
    assert [round(12 * each.now.mean, 9) for each in found.pops] == [4, 4, 4, 0]


def test_an_upstream_that_changes_under_its_name() -> None:
    """East's upstream becomes 5 in place of 11, under the same name. 5 has it from us, 2 from its customer 5, and 10
    follows 5. 4 has nine from its customer 9, before its peer 5. Nobody hears 11 any more: 6 hears its peer 3 with
    west, before its provider 2 with east, and 11 and 12 follow 6. West has 7, 8 and 12: 8 users; east 10; nine 9.
    """
    moved = replace(upstream(5), name="as11")
    after = fleet(
        (three().pops[0], pop("east", 6 * GIGA, moved), three().pops[2]),
        {("nine", "as9"): Policy(attributes=RouteAttributes(prepend=2))},
    )

    found = shift(three(), after)

    assert twelfths(found, "after") == {"west": 8, "east": 2, "nine": 2}


# -- what the fleet's files say -------------------------------------------------------------------------------------


def test_communities_become_treatments() -> None:
    """The vocabulary's words that are actions are followed; what is not known is said."""
    words = {
        "no-announce-to-2": StandardCommunity(5, 2),
        "prepend-2": StandardCommunity(5, 20),
        "asia": StandardCommunity(5, 9),
    }
    told = (StandardCommunity(5, 2), StandardCommunity(5, 20), StandardCommunity(5, 9))
    made = fleet(
        (pop("a", 1.0, upstream(5, vocabulary=words)), pop("b", 1.0, upstream(7)), pop("c", 1.0, upstream(8))),
        {
            ("a", "as5"): Policy(attributes=RouteAttributes(prepend=1, med=7, communities=frozenset(told))),
            ("b", "as7"): Policy(attributes=RouteAttributes(communities=frozenset({GRACEFUL_SHUTDOWN}))),
            ("c", "as8"): Policy(attributes=RouteAttributes(communities=frozenset({NO_EXPORT}))),
        },
    )

    found = intent_of(made, twelve())

    assert found.configuration.announced == {
        "a/as5": Treatment(3, frozenset({ASN(2)})),
        "b/as7": Treatment(preference=Preference.AS_PROVIDER),
    }
    kinds = [(remark.kind, remark.subject) for remark in found.remarks]
    assert kinds == [
        (RemarkKind.NOT_FOLLOWED, "a/as5"),
        (RemarkKind.UNKNOWN_COMMUNITY, "a/as5"),
        (RemarkKind.LIKE_NOT_MADE, "c/as8"),
        (RemarkKind.SILENT_POP, "c"),
    ]
    assert [site.capacity for site in found.sites] == [None] * 3


def test_an_upstream_that_the_graph_does_not_have() -> None:
    made = fleet(
        (
            pop("a", 1.0, upstream(7), upstream(999)),
            pop("b", 1.0, upstream(998)),
            pop("c", 1.0, upstream(12, UpstreamKind.PEER)),
        )
    )

    found = intent_of(made, twelve())

    assert list(found.configuration.announced) == ["a/as7", "c/as12"]
    assert [(remark.kind, remark.subject) for remark in found.remarks] == [
        (RemarkKind.ABSENT_UPSTREAM, "a/as999"),
        (RemarkKind.ABSENT_UPSTREAM, "b/as998"),
        (RemarkKind.NO_CUSTOMERS, "c/as12"),
        (RemarkKind.SILENT_POP, "b"),
    ]
    assert predict_fleets(twelve(), made, made, np.random.default_rng(1)).pops[1].after.mean == 0


def test_what_is_asked_of_a_fleet_that_it_does_not_have() -> None:
    graph = twelve()
    with pytest.raises(MisuseError, match="no service web; there are: dns"):
        intent_of(three(), graph, "web")
    with pytest.raises(MisuseError, match="has no PoP north; it has: west, east, nine"):
        without_pops(intent_of(three(), graph), ["north"])


def test_everything_withdrawn() -> None:
    found = shift(three(), gone=("west", "east", "nine"), load=GIGA)

    assert (found.no_route.mean, found.moved.mean, found.ases_moved.mean) == pytest.approx((1, 1, 12))
    assert found.cascade is not None
    assert found.cascade.rest.no_route == pytest.approx(GIGA)


# -- attacks ----------------------------------------------------------------------------------------------------------


def scene() -> tuple[Ensemble, Attack]:
    """12 attacks with 10G; 12G of users."""
    graph = twelve()
    intent = intent_of(three(), graph)
    ensemble = Ensemble.of(compile_deployment(graph, intent.deployment), np.random.default_rng(1), 64)
    sources = mix_of_asns(graph, "twelve", {12: 1.0}).of_node
    return ensemble, Attack("twelve", users_on(graph).of_node, 12 * GIGA, sources, 10 * GIGA)


@pytest.mark.mission("C12", "F6")
def test_the_playbook() -> None:
    """12 sends 10G, to east as its users do. Kept, of 12 users:
    - as now: east has 14G of 6G, so 4 * 6/14 of its users; all of west's and nine's: 8 + 1.714 = 9.714.
    - withdraw east: 2 hears its peer 1 with west; 6 its peer 3 with west, and 12 follows: west has 4 + 4 + 10 = 18G of
      5G, so 8 * 5/18; nine keeps its 4: 6.222.
    - withdraw west: 7 and 8 come to east: 18G of 6G, 8 * 6/18; and nine's 4: 6.667.
    - withdraw nine: 4 hears its provider 1: west, and so does 9 (2 users); 5 hears 2: east, and so does 10. West has 6G
      of 5G, all 6 * 5/6 = 5; east 6 + 10 = 16G of 6G: 6 * 6/16 = 2.25: 7.25.
    - prepend east, however often: 6 and 2 take what a customer tells before all else. As now.
    - prepend nine more: 4 takes it from its customer, 5 from its peer. As now.
    - prepend west by 1: 3 has it at 4, from its customer, and tells 8 at 5, nearer than nine at 6 from 4; 1 has it at
      5, nine at 6. As now. By 2: at 1 and at 8, west and nine are equally far, and ties decide. By 3: both take nine:
      the user of 8 stays unharmed at nine, with 5G of 6G: as now, but one user is moved for nothing.
    - only west: 22G of 5G: 12 * 5/22 = 2.727. Only east, only nine: 22G of 6G: 12 * 6/22 = 3.273.
    """
    ensemble, attack = scene()
    intent = intent_of(three(), ensemble.compiled.graph)
    options = make_options(intent.deployment, intent.configuration)

    found = play(ensemble, options, attack, (5 * GIGA, 6 * GIGA, 6 * GIGA))
    kept = {each.option.name: round(12 * each.kept.mean, 3) for each in found.outcomes}

    assert kept.pop("prepend west 2") == 9.714
    assert kept == {
        "as now": 9.714, "prepend east 1": 9.714, "prepend east 2": 9.714, "prepend east 3": 9.714,
        "prepend nine 1": 9.714, "prepend nine 2": 9.714, "prepend nine 3": 9.714,
        "prepend west 1": 9.714, "prepend west 3": 9.714, "withdraw nine": 7.25, "withdraw west": 6.667,
        "withdraw east": 6.222, "only east": 3.273, "only nine": 3.273, "only west": 2.727,
    }  # fmt: skip
    assert found.outcomes[0].option.name == "as now"
    assert found.present.overloaded(found.pops) == ("east",)
    by_name = {each.option.name: each for each in found.outcomes}
    assert 12 * by_name["prepend west 3"].moved == pytest.approx(1)
    assert by_name["withdraw east"].attack == pytest.approx((1, 0, 0))
    assert by_name["withdraw east"].load == pytest.approx((18e9, 0, 4e9))
    assert by_name["withdraw east"].overloaded(found.pops) == ("west",)


def share(ensemble: Ensemble, asns: dict[int, float]) -> np.ndarray:
    intent = intent_of(three(), ensemble.compiled.graph)
    mix = mix_of_asns(ensemble.compiled.graph, "mix", asns)
    return shares_by_pop(ensemble.run(intent.configuration), mix.of_node)[:, :-1]


@pytest.mark.mission("C12", "F6")
def test_the_load_behind_what_is_seen() -> None:
    """Users offer 4G at each PoP. Seen: west 5G, which is all it can; east 9G of 20G; nine 4G of 6G. The attack's part
    is 1G or more at west, 5G at east, none at nine.
    - From 12 alone (all at east): 5G. West then lacks 1G: misfit sqrt(1/3) = 0.577 of 6 on average: 9.6 %.
    - From 7 and 12 alike (half each): east says 10G, which is 5G at west as well; west is full, and 9G offered there.
      4G are never seen. Nothing is left unexplained.
    - From 9 (all at nine): nine says 0, and neither 1G nor 5G is explained: sqrt(26/3) / 6 = 49 %.
    """
    ensemble, _ = scene()
    seen = Seen(
        ("west", "east", "nine"),
        np.array([5e9, 9e9, 4e9]),
        (5e9, 20e9, 6e9),
        12e9
        * shares_by_pop(ensemble.run(intent_of(three(), twelve()).configuration), users_on(twelve()).of_node)[:, :-1],
    )
    found = estimate(
        seen,
        {
            "twelve": share(ensemble, {12: 1}),
            "both": share(ensemble, {7: 1, 12: 1}),
            "nine": share(ensemble, {9: 1}),
        },
    )

    assert [each.mix for each in found] == ["both", "twelve", "nine"]
    assert [each.attack.mean for each in found] == pytest.approx([10e9, 5e9, 0])
    assert [each.misfit for each in found] == pytest.approx([0, (1 / 3) ** 0.5 / 6, (26 / 3) ** 0.5 / 6], abs=1e-9)
    assert [each.fits for each in found] == [True, True, False]
    assert found[0].offered == pytest.approx((9e9, 9e9, 4e9))
    assert (found[0].unseen, found[0].bounded) == (pytest.approx(4e9), True)
    assert attack_range(found) == pytest.approx((5e9, 10e9))


def test_an_attack_that_only_reaches_full_pops() -> None:
    """From 7 alone, at west, which serves 5G of 5G, 4G of them users': 1G is the least that it can be."""
    ensemble, _ = scene()
    users = np.full((64, 3), 4e9)
    seen = Seen(("west", "east", "nine"), np.array([5e9, 4e9, 4e9]), (5e9, 6e9, 6e9), users)

    found = estimate(seen, {"seven": share(ensemble, {7: 1})})

    assert (found[0].attack.mean, found[0].bounded) == (pytest.approx(1e9), False)


def test_a_full_pop_that_lacks_something_counts() -> None:
    """From 7 and 12 alike, half at west and half at east. West is full with 3G beside its users', east open with 2G.
    East alone says 4G, which puts 2G at west, where there are 3G at least: so west counts as well, and 5G leaves half
    a gigabit unexplained at either: sqrt((0.25 + 0.25) / 3) of 5G on average. Were west seen with 1G, 4G would do.
    """
    ensemble, _ = scene()
    users = np.tile(np.array([2e9, 4e9, 4e9]), (64, 1))
    mix = {"both": share(ensemble, {7: 1, 12: 1})}

    lacks = estimate(Seen(("west", "east", "nine"), np.array([5e9, 6e9, 4e9]), (5e9, 20e9, 6e9), users), mix)[0]
    enough = estimate(Seen(("west", "east", "nine"), np.array([3e9, 6e9, 4e9]), (3e9, 20e9, 6e9), users), mix)[0]

    assert (lacks.attack.mean, lacks.misfit) == (pytest.approx(5e9), pytest.approx((0.5 / 3) ** 0.5 / 5))
    assert (enough.attack.mean, enough.misfit) == (pytest.approx(4e9), pytest.approx(0))
    assert enough.unseen == pytest.approx(1e9)
