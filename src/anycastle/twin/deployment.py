"""What is announced, and where: session groups, how each is treated, and the seeds that this gives propagation.

Theory of operation. A *session group* is a set of BGP sessions of one PoP over which the same is announced; it stands
in the graph as a node of its own, so one ASN can be announced from many places, each with its own prepends. What a
session brings to its neighbour is a seed: the neighbour then has our route as a customer's, a peer's or a provider's. A
group without sessions stands for an AS of the graph that announces to all of its neighbours.

AS_PATH lengths count every ASN, our own included: a route without prepends is 2 long at our neighbour, and 1 at us.
Poisoned ASNs stand between two of our own, so each adds one and all together one more.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.kernels.route_key import KeyLayout
from anycastle.model.asn import ASN
from anycastle.twin.graph import ASGraph

POISONED_MAX: Final = 16
"""ASNs poisoned in one announcement; several networks drop paths that are much longer (`AS_PATH_PREPEND_MAX`)."""


class Standing(Enum):
    """What our route is to the neighbour. The value is the class in a route's key."""

    CUSTOMER = 0
    """The neighbour is our provider: it tells everyone."""
    PEER = 1
    """It tells its customers."""
    PROVIDER = 2
    """The neighbour is our customer: it tells its own customers."""


class Preference(Enum):
    """What local preference the neighbour was asked for, by community."""

    DEFAULT = "default"
    FIRST = "first"
    """Above all else that it hears. Only for a provider of ours."""
    AS_PEER = "as-peer"
    """Among its peers' routes; it then tells its customers only."""
    AS_PROVIDER = "as-provider"
    """Among its providers' routes; it then tells its customers only."""


@dataclass(frozen=True, slots=True)
class Session:
    """One neighbour, and what we are to it."""

    neighbour: ASN
    standing: Standing = Standing.CUSTOMER


@dataclass(frozen=True, slots=True)
class SessionGroup:
    """Sessions of one PoP that always carry the same announcement."""

    name: str
    pop: str
    asn: ASN
    sessions: tuple[Session, ...] = ()
    """Empty: `asn` is in the graph and announces to all of its neighbours."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """How a group's announcement is made."""

    prepend: int = 0
    no_export_to: frozenset[ASN] = frozenset()
    """The group's neighbours are asked, by community, not to tell these."""
    poison: tuple[ASN, ...] = ()
    """Put into the AS_PATH, so that these drop the route."""
    preference: Preference = Preference.DEFAULT

    @property
    def length(self) -> int:
        """AS_PATH length as it leaves us."""
        return 1 + self.prepend + (len(self.poison) + 1 if self.poison else 0)


PLAIN: Final = Treatment()


@dataclass(frozen=True, slots=True)
class Configuration:
    """Which groups announce, by name, and how. A group that is not named announces nothing."""

    announced: Mapping[str, Treatment]


