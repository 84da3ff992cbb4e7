"""What a lab is made of: PoPs, transits, exchanges, clients and collectors, and who is whose customer.

A topology says nothing of how it is run: the embedded backend emulates it in one process, the namespaces backend
builds it of real routers, and both mean the same by it.
"""

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address

from anycastle.model.asn import ASN
from anycastle.model.check import Check
from anycastle.model.pop import Location
from anycastle.model.prefix import Address, Prefix
from anycastle.model.service import Dampening, Floor, Lease, OnExit, WhenAlone


class NodeKind(Enum):
    """What a node of the lab stands for."""

    POP = "pop"
    TRANSIT = "transit"
    CLIENT = "client"
    COLLECTOR = "collector"
    ROUTE_SERVER = "route-server"


class Relation(Enum):
    """What the first end of a link is to the second (Gao and Rexford). MONITOR: the second only listens."""

    CUSTOMER = "customer"
    PEER = "peer"
    MONITOR = "monitor"


@dataclass(frozen=True, slots=True)
class Node:
    """An autonomous system of the lab, with one router."""

    name: str
    kind: NodeKind
    asn: ASN
    city: str
    location: Location
    region: str = ""
    router: str = "bird"
    """Of the namespaces backend: `bird`, `frr`, `gobgp`, or `embedded`."""
    networks: tuple[Prefix, ...] = ()
    """What the node originates itself: a client's own network."""
    capacity: float = 1.0


@dataclass(frozen=True, slots=True)
class Link:
    """A BGP adjacency and the wire under it. `relation` is what `first` is to `second`."""

    first: str
    second: str
    relation: Relation
    prepend: int = 0
    """Own ASN repetitions that `first` adds towards `second`, as policy, for every announcement."""


@dataclass(frozen=True, slots=True)
class LabService:
    """A DNS service that the lab's PoPs serve."""

    name: str
    prefix: Prefix
    address: Address
    pops: tuple[str, ...]
    checks: tuple[Check, ...] = ()
    """Empty: one DNS check of the service's address, at the lab's interval."""
    floor: Floor = Floor()
    on_exit: OnExit = OnExit.WITHDRAW
    when_alone: WhenAlone = WhenAlone.ANNOUNCE
    lease: Lease = Lease()
    dampening: Dampening = Dampening()


@dataclass(frozen=True, slots=True)
class Timers:
    """The lab's clocks."""

    check_interval_s: float = 1.0
    check_timeout_s: float = 0.5
    fall: int = 3
    rise: int = 2
    hold_time_s: int = 9
    bfd_ms: int | None = None
    """Interval of BFD, three times of which is silence; None leaves it off. Namespaces only."""
    graceful_restart: bool = False


@dataclass(frozen=True, slots=True)
class Topology:
    """A whole lab."""

    name: str
    asn: ASN
    """The anycast network's."""
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    services: tuple[LabService, ...]
    timers: Timers = Timers()

    def of_kind(self, *kinds: NodeKind) -> tuple[Node, ...]:
        """Give the nodes of some kinds, in the topology's order."""
        return tuple(node for node in self.nodes if node.kind in kinds)

    def node(self, name: str) -> Node:
        """Give the node of that name. Raises `KeyError`."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    def links_of(self, name: str) -> tuple[Link, ...]:
        """Give the links that end at a node."""
        return tuple(link for link in self.links if name in (link.first, link.second))

    def router_id(self, name: str) -> IPv4Address:
        """Give a node's BGP identifier: 10.255.0.0 and its place in the topology."""
        return IPv4Address("10.255.0.0") + 1 + [node.name for node in self.nodes].index(name)
