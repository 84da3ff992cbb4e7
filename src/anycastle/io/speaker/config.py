"""What a speaker is told at its start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from anycastle.base.errors import MisuseError
from anycastle.model.prefix import Address, Family
from anycastle.rib.policy import NeighbourPolicy, NetworkPolicy
from anycastle.session.config import SessionConfig

MD5_KEY_MAX = 80
"""Octets of a TCP-MD5 key (TCP_MD5SIG_MAXKEYLEN of linux/tcp.h)."""


@dataclass(frozen=True, slots=True)
class NeighbourConfig:
    """One neighbour: where it is, how TCP is guarded, and the session with it."""

    upstream: str
    """Its upstream's name; a dual-stack upstream has two neighbours of one name."""
    address: Address
    session: SessionConfig
    port: int = 179
    local_address: Address | None = None
    """Dial from this address, and take its connections only where they come to this address."""
    password: bytes | None = field(default=None, repr=False)
    """TCP-MD5 key (RFC 2385), at most 80 octets."""
    ttl_security_hops: int | None = None
    """GTSM (RFC 5082): how many hops away the neighbour may be."""
    next_hops: Mapping[Family, Address] = field(default_factory=lambda: MappingProxyType({}))
    """Next hops to announce; the session's own address serves its family where nothing stands here."""
    policy: NeighbourPolicy | None = None
    """How an emulated network treats the neighbour; None where only announcements of our own are sent."""

    def __post_init__(self) -> None:
        if self.password is not None and not 0 < len(self.password) <= MD5_KEY_MAX:
            raise MisuseError(f"a TCP-MD5 key has 1 to {MD5_KEY_MAX} octets")
        if self.ttl_security_hops is not None and not 0 < self.ttl_security_hops < 255:
            raise MisuseError(f"a neighbour is 1 to 254 hops away, not {self.ttl_security_hops}")

    @property
    def name(self) -> str:
        """What tells the session from every other of the speaker."""
        return f"{self.upstream} {self.address} port {self.port}"


@dataclass(frozen=True, slots=True)
class SpeakerConfig:
    """A speaker: where it listens, and its neighbours."""

    neighbours: tuple[NeighbourConfig, ...]
    listen: tuple[tuple[Address, int], ...] = ()
    """Addresses and ports to accept connections on; none for a speaker that only dials. Port 0 takes a free one."""
    network: NetworkPolicy | None = None
    """Run a whole RIB with this policy, as an emulated network does."""
    keep_received: bool = False
    """Keep what neighbours announce also where no RIB needs it."""
    close_s: float = 3.0
    """How long a closing connection may take to deliver what was written."""
