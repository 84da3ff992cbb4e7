"""The kernel gives what plain Python gives, on random graphs, for everything that an announcement can ask."""

from hypothesis import given, settings
from hypothesis import strategies as st

from anycastle.kernels.route_key import NARROW, WIDE
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
)
from anycastle.twin.graph import Link, Links, build_graph
from anycastle.twin.policy import Adopters, Fault, Policy
from anycastle.twin.reference import PlainInternet, plain_routes
from anycastle.twin.routes import Propagation

ASES = 14


@st.composite
def internets(draw: st.DrawFn) -> list[Link]:
    """A few ASes; who stands earlier in a drawn order may provide for who stands later."""
    order = draw(st.permutations([ASN(10 * each) for each in range(1, ASES + 1)]))
    kinds = draw(st.lists(st.sampled_from([None, None, None, -1, -1, 0]), min_size=91, max_size=91))
    pairs = [(a, b) for at, a in enumerate(order) for b in order[at + 1 :]]
    links = [Link(a, b, kind) for (a, b), kind in zip(pairs, kinds, strict=True) if kind is not None]
    return links or [Link(order[0], order[1], -1)]


def _asns(links: list[Link]) -> list[ASN]:
    return sorted({asn for link in links for asn in link[:2]})


@st.composite
def deployments(draw: st.DrawFn, asns: list[ASN]) -> Deployment:
    """Groups of sessions of one or two announcers, one of which may be in the graph, or whole ASes."""
    groups = []
    own = draw(st.sampled_from([ASN(5), ASN(65), ASN(999), asns[0]]))
    others = [asn for asn in asns if asn != own]
    for index in range(draw(st.integers(1, 4))):
        pop = f"pop{draw(st.integers(0, 2))}"
        if draw(st.booleans()):
            standing = draw(st.sampled_from(list(Standing)))
            neighbours = draw(st.lists(st.sampled_from(others), min_size=1, max_size=3, unique=True))
            sessions = tuple(Session(neighbour, standing) for neighbour in neighbours)
            groups.append(SessionGroup(f"g{index}", pop, own, sessions))
        else:
            groups.append(SessionGroup(f"g{index}", pop, draw(st.sampled_from(others))))
    return Deployment(tuple(groups))


@st.composite
def configurations(draw: st.DrawFn, deployment: Deployment, asns: list[ASN]) -> Configuration:
    announced = {}
    some = st.lists(st.sampled_from(asns), max_size=2, unique=True)
    for group in deployment.groups:
        if not draw(st.integers(0, 4)):
            continue
        preferences = [Preference.DEFAULT]
        if group.sessions:
            preferences += [Preference.AS_PEER, Preference.AS_PROVIDER]
            if {session.standing for session in group.sessions} == {Standing.CUSTOMER}:
                preferences.append(Preference.FIRST)
        announced[group.name] = Treatment(
            draw(st.integers(0, 3)),
            frozenset(draw(some)),
            tuple(draw(some)) if group.sessions else (),
            draw(st.sampled_from(preferences)),
        )
    return Configuration(announced)


@st.composite
def scenarios(
    draw: st.DrawFn,
) -> tuple[list[Link], Deployment, Configuration, dict[ASN, Policy], tuple[Fault, ...]]:
    links = draw(internets())
    asns = _asns(links)
    deployment = draw(deployments(asns))
    policies = draw(st.dictionaries(st.sampled_from(asns), st.sampled_from([*Policy, Policy(3), Policy(6)])))
    group = st.integers(0, len(deployment.groups) - 1)
    classes = st.sampled_from([(0, 1, 2), (0, 1), (2,)])
    faults = tuple(draw(st.lists(st.builds(Fault, group, st.sampled_from(list(Policy)), classes), max_size=2)))
    return links, deployment, draw(configurations(deployment, asns)), policies, faults


@settings(max_examples=300)
@given(scenarios())
def test_the_kernel_equals_plain_python(
    scenario: tuple[list[Link], Deployment, Configuration, dict[ASN, Policy], tuple[Fault, ...]],
) -> None:
    links, deployment, configuration, policies, faults = scenario
    graph = build_graph(Links.of(links))
    adopters = Adopters.of(graph, {p: [a for a, has in policies.items() if has & p] for p in Policy})
    expected = plain_routes(PlainInternet.of(links, policies), deployment, configuration, faults)
    propagation = Propagation(Wiring.of(graph, deployment), adopters, faults)

    for layout in (NARROW, WIDE):
        routes, longest = propagation.with_layout(configuration, layout)
        fields = routes.by_asn()
        found = {
            ASN(int(asn)): (max(0, 3 - int(class_)), int(length), int(hop), int(group))
            for asn, class_, length, hop, group in zip(
                fields.asn, fields.class_, fields.length, fields.next_hop, fields.group, strict=True
            )
            if class_
        }

        assert found == {asn: (route.told, *route[1:4]) for asn, route in expected.items()}
        assert longest <= max((route.length for route in expected.values()), default=0)
