"""A graph of twelve ASes that fits one's head; the tests that use it derive their answers from it.

    1 ------- 2          1 and 2 peer          1 provides for 3, 4     5 for 10
   / \\       / \\         4 and 5 peer          2 for 5, 6             6 for 11, 12
  3   4 --- 5   6        3 and 6 peer          3 for 7, 8
 / \\ / \\    |  / \\                             4 for 8, 9
7   8   9  10 11 12

AS 64500 is ours: the PoP `west` is a customer of 7, the PoP `east` one of 11.
"""

from anycastle.model.asn import ASN
from anycastle.twin.deployment import Deployment, Session, SessionGroup
from anycastle.twin.graph import ASGraph, Link, Links, Origin, build_graph
from anycastle.twin.routes import Routes

SOLD = ((1, 3), (1, 4), (2, 5), (2, 6), (3, 7), (3, 8), (4, 8), (4, 9), (5, 10), (6, 11), (6, 12))
PEERED = ((1, 2), (4, 5), (3, 6))
LINKS = [Link(ASN(a), ASN(b), -1) for a, b in SOLD] + [Link(ASN(a), ASN(b), 0) for a, b in PEERED]
OURS = ASN(64500)
WEST = SessionGroup("west", "west", OURS, (Session(ASN(7)),))
EAST = SessionGroup("east", "east", OURS, (Session(ASN(11)),))
BOTH = Deployment((WEST, EAST))


def twelve() -> ASGraph:
    return build_graph(Links.of(LINKS), Origin("twelve", "2025-09-01"))


def told(routes: Routes) -> dict[int, tuple[str, int, int, str]]:
    """AS -> (class, AS_PATH length, next hop, PoP)."""
    fields = routes.by_asn()
    pops = [group.pop for group in routes.wiring.deployment.groups]
    names = ("none", "provider", "peer", "customer", "origin")
    return {
        int(asn): (names[class_], int(length), int(hop), pops[group])
        for asn, class_, length, hop, group in zip(
            fields.asn, fields.class_, fields.length, fields.next_hop, fields.group, strict=True
        )
        if class_
    }


def catchment(routes: Routes, pop: str) -> set[int]:
    return {asn for asn, route in told(routes).items() if route[3] == pop}
