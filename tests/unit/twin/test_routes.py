"""Routes on the graph of twelve, each derived by hand; and on a graph of our own, as they were when first computed."""

import hashlib
import random

import numpy as np
import pytest

from anycastle.base.errors import MisuseError
from anycastle.kernels.route_key import NARROW, WIDE, choose_layout
from anycastle.model.asn import ASN
from anycastle.twin.deployment import (
    Configuration,
    Deployment,
    Preference,
    Session,
    SessionGroup,
    Standing,
    Treatment,
    Wiring,
    deployment_of_origins,
)
from anycastle.twin.graph import Link, Links, build_graph
from anycastle.twin.routes import NO_GROUP, Propagation, propagate
from anycastle.twin.synthetic import make_graph
from tests.unit.twin.twelve import BOTH, EAST, OURS, WEST, catchment, told, twelve


@pytest.mark.mission("C12")
def test_both_pops() -> None:
    """Up: 7 has west at 2 (ours, 7), 3 at 3, 1 at 4; 11 has east at 2, 6 at 3, 2 at 4. Across: 1 and 2, 3 and 6 have
    customers' routes already; 4 and 5 have none to tell each other. Down: 4 hears 1 (5 long), 5 hears 2 (5), 8 hears 3
    (4) and 4 (6), 9 hears 4 (6), 10 hears 5 (6), 12 hears 6 (4).
    """
    assert told(propagate(twelve(), BOTH)) == {
        1: ("customer", 4, 3, "west"),
        2: ("customer", 4, 6, "east"),
        3: ("customer", 3, 7, "west"),
        4: ("provider", 5, 1, "west"),
        5: ("provider", 5, 2, "east"),
        6: ("customer", 3, 11, "east"),
        7: ("customer", 2, OURS, "west"),
        8: ("provider", 4, 3, "west"),
        9: ("provider", 6, 4, "west"),
        10: ("provider", 6, 5, "east"),
        11: ("customer", 2, OURS, "east"),
        12: ("provider", 4, 6, "east"),
    }


def test_a_prepend_does_not_move_who_hears_it_from_a_customer() -> None:
    """With two prepends at west, 3 has west at 5 from its customer and east at 4 from its peer 6; 1 has west at 6 from
    its customer and east at 5 from its peer. Both keep the customer's. All others have one PoP only to choose.
    """
    before, after = (propagate(twelve(), BOTH, BOTH.everywhere({"west": each})) for each in (0, 2))

    assert catchment(after, "west") == catchment(before, "west") == {1, 3, 4, 7, 8, 9}
    assert told(after)[9] == ("provider", 8, 4, "west")


def test_without_west() -> None:
    """6 tells its peer 3 (4 long), 2 its peer 1 (5). Down: 4 hears 1 (6), 7 hears 3 (5), 8 hears 3 (5) and 4 (7),
    9 hears 4 (7).
    """
    routes = told(propagate(twelve(), BOTH, BOTH.without("west")))

    assert {route[3] for route in routes.values()} == {"east"}
    assert len(routes) == 12
    assert routes[1] == ("peer", 5, 2, "east")
    assert routes[3] == ("peer", 4, 6, "east")
    assert routes[4] == ("provider", 6, 1, "east")
    assert routes[7] == ("provider", 5, 3, "east")
    assert routes[8] == ("provider", 5, 3, "east")
    assert routes[9] == ("provider", 7, 4, "east")


@pytest.mark.mission("M10")
@pytest.mark.parametrize(
    ("how", "length"),
    [(Treatment(no_export_to=frozenset({ASN(3)})), 2), (Treatment(poison=(ASN(3),)), 4)],
    ids=["no-export-to", "poisoned"],
)
def test_kept_from_3_west_serves_7_alone(how: Treatment, length: int) -> None:
    """7 is the only one that hears west, and 3 its only provider. A poisoned path is 64500 3 64500, so 4 long at 7."""
    routes = propagate(twelve(), BOTH, Configuration({"west": how, "east": Treatment()}))

    assert catchment(routes, "west") == {7}
    assert told(routes)[7] == ("customer", length, OURS, "west")
    assert told(routes)[3] == ("peer", 4, 6, "east")


