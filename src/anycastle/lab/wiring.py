"""Who has which address in the namespaces backend.

Link number N has 10.200.0.0/14's N-th /30, its first end the lower address. A client without networks of its own gets
10.64.0.0/12's next /24. Interfaces are called after the node that they lead to.
"""

from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.lab.fleet import Endpoint, far_end
from anycastle.lab.netns import INTERFACE_NAME_MAX
from anycastle.lab.topology import LabService, Link, Node, NodeKind, Topology
from anycastle.model.pop import Router
from anycastle.model.prefix import Family, Prefix, parse_prefix
from anycastle.model.upstream import Neighbour

SERVICE_PORT: Final = 53
ECHO_PORT: Final = 7777
_LINKS: Final = IPv4Address("10.200.0.0")
_CLIENTS: Final = IPv4Address("10.64.0.0")


class NamespacesWiring:
    """The addresses of a topology, and where each PoP's files are. Raises `MisuseError` for what cannot be built."""

    def __init__(self, topology: Topology, run_dir: Path) -> None:
        self._topology = topology
        self._run_dir = run_dir
        self._numbers = {frozenset((link.first, link.second)): place for place, link in enumerate(topology.links)}
        self._places = {node.name: place for place, node in enumerate(topology.nodes)}
        if len(self._numbers) != len(topology.links):
            raise MisuseError("two links join the same two nodes; in namespaces there can be one")
        for node in topology.nodes:
            if len(node.name) > INTERFACE_NAME_MAX:
                raise MisuseError(f"{node.name!r} is too long for an interface's name")
        for service in topology.services:
            if service.prefix.family is not Family.IPV4:
                raise MisuseError(f"service {service.name}: the namespaces backend carries IPv4 only")

    def folder(self, node: str) -> Path:
        """Give where a node's files are."""
        return self._run_dir / node

    def control_socket(self, node: str) -> Path:
        """Give BIRD's control socket."""
        return self.folder(node) / "bird.ctl"

    def interface(self, link: Link, name: str) -> IPv4Interface:
        """Give the address of one end of a link."""
        number = self._numbers[frozenset((link.first, link.second))]
        return IPv4Interface((int(_LINKS) + 4 * number + (1 if link.first == name else 2), 30))

    def networks(self, node: Node) -> tuple[Prefix, ...]:
        """Give what a node originates: its own networks, or for a client without any one that is made up."""
        if node.networks or node.kind is not NodeKind.CLIENT:
            return tuple(network for network in node.networks if network.family is Family.IPV4)
        return (parse_prefix(f"{_CLIENTS + 256 * self._places[node.name]}/24"),)

    def client_address(self, node: Node) -> IPv4Address:
        """Give the address that a client's probes ask from."""
        networks = self.networks(node)
        if not networks:
            raise MisuseError(f"client {node.name} has no IPv4 network")
        return IPv4Address(networks[0].network + 1)

    # -- what a fleet needs to know -------------------------------------------------------------------------------

    def router(self, pop: str) -> Router:
        """Give a PoP's BIRD."""
        options = {"control_socket": str(self.control_socket(pop)), "include_dir": str(self.folder(pop) / "include")}
        return Router("bird", self._topology.router_id(pop), options)

    def neighbour(self, link: Link, pop: str) -> Neighbour:
        """Give the far end of a PoP's link."""
        return Neighbour(self.interface(link, far_end(link, pop)).ip, self.interface(link, pop).ip)

    def endpoint(self, service: LabService, pop: str) -> Endpoint:  # noqa: ARG002  the same at each PoP
        """Give the PoP's own name server on its loopback.

        Not the service's address: where that is not on the loopback yet, a query for it leaves the PoP, and is
        answered by another.
        """
        return Endpoint(IPv4Address("127.0.0.1"), SERVICE_PORT)
