"""Hijacks and leaks on the graph of twelve, derived by hand."""

import numpy as np
import pytest

from anycastle.base.errors import MisuseError
from anycastle.model.asn import ASN
from anycastle.twin.deployment import Deployment
from anycastle.twin.graph import ASGraph
from anycastle.twin.hijack import Attack, Pair, hijack
from anycastle.twin.leak import Leaked, leaks
from anycastle.twin.policy import Adopters, Policy
from tests.unit.twin.twelve import EAST, twelve

PAIR = [Pair(ASN(9), ASN(12))]
ALONE = Deployment((EAST,))


def caught(attack: Attack, adopters: Adopters | None = None) -> int:
    return round(10 * float(hijack(twelve(), PAIR, attack, adopters).share[0]))


@pytest.mark.mission("F2")
def test_the_same_prefix() -> None:
    """9 attacks 12. 4 hears it from a customer, 1 from 4, 5 from its peer 4. 3 hears the victim from its peer 6, and 2
    and 6 from customers. Below: 7 hears 3, 8 hears 4 (3 long, 3 offers 4), 10 hears 5, 11 hears 6. So 1, 4, 5, 8, 10
    of the ten others are caught.
    """
    assert caught(Attack.ORIGIN) == 5


@pytest.mark.mission("F2")
def test_a_more_specific_one() -> None:
    """Everyone hears it."""
    assert caught(Attack.SUBPREFIX) == 10


def test_who_drops_it_may_still_send_into_it() -> None:
    """3 and 7 verify. 7 sends by 3, and 3, by its peer 6 towards the victim, to an AS that was caught."""
    adopters = Adopters.of(twelve(), {Policy.ROV: [3, 7]})

    assert caught(Attack.SUBPREFIX, adopters) == 10


@pytest.mark.mission("F2")
def test_verification_at_the_attackers_provider() -> None:
    """9 has no other provider than 4: nobody hears of it."""
    adopters = Adopters.of(twelve(), {Policy.ROV: [4]})

    assert caught(Attack.ORIGIN, adopters) == 0
    assert caught(Attack.SUBPREFIX, adopters) == 0
    assert caught(Attack.FORGED, adopters) == 4  # the origin is right; 8 hears 3 and 4 equally long and takes 3
    assert caught(Attack.FORGED) == 4
    assert caught(Attack.FORGED, Adopters.of(twelve(), {Policy.ASPA: [4]})) == 0


def test_a_forged_path_to_ones_own_provider_is_believed() -> None:
    """6 provides for 12, and says so of itself with a forged path: 12 attested it."""
    pair = [Pair(ASN(6), ASN(12))]
    everyone = Adopters.of(twelve(), {Policy.ASPA: range(1, 13)})
    plain, verified = (hijack(twelve(), pair, Attack.FORGED, each).share[0] for each in (None, everyone))

    assert plain == verified == 1.0


def test_weights_and_what_cannot_be() -> None:
    graph = twelve()
    weights = np.where(graph.asn == 10, 11.0, 1.0)

    assert hijack(graph, PAIR, weights=weights).share[0] == pytest.approx(15 / 20)
    assert hijack(graph, []).share.tolist() == []
    with pytest.raises(MisuseError, match="not in the graph twelve: AS77"):
        hijack(graph, [Pair(ASN(77), ASN(1))])
    with pytest.raises(MisuseError, match="nobody attacks itself: AS1"):
        hijack(graph, [Pair(ASN(1), ASN(1))])


def one_leak(leaker: int, adopters: Adopters | None = None) -> tuple[Leaked, set[int]]:
    graph: ASGraph = twelve()
    (found,) = leaks(graph, ALONE, [ASN(leaker)], adopters)
    return found, {int(graph.asn[node]) for node in found.through}


@pytest.mark.mission("F1")
def test_a_leak_between_two_providers() -> None:
    """East alone. 8 has it from 3 at 5 and tells 4, which had it from its provider 1, and now has it from a customer;
    4 tells 1, which prefers a customer to its peer 2, and its peer 5, which prefers it to its provider 2; 9 and 10
    follow. 3 is on the leaked path and drops it; 2 keeps its customer 6.
    """
    found, through = one_leak(8)

    assert through == {1, 4, 5, 9, 10}
    assert (found.why_not, found.share, found.moved) == ("", 5 / 12, 0.0)


@pytest.mark.mission("F1")
@pytest.mark.parametrize(
    ("policy", "adopters", "expected"),
    [
        (Policy.ASPA, [4], set()),
        (Policy.ASPA, [1], {4, 5, 9, 10}),
        (Policy.OTC, [4], {1, 4, 5, 9, 10}),  # nobody marked it: 3 does not know how, and 6 to 3 neither
        (Policy.OTC, [3, 4], set()),
        (Policy.OTC, [3, 5], {1, 4, 9}),  # 5 hears its provider 2 instead, and so does 10
    ],
)
def test_a_leak_that_some_notice(policy: Policy, adopters: list[int], expected: set[int]) -> None:
    assert one_leak(8, Adopters.of(twelve(), {policy: adopters}))[1] == expected


@pytest.mark.parametrize(
    ("leaker", "adopters", "why_not"),
    [
        (6, [], "its route is a customer's or its own, which it may tell everyone"),
        (8, [8], "it verifies Only to Customer, so it marks the route and keeps it"),
    ],
)
def test_who_leaks_nothing(leaker: int, adopters: list[int], why_not: str) -> None:
    found, through = one_leak(leaker, Adopters.of(twelve(), {Policy.OTC: adopters}))

    assert (found.why_not, through, found.share) == (why_not, set(), 0.0)
