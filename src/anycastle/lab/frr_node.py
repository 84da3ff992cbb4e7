"""FRR as the router of a network: zebra, bgpd and bfdd, with the same policies as the other routers have."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from anycastle.lab.fleet import far_end
from anycastle.lab.netns import program, run
from anycastle.lab.relations import CUSTOMER_TAG, TAGS, relationship
from anycastle.lab.router_node import Machine
from anycastle.lab.topology import Link, Node, NodeKind, Relation
from anycastle.model.prefix import Prefix
from anycastle.rib.policy import LOCAL_PREFERENCES, Relationship

_USER: Final = "frr"
"""The user and group that the daemons become; they refuse to stay root where root is not in their group."""

_OWN_ROLES: Final = {
    Relationship.CUSTOMER: "provider",
    Relationship.PEER: "peer",
    Relationship.PROVIDER: "customer",
    Relationship.ROUTE_SERVER: "rs-client",
    Relationship.ROUTE_SERVER_CLIENT: "rs-server",
}
"""What the far end is to us -> our role (RFC 9234)."""

_TAKES_ALL: Final = (Relationship.CUSTOMER, Relationship.COLLECTOR, Relationship.ROUTE_SERVER_CLIENT)


class FrrNode:
    """FRR 8."""

    programs: Mapping[str, str] = MappingProxyType({"zebra": "frr", "bgpd": "frr", "bfdd": "frr", "vtysh": "frr"})

    def start(self, machine: Machine, node: Node) -> None:
        """Start its daemons."""
        folder = machine.wiring.folder(node.name)
        (folder / "zebra.conf").write_text(_zebra_config(machine, node))
        (folder / "bgpd.conf").write_text(bgpd_config(machine, node))
        (folder / "bfdd.conf").write_text("")
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, _USER, _USER)
        for name in ("zebra", "bgpd", "bfdd"):
            files = ("-f", f"{folder}/{name}.conf", "-i", f"{folder}/{name}.pid", "-z", f"{folder}/zserv.api")
            more = ("--bfdctl", f"{folder}/bfdd.ctl") if name == "bfdd" else ()
            command = (_daemon(name), *files, "-P", "0", "--vty_socket", str(folder), *more)
            machine.spawn(f"{name}-{node.name}", node.name, *command)

    def has_route(self, machine: Machine, node: str, prefix: Prefix, sender: str) -> bool:
        """Ask bgpd for the paths of a prefix."""
        link = next(each for each in machine.topology.links_of(node) if far_end(each, node) == sender)
        address = str(machine.wiring.interface(link, sender).ip)
        shown = _ask(machine.wiring.folder(node), "bgpd", f"show bgp ipv4 unicast {prefix} json")
        return any(path["peer"]["peerId"] == address for path in shown.get("paths", ()))

    def bfd_is_up(self, machine: Machine, node: str) -> bool:
        """Ask bfdd."""
        peers = _ask(machine.wiring.folder(node), "bfdd", "show bfd peers json")
        return bool(peers) and all(peer["status"] == "up" for peer in peers)


def _daemon(name: str) -> str:
    return program(name, "/usr/lib/frr")


def _ask(folder: Path, daemon: str, question: str) -> Any:
    text = run(program("vtysh"), "--vty_socket", str(folder), "-d", daemon, "-c", question, check=False)
    try:
        return json.loads(text)
    except ValueError:
        return {}  # the daemon does not answer yet


def _zebra_config(machine: Machine, node: Node) -> str:
    if node.kind is not NodeKind.CLIENT:
        return ""
    source = machine.wiring.client_address(node)
    return f"route-map SOURCE permit 10\n set src {source}\nip protocol bgp route-map SOURCE\n"


def bgpd_config(machine: Machine, node: Node) -> str:
    """Give bgpd.conf."""
    topology, timers, asn = machine.topology, machine.topology.timers, node.asn
    links = topology.links_of(node.name)
    networks = [f"  network {network} route-map OWN" for network in machine.wiring.networks(node)]
    lines = [
        f"router bgp {asn}",
        f" bgp router-id {topology.router_id(node.name)}",
        " no bgp ebgp-requires-policy",
        " no bgp network import-check",
        *([" bgp graceful-restart"] if timers.graceful_restart else []),
        f" timers bgp {max(1, timers.hold_time_s // 3)} {timers.hold_time_s}",
        *(line for link in links for line in _neighbour(machine, node, link)),
        " address-family ipv4 unicast",
        *networks,
        *(line for link in links for line in _in_family(machine, node, link)),
        " exit-address-family",
        "exit",
        f"bgp large-community-list standard CUSTOMERS permit {asn}:1:{CUSTOMER_TAG}",
        f"bgp large-community-list expanded OURS permit ^{asn}:1:",
        "bgp community-list standard GSHUT permit 65535:0",
        "route-map OWN permit 10",
        f" set large-community {asn}:1:{CUSTOMER_TAG}",
        *(line for link in links for line in _maps(machine, node, link)),
    ]
    return "\n".join([*lines, ""])


def _address(machine: Machine, node: Node, link: Link) -> str:
    return str(machine.wiring.interface(link, far_end(link, node.name)).ip)


def _neighbour(machine: Machine, node: Node, link: Link) -> list[str]:
    far, address = machine.topology.node(far_end(link, node.name)), _address(machine, node, link)
    bfd_ms = machine.topology.timers.bfd_ms
    lines = [
        f" neighbor {address} remote-as {far.asn}",
        f" neighbor {address} timers connect 1",
        f" neighbor {address} advertisement-interval 0",
    ]
    if bfd_ms is not None:
        lines.append(f" neighbor {address} bfd 3 {bfd_ms} {bfd_ms}")
    if link.relation is not Relation.MONITOR:
        role = _OWN_ROLES[relationship(machine.topology, link, node.name)]
        lines.append(f" neighbor {address} local-role {role}")
    return lines


def _in_family(machine: Machine, node: Node, link: Link) -> list[str]:
    far, address = far_end(link, node.name), _address(machine, node, link)
    serves = relationship(machine.topology, link, node.name) is Relationship.ROUTE_SERVER_CLIENT
    return [
        f"  neighbor {address} next-hop-self",
        f"  neighbor {address} route-map IN-{far} in",
        f"  neighbor {address} route-map OUT-{far} out",
        *([f"  neighbor {address} route-server-client"] if serves else []),
    ]


def _maps(machine: Machine, node: Node, link: Link) -> list[str]:
    far_is, far = relationship(machine.topology, link, node.name), far_end(link, node.name)
    if far_is is Relationship.COLLECTOR:
        receives = [f"route-map IN-{far} deny 10"]
    else:
        tag = f" set large-community {node.asn}:1:{TAGS[far_is]} additive"
        receives = [
            f"route-map IN-{far} permit 10",
            " match community GSHUT",
            " set local-preference 0",  # RFC 8326 §4
            tag,
            f"route-map IN-{far} permit 20",
            f" set local-preference {LOCAL_PREFERENCES[far_is]}",
            tag,
        ]
    prepend = link.prepend if link.first == node.name else 0
    # To its clients FRR keeps the next hop whatever it is told, and no wire leads from them to one another.
    through_us = [f" set ip next-hop {machine.wiring.interface(link, node.name).ip}"]
    return [
        *receives,
        f"route-map OUT-{far} permit 10",
        *([] if far_is in _TAKES_ALL else [" match large-community CUSTOMERS"]),
        " set large-comm-list OURS delete",
        *(through_us if far_is is Relationship.ROUTE_SERVER_CLIENT else []),
        *([" set as-path prepend " + " ".join([str(node.asn)] * prepend)] if prepend else []),
    ]