def test_a_poisoned_neighbour_takes_nothing_from_us() -> None:
    """7 finds itself in the path."""
    routes = propagate(twelve(), BOTH, Configuration({"west": Treatment(poison=(ASN(7),)), "east": Treatment()}))

    assert catchment(routes, "west") == set()


def test_a_peer_tells_its_customers_only() -> None:
    """4 hears west 3 long from us as its peer, if we peer there as well: better than a provider's. It tells 8 (3 long
    where 3 offers 4) and 9, and neither its peer 5 nor its provider 1.
    """
    north = SessionGroup("north", "north", OURS, (Session(ASN(4), Standing.PEER),))
    routes = propagate(twelve(), Deployment((WEST, EAST, north)))

    assert catchment(routes, "north") == {4, 8, 9}
    assert told(routes)[4] == ("peer", 2, OURS, "north")
    assert told(routes)[8] == ("provider", 3, 4, "north")


def test_a_neighbour_that_prefers_us_first() -> None:
    """3 has west at 3 from 7. With a session of our own there and ten prepends it has 12 to choose instead, and does so
    only where it was asked to prefer it; then 1 hears 13, which is a customer's and so still the best.
    """
    south = SessionGroup("south", "south", OURS, (Session(ASN(3)),))
    deployment = Deployment((WEST, EAST, south))
    plain = {"west": Treatment(), "east": Treatment()}
    usual = propagate(twelve(), deployment, Configuration(plain | {"south": Treatment(10)}))
    first = propagate(
        twelve(), deployment, Configuration(plain | {"south": Treatment(10, preference=Preference.FIRST)})
    )

    assert catchment(usual, "south") == set()
    assert catchment(first, "south") == {1, 3, 4, 8, 9}
    assert told(first)[1] == ("customer", 13, 3, "south")


def test_a_neighbour_that_holds_us_below_its_peers() -> None:
    """3 treats west as a provider's, so it takes east from its peer 6, and 1 hears nothing from 3."""
    south = SessionGroup("south", "south", OURS, (Session(ASN(3)),))
    routes = propagate(
        twelve(),
        Deployment((EAST, south)),
        Configuration({"east": Treatment(), "south": Treatment(preference=Preference.AS_PROVIDER)}),
    )

    assert catchment(routes, "south") == set()
    assert told(routes)[3] == ("peer", 4, 6, "east")


def test_of_two_equal_neighbours_the_lowest_asn() -> None:
    """With PoPs at 7 and 9, 3 and 4 each hear a customer and are 3 long: so 8 hears its providers 3 and 4 equally long,
    and 1 its customers 3 and 4.
    """
    nine = SessionGroup("nine", "nine", OURS, (Session(ASN(9)),))
    routes = propagate(twelve(), Deployment((WEST, nine)))

    assert told(routes)[8] == ("provider", 4, 3, "west")
    assert told(routes)[1] == ("customer", 4, 3, "west")


def test_paths_shares_and_no_route() -> None:
    """9 goes 9 4 1 3 7. Six of twelve go west. Where only 10 peers with us, nobody else hears of it."""
    graph = twelve()
    routes = propagate(graph, BOTH)

    assert [int(graph.asn[node]) for node in routes.path(graph.node(9))] == [9, 4, 1, 3, 7]
    assert routes.shares().tolist() == [0.5, 0.5]
    weights = np.where(graph.asn == 12, 9.0, 1.0)
    assert routes.shares(weights).tolist() == [6 / 20, 14 / 20]

    alone = propagate(graph, Deployment((SessionGroup("x", "x", OURS, (Session(ASN(10), Standing.PEER),)),)))
    assert told(alone) == {10: ("peer", 2, OURS, "x")}
    assert alone.pop()[graph.node(1)] == NO_GROUP
    assert alone.path(graph.node(1)) == ()


