"""Path attributes as values."""

from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address

from anycastle.model.asn import ASN
from anycastle.model.community import ExtendedCommunity, LargeCommunity, StandardCommunity
from anycastle.wire.bgp.as_path import ASPath
from anycastle.wire.bgp.nlri import MPReach, MPUnreach

FLAG_OPTIONAL = 0x80  # RFC 4271 §4.3
FLAG_TRANSITIVE = 0x40
FLAG_PARTIAL = 0x20
FLAG_EXTENDED_LENGTH = 0x10


class Origin(IntEnum):
    """How the route came into BGP, best first (RFC 4271 §4.3 a)."""

    IGP = 0
    EGP = 1
    INCOMPLETE = 2

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Aggregator:
    """The AS and the speaker that formed an aggregate (RFC 4271 §5.1.7)."""

    asn: ASN
    address: IPv4Address

    def __str__(self) -> str:
        return f"{self.asn} {self.address}"


@dataclass(frozen=True, slots=True)
class UnknownAttribute:
    """An optional attribute that is not known here; `flags` are its Optional, Transitive and Partial bits."""

    code: int
    flags: int
    value: bytes

    @property
    def transitive(self) -> bool:
        """Tell whether it is passed on with the route; otherwise it ends here (RFC 4271 §5)."""
        return bool(self.flags & FLAG_TRANSITIVE)

    def passed_on(self) -> "UnknownAttribute":
        """Give the attribute as it leaves a speaker that does not know it: Partial (RFC 4271 §5)."""
        return UnknownAttribute(self.code, self.flags | FLAG_PARTIAL, self.value)


@dataclass(frozen=True, slots=True)
class PathAttributes:
    """The attributes of an UPDATE; an absent one is None, empty or False.

    AS4_PATH and AS4_AGGREGATOR never show: decoding merges them, encoding makes them (RFC 6793 §4.2). `partial`
    holds the type codes that came with the Partial bit, which no speaker may clear (RFC 4271 §4.3). `unknown` is in
    order of type codes.
    """

    origin: Origin | None = None
    as_path: ASPath | None = None
    next_hop: IPv4Address | None = None
    med: int | None = None
    local_preference: int | None = None
    atomic_aggregate: bool = False
    aggregator: Aggregator | None = None
    communities: tuple[StandardCommunity, ...] = ()
    originator_id: IPv4Address | None = None
    cluster_list: tuple[IPv4Address, ...] = ()
    mp_reach: MPReach | None = None
    mp_unreach: MPUnreach | None = None
    extended_communities: tuple[ExtendedCommunity, ...] = ()
    large_communities: tuple[LargeCommunity, ...] = ()
    only_to_customer: ASN | None = None
    unknown: tuple[UnknownAttribute, ...] = ()
    partial: frozenset[int] = frozenset()


NO_ATTRIBUTES = PathAttributes()
