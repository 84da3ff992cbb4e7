"""Who a node's neighbours are to it: the one place where both backends learn it from."""

from anycastle.lab.fleet import far_end
from anycastle.lab.topology import Link, NodeKind, Relation, Topology
from anycastle.rib.policy import Relationship


def relationship(topology: Topology, link: Link, near: str) -> Relationship:
    """Give what the far end of a link is to the near one."""
    far = far_end(link, near)
    if link.relation is Relation.MONITOR:
        # A collector keeps what it hears to itself, as a network does with what its providers say.
        return Relationship.PROVIDER if link.first == far else Relationship.COLLECTOR
    if topology.node(far).kind is NodeKind.ROUTE_SERVER:
        return Relationship.ROUTE_SERVER
    if topology.node(near).kind is NodeKind.ROUTE_SERVER:
        return Relationship.ROUTE_SERVER_CLIENT
    if link.relation is Relation.PEER:
        return Relationship.PEER
    return Relationship.CUSTOMER if link.first == far else Relationship.PROVIDER
