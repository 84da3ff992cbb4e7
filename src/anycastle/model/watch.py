"""What the operator says about how the Internet may see the fleet's prefixes."""

from dataclasses import dataclass

from anycastle.model.asn import ASN
from anycastle.model.prefix import Address, Family, Prefix


@dataclass(frozen=True, slots=True)
class MoreSpecificRule:
    """More-specifics that are meant, such as those that a scrubber announces during an attack."""

    prefix: Prefix
    longest: int
    """Longest length that is allowed."""
    origins: tuple[ASN, ...] = ()
    """Who may originate them; nobody named stands for the origins of the prefix itself."""
    through: tuple[ASN, ...] = ()
    """One of these must stand in the path; nobody named allows any path."""


@dataclass(frozen=True, slots=True)
class LockedASN:
    """A network whose routes to us are heard from these neighbours of it only (Peerlock)."""

    asn: ASN
    behind: tuple[ASN, ...] = ()
    """Nobody named: it is heard from itself only."""


@dataclass(frozen=True, slots=True)
class PathRule:
    """A path that is not wanted, as a regular expression over its ASNs with single spaces."""

    match: str
    unless: str | None = None
    shortest: int | None = None
    longest: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How many distinct observers a finding needs; never more collectors than there are."""

    peers: int = 2
    asns: int = 2
    collectors: int = 1


@dataclass(frozen=True, slots=True)
class Settling:
    """How long the Internet is given to follow a change of ours, in seconds."""

    quiet_s: float = 60.0
    """Silence after which path hunting is over: twice the longest advertisement interval in use (RFC 4271 §9.2.1.1)."""
    horizon_s: float = 900.0
    """When peers that have not converged are counted as such: the fifteen minutes of a stuck peer (practice, F3)."""
    toggle_s: float = 900.0
    """How long a toggle is given: the fifteen minutes after which path hunting is over everywhere (practice, F3)."""


@dataclass(frozen=True, slots=True)
class WatchSession:
    """A router that tells the watch its routes by BGP; the watch tells it none."""

    neighbour: Address
    asn: ASN
    port: int = 179
    local_asn: ASN | None = None
    """What the watch calls itself there; None for the fleet's own ASN."""
    families: tuple[Family, ...] = (Family.IPV4, Family.IPV6)
    add_path: bool = False
    """Ask for all paths that it has, not for its best ones only (RFC 7911)."""
    hold_time_s: int = 90
    passive: bool = False
    """Wait for it to dial."""
    route_server: bool = False
    """Its own ASN does not stand in the paths (RFC 7947 §2.2.2.1)."""
    password_file: str | None = None
    ttl_security_hops: int | None = None
    max_prefixes: int | None = None
    """Routes of one family, each path apart, beyond which the session is ended; None for the feed's own limits."""


@dataclass(frozen=True, slots=True)
class Region:
    """Peers that stand for a part of the Internet: all of a collector, or of an AS wherever it is heard."""

    name: str
    collectors: tuple[str, ...] = ()
    asns: tuple[ASN, ...] = ()


@dataclass(frozen=True, slots=True)
class WatchPlan:
    """All that the fleet files say about watching, beyond what PoPs and services say already."""

    origins: tuple[ASN, ...] = ()
    """ASNs that may originate the services' prefixes, besides the fleet's own (MOAS)."""
    neighbours: tuple[ASN, ...] = ()
    """ASNs that may stand next to our origin, besides the upstreams."""
    more_specifics: tuple[MoreSpecificRule, ...] = ()
    unannounced: tuple[Prefix, ...] = ()
    """Own prefixes that nobody is to announce."""
    locked: tuple[LockedASN, ...] = ()
    path_rules: tuple[PathRule, ...] = ()
    thresholds: Thresholds = Thresholds()
    settling: Settling = Settling()
    sessions: tuple[WatchSession, ...] = ()
    regions: tuple[Region, ...] = ()
    """None named: RIPE RIS's collectors count for the parts of the world where they stand."""
