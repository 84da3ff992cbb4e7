"""What each peer holds of the routes that concern us.

Theory of operation. Routes are kept per peer, prefix by prefix, and stay for their history after they were
withdrawn. A peer that goes down takes nothing away: its epoch is raised, which in one step makes everything that it
told unknown, neither held nor withdrawn, whatever number of routes that is. When it comes back it tells its routes
anew, each stamped with the new epoch; until `REFILL_S` have passed, what it has not told again stays unknown, and
counts as absent only after that. So a reset is not a storm of withdrawals.

Visibility of a prefix is the share of ASes that hold it among those able to, one vote per AS. Able is a peer that is
up, is not our own router, and has a full table of the family, where tables were read at the start; where none was,
a peer that has told anything of this very prefix, as a feed that began without a table says nothing of what is calm.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.model.community import Community
from anycastle.model.prefix import Family, Prefix
from anycastle.watch.fact import Peer, RouteSeen, TableSize
from anycastle.watch.path import hops_of, origins_of
from anycastle.watch.region import RegionMap
from anycastle.wire.bgp.as_path import ASPath

if TYPE_CHECKING:
    from anycastle.watch.claim import RouteClaim, Suspicion

HISTORY_MAX: Final = 32
"""Changes kept per peer and prefix; beyond it the oldest are forgotten."""

REFILL_S: Final = 300.0
"""Time that a peer is given to tell its whole table after a reset; a full table takes a minute or two."""

FULL_TABLE_SHARE: Final = 0.75
"""A table with this share of the largest table of its family is a full one; partial feeds hold a few percent."""


_Votes = dict[tuple[str, str], tuple[dict[ASN, None], dict[ASN, None]]]
"""(kind of group, its name) -> ASes that hold a prefix, and ASes that do not."""

_ALL: Final = ("", "")


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a route's history; no path for a withdrawal."""

    at: Timestamp
    path: ASPath | None


class RouteState:
    """One prefix at one peer: the route that it holds, or when it lost it."""

    __slots__ = (
        "changed", "changes", "communities", "epoch", "first", "history", "hops", "only_to_customer", "origins",
        "path", "suspicions",
    )  # fmt: skip

    def __init__(self, at: Timestamp) -> None:
        self.path: ASPath | None = None
        """None once it was withdrawn."""
        self.origins: tuple[ASN, ...] = ()
        self.hops: tuple[ASN, ...] = ()
        self.communities: frozenset[Community] = frozenset()
        self.only_to_customer: ASN | None = None
        self.epoch = 0
        self.first = at
        self.changed = at
        self.changes = 0
        self.history: deque[Change] = deque(maxlen=HISTORY_MAX)
        self.suspicions: tuple[tuple[RouteClaim, Suspicion], ...] = ()


class PeerView:
    """One peer: whether it is up, and its routes."""

    __slots__ = ("epoch", "own", "peer", "refilled_at", "region", "routes", "sizes", "suspected", "up")

    def __init__(self, peer: Peer, own: bool, region: str | None = None) -> None:
        self.peer = peer
        self.region = region
        self.own = own
        """It is a router of ours that feeds the collector: it sees what we tell it, not what the Internet does."""
        self.up = True
        self.epoch = 0
        self.refilled_at: Timestamp | None = None
        """When what it has not told again after a reset is held to be absent; None outside a reset."""
        self.routes: dict[Prefix, RouteState] = {}
        self.sizes: dict[Family, int] = {}
        self.suspected: dict[Prefix, None] = {}
        """Prefixes whose route supports a suspicion: all that a Peer Down has to go through."""

    def holds(self, state: RouteState) -> bool:
        """Tell whether a route is held now."""
        return self.up and state.path is not None and state.epoch == self.epoch


@dataclass(frozen=True, slots=True)
class Visibility:
    """Who sees a prefix: ASes that hold it, and ASes that are able to but do not, each in order."""

    holding: tuple[ASN, ...]
    missing: tuple[ASN, ...]

    @property
    def able(self) -> int:
        """ASes that are able to see it."""
        return len(self.holding) + len(self.missing)

    @property
    def share(self) -> float:
        """Share that holds it, 0 to 1; 1 where nobody is able to say."""
        return len(self.holding) / self.able if self.able else 1.0