def test_own_asn_in_the_graph_hears_nothing_back() -> None:
    """64500 as a customer of 12 in the graph: sessions speak for it, and what comes back has its ASN in the path."""
    graph = twelve().with_links([Link(ASN(12), OURS, -1)])
    routes = told(propagate(graph, BOTH))

    assert graph.origin.own_links == 1
    assert OURS not in routes
    assert routes[12] == ("provider", 4, 6, "east")


def test_an_origin_that_prefers_a_session_of_ours_is_no_origin() -> None:
    """10 originates with a prepend (2 long), and prefers AS 5 first, 2 long there: the lower ASN is told."""
    own = SessionGroup("own", "own", ASN(10))
    ours = SessionGroup("ours", "ours", ASN(5), (Session(ASN(10)),))
    configuration = Configuration({"own": Treatment(1), "ours": Treatment(preference=Preference.FIRST)})
    graph = build_graph(Links.of([Link(ASN(10), ASN(20), -1)]))

    assert told(propagate(graph, Deployment((own, ours)), configuration)) == {
        10: ("customer", 2, 5, "ours"),
        20: ("provider", 3, 10, "ours"),
    }


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        (Configuration({"wets": Treatment()}), "no session group 'wets'; there are: west, east"),
        (Configuration({"west": Treatment(-1)}), "west: prepends are 0 or more"),
    ],
)
def test_what_cannot_be_asked(configuration: Configuration, words: str) -> None:
    with pytest.raises(MisuseError, match=words):
        propagate(twelve(), BOTH, configuration)


def test_unknown_neighbours_are_all_named_and_can_be_left_out() -> None:
    deployment = Deployment((WEST, SessionGroup("a", "a", OURS, (Session(ASN(77)), Session(ASN(78))))))

    with pytest.raises(MisuseError, match="not in the graph twelve of 2025-09-01: AS77, AS78"):
        Wiring.of(twelve(), deployment)
    assert deployment.known_to(twelve()) == (Deployment((WEST,)), (77, 78))


def test_a_length_beyond_the_narrow_field_takes_wide_keys() -> None:
    """A chain of 80 customers below each other: 80 + 1 ASNs do not fit six bits."""
    links = Links.of(Link(ASN(each), ASN(each + 1), -1) for each in range(1, 80))
    graph = build_graph(links)
    deployment = deployment_of_origins([ASN(1)])
    narrow, longest = Propagation(Wiring.of(graph, deployment)).with_layout(deployment.everywhere(), NARROW)

    assert longest >= NARROW.length_max
    assert narrow.layout is NARROW
    routes = propagate(graph, deployment)
    assert routes.layout is WIDE
    assert routes.by_asn().length.tolist() == list(range(1, 81))


def test_layouts_by_need() -> None:
    assert choose_layout(131072, 128, 62) is NARROW
    assert choose_layout(131073, 128, 62) is WIDE
    assert choose_layout(100, 129, 62) is WIDE
    assert choose_layout(100, 1, 63) is WIDE
    with pytest.raises(MisuseError, match="do not fit"):
        choose_layout(100, 16385, 2)
    with pytest.raises(MisuseError, match="an AS_PATH of 65535"):
        choose_layout(100, 1, 65535)


FROZEN = {
    (1,): "dc0a23a961288d1b",
    (4, 77): "fa8e1de1ad34670a",
    (13, 200, 431, 599): "145578bdbaeb80fb",
}


@pytest.mark.parametrize("places", FROZEN)
def test_routes_of_a_graph_of_our_own_are_what_they_were(places: tuple[int, ...]) -> None:
    graph = make_graph(600, random.Random(20250901)).graph
    deployment = deployment_of_origins(ASN(100 + place) for place in places)
    prepends = {pop: index % 3 for index, pop in enumerate(deployment.pops)}
    fields = propagate(graph, deployment, deployment.everywhere(prepends)).by_asn()
    digest = hashlib.sha256()
    for column in (fields.asn, fields.class_, fields.length, fields.next_hop, fields.group):
        digest.update(column.astype("<u4").tobytes())

    assert digest.hexdigest()[:16] == FROZEN[places]
