"""Who a PoP announces to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from anycastle.model.asn import ASN
from anycastle.model.community import Community
from anycastle.model.prefix import Address


class UpstreamKind(Enum):
    """What a neighbour is to us. All but TRANSIT are peers in the sense of Gao and Rexford."""

    TRANSIT = "transit"
    PEER = "peer"
    IX = "ix"
    ROUTE_SERVER = "route-server"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One BGP session of an upstream; a dual-stack upstream has two."""

    address: Address
    local_address: Address | None = None
    port: int = 179


@dataclass(frozen=True, slots=True)
class Upstream:
    """A network that a PoP announces to, with its sessions and the communities that it understands."""

    name: str
    kind: UpstreamKind
    asn: ASN
    neighbours: tuple[Neighbour, ...]
    vocabulary: Mapping[str, Community] = field(default_factory=dict)
    """The operator's word for an action -> the community that the upstream acts on."""
    capacity_bps: float | None = None
    hold_time_s: int = 30
    """At most 30 s by default: with 90 s, clients of a silently dead PoP wait 71 s (docs/design/failover)."""
    password_file: str | None = None
    """Holds the TCP-MD5 key (RFC 2385); the key itself never enters a value, a plan or a log."""
    ttl_security_hops: int | None = None
    """GTSM (RFC 5082): 1 for a directly connected neighbour; None leaves it off."""
    bfd: bool = True
    max_prefixes: int | None = None
    """Prefixes of a family that we take from it."""
    takes_prefixes: int | None = None
    """Prefixes of a family that it takes from us before it ends the session; None where that is not known."""
