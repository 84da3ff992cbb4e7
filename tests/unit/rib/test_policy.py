"""What a network takes, prefers and passes on."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from anycastle.base.errors import ParseError
from anycastle.model.asn import ASN
from anycastle.model.community import (
    BLACKHOLE,
    GRACEFUL_SHUTDOWN,
    NO_ADVERTISE,
    NO_EXPORT,
    NO_PEER,
    ExtendedCommunity,
    LargeCommunity,
    StandardCommunity,
)
from anycastle.rib.action import PrependTo, SetLocalPreference, SuppressTo, actions_of, parse_action
from anycastle.rib.only_to_customer import check_received, check_sent
from anycastle.rib.policy import NeighbourPolicy, NetworkPolicy, Refused, Relationship, export_route, import_route
from anycastle.rib.route import Route
from anycastle.wire.bgp.attributes import PathAttributes, UnknownAttribute
from anycastle.wire.bgp.capability import RoleValue
from tests.unit.rib.routes import route, source

R = Relationship
OWN = ASN(64600)
HOP = ip_address("10.9.9.9")
VOCABULARY = {
    "prepend-2": StandardCommunity(64600, 102),
    "prepend-1-to-64503": LargeCommunity(64600, 9, 1),
    "no-announce-to-64503": StandardCommunity(64600, 3),
    "no-announce": StandardCommunity(64600, 0),
    "local-pref-70": StandardCommunity(64600, 70),
    "blackhole": BLACKHOLE,
}
NETWORK = NetworkPolicy(OWN, actions_of(VOCABULARY))


def neighbour(relationship: Relationship, number: int = 1, **more: object) -> NeighbourPolicy:
    return NeighbourPolicy(f"n{number}", ASN(64500 + number), relationship, **more)


def taken(relationship: Relationship, number: int = 1, **attributes: object) -> Route:
    imported = import_route(route(number=number, **attributes), neighbour(relationship, number), NETWORK)
    assert isinstance(imported, Route), imported
    return imported


def told(best: Route, relationship: Relationship, **more: object) -> Route | Refused:
    return export_route(best, neighbour(relationship, 3, check_roles=False, **more), NETWORK, HOP)


@pytest.mark.parametrize(
    ("relationship", "preference"),
    [(R.CUSTOMER, 200), (R.PEER, 100), (R.ROUTE_SERVER, 100), (R.ROUTE_SERVER_CLIENT, 100), (R.PROVIDER, 50)],
)
def test_customers_are_preferred_to_peers_and_peers_to_providers(relationship: Relationship, preference: int) -> None:
    imported = taken(relationship, local_preference=999)  # RFC 4271 §5.1.5: not believed from outside
    assert imported.attributes.local_preference == preference


def test_a_neighbour_may_have_a_preference_of_its_own() -> None:
    imported = import_route(route(), neighbour(R.PEER, local_preference=120), NETWORK)
    assert isinstance(imported, Route)
    assert imported.attributes.local_preference == 120


@pytest.mark.parametrize("to", [R.CUSTOMER, R.PEER, R.PROVIDER, R.ROUTE_SERVER, R.ROUTE_SERVER_CLIENT, R.COLLECTOR])
@pytest.mark.parametrize("learnt", [R.CUSTOMER, R.PEER, R.PROVIDER, None])
def test_valley_free_export(learnt: Relationship | None, to: Relationship) -> None:
    best = (
        route(own=True, path=())
        if learnt is None
        else replace(import_route(route(), neighbour(learnt, check_roles=False), NETWORK))
    )
    outcome = told(best, to)
    passes = learnt in (None, R.CUSTOMER) or to in (R.CUSTOMER, R.ROUTE_SERVER_CLIENT, R.COLLECTOR)
    assert isinstance(outcome, Route) is passes


@pytest.mark.rfc("4271", "5.1.2", "5.1.3", "5.1.4", "5.1.5", "9.1.3")
def test_what_leaves_the_network() -> None:
    best = taken(
        R.CUSTOMER,
        path=(64501, 64501),
        med=5,
        communities=(StandardCommunity(1, 2), VOCABULARY["prepend-2"]),
        extended_communities=(ExtendedCommunity(0x0002 << 48), ExtendedCommunity(0x4002 << 48)),
        unknown=(UnknownAttribute(99, 0xC0, b"x"), UnknownAttribute(98, 0x80, b"y")),
    )
    sent = told(best, R.PEER)
    assert isinstance(sent, Route)
    assert str(sent.attributes.as_path) == "64600 64600 64600 64501 64501"
    assert sent.next_hop == HOP
    assert sent.source is None
    assert sent.attributes.med is None
    assert sent.attributes.local_preference is None
    assert sent.attributes.communities == (StandardCommunity(1, 2),), "the action was for us"
    assert sent.attributes.extended_communities == (ExtendedCommunity(0x0002 << 48),)
    assert [(each.code, each.flags) for each in sent.attributes.unknown] == [(99, 0xE0)]


def test_prepending_towards_a_neighbour() -> None:
    sent = told(route(own=True, path=(), med=4), R.PEER, prepend=2)
    assert isinstance(sent, Route)
    assert str(sent.attributes.as_path) == "64600 64600 64600"
    assert sent.attributes.med == 4


@pytest.mark.rfc("4271", "9.1.2")
def test_a_loop_is_not_taken() -> None:
    refused = import_route(route(path=(64501, OWN)), neighbour(R.CUSTOMER), NETWORK)
    assert refused == Refused("AS_PATH holds our own AS64600")


def test_a_route_does_not_go_back_where_it_came_from() -> None:
    best = taken(R.CUSTOMER, number=3)
    assert told(best, R.CUSTOMER) == Refused("it came from there")


@pytest.mark.rfc("1997")
@pytest.mark.rfc("3765", "2")
@pytest.mark.parametrize(
    ("community", "to", "passes"),
    [
        (NO_EXPORT, R.CUSTOMER, False),
        (NO_EXPORT, R.INTERNAL, True),
        (NO_ADVERTISE, R.INTERNAL, False),
        (NO_ADVERTISE, R.COLLECTOR, False),
        (NO_PEER, R.PEER, False),
        (NO_PEER, R.ROUTE_SERVER, False),
        (NO_PEER, R.PROVIDER, True),
    ],
)
def test_well_known_communities_hold_routes_back(community: StandardCommunity, to: Relationship, passes: bool) -> None:
    assert isinstance(told(taken(R.CUSTOMER, communities=(community,)), to), Route) is passes


@pytest.mark.rfc("8326", "4.1", "4.2")
@pytest.mark.mission("C2")
@pytest.mark.parametrize("relationship", [R.CUSTOMER, R.PEER, R.PROVIDER])
def test_graceful_shutdown_is_the_last_choice(relationship: Relationship) -> None:
    communities = (GRACEFUL_SHUTDOWN, VOCABULARY["local-pref-70"])
    assert taken(relationship, communities=communities).attributes.local_preference == 0


@pytest.mark.rfc("7999", "3.2", "3.3")
def test_a_blackhole_is_for_customers_and_goes_no_further() -> None:
    asked = {"prefix": "192.0.2.53/32", "communities": (BLACKHOLE,)}
    imported = taken(R.CUSTOMER, **asked)
    assert NO_EXPORT in imported.attributes.communities
    assert told(imported, R.PEER) == Refused("NO_EXPORT")
    assert import_route(route(**asked), neighbour(R.PEER), NETWORK) == Refused("longer than /24")
    assert taken(R.CUSTOMER, communities=(BLACKHOLE, NO_EXPORT)).attributes.communities == (BLACKHOLE, NO_EXPORT)
    lenient = replace(NETWORK, longest_only=False)
    assert isinstance(import_route(route("192.0.2.53/32"), neighbour(R.PEER), lenient), Route)


@pytest.mark.mission("C2")
def test_customers_steer_by_community_and_others_do_not() -> None:
    words = {word: (community,) for word, community in VOCABULARY.items() if word != "prepend-1-to-64503"}
    assert taken(R.CUSTOMER, communities=words["local-pref-70"]).attributes.local_preference == 70
    assert taken(R.PEER, communities=words["local-pref-70"]).attributes.local_preference == 100
    refused = Refused("its sender asked for no announcement here")
    assert told(taken(R.CUSTOMER, communities=words["no-announce"]), R.PROVIDER) == refused
    assert told(taken(R.CUSTOMER, communities=words["no-announce-to-64503"]), R.PROVIDER) == refused
    elsewhere = taken(R.CUSTOMER, communities=words["no-announce-to-64503"])
    assert isinstance(export_route(elsewhere, neighbour(R.PROVIDER, 4), NETWORK, HOP), Route)
    prepended = told(taken(R.CUSTOMER, large_communities=(VOCABULARY["prepend-1-to-64503"],)), R.PROVIDER)
    assert isinstance(prepended, Route)
    assert prepended.attributes.as_path.length == 3
    ignored = told(taken(R.PEER, communities=words["no-announce"]), R.CUSTOMER)
    assert isinstance(ignored, Route)


def test_tags_of_ours_are_believed_from_nobody_else() -> None:
    forged = LargeCommunity(OWN, 1, 1)
    imported = taken(R.PROVIDER, large_communities=(forged, LargeCommunity(1, 1, 1)))
    assert imported.attributes.large_communities == (LargeCommunity(1, 1, 1), LargeCommunity(OWN, 1, 3))
    assert isinstance(told(imported, R.PEER), Refused)


@pytest.mark.rfc("4271", "9.2.1", "5.1.5")
def test_inside_the_network() -> None:
    inside = route(internal=True)
    assert import_route(inside, neighbour(R.INTERNAL), NETWORK) is inside
    assert told(inside, R.INTERNAL) == Refused("iBGP does not pass on what iBGP brought")
    sent = told(route(own=True, path=()), R.INTERNAL)
    assert isinstance(sent, Route)
    assert sent.attributes.local_preference == 100
    assert sent.attributes.as_path.length == 0
    kept = told(taken(R.CUSTOMER), R.INTERNAL)
    assert isinstance(kept, Route)
    assert (kept.attributes.local_preference, kept.next_hop) == (200, route().next_hop)


def test_a_collector_says_nothing_and_hears_all() -> None:
    assert import_route(route(), neighbour(R.COLLECTOR), NETWORK) == Refused("a collector announces nothing")


def test_a_family_without_next_hop_is_not_told() -> None:
    assert export_route(route(own=True), neighbour(R.PEER), NETWORK, None) == Refused(
        "no next hop for ipv4 on this session"
    )


@pytest.mark.rfc("7947", "2.2.1", "2.2.2.1", "2.2.3")
def test_a_route_server_is_transparent() -> None:
    server = replace(NETWORK, transparent=True)
    best = import_route(route(med=7), neighbour(R.ROUTE_SERVER_CLIENT), server)
    assert isinstance(best, Route)
    sent = export_route(best, neighbour(R.ROUTE_SERVER_CLIENT, 3), server, HOP)
    assert isinstance(sent, Route)
    assert (str(sent.attributes.as_path), sent.next_hop, sent.attributes.med) == ("64501", route().next_hop, 7)


V = RoleValue
NONE = PathAttributes()


def otc(asn: int) -> PathAttributes:
    return PathAttributes(only_to_customer=ASN(asn))


@pytest.mark.rfc("9234", "5")
@pytest.mark.parametrize(
    ("role", "attributes", "mark"),
    [
        (V.CUSTOMER, NONE, None),
        (V.CUSTOMER, otc(1), "leak"),
        (V.ROUTE_SERVER_CLIENT, NONE, None),
        (V.ROUTE_SERVER_CLIENT, otc(64501), "leak"),
        (V.PEER, NONE, 64501),
        (V.PEER, otc(64501), 64501),
        (V.PEER, otc(1), "leak"),
        (V.PROVIDER, NONE, 64501),
        (V.PROVIDER, otc(1), 1),
        (V.ROUTE_SERVER, NONE, 64501),
        (V.ROUTE_SERVER, otc(1), 1),
        (None, otc(1), 1),
    ],
)
def test_only_to_customer_on_the_way_in(role: RoleValue | None, attributes: PathAttributes, mark: object) -> None:
    checked = check_received(attributes, role, ASN(64501))
    assert (checked.only_to_customer if checked is not None else "leak") == mark


@pytest.mark.rfc("9234", "5")
@pytest.mark.parametrize(
    ("role", "attributes", "mark"),
    [
        (V.CUSTOMER, NONE, 64600),
        (V.CUSTOMER, otc(1), 1),
        (V.ROUTE_SERVER_CLIENT, NONE, 64600),
        (V.ROUTE_SERVER_CLIENT, otc(1), 1),
        (V.PEER, NONE, 64600),
        (V.PEER, otc(1), "held"),
        (V.PROVIDER, NONE, None),
        (V.PROVIDER, otc(1), "held"),
        (V.ROUTE_SERVER, NONE, None),
        (V.ROUTE_SERVER, otc(1), "held"),
        (None, otc(1), 1),
    ],
)
def test_only_to_customer_on_the_way_out(role: RoleValue | None, attributes: PathAttributes, mark: object) -> None:
    checked = check_sent(attributes, role, OWN)
    assert (checked.only_to_customer if checked is not None else "held") == mark


@pytest.mark.rfc("9234", "5")
def test_policy_applies_only_to_customer() -> None:
    leak = import_route(route(only_to_customer=ASN(9)), neighbour(R.CUSTOMER), NETWORK)
    assert isinstance(leak, Refused)
    assert leak.reason.startswith("route leak")
    marked = taken(R.PEER)
    assert marked.attributes.only_to_customer == 64501
    stuck = replace(taken(R.CUSTOMER), attributes=replace(taken(R.CUSTOMER).attributes, only_to_customer=ASN(9)))
    assert export_route(stuck, neighbour(R.PROVIDER, 3), NETWORK, HOP) == Refused("Only to Customer forbids it")


def test_the_words_of_a_vocabulary() -> None:
    assert parse_action("prepend-3") == PrependTo(3)
    assert parse_action("prepend-1-to-AS64602") == PrependTo(1, ASN(64602))
    assert parse_action("no-announce") == SuppressTo()
    assert parse_action("no-announce-to-64602") == SuppressTo(ASN(64602))
    assert parse_action("local-pref-80") == SetLocalPreference(80)
    assert parse_action("blackhole") is None
    assert parse_action("local-pref-much") is None
    for wrong in ("prepend-0", "prepend-99", "prepend-x"):
        with pytest.raises(ParseError, match="1 to 16 times"):
            parse_action(wrong)
    assert BLACKHOLE not in actions_of(VOCABULARY)
    assert source().name == "n1"
