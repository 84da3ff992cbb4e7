"""The speaker's configuration for a PoP that has no router but the embedded one."""

from collections.abc import Iterator

from anycastle.io.speaker.config import NeighbourConfig, SpeakerConfig
from anycastle.io.speaker.password import read_password
from anycastle.model.asn import ASN
from anycastle.model.pop import PoP
from anycastle.model.prefix import Address, Family, family_of, parse_address
from anycastle.model.upstream import Neighbour, Upstream, UpstreamKind
from anycastle.session.config import RestartConfig, SessionConfig
from anycastle.wire.bgp.capability import RoleValue

OUR_ROLES = {
    UpstreamKind.TRANSIT: RoleValue.CUSTOMER,
    UpstreamKind.PEER: RoleValue.PEER,
    UpstreamKind.IX: RoleValue.PEER,
    UpstreamKind.ROUTE_SERVER: RoleValue.ROUTE_SERVER_CLIENT,
}
"""What we are to an upstream (RFC 9234 table 1)."""


def speaker_config(asn: ASN, pop: PoP) -> SpeakerConfig:
    """Give the configuration. Raises `WorldError` where a password file cannot be read.

    Of the router's options `port` (179) and `listen` (the neighbours' local addresses) say where it listens, and
    `graceful_restart: true` asks the neighbours to keep the routes while the speaker restarts.
    """
    neighbours = tuple(
        _neighbour(asn, pop, upstream, neighbour) for upstream in pop.upstreams for neighbour in upstream.neighbours
    )
    return SpeakerConfig(neighbours, tuple(_listen(pop)))


def _listen(pop: PoP) -> Iterator[tuple[Address, int]]:
    options = pop.router.options
    port = int(options.get("port", "179"))
    if "listen" in options:
        addresses = [parse_address(text) for text in options["listen"].replace(",", " ").split()]
    else:
        local = (neighbour.local_address for upstream in pop.upstreams for neighbour in upstream.neighbours)
        addresses = list(dict.fromkeys(address for address in local if address is not None))
    return ((address, port) for address in addresses)


def _neighbour(asn: ASN, pop: PoP, upstream: Upstream, neighbour: Neighbour) -> NeighbourConfig:
    options = pop.router.options
    password = read_password(upstream.password_file, upstream.name)
    families = tuple(
        Family[text.strip().upper()] for text in options.get("families", str(family_of(neighbour.address))).split(",")
    )
    session = SessionConfig(
        local_asn=asn,
        peer_asn=upstream.asn,
        identifier=pop.router.router_id,
        peer=f"{upstream.name} ({neighbour.address})",
        families=families,
        hold_time_s=upstream.hold_time_s,
        role=OUR_ROLES[upstream.kind],
        graceful_restart=RestartConfig() if options.get("graceful_restart") == "true" else None,
        prefix_limits=dict.fromkeys(families, upstream.max_prefixes) if upstream.max_prefixes else {},
        check_first_asn=upstream.kind is not UpstreamKind.ROUTE_SERVER,
        authenticated=password is not None,
    )
    return NeighbourConfig(
        upstream=upstream.name,
        address=neighbour.address,
        session=session,
        port=neighbour.port,
        local_address=neighbour.local_address,
        password=password,
        ttl_security_hops=upstream.ttl_security_hops,
    )
