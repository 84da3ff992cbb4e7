"""Which routes a speaker holds and tells: announcements of its own alone, or a whole RIB.

Both books answer every input with what each session must be sent; sessions are named by `NeighbourConfig.name`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from anycastle.io.speaker.config import NeighbourConfig
from anycastle.model.announcement import Announcement, Announcements
from anycastle.model.prefix import Address, Family, Prefix
from anycastle.rib.adj_rib_in import AdjRIBIn, Key
from anycastle.rib.adj_rib_out import AdjRIBOut, Changes
from anycastle.rib.loc_rib import BestChange
from anycastle.rib.origination import announced
from anycastle.rib.policy import NetworkPolicy
from anycastle.rib.route import Route
from anycastle.rib.table import RIB, Outcome
from anycastle.session.negotiation import Negotiated

Exports = Mapping[str, Changes]
NextHops = Mapping[Family, Address]
Step = Callable[[AdjRIBIn], set[Prefix]]


class RouteBook(Protocol):
    """The routes of a speaker."""

    def up(self, name: str, negotiated: Negotiated, next_hops: NextHops) -> Exports:
        """A session came up and knows nothing."""
        ...

    def down(self, name: str) -> None:
        """A session is gone."""
        ...

    def receive(self, name: str, routes: Iterable[Route], withdrawn: Iterable[Key]) -> Exports:
        """A neighbour sent an UPDATE."""
        ...

    def change(self, name: str, step: Step) -> Exports:
        """Carry out a step on what a neighbour told us."""
        ...

    def received(self, name: str) -> AdjRIBIn:
        """Give what a neighbour told us, as far as it is kept."""
        ...

    def sent(self, name: str) -> AdjRIBOut:
        """Give what a neighbour was told."""
        ...


class AnnouncementBook:
    """Announcements of our own, to each upstream its own; nothing that is received is passed on."""

    def __init__(self, neighbours: Iterable[NeighbourConfig], *, keep_received: bool) -> None:
        self._neighbours = {neighbour.name: neighbour for neighbour in neighbours}
        self._keep = {
            name for name, neighbour in self._neighbours.items() if keep_received or neighbour.session.prefix_limits
        }
        self._received = {name: AdjRIBIn() for name in self._neighbours}
        self._sent = {name: AdjRIBOut() for name in self._neighbours}
        self._up: dict[str, tuple[Negotiated, NextHops]] = {}
        self._wanted: Announcements = frozenset()

    @property
    def wanted(self) -> Announcements:
        """What was last asked for."""
        return self._wanted

    def set(self, wanted: Announcements) -> Exports:
        """Announce exactly this."""
        self._wanted = wanted
        changes = ((name, self._sent[name].replace(self._routes(name))) for name in self._up)
        return {name: change for name, change in changes if change}

    def exported(self) -> Announcements:
        """Give what the established sessions were sent, as far as every session of the upstream has it."""
        exported = set()
        for announcement in self._wanted:
            carriers = [name for name in self._up if self._carries(name, announcement)]
            if carriers and all(self._has(name, announcement) for name in carriers):
                exported.add(announcement)
        return frozenset(exported)

    def up(self, name: str, negotiated: Negotiated, next_hops: NextHops) -> Exports:
        """A session came up: it is sent all that is wanted."""
        self._up[name] = (negotiated, next_hops)
        self._sent[name].reset()
        changes = self._sent[name].replace(self._routes(name))
        return {name: changes} if changes else {}

    def down(self, name: str) -> None:
        """A session is gone."""
        self._up.pop(name, None)
        self._sent[name].reset()

    def receive(self, name: str, routes: Iterable[Route], withdrawn: Iterable[Key]) -> Exports:
        """Keep what a neighbour says, where someone wants it kept."""
        if name in self._keep:
            self._received[name].withdraw(withdrawn)
            self._received[name].add(routes)
        return {}

    def change(self, name: str, step: Step) -> Exports:
        """Carry out a step on what a neighbour told us."""
        step(self._received[name])
        return {}

    def received(self, name: str) -> AdjRIBIn:
        """Give what a neighbour told us; empty where nothing is kept."""
        return self._received[name]

    def sent(self, name: str) -> AdjRIBOut:
        """Give what a neighbour was told."""
        return self._sent[name]

    def _carries(self, name: str, announcement: Announcement) -> bool:
        negotiated, next_hops = self._up[name]
        family = announcement.prefix.family
        mine = self._neighbours[name].upstream == announcement.upstream
        return mine and family in negotiated.families and family in next_hops

    def _has(self, name: str, announcement: Announcement) -> bool:
        return self._sent[name].sent(announcement.prefix) == self._route(name, announcement)

    def _routes(self, name: str) -> list[Route]:
        carried = (each for each in self._wanted if self._carries(name, each))
        return [self._route(name, each) for each in sorted(carried, key=lambda each: each.prefix)]

    def _route(self, name: str, announcement: Announcement) -> Route:
        negotiated, next_hops = self._up[name]
        return announced(
            announcement,
            self._neighbours[name].session.local_asn,
            next_hops[announcement.prefix.family],
            internal=negotiated.internal,
            peer_role=negotiated.peer_role,
        )


class NetworkBook:
    """The RIB of an emulated network."""

    def __init__(
        self,
        neighbours: Iterable[NeighbourConfig],
        policy: NetworkPolicy,
        on_best: Callable[[tuple[BestChange, ...]], None],
    ) -> None:
        self.rib = RIB(policy)
        self._on_best = on_best
        for neighbour in neighbours:
            assert neighbour.policy is not None, "the speaker's configuration was checked"
            self.rib.add_neighbour(replace(neighbour.policy, name=neighbour.name))

    def originate(self, routes: Iterable[Route]) -> Exports:
        """Hold exactly these routes of our own."""
        return self._tell(self.rib.originate(routes))

    def up(self, name: str, negotiated: Negotiated, next_hops: NextHops) -> Exports:
        """A session came up."""
        return self._tell(self.rib.up(name, next_hops, negotiated.families))

    def down(self, name: str) -> None:
        """A session is gone."""
        self.rib.down(name)

    def receive(self, name: str, routes: Iterable[Route], withdrawn: Iterable[Key]) -> Exports:
        """Take an UPDATE into the RIB."""
        return self._tell(self.rib.receive(name, routes, withdrawn))

    def change(self, name: str, step: Step) -> Exports:
        """Carry out a step on what a neighbour told us."""
        return self._tell(self.rib.change(name, step))

    def received(self, name: str) -> AdjRIBIn:
        """Give what a neighbour told us."""
        return self.rib.received(name)

    def sent(self, name: str) -> AdjRIBOut:
        """Give what a neighbour was told."""
        return self.rib.sent(name)

    def _tell(self, outcome: Outcome) -> Exports:
        if outcome.best:
            self._on_best(outcome.best)
        return outcome.exports
