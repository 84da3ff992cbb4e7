"""A node's bird.conf, with the same meaning as the embedded backend's policies; and a word with its BIRD."""

import re
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from anycastle.base.errors import WorldError
from anycastle.io.routers.bird_config import bird_snippet, export_function, symbols
from anycastle.lab.fleet import far_end
from anycastle.lab.netns import program
from anycastle.lab.relations import CUSTOMER_TAG, TAGS, relationship
from anycastle.lab.router_node import Machine
from anycastle.lab.topology import Link, Node, NodeKind, Relation, Topology
from anycastle.lab.wiring import NamespacesWiring
from anycastle.model.pop import PoP
from anycastle.model.prefix import Prefix
from anycastle.rib.policy import LOCAL_PREFERENCES, Relationship

_OWN_ROLES: Final = {
    Relationship.CUSTOMER: "provider",
    Relationship.PEER: "peer",
    Relationship.PROVIDER: "customer",
    Relationship.ROUTE_SERVER: "rs_client",
    Relationship.ROUTE_SERVER_CLIENT: "rs_server",
}
"""What the far end is to us -> our role (RFC 9234)."""

_ANSWER_TIMEOUT_S: Final = 5.0


class BirdNode:
    """BIRD 2."""

    programs: Mapping[str, str] = MappingProxyType({"bird": "bird2"})

    def start(self, machine: Machine, node: Node) -> None:
        """Start it."""
        start(machine, node, network_config(machine.topology, machine.wiring, node))

    def has_route(self, machine: Machine, node: str, prefix: Prefix, sender: str) -> bool:
        """Ask for what the session with the neighbour has brought."""
        asked = f"show route {prefix} protocol {protocol_name(sender)}"
        return str(prefix) in ask(machine.wiring.control_socket(node), asked)

    def bfd_is_up(self, machine: Machine, node: str) -> bool:
        """Ask for the states of the BFD sessions."""
        lines = ask(machine.wiring.control_socket(node), "show bfd sessions").splitlines()
        states = {line.split()[2] for line in lines if line.strip().startswith("10.")}
        return states == {"Up"}


def start(machine: Machine, node: Node, config: str | None = None) -> None:
    """Start a node's BIRD, with a new bird.conf where one is given."""
    path = machine.wiring.folder(node.name) / "bird.conf"
    if config is not None:
        path.write_text(config)
    control = str(machine.wiring.control_socket(node.name))
    machine.spawn(f"bird-{node.name}", node.name, program("bird"), "-f", "-c", str(path), "-s", control)


def network_config(topology: Topology, wiring: NamespacesWiring, node: Node) -> str:
    """Give the bird.conf of a network that is not a PoP."""
    own = [f"  route {network} blackhole;" for network in wiring.networks(node)]
    lines = [*_common(topology, wiring, node), "protocol static own {", "  ipv4;", *own, "}"]
    for link in topology.links_of(node.name):
        far = relationship(topology, link, node.name)
        lines += _session(topology, wiring, node, link, _import(node, far), _export(node, link, far), _role(link, far))
    return "\n".join([*lines, ""])


def pop_config(topology: Topology, wiring: NamespacesWiring, node: Node, pop: PoP, include: Path) -> str:
    """Give the bird.conf of a PoP, as its operator would write it: the agent's snippet, and the sessions."""
    lines = [*_common(topology, wiring, node), bird_snippet(topology.asn, pop, include)]
    names = symbols(pop)
    for link in topology.links_of(node.name):
        far = far_end(link, node.name)
        exports = f"where {export_function(names[far])}()" if far in names else "none"
        lines += _session(topology, wiring, node, link, "all", exports, "")
    return "\n".join([*lines, ""])


def plain_pop_config(topology: Topology, wiring: NamespacesWiring, node: Node, announced: str, above: str = "") -> str:
    """Give the bird.conf of a PoP without an agent: its sessions export, prepended as the topology says, the routes for
    which `announced` (a BIRD expression) is true; `above` goes before the sessions."""
    lines = [*_common(topology, wiring, node), above]
    for link in topology.links_of(node.name):
        prepend = "".join(f"bgp_path.prepend({topology.asn}); " for _ in range(_prepend(link, node)))
        exports = f"filter {{ if {announced} then {{ {prepend}accept; }} reject; }}"
        lines += _session(topology, wiring, node, link, "all", exports, "")
    return "\n".join([*lines, ""])


