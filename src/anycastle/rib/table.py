"""The whole RIB of one emulated network: routes in, best routes, routes out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from anycastle.model.prefix import Address, Family, Prefix
from anycastle.rib.adj_rib_in import AdjRIBIn, Key
from anycastle.rib.adj_rib_out import AdjRIBOut, Changes
from anycastle.rib.decision import DEFAULT_RULES, Rules
from anycastle.rib.loc_rib import BestChange, LocRIB
from anycastle.rib.policy import NeighbourPolicy, NetworkPolicy, Refused, export_route, import_route
from anycastle.rib.route import Route


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an input changed: best routes, and what each neighbour must be sent."""

    best: tuple[BestChange, ...] = ()
    exports: Mapping[str, Changes] = field(default_factory=dict)


class _Neighbour:
    """A neighbour's policy and its two RIBs; `next_hops` is None while its session is down."""

    def __init__(self, policy: NeighbourPolicy) -> None:
        self.policy = policy
        self.routes = AdjRIBIn()
        self.sent = AdjRIBOut()
        self.next_hops: Mapping[Family, Address] | None = None
        self.families: frozenset[Family] = frozenset()


class RIB:
    """Routes of one network and its neighbours; every input gives what it changed."""

    def __init__(self, policy: NetworkPolicy, rules: Rules = DEFAULT_RULES) -> None:
        self._policy = policy
        self._best = LocRIB(rules)
        self._own: dict[Prefix, Route] = {}
        self._neighbours: dict[str, _Neighbour] = {}

    @property
    def best(self) -> LocRIB:
        """The best routes."""
        return self._best

    def add_neighbour(self, policy: NeighbourPolicy) -> None:
        """Know a neighbour; its session is down."""
        self._neighbours[policy.name] = _Neighbour(policy)

    def received(self, name: str) -> AdjRIBIn:
        """Give what a neighbour has told us."""
        return self._neighbours[name].routes

    def sent(self, name: str) -> AdjRIBOut:
        """Give what a neighbour has been told."""
        return self._neighbours[name].sent

    def originate(self, routes: Iterable[Route]) -> Outcome:
        """Hold exactly these routes of our own."""
        wanted = {route.prefix: route for route in routes}
        changed = {prefix for prefix in wanted.keys() | self._own.keys() if wanted.get(prefix) != self._own.get(prefix)}
        self._own = wanted
        return self._decide(changed)

    def receive(self, name: str, announced: Iterable[Route], withdrawn: Iterable[Key]) -> Outcome:
        """Take in what a neighbour's UPDATE says: withdrawals first (RFC 4271 §3.1: one message never does both)."""
        routes = self._neighbours[name].routes
        return self._decide(routes.withdraw(withdrawn) | routes.add(announced))

    def change(self, name: str, step: Callable[[AdjRIBIn], set[Prefix]]) -> Outcome:
        """Carry out a step on a neighbour's Adj-RIB-In, such as `AdjRIBIn.mark_stale`."""
        return self._decide(step(self._neighbours[name].routes))

    def up(self, name: str, next_hops: Mapping[Family, Address], families: frozenset[Family]) -> Outcome:
        """A session came up: the neighbour knows nothing yet. `next_hops` are our addresses on it."""
        neighbour = self._neighbours[name]
        neighbour.next_hops, neighbour.families = next_hops, families
        neighbour.sent.reset()
        changes = self._export(neighbour, [route.prefix for route in self._best])
        return Outcome((), {name: changes} if changes else {})

    def down(self, name: str) -> None:
        """A session is gone, and with it what the neighbour knew; what it told us stays until told otherwise."""
        neighbour = self._neighbours[name]
        neighbour.next_hops = None
        neighbour.sent.reset()

    def _decide(self, prefixes: Iterable[Prefix]) -> Outcome:
        decided = (self._best.decide(prefix, self._candidates(prefix)) for prefix in sorted(prefixes))
        changes = tuple(change for change in decided if change is not None)
        exports = {}
        for name, neighbour in self._neighbours.items():
            if neighbour.next_hops is not None:
                sent = self._export(neighbour, [change.prefix for change in changes])
                if sent:
                    exports[name] = sent
        return Outcome(changes, exports)

    def _candidates(self, prefix: Prefix) -> list[Route]:
        candidates = [self._own[prefix]] if prefix in self._own else []
        for neighbour in self._neighbours.values():
            for route in neighbour.routes.routes(prefix):
                taken = import_route(route, neighbour.policy, self._policy)
                if not isinstance(taken, Refused):
                    candidates.append(taken)
        return candidates

    def _export(self, neighbour: _Neighbour, prefixes: Iterable[Prefix]) -> Changes:
        assert neighbour.next_hops is not None
        wanted: dict[Prefix, Route | None] = {}
        for prefix in prefixes:
            if prefix.family not in neighbour.families:
                continue
            best, next_hop = self._best.best(prefix), neighbour.next_hops.get(prefix.family)
            told = None if best is None else export_route(best, neighbour.policy, self._policy, next_hop)
            wanted[prefix] = None if isinstance(told, Refused) else told
        return neighbour.sent.apply(wanted)
