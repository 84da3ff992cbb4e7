"""Each step of the decision process, and that the order of arrival never matters."""

from ipaddress import IPv4Address

import pytest

from anycastle.rib.decision import STEPS, Rules, explain, select
from anycastle.rib.route import Route
from anycastle.wire.bgp.as_path import ASPath, Segment, SegmentKind
from anycastle.wire.bgp.attributes import Origin
from tests.unit.rib.routes import route

A_SET = ASPath((Segment(SegmentKind.SEQUENCE, (64501,)), Segment(SegmentKind.SET, (1, 2, 3))))
IDENTIFIER = IPv4Address(0x0A000001)

CASES = [
    ("local preference", route(number=2, local_preference=200, path=(1, 2, 3)), route(number=1)),
    ("local preference", route(number=2), route(number=1, local_preference=99)),
    ("originated here", route(own=True, path=()), route(number=1)),
    ("AS_PATH length", route(number=2, path=(64502,)), route(number=1, path=(64501, 64501))),
    ("AS_PATH length", route(number=2, as_path=A_SET), route(number=1, path=(64501, 1, 2))),
    ("ORIGIN", route(number=2), route(number=1, origin=Origin.EGP)),
    ("ORIGIN", route(number=2, origin=Origin.EGP), route(number=1, origin=Origin.INCOMPLETE)),
    ("MULTI_EXIT_DISC", route(number=2, med=5), route(number=1, med=6)),
    ("MULTI_EXIT_DISC", route(number=2), route(number=1, med=1)),
    ("eBGP over iBGP", route(number=2), route(number=1, internal=True)),
    ("BGP Identifier", route(number=2, identifier=1), route(number=1, identifier=2)),
    (
        "BGP Identifier",
        route(number=2, internal=True, originator_id=IPv4Address(1)),
        route(number=1, internal=True, identifier=2),
    ),
    (
        "CLUSTER_LIST length",
        route(number=2, identifier=1, cluster_list=(IDENTIFIER,)),
        route(number=1, identifier=1, cluster_list=(IDENTIFIER, IDENTIFIER)),
    ),
    ("peer address", route(number=1, identifier=1), route(number=2, identifier=1)),
    ("path identifier", route(path_id=1), route(path_id=2)),
]


@pytest.mark.rfc("4271", "9.1.1", "9.1.2", "9.1.2.2")
@pytest.mark.rfc("4456", "9")
@pytest.mark.parametrize(("step", "best", "other"), CASES)
def test_each_step_decides(step: str, best: Route, other: Route) -> None:
    decided = explain(best, other)
    assert decided is not None
    assert decided.name == step
    assert explain(other, best) is None
    assert select([best, other]) is best
    assert select([other, best]) is best


def test_every_step_has_a_case() -> None:
    assert [step.name for step in STEPS] == list(dict.fromkeys(case[0] for case in CASES))


@pytest.mark.rfc("4271", "9.1.2.2")
def test_med_is_compared_within_one_neighbouring_as() -> None:
    here, there = route(number=1, path=(64501,), med=9), route(number=2, path=(64502,), med=1)
    assert explain(here, there).name == "BGP Identifier"
    always = Rules(always_compare_med=True)
    assert explain(there, here, always).name == "MULTI_EXIT_DISC"


@pytest.mark.rfc("4271", "9.1.2.2")
def test_a_route_that_loses_by_med_does_not_beat_others_in_passing() -> None:
    """Compared pair by pair, the outcome of these three would depend on their order."""
    a = route(number=1, path=(10,), med=5, identifier=3)
    b = route(number=2, path=(20,), med=0, identifier=2)
    c = route(number=3, path=(10,), med=1, identifier=9)
    for order in ((a, b, c), (a, c, b), (b, a, c), (b, c, a), (c, a, b), (c, b, a)):
        assert select(order) is b


def test_no_route_has_no_best_and_one_is_its_own() -> None:
    assert select([]) is None
    only = route()
    assert select([only]) is only
    assert explain(only, only) is None