def _common(topology: Topology, wiring: NamespacesWiring, node: Node) -> list[str]:
    timers = topology.timers
    source = f"krt_prefsrc = {wiring.client_address(node)}; " if node.kind is NodeKind.CLIENT else ""
    to_kernel = f"filter {{ if source != RTS_BGP then reject; {source}accept; }}"
    bfd = []
    if timers.bfd_ms is not None:
        interval = f"min rx interval {timers.bfd_ms} ms; min tx interval {timers.bfd_ms} ms; multiplier 3;"
        bfd = [f'protocol bfd {{ interface "*" {{ {interval} }}; }}']
    return [
        f"router id {topology.router_id(node.name)};",
        f'log "{wiring.folder(node.name)}/bird.log" all;',
        "timeformat log iso long us;",
        "debug protocols { states };",
        "protocol device { scan time 2; }",
        f"protocol kernel {{ ipv4 {{ import none; export {to_kernel}; }}; }}",
        *bfd,
    ]


def _session(
    topology: Topology, wiring: NamespacesWiring, node: Node, link: Link, imports: str, exports: str, more: str
) -> list[str]:
    far = topology.node(far_end(link, node.name))
    timers = topology.timers
    bfd = "bfd on; " if timers.bfd_ms is not None else ""
    restart = "graceful restart on; " if timers.graceful_restart else ""
    return [
        f"protocol bgp {protocol_name(far.name)} {{",
        f"  local {wiring.interface(link, node.name).ip} as {node.asn};",
        f"  neighbor {wiring.interface(link, far.name).ip} as {far.asn};",
        f"  direct; {bfd}{restart}{more}",
        f"  hold time {timers.hold_time_s}; keepalive time {max(1, timers.hold_time_s // 3)};",
        "  connect delay time 1; connect retry time 1; error wait time 1, 2;",
        f"  ipv4 {{ import {imports}; export {exports}; next hop self; }};",
        "}",
    ]


def protocol_name(far: str) -> str:
    """Give the name of the session with a node."""
    return "bgp_" + re.sub(r"[^A-Za-z0-9]", "_", far)


def _prepend(link: Link, node: Node) -> int:
    return link.prepend if link.first == node.name else 0


def _import(node: Node, far: Relationship) -> str:
    if far is Relationship.COLLECTOR:
        return "none"
    asn = node.asn
    return (
        f"filter {{ bgp_large_community.delete([({asn}, 1, *)]);"
        f" bgp_large_community.add(({asn}, 1, {TAGS[far]}));"
        f" bgp_local_pref = {LOCAL_PREFERENCES[far]};"
        " if (65535, 0) ~ bgp_community then bgp_local_pref = 0; accept; }"  # RFC 8326 §4
    )


def _export(node: Node, link: Link, far: Relationship) -> str:
    asn = node.asn
    to_all = far in (Relationship.CUSTOMER, Relationship.COLLECTOR, Relationship.ROUTE_SERVER_CLIENT)
    only = "" if to_all else f"if source = RTS_BGP && !(({asn}, 1, {CUSTOMER_TAG}) ~ bgp_large_community) then reject; "
    prepend = "".join(f"bgp_path.prepend({asn}); " for _ in range(_prepend(link, node)))
    return f"filter {{ {only}bgp_large_community.delete([({asn}, 1, *)]); {prepend}accept; }}"


def _role(link: Link, far: Relationship) -> str:
    if link.relation is Relation.MONITOR:
        return ""
    return f"local role {_OWN_ROLES[far]}; " + ("rs client; " if far is Relationship.ROUTE_SERVER_CLIENT else "")


def ask(control_socket: Path, command: str) -> str:
    """Give BIRD's answer to a command, over its socket and without starting a program. Raises `WorldError`."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(_ANSWER_TIMEOUT_S)
            client.connect(str(control_socket))
            with client.makefile("rw") as lines:
                lines.readline()  # the greeting
                lines.write(f"{command}\n")
                lines.flush()
                return _answer(lines)
    except (OSError, ValueError) as error:
        raise WorldError(f"{control_socket}: {error}") from error


def _answer(lines: Iterable[str]) -> str:
    told = []
    for line in lines:
        told.append(line.rstrip("\n"))
        if re.match(r"\d{4} ", line) and not line.startswith("0001 "):
            return "\n".join(told)
    raise ValueError("the connection was closed")
