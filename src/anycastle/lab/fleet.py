"""The fleet that an operator would have written for a lab's topology."""

from dataclasses import dataclass
from typing import Protocol

from anycastle.lab.topology import LabService, Link, NodeKind, Relation, Topology
from anycastle.model.announcement import RouteAttributes
from anycastle.model.check import Check, DNSTarget
from anycastle.model.community import GRACEFUL_SHUTDOWN
from anycastle.model.fleet import Fleet
from anycastle.model.pop import PoP, Router
from anycastle.model.prefix import Address
from anycastle.model.service import Policy, Service
from anycastle.model.upstream import Neighbour, Upstream, UpstreamKind


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service answers the check of its own PoP."""

    address: Address
    port: int


class Wiring(Protocol):
    """What a backend decides: addresses, ports and routers."""

    def router(self, pop: str) -> Router:
        """Give a PoP's router."""
        ...

    def neighbour(self, link: Link, pop: str) -> Neighbour:
        """Give the far end of a PoP's link."""
        ...

    def endpoint(self, service: LabService, pop: str) -> Endpoint:
        """Give where a PoP's own check finds a service."""
        ...


def fleet_of(topology: Topology, wiring: Wiring, pop: str) -> Fleet:
    """Give the fleet as the files of one PoP's agent would describe it: its checks look at its own servers."""
    pops = tuple(
        PoP(
            name=node.name,
            city=node.city,
            location=node.location,
            region=node.region,
            router=wiring.router(node.name),
            upstreams=tuple(_upstream(topology, link, node.name, wiring) for link in _uplinks(topology, node.name)),
            capacity=node.capacity,
        )
        for node in topology.of_kind(NodeKind.POP)
    )
    services = tuple(_service(topology, service, wiring, pop) for service in topology.services)
    regions = tuple(dict.fromkeys(pop.region for pop in pops))
    return Fleet(topology.name, topology.asn, regions, pops, services)


def far_end(link: Link, name: str) -> str:
    """Give the other end of a link."""
    return link.second if link.first == name else link.first


def _uplinks(topology: Topology, pop: str) -> tuple[Link, ...]:
    return tuple(link for link in topology.links_of(pop) if link.relation is not Relation.MONITOR)


def _upstream(topology: Topology, link: Link, pop: str, wiring: Wiring) -> Upstream:
    far = topology.node(far_end(link, pop))
    kind = UpstreamKind.TRANSIT if link.relation is Relation.CUSTOMER else UpstreamKind.PEER
    if far.kind is NodeKind.ROUTE_SERVER:
        kind = UpstreamKind.ROUTE_SERVER
    timers = topology.timers
    return Upstream(
        name=far.name,
        kind=kind,
        asn=far.asn,
        neighbours=(wiring.neighbour(link, pop),),
        hold_time_s=timers.hold_time_s,
        bfd=timers.bfd_ms is not None,
    )


def _service(topology: Topology, service: LabService, wiring: Wiring, pop: str) -> Service:
    policies = {
        (name, far_end(link, name)): _policy(link, name) for name in service.pops for link in _uplinks(topology, name)
    }
    return Service(
        name=service.name,
        prefixes=(service.prefix,),
        addresses=(service.address,),
        pops=service.pops,
        checks=service.checks or (_dns_check(topology, service, wiring, pop),),
        policies=policies,
        floor=service.floor,
        on_exit=service.on_exit,
        when_alone=service.when_alone,
        lease=service.lease,
        dampening=service.dampening,
    )


def _policy(link: Link, pop: str) -> Policy:
    prepend = link.prepend if link.first == pop else 0
    usual = RouteAttributes(prepend=prepend)
    return Policy(
        attributes=usual, steered=RouteAttributes(prepend=prepend, communities=frozenset({GRACEFUL_SHUTDOWN}))
    )


def _dns_check(topology: Topology, service: LabService, wiring: Wiring, pop: str) -> Check:
    timers, endpoint = topology.timers, wiring.endpoint(service, pop)
    target = DNSTarget(endpoint.address, "example.", endpoint.port)
    return Check(
        name="dns",
        target=target,
        interval_s=timers.check_interval_s,
        timeout_s=timers.check_timeout_s,
        rise=timers.rise,
        fall=timers.fall,
    )