@dataclass(frozen=True, slots=True)
class Deployment:
    """All session groups. A group's index is what routes carry."""

    groups: tuple[SessionGroup, ...]

    def __post_init__(self) -> None:
        counted = Counter(group.name for group in self.groups)
        twice = sorted(name for name, count in counted.items() if count > 1)
        if twice:
            raise MisuseError(f"session groups need names of their own; twice: {', '.join(twice)}")

    @property
    def pops(self) -> tuple[str, ...]:
        """The PoPs, in the order of their first group."""
        return tuple(dict.fromkeys(group.pop for group in self.groups))

    def pop_of_group(self) -> NDArray[np.int32]:
        """Give each group's PoP as an index into `pops`, int32[group]."""
        place = {name: index for index, name in enumerate(self.pops)}
        return np.array([place[group.pop] for group in self.groups], np.int32)

    def announcing(self, configuration: Configuration) -> frozenset[str]:
        """Give the PoPs that announce something."""
        return frozenset(group.pop for group in self.groups if group.name in configuration.announced)

    def everywhere(self, prepend: Mapping[str, int] | None = None) -> Configuration:
        """Give the configuration in which all groups announce; `prepend` by PoP."""
        prepends = prepend or {}
        return Configuration({g.name: Treatment(prepends.get(g.pop, 0)) for g in self.groups})

    def without(self, *pops: str, base: Configuration | None = None) -> Configuration:
        """Give a configuration less these PoPs. Raises `MisuseError` for a PoP that is not there."""
        unknown = sorted(set(pops) - set(self.pops))
        if unknown:
            raise MisuseError(f"no PoP {', '.join(unknown)}; there are: {', '.join(self.pops)}")
        announced = (base or self.everywhere()).announced
        silent = {group.name for group in self.groups if group.pop in pops}
        return Configuration({name: how for name, how in announced.items() if name not in silent})

    def known_to(self, graph: ASGraph) -> tuple["Deployment", tuple[ASN, ...]]:
        """Give the deployment less the neighbours that the graph does not have, and these."""
        asked = [s.neighbour for g in self.groups for s in g.sessions]
        absent = {asn for asn, node in zip(asked, graph.nodes(asked), strict=True) if node < 0}
        groups = tuple(
            replace(group, sessions=tuple(s for s in group.sessions if s.neighbour not in absent))
            for group in self.groups
        )
        kept = tuple(new for new, old in zip(groups, self.groups, strict=True) if new.sessions or not old.sessions)
        return Deployment(kept), tuple(sorted(absent))


def deployment_of_origins(origins: Iterable[ASN]) -> Deployment:
    """Give the deployment in which each of these ASes of the graph is a PoP of its own."""
    return Deployment(tuple(SessionGroup(f"AS{asn}", f"AS{asn}", asn) for asn in origins))


@dataclass(frozen=True, slots=True)
class RankSpace:
    """The ranks of next hops: those of the graph, with room for announcers that are not in it."""

    rank: NDArray[np.uint32]
    """uint32[node]."""
    asn_of_rank: NDArray[np.uint32]
    """uint32[rank], ascending."""

    @staticmethod
    def of(graph: ASGraph, deployment: Deployment) -> "RankSpace":
        """Give the ranks of the graph's ASNs and of all announcers."""
        ascending = graph.by_asn
        own = np.unique(np.array([group.asn for group in deployment.groups], np.uint32))
        fresh = own[~np.isin(own, ascending)] if len(own) else own
        if not len(fresh):
            return RankSpace(graph.rank, ascending)
        before = np.searchsorted(fresh, graph.asn).astype(np.uint32)
        return RankSpace(graph.rank + before, np.sort(np.concatenate([ascending, fresh])))

    def of_asn(self, asn: int) -> int:
        """Give the rank of an ASN that has one."""
        return int(np.searchsorted(self.asn_of_rank, np.uint32(asn)))


class Seed(NamedTuple):
    """A route put into the graph at `node`."""

    node: int
    key: int
    group: int
    kind: int
    """The class as whose the node hears it, before any preference that was asked for."""
    preferred: bool
    """The node takes it whatever else it hears: an origin's own, or `Preference.FIRST`."""
    origin: bool = False


@dataclass(frozen=True, slots=True)
class Seeds:
    """What one configuration puts into the graph, and what is refused there."""

    seeds: list[Seed] = field(default_factory=list)
    refusals: set[tuple[int, int, int]] = field(default_factory=set)
    """(to, from, group) that is not taken; -1 stands for all."""

    def add(self, seed: Seed) -> None:
        """Add a seed, unless its node refuses the group."""
        if not {(seed.node, -1, -1), (seed.node, -1, seed.group)} & self.refusals:
            self.seeds.append(seed)


