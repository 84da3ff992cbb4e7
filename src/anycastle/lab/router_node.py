"""What the namespaces backend asks of a routing daemon, whichever a node runs."""

from collections.abc import Mapping
from typing import Protocol

from anycastle.lab.topology import Node, Topology
from anycastle.lab.wiring import NamespacesWiring
from anycastle.model.prefix import Prefix


class Machine(Protocol):
    """The lab, as a router sees it."""

    topology: Topology
    wiring: NamespacesWiring

    def spawn(self, key: str, node: str, *command: str) -> None:
        """Start a process in a node's namespace."""
        ...


class RouterNode(Protocol):
    """A routing daemon of a network that is not a PoP. Every method raises `WorldError`."""

    programs: Mapping[str, str]
    """What it runs -> the Debian package that has it."""

    def start(self, machine: Machine, node: Node) -> None:
        """Start it at a node, with a new configuration."""
        ...

    def has_route(self, machine: Machine, node: str, prefix: Prefix, sender: str) -> bool:
        """Tell whether a node has a neighbour's route."""
        ...

    def bfd_is_up(self, machine: Machine, node: str) -> bool:
        """Tell whether BFD watches every session of a node."""
        ...
