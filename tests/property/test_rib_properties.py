"""What must hold for any routes in any order."""

from hypothesis import given
from hypothesis import strategies as st

from anycastle.model.asn import ASN
from anycastle.model.prefix import Family, Prefix
from anycastle.rib.adj_rib_out import AdjRIBOut
from anycastle.rib.decision import Rules, explain, select
from anycastle.rib.policy import NeighbourPolicy, NetworkPolicy, Relationship
from anycastle.rib.route import Route
from anycastle.rib.table import RIB
from anycastle.wire.bgp.attributes import Origin
from tests.unit.rib.routes import route

NUMBERS = st.integers(1, 4)
ONE_PREFIX = st.just("192.0.2.0/24")
PREFIXES = st.sampled_from(["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/48"])


@st.composite
def routes(draw: st.DrawFn, prefixes: st.SearchStrategy[str] = ONE_PREFIX) -> Route:
    number = draw(NUMBERS)
    return route(
        draw(prefixes),
        number,
        (64500 + number, *draw(st.lists(st.integers(1, 3), max_size=2))),
        internal=draw(st.booleans()),
        identifier=draw(st.integers(1, 3)),
        path_id=draw(st.integers(1, 3)),
        local_preference=draw(st.none() | st.integers(99, 101)),
        origin=draw(st.sampled_from(Origin)),
        med=draw(st.none() | st.integers(0, 2)),
    )


@given(st.lists(routes(), max_size=8), st.booleans(), st.randoms(use_true_random=False))
def test_the_choice_does_not_depend_on_the_order(candidates: list[Route], always: bool, random: object) -> None:
    """RFC 4271 §9.1.2.2: for any set of distinct routes there is one best."""
    keys = {(each.source, each.path_id): each for each in candidates}
    distinct = list(keys.values())
    rules = Rules(always_compare_med=always)
    best = select(distinct, rules)
    shuffled = distinct.copy()
    random.shuffle(shuffled)
    again = select(shuffled, rules)
    same_rank = again is best or (again is not None and best is not None and explain(best, again, rules) is None)
    assert same_rank
    assert (best is None) is (not distinct)


@given(st.lists(routes()), st.booleans())
def test_the_best_is_beaten_by_nobody_when_all_med_compare(candidates: list[Route], internal: bool) -> None:
    rules = Rules(always_compare_med=True)
    best = select(candidates, rules)
    for each in candidates:
        assert explain(each, best, rules) is None


WANTED = st.dictionaries(PREFIXES, st.integers(0, 3))


def wanted_routes(wanted: dict[str, int]) -> list[Route]:
    return [route(prefix, med=med) for prefix, med in wanted.items()]


@given(st.lists(WANTED, max_size=6), WANTED)
def test_any_way_to_a_state_ends_in_the_same_state(history: list[dict[str, int]], last: dict[str, int]) -> None:
    """A peer that applies every change holds what a fresh one would be sent; applying again sends nothing."""
    rib, peer = AdjRIBOut(), {}
    for wanted in [*history, last]:
        changes = rib.replace(wanted_routes(wanted))
        for prefix in changes.withdrawn:
            del peer[prefix]
        for each in changes.announced:
            assert peer.get(each.prefix) != each, "only differences leave"
            peer[each.prefix] = each
    fresh = AdjRIBOut()
    fresh.replace(wanted_routes(last))
    assert set(peer.values()) == set(fresh) == set(rib)
    assert not rib.replace(wanted_routes(last))


KINDS = (Relationship.CUSTOMER, Relationship.PEER, Relationship.PROVIDER, Relationship.CUSTOMER)
NAMES = [f"n{number}" for number in (1, 2, 3, 4)]
HOPS = {Family.IPV4: route().next_hop, Family.IPV6: route().next_hop}


def network(names: list[str]) -> RIB:
    rib = RIB(NetworkPolicy(ASN(64600)))
    for name, kind in zip(NAMES, KINDS, strict=True):
        rib.add_neighbour(NeighbourPolicy(name, ASN(64500 + int(name[1])), kind))
    for name in names:
        rib.up(name, HOPS, frozenset(Family))
    return rib


STEPS = st.lists(st.tuples(NUMBERS, PREFIXES, st.none() | st.integers(0, 3)), max_size=20)


@given(STEPS)
def test_a_network_forgets_how_it_came_to_know(steps: list[tuple[int, str, int | None]]) -> None:
    """After any changes, best routes and exports are those of a network that was told the last state at once."""
    rib = network(NAMES)
    told: dict[tuple[int, str], Route] = {}
    peers: dict[str, dict[Prefix, Route]] = {name: {} for name in NAMES}
    for number, prefix, med in steps:
        said = route(prefix, number, (64500 + number, 9), med=med)
        withdrawn = [said.key] if med is None else []
        outcome = rib.receive(f"n{number}", [] if withdrawn else [said], withdrawn)
        told.pop((number, prefix), None) if withdrawn else told.update({(number, prefix): said})
        for name, changes in outcome.exports.items():
            for gone in changes.withdrawn:
                del peers[name][gone]
            peers[name].update({each.prefix: each for each in changes.announced})
    fresh = network([])
    for (number, _), said in told.items():
        fresh.receive(f"n{number}", [said], [])
    for name in NAMES:
        fresh.up(name, HOPS, frozenset(Family))
        assert peers[name] == {each.prefix: each for each in fresh.sent(name)}
    assert set(rib.best) == set(fresh.best)