@dataclass(frozen=True, slots=True)
class Wiring:
    """The deployment's sessions as nodes of one graph. Made once; gives the seeds of each configuration."""

    graph: ASGraph
    deployment: Deployment
    ranks: RankSpace
    nodes: tuple[tuple[int, ...], ...]
    """Of each group: its neighbours' nodes, or its own where it has no sessions."""
    own_rank: tuple[int, ...]
    """Of each group: the rank of its announcer."""
    silent: frozenset[int]
    """Nodes of announcers with sessions: their own route never comes back to them, and the sessions speak for them."""

    @staticmethod
    def of(graph: ASGraph, deployment: Deployment) -> "Wiring":
        """Find the nodes. Raises `MisuseError` that names all ASNs that the graph does not have."""
        asked = [tuple(s.neighbour for s in g.sessions) or (g.asn,) for g in deployment.groups]
        flat = [asn for each in asked for asn in each]
        absent = sorted({asn for asn, node in zip(flat, graph.nodes(flat), strict=True) if node < 0})
        if absent:
            names = ", ".join(f"AS{asn}" for asn in absent)
            raise MisuseError(f"not in the graph {graph.origin.name} of {graph.origin.date or 'no date'}: {names}")
        own = [group.asn for group in deployment.groups if group.sessions]
        ranks = RankSpace.of(graph, deployment)
        return Wiring(
            graph,
            deployment,
            ranks,
            tuple(tuple(map(int, graph.nodes(each))) for each in asked),
            tuple(ranks.of_asn(group.asn) for group in deployment.groups),
            frozenset(int(node) for node in graph.nodes(own) if node >= 0),
        )

    def seeded(self) -> tuple[set[int], set[int]]:
        """Give the nodes that can hear us as a customer, and those that can as a peer or provider."""
        bottom, beside = set[int](), set[int]()
        for group, nodes in zip(self.deployment.groups, self.nodes, strict=True):
            standings = [session.standing for session in group.sessions] or [Standing.CUSTOMER]
            for node, standing in zip(nodes, standings, strict=True):
                (bottom if standing is Standing.CUSTOMER else beside).add(node)
        return bottom, beside

    def longest(self, configurations: Iterable[Configuration]) -> int:
        """Give the longest AS_PATH at a neighbour."""
        return max((how.length + 1 for each in configurations for how in each.announced.values()), default=1)

    def seeds(self, configuration: Configuration, layout: KeyLayout) -> Seeds:
        """Give the seeds. Raises `MisuseError` where the configuration asks what cannot be."""
        self._check(configuration)
        seeds = Seeds(refusals={(node, -1, -1) for node in self.silent})
        for index, (group, nodes) in enumerate(zip(self.deployment.groups, self.nodes, strict=True)):
            how = configuration.announced.get(group.name)
            if how is None:
                continue
            rank = self.own_rank[index]
            self._refuse(seeds.refusals, index, nodes, how)
            if not group.sessions:
                seeds.add(Seed(nodes[0], layout.key(0, how.length, rank, index), index, 0, preferred=True, origin=True))
            for session, node in zip(group.sessions, nodes, strict=False):
                class_ = _CLASS_ASKED.get(how.preference, session.standing).value
                key = layout.key(class_, how.length + 1, rank, index)
                first = how.preference is Preference.FIRST
                seeds.add(Seed(node, key, index, session.standing.value, preferred=first))
        return seeds

    def _refuse(self, refusals: set[tuple[int, int, int]], group: int, nodes: tuple[int, ...], how: Treatment) -> None:
        if how.poison:
            refusals.update((int(node), -1, group) for node in self.graph.nodes(how.poison) if node >= 0)
        if how.no_export_to:
            told = [int(node) for node in self.graph.nodes(sorted(how.no_export_to)) if node >= 0]
            refusals.update((node, neighbour, group) for node in told for neighbour in nodes)

    def _check(self, configuration: Configuration) -> None:
        groups = {group.name: group for group in self.deployment.groups}
        for name, how in configuration.announced.items():
            if name not in groups:
                raise MisuseError(f"no session group {name!r}; there are: {', '.join(groups)}")
            if how.prepend < 0 or len(how.poison) > POISONED_MAX:
                raise MisuseError(f"{name}: prepends are 0 or more, and at most {POISONED_MAX} ASNs are poisoned")
            standings = {session.standing for session in groups[name].sessions}
            if how.preference is Preference.FIRST and standings != {Standing.CUSTOMER}:
                raise MisuseError(f"{name}: only a provider of ours can be asked to prefer us above all else")


_CLASS_ASKED: Final = {Preference.AS_PEER: Standing.PEER, Preference.AS_PROVIDER: Standing.PROVIDER}
