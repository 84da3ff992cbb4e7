"""Random internets, deployments and configurations, for the properties of the twin."""

from dataclasses import dataclass

from hypothesis import strategies as st

from anycastle.model.asn import ASN
from anycastle.twin.deployment import (
    Configuration,
    Deployment,
    Preference,
    Session,
    SessionGroup,
    Standing,
    Treatment,
)
from anycastle.twin.graph import ASGraph, Link, Links, build_graph
from anycastle.twin.policy import Adopters, Fault, Policy
from anycastle.twin.reference import PlainInternet, plain_routes
from anycastle.twin.routes import Routes

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


@dataclass(frozen=True, slots=True)
class Scenario:
    links: list[Link]
    deployment: Deployment
    configurations: list[Configuration]
    policies: dict[ASN, Policy]
    faults: tuple[Fault, ...]

    @property
    def asns(self) -> list[ASN]:
        return _asns(self.links)

    def graph(self) -> ASGraph:
        return build_graph(Links.of(self.links))

    def adopters(self, graph: ASGraph) -> Adopters:
        return Adopters.of(graph, {p: [a for a, has in self.policies.items() if has & p] for p in Policy})

    def expected(self, configuration: Configuration) -> dict[int, tuple[int, int, int, int]]:
        """AS -> (coded class, length, next hop, group), by plain Python."""
        internet = PlainInternet.of(self.links, self.policies)
        routes = plain_routes(internet, self.deployment, configuration, self.faults)
        origins = {group.asn for group in self.deployment.groups if not group.sessions}
        return {
            asn: (4 if asn in origins and route.next_hop == asn else 3 - route.told, *route[1:4])
            for asn, route in routes.items()
        }


def found(routes: Routes) -> dict[int, tuple[int, int, int, int]]:
    """The same of a kernel's routes."""
    fields = routes.by_asn()
    columns = (fields.asn, fields.class_, fields.length, fields.next_hop, fields.group)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {asn: (class_, length, hop, group) for asn, class_, length, hop, group in rows if class_}


@st.composite
def scenarios(draw: st.DrawFn, configurations_max: int = 1) -> Scenario:
    links = draw(internets())
    asns = _asns(links)
    deployment = draw(deployments(asns))
    policies = draw(st.dictionaries(st.sampled_from(asns), st.sampled_from([*Policy, Policy(3), Policy(6)])))
    group = st.integers(0, len(deployment.groups) - 1)
    classes = st.sampled_from([(0, 1, 2), (0, 1), (2,)])
    faults = tuple(draw(st.lists(st.builds(Fault, group, st.sampled_from(list(Policy)), classes), max_size=2)))
    some = st.lists(configurations(deployment, asns), min_size=1, max_size=configurations_max)
    return Scenario(links, deployment, draw(some), policies, faults)
