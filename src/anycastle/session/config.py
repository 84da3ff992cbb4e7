"""What an operator says of a session."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from types import MappingProxyType

from anycastle.model.asn import ASN
from anycastle.model.prefix import Family
from anycastle.wire.bgp.capability import RoleValue


@dataclass(frozen=True, slots=True)
class RestartConfig:
    """Graceful restart (RFC 4724), both as the one that restarts and as the one that helps."""

    restart_time_s: int = 120
    """How long the peer shall keep our routes while we restart; at most 4095."""
    restarting: bool = False
    """We are back from a restart: sets the R bit, so that the peer sends its routes without waiting for ours."""
    forwarding: bool = True
    """Packets keep flowing while we restart: sets the F bit of each family."""
    stale_time_s: float = 180.0
    """How long stale routes wait for End-of-RIB once the session is up again (the upper bound of RFC 4724 §4.2)."""


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """One session, as configured on our side."""

    local_asn: ASN
    peer_asn: ASN | None
    """None takes whatever ASN the OPEN says: for emulated neighbours and collectors only."""
    identifier: IPv4Address
    peer: str
    """How messages name the peer: its address and port."""
    families: tuple[Family, ...] = (Family.IPV4,)
    hold_time_s: int = 30
    hold_time_min_s: int = 3
    """An OPEN that would bring the hold time below it is refused (2/6); 0 always passes, as RFC 4271 §4.2 has it."""
    passive: bool = False
    """Wait for the peer to dial."""
    connect_retry_s: float = 5.0
    """Far below RFC 4271 §10's 120 s: a PoP that is back must not wait two minutes for its clients."""
    delay_open_s: float = 0.0
    idle_hold_s: float = 1.0
    """First wait after a failed session; it doubles with each failure in turn, up to `idle_hold_max_s`."""
    idle_hold_max_s: float = 60.0
    stable_s: float = 30.0
    """A session that lived this long starts the waits from the first again."""
    restart: bool = True
    """Start again by itself after a failure (AllowAutomaticStart)."""
    role: RoleValue | None = None
    """Our role on this session (RFC 9234)."""
    role_strict: bool = False
    """Refuse a peer that states no role."""
    graceful_restart: RestartConfig | None = None
    add_path_receive: bool = False
    extended_message: bool = True
    check_first_asn: bool = True
    """Refuse an AS_PATH that does not begin with the peer's ASN (RFC 4271 §6.3); off for a route server."""
    prefix_limits: Mapping[Family, int] = field(default_factory=lambda: MappingProxyType({}))
    prefix_warning: float = 0.8
    """Share of a limit at which a warning is given."""
    authenticated: bool = False
    """TCP-MD5 is set on our side; messages about an unanswered dial then say so. The speaker fills it in."""
