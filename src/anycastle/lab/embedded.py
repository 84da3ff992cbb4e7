"""The embedded backend: a whole topology in one process, on the loopback, without root.

Every network is a real BGP speaker of ours with a whole RIB, every PoP a real agent with a real check of a real name
server; sessions are TCP connections between addresses of 127.0.0.0/8. Only forwarding is emulated: a client's packet
follows, network by network, the best route that each one's RIB holds at that moment, and takes as long as the way is.
"""

import asyncio
import os
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path

from anycastle.daemons.agent import AgentDaemon
from anycastle.io.agent_state import AgentStateFile
from anycastle.io.routers.embedded import InProcessDriver
from anycastle.io.speaker.config import NeighbourConfig, SpeakerConfig
from anycastle.io.speaker.event import SpeakerEvent
from anycastle.io.speaker.for_pop import speaker_config
from anycastle.io.speaker.speaker import Speaker
from anycastle.lab.distance import one_way_s
from anycastle.lab.fleet import Endpoint, far_end, fleet_of
from anycastle.lab.name_server import NameServer
from anycastle.lab.relations import relationship
from anycastle.lab.topology import LabService, Link, Node, NodeKind, Relation, Topology
from anycastle.model.event import Event
from anycastle.model.pop import Router
from anycastle.model.prefix import Address
from anycastle.model.upstream import Neighbour
from anycastle.rib.policy import NeighbourPolicy, NetworkPolicy
from anycastle.rib.route import Route
from anycastle.session.config import SessionConfig
from anycastle.wire.bgp.as_path import ASPath
from anycastle.wire.bgp.attributes import Origin, PathAttributes

PORT = 10179
"""Of every speaker; unprivileged."""
SERVICE_PORT = 10053
HOPS_MAX = 32


class LoopbackWiring:
    """Gives every node an address of its own: 127.N.I.1, with N from the process id, so that labs do not meet."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._network = 2 + os.getpid() % 250
        self._places = {node.name: place for place, node in enumerate(topology.nodes, start=1)}

    def address(self, name: str) -> IPv4Address:
        """Give a node's address."""
        place = self._places[name]
        return IPv4Address(f"127.{self._network}.{place // 250}.{1 + place % 250}")

    def router(self, pop: str) -> Router:
        """Give a PoP's embedded speaker."""
        options = {"port": str(PORT), "listen": str(self.address(pop))}
        return Router("embedded", self._topology.router_id(pop), options)

    def neighbour(self, link: Link, pop: str) -> Neighbour:
        """Give the far end's address."""
        return Neighbour(self.address(far_end(link, pop)), self.address(pop), PORT)

    def endpoint(self, service: LabService, pop: str) -> Endpoint:  # noqa: ARG002  one server per PoP
        """Give the PoP's own name server."""
        return Endpoint(self.address(pop), SERVICE_PORT)


