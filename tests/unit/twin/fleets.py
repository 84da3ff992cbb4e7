"""A fleet on the graph of twelve: `west` at AS 7, `east` at AS 11, `nine` at AS 9 with two prepends."""

from dataclasses import replace
from ipaddress import IPv4Address

from anycastle.model.announcement import RouteAttributes
from anycastle.model.asn import ASN
from anycastle.model.fleet import Fleet
from anycastle.model.pop import Location, PoP, Router
from anycastle.model.prefix import parse_prefix
from anycastle.model.service import Floor, Policy, Service
from anycastle.model.upstream import Neighbour, Upstream, UpstreamKind
from anycastle.twin.graph import ASGraph
from anycastle.twin.weights import Weights, place_weights

GIGA = 1e9
USERS = {7: 3.0, 8: 1.0, 9: 2.0, 10: 2.0, 12: 4.0}
"""Twelve users in all."""


def upstream(asn: int, kind: UpstreamKind = UpstreamKind.TRANSIT, **more: object) -> Upstream:
    made = Upstream(f"as{asn}", kind, ASN(asn), (Neighbour(IPv4Address("198.51.100.1")),))
    return replace(made, **more)  # type: ignore[arg-type]


def pop(name: str, capacity: float, *upstreams: Upstream) -> PoP:
    router = Router("embedded", IPv4Address("192.0.2.1"))
    return PoP(name, name.title(), Location(50.0, 8.0), "europe", router, upstreams, capacity)


def fleet(pops: tuple[PoP, ...], policies: dict[tuple[str, str], Policy] | None = None, floor: int = 1) -> Fleet:
    stated = {(each.name, up.name): Policy() for each in pops for up in each.upstreams}
    service = Service(
        name="dns",
        prefixes=(parse_prefix("192.0.2.0/24"),),
        addresses=(),
        pops=tuple(each.name for each in pops),
        checks=(),
        policies=stated | (policies or {}),
        floor=Floor(floor),
    )
    return Fleet("twelve", ASN(64500), ("europe",), pops, (service,))


def three(floor: int = 1) -> Fleet:
    pops = (
        pop("west", 5 * GIGA, upstream(7)),
        pop("east", 6 * GIGA, upstream(11)),
        pop("nine", 6 * GIGA, upstream(9)),
    )
    return fleet(pops, {("nine", "as9"): Policy(attributes=RouteAttributes(prepend=2))}, floor)


def users_on(graph: ASGraph) -> Weights:
    return place_weights(graph, USERS, "users of the test")