@dataclass(frozen=True, slots=True)
class Survey:
    """One prefix at all peers, those that are down and our own left out."""

    states: tuple[tuple[PeerView, RouteState], ...]
    """Peers that hold it or did, in the order in which they were first heard."""
    visibility: Visibility
    by_collector: dict[str, Visibility]
    by_region: dict[str, Visibility]

    @property
    def holders(self) -> tuple[tuple[PeerView, RouteState], ...]:
        """Peers that hold it."""
        return tuple((view, state) for view, state in self.states if view.holds(state))


class Views:
    """All peers."""

    def __init__(self, own_asns: frozenset[ASN], regions: RegionMap | None = None) -> None:
        self._own = own_asns
        self._regions = regions or RegionMap()
        self.peers: dict[Peer, PeerView] = {}
        self._states: dict[Prefix, dict[PeerView, RouteState]] = {}
        """The routes once more, by prefix, so that one can be surveyed without asking every peer for it."""
        self._largest: dict[Family, int] = {}
        self.collectors: dict[str, int] = {}
        """Collector -> its peers that are up and not ours."""

    def view(self, peer: Peer) -> PeerView:
        """Give a peer's view, made when it is first heard of."""
        view = self.peers.get(peer)
        if view is None:
            view = self.peers[peer] = PeerView(peer, peer.asn in self._own, self._regions.of(peer))
            self._count(view, 1)
        return view

    def _count(self, view: PeerView, change: int) -> None:
        if not view.own:
            collector = view.peer.collector
            self.collectors[collector] = self.collectors.get(collector, 0) + change

    @property
    def collectors_up(self) -> int:
        """Collectors with a peer that is up."""
        return sum(1 for peers in self.collectors.values() if peers > 0)

    def put(self, fact: RouteSeen, view: PeerView) -> tuple[RouteState, bool]:
        """Take a route; tell whether it is another one than before."""
        state = view.routes.get(fact.prefix)
        if state is None:
            state = self._begin(fact.prefix, view, fact.at if fact.since is None else fact.since)
        elif (
            state.epoch == view.epoch
            and state.path == fact.path
            and state.communities == fact.communities
            and state.only_to_customer == fact.only_to_customer
        ):
            return state, False
        moved = state.path != fact.path
        told_otherwise = state.communities != fact.communities or state.only_to_customer != fact.only_to_customer
        state.path, state.epoch = fact.path, view.epoch
        state.communities, state.only_to_customer = fact.communities, fact.only_to_customer
        at = fact.at if fact.since is None else fact.since
        if moved or told_otherwise:
            state.changed = at
        if moved:
            state.origins, state.hops = origins_of(fact.path), hops_of(fact.path)
            state.changes += 1
            state.history.append(Change(at, fact.path))
        return state, True

    def knows(self, prefix: Prefix) -> bool:
        """Tell whether any peer has told of a prefix."""
        return prefix in self._states

    @property
    def prefixes(self) -> int:
        """Prefixes that some peer has told of."""
        return len(self._states)

    def renew(self, own_asns: frozenset[ASN], regions: RegionMap, keep: Callable[[Prefix], bool]) -> None:
        """Take other ASNs for ours and other regions, and forget all prefixes but those to keep."""
        self._own, self._regions = own_asns, regions
        for view in self.peers.values():
            own = view.peer.asn in own_asns
            if own is not view.own and view.up:
                self._count(view, -1)
                view.own = own
                self._count(view, 1)
            view.own, view.region = own, regions.of(view.peer)
        for prefix in [each for each in self._states if not keep(each)]:
            for view in self._states.pop(prefix):
                del view.routes[prefix]
                view.suspected.pop(prefix, None)

    def holders(self, prefix: Prefix) -> list[tuple[PeerView, RouteState]]:
        """Give the peers that hold a prefix now, our own among them."""
        return [(view, state) for view, state in self._states.get(prefix, {}).items() if view.holds(state)]

    def known(self) -> list[Prefix]:
        """Give the prefixes that some peer has told of."""
        return list(self._states)

    def forget_unheld(self, keep: Callable[[Prefix], bool]) -> None:
        """Forget the prefixes that no peer holds any more, with their histories, but for those to keep."""
        for prefix, told in list(self._states.items()):
            if not keep(prefix) and not any(view.holds(state) for view, state in told.items()):
                for view in told:
                    del view.routes[prefix]
                del self._states[prefix]

    def _begin(self, prefix: Prefix, view: PeerView, at: Timestamp) -> RouteState:
        state = view.routes[prefix] = RouteState(at)
        self._states.setdefault(prefix, {})[view] = state
        return state

    def drop(self, prefix: Prefix, view: PeerView, at: Timestamp) -> tuple[RouteState, bool]:
        """Take a withdrawal; tell whether it changed anything. One of an unknown route says that it was held."""
        state = view.routes.get(prefix)
        if state is None:
            state = self._begin(prefix, view, at)
        elif state.path is None and state.epoch == view.epoch:
            return state, False
        state.path, state.epoch, state.changed = None, view.epoch, at
        state.changes += 1
        state.history.append(Change(at, None))
        return state, True

    def down(self, peer: Peer) -> PeerView:
        """Make everything that a peer told unknown."""
        view = self.view(peer)
        if view.up:
            view.up = False
            view.epoch += 1
            self._count(view, -1)
        return view

    def up(self, peer: Peer, at: Timestamp) -> PeerView:
        """Note that a peer is back and will tell its routes anew."""
        view = self.view(peer)
        if not view.up:
            view.up = True
            self._count(view, 1)
        if view.routes:
            view.refilled_at = Timestamp(at + REFILL_S)
        return view

    def sized(self, fact: TableSize) -> None:
        """Note how large a peer's table is."""
        view = self.view(fact.peer)
        view.sizes[fact.family] = fact.routes
        if not view.own:
            self._largest[fact.family] = max(self._largest.get(fact.family, 0), fact.routes)

    def able(self, view: PeerView, family: Family) -> bool:
        """Tell whether a peer would see a prefix of that family if the Internet did."""
        if not view.up or view.own:
            return False
        if family in view.sizes:
            return view.sizes[family] >= FULL_TABLE_SHARE * self._largest.get(family, 0)
        return family not in self._largest

    def survey(self, prefix: Prefix, now: Timestamp) -> "Survey":
        """Go through all peers: who has or had the prefix, and who sees it, in all and by collector."""
        told = self._states.get(prefix, {})
        states = tuple([(view, state) for view, state in told.items() if view.up and not view.own])
        votes: _Votes = {_ALL: ({}, {})}
        family = prefix.family
        for view, state in states:
            if self.able(view, family):
                self._vote(votes, view, self._holds(view, state, family, now))
        if family in self._largest:
            for view in self.peers.values():
                if view not in told and self.able(view, family):
                    self._vote(votes, view, self._holds(view, None, family, now))
        counted = {
            group: Visibility(tuple(sorted(holding)), tuple(sorted(missing.keys() - holding.keys())))
            for group, (holding, missing) in votes.items()
        }
        by_collector, by_region = (
            {name: each for (kind, name), each in counted.items() if kind == wanted}
            for wanted in ("collector", "region")
        )
        return Survey(states, counted[_ALL], by_collector, by_region)

    def _vote(self, votes: _Votes, view: PeerView, holds: bool | None) -> None:
        groups = [_ALL, ("collector", view.peer.collector)]
        if view.region is not None:
            groups.append(("region", view.region))
        for group in groups:
            vote = votes.setdefault(group, ({}, {}))
            if holds is not None:
                vote[not holds][view.peer.asn] = None

    def _holds(self, view: PeerView, state: RouteState | None, family: Family, now: Timestamp) -> bool | None:
        """Tell whether a peer holds a route; None where it has said nothing of it, or not yet again after a reset."""
        if state is not None and view.holds(state):
            return True
        if state is None and family not in view.sizes:
            return None
        if view.refilled_at is None or now >= view.refilled_at:
            return False
        return None if state is None or state.epoch != view.epoch else False