class EmbeddedLab:
    """A topology that runs. `on_event` hears what agents record, `on_speaker` what networks' speakers tell, by name."""

    def __init__(
        self,
        topology: Topology,
        on_event: Callable[[Event], None],
        on_speaker: Callable[[str, SpeakerEvent], None] | None = None,
        state_dir: Path | None = None,
    ) -> None:
        self.topology = topology
        self.wiring = LoopbackWiring(topology)
        self._on_event = on_event
        self._on_speaker = on_speaker
        self._state_dir = state_dir
        self._by_address: dict[Address, str] = {self.wiring.address(node.name): node.name for node in topology.nodes}
        self.speakers: dict[str, Speaker] = {}
        self.agents: dict[str, AgentDaemon] = {}
        self.servers: dict[str, NameServer] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Build everything. Raises `WorldError` where an address or a port cannot be had."""
        for node in self.topology.of_kind(NodeKind.POP):
            self.servers[node.name] = NameServer(node.name, str(self.wiring.address(node.name)), SERVICE_PORT)
            await self.servers[node.name].start()
        for node in self.topology.nodes:
            if node.kind is not NodeKind.POP:
                self.speakers[node.name] = self._network(node)
                await self.speakers[node.name].start()
                self.speakers[node.name].originate(_own_routes(node))
        for node in self.topology.of_kind(NodeKind.POP):
            self.start_agent(node.name)

    async def close(self) -> None:
        """Stop everything; nothing is left."""
        for daemon in self.agents.values():
            daemon.stop()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        await asyncio.gather(*(speaker.stop("the lab is over") for speaker in self.speakers.values()))
        for server in self.servers.values():
            server.stop()

    def start_agent(self, pop: str) -> None:
        """Start a PoP's speaker and its agent."""
        fleet = fleet_of(self.topology, self.wiring, pop)
        speaker = Speaker(speaker_config(fleet.asn, fleet.pop(pop)), lambda event: self._heard(pop, event))
        store = AgentStateFile(self._state_dir / f"{pop}.json") if self._state_dir is not None else None
        daemon = AgentDaemon(fleet, pop, InProcessDriver(speaker), record=self._on_event, store=store)
        self.agents[pop] = daemon
        self._running[pop] = asyncio.create_task(daemon.run())

    def forward(self, client: str, address: Address) -> tuple[str, float] | None:
        """Give the PoP that a packet from a client to an address reaches now, and the time it takes there."""
        here, took_s = client, 0.0
        for _ in range(HOPS_MAX):
            if here in self.servers:
                return here, took_s
            best = self.speakers[here].rib.best.lookup(address)
            if best is None or best.source is None:
                return None
            there = self._by_address[best.source.address]
            took_s += one_way_s(self.topology.node(here).location, self.topology.node(there).location)
            here = there
        return None

    def route_of(self, client: str, service: LabService) -> Callable[[], tuple[tuple[str, int], float] | None]:
        """Give the function that tells where a client's packets to a service end up."""

        def route() -> tuple[tuple[str, int], float] | None:
            reached = self.forward(client, service.address)
            if reached is None:
                return None
            return (str(self.wiring.address(reached[0])), SERVICE_PORT), reached[1]

        return route

    def catchment(self, service: LabService) -> dict[str, str | None]:
        """Give which PoP each client's packets reach now."""
        reached = {node.name: self.forward(node.name, service.address) for node in self.clients}
        return {name: where[0] if where is not None else None for name, where in reached.items()}

    @property
    def clients(self) -> tuple[Node, ...]:
        """The client networks."""
        return self.topology.of_kind(NodeKind.CLIENT)

    def _heard(self, name: str, event: SpeakerEvent) -> None:
        if self._on_speaker is not None:
            self._on_speaker(name, event)

    def _network(self, node: Node) -> Speaker:
        links = self.topology.links_of(node.name)
        neighbours = tuple(self._neighbour(node, link) for link in links)
        listen = ((self.wiring.address(node.name), PORT),)
        config = SpeakerConfig(
            neighbours, listen, NetworkPolicy(node.asn, transparent=node.kind is NodeKind.ROUTE_SERVER)
        )
        return Speaker(config, lambda event: self._heard(node.name, event))

    def _neighbour(self, node: Node, link: Link) -> NeighbourConfig:
        far = self.topology.node(far_end(link, node.name))
        far_asn = self.topology.asn if far.kind is NodeKind.POP else far.asn
        session = SessionConfig(
            local_asn=node.asn,
            peer_asn=far_asn,
            identifier=self.topology.router_id(node.name),
            peer=far.name,
            hold_time_s=self.topology.timers.hold_time_s,
            connect_retry_s=0.5,
            idle_hold_s=0.2,
            check_first_asn=far.kind is not NodeKind.ROUTE_SERVER,  # RFC 7947 §2.2.2.1
        )
        prepend = link.prepend if link.first == node.name else 0
        with_roles = link.relation is not Relation.MONITOR
        policy = NeighbourPolicy(
            far.name, far_asn, relationship(self.topology, link, node.name), prepend, check_roles=with_roles
        )
        return NeighbourConfig(
            upstream=far.name,
            address=self.wiring.address(far.name),
            session=session,
            port=PORT,
            local_address=self.wiring.address(node.name),
            policy=policy,
        )


def _own_routes(node: Node) -> tuple[Route, ...]:
    attributes = PathAttributes(origin=Origin.IGP, as_path=ASPath())
    return tuple(Route(prefix, attributes) for prefix in node.networks)
