"""Who a node's neighbours are to it: the one place where both backends, and all routers, learn it from."""

from typing import Final

from anycastle.lab.fleet import far_end
from anycastle.lab.topology import Link, NodeKind, Relation, Topology
from anycastle.rib.policy import Relationship

TAGS: Final = {
    Relationship.CUSTOMER: 1,
    Relationship.ROUTE_SERVER_CLIENT: 1,
    Relationship.PEER: 2,
    Relationship.ROUTE_SERVER: 2,
    Relationship.PROVIDER: 3,
}
"""Third part of the large community by which a network notes who sent a route (as in `rib.policy`)."""

CUSTOMER_TAG: Final = TAGS[Relationship.CUSTOMER]


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
