"""A route: a prefix with path attributes, and where it was learnt."""

from dataclasses import dataclass
from ipaddress import IPv4Address

from anycastle.model.asn import ASN
from anycastle.model.prefix import Address, Prefix
from anycastle.wire.bgp.attributes import PathAttributes


@dataclass(frozen=True, slots=True)
class Source:
    """The neighbour that a route came from, as far as the decision process looks at it."""

    name: str
    asn: ASN
    identifier: IPv4Address
    address: Address
    internal: bool = False
    """Whether the session is iBGP."""


@dataclass(frozen=True, slots=True)
class Route:
    """One path to a prefix.

    `attributes` holds neither MP_REACH_NLRI nor MP_UNREACH_NLRI: the prefix and the next hop stand here.
    """

    prefix: Prefix
    attributes: PathAttributes
    next_hop: Address | None = None
    """None for a route of our own: each session says its own address."""
    source: Source | None = None
    """None for a route that originates here."""
    path_id: int | None = None
    """The sender's path identifier, where ADD-PATH was negotiated (RFC 7911)."""

    @property
    def key(self) -> tuple[Prefix, int]:
        """What makes it one route among those of its neighbour: a later one of the same key replaces it."""
        return self.prefix, self.path_id or 0
