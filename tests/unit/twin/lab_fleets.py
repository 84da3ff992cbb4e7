"""A lab's topology as the twin sees it: its fleet, and the graph of its other networks."""

from pathlib import Path

import numpy as np

from anycastle.lab.fleet import fleet_of
from anycastle.lab.topology import NodeKind, Relation, Topology
from anycastle.lab.topology_file import find_topology
from anycastle.lab.wiring import NamespacesWiring
from anycastle.model.fleet import Fleet
from anycastle.twin.forecast import Forecast
from anycastle.twin.graph import ASGraph, Link, Links, Origin, build_graph
from anycastle.twin.intent import intent_of, without_pops


def lab_fleet(topology: Topology) -> Fleet:
    wiring = NamespacesWiring(topology, Path("/run/anycastle-lab/x"))
    return fleet_of(topology, wiring, topology.services[0].pops[0])


def lab_graph(topology: Topology) -> ASGraph:
    asn = {node.name: node.asn for node in topology.nodes if node.kind is not NodeKind.POP}
    links = [
        Link(asn[link.second], asn[link.first], -1 if link.relation is Relation.CUSTOMER else 0)
        for link in topology.links
        if link.first in asn and link.second in asn and link.relation is not Relation.MONITOR
    ]
    return build_graph(Links.of(links), Origin(topology.name))


def possible_pops(name: str, *gone: str) -> dict[str, set[str]]:
    """Client -> the PoPs that it lands at in some member."""
    topology = find_topology(name)
    graph = lab_graph(topology)
    intent = without_pops(intent_of(lab_fleet(topology), graph), gone)
    asked = (intent.configuration,)
    members = Forecast.of(graph, intent.deployment, asked, np.random.default_rng(1)).ensemble.run(intent.configuration)
    names = [*intent.deployment.pops, "none"]
    return {
        node.name: {names[pop] for pop in members.pops()[members.row_of_node[graph.node(node.asn)]]}
        for node in topology.of_kind(NodeKind.CLIENT)
    }
