"""The messages of BMP as values."""

from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address

from anycastle.model.asn import ASN
from anycastle.model.prefix import Address
from anycastle.wire.bgp.message import Notification, Open


class MessageType(IntEnum):
    """Type octet of the common header (RFC 7854 §4.1)."""

    ROUTE_MONITORING = 0
    STATISTICS_REPORT = 1
    PEER_DOWN = 2
    PEER_UP = 3
    INITIATION = 4
    TERMINATION = 5
    ROUTE_MIRRORING = 6


class PeerType(IntEnum):
    """Whose routes they are (RFC 7854 §4.2, RFC 9069 §4.1)."""

    GLOBAL_INSTANCE = 0
    RD_INSTANCE = 1
    LOCAL_INSTANCE = 2
    LOC_RIB_INSTANCE = 3


class RIBView(IntEnum):
    """Which of the router's tables a message is about (RFC 7854 §4.2, RFC 8671 §4, RFC 9069 §4)."""

    ADJ_RIB_IN_PRE_POLICY = 0
    ADJ_RIB_IN_POST_POLICY = 1
    ADJ_RIB_OUT_PRE_POLICY = 2
    ADJ_RIB_OUT_POST_POLICY = 3
    LOC_RIB = 4


class DownReason(IntEnum):
    """Why a peer's session ended (RFC 7854 §4.9, RFC 9069 §5.3)."""

    LOCAL_NOTIFICATION = 1
    LOCAL_EVENT = 2
    REMOTE_NOTIFICATION = 3
    REMOTE_WITHOUT_NOTIFICATION = 4
    DE_CONFIGURED = 5
    LOCAL_SYSTEM_CLOSED = 6

    def __str__(self) -> str:
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class TLV:
    """A piece of information by type; the octets stay as they came."""

    type: int
    value: bytes

    @property
    def text(self) -> str:
        """The value as UTF-8; what is none is shown as U+FFFD."""
        return self.value.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class PeerHeader:
    """The per-peer header (RFC 7854 §4.2). `address` is None for the router's own tables."""

    type: PeerType
    view: RIBView
    distinguisher: bytes
    address: Address | None
    asn: ASN
    identifier: IPv4Address
    at_us: int
    """Microseconds since 1970; 0 where the router does not say."""
    two_octet_path: bool = False
    """AS_PATH is in the legacy form of two octets an ASN (flag A)."""
    filtered: bool = False
    """The Loc-RIB is told in part only (RFC 9069 §4.2)."""
    ipv6: bool = False
    """The flag V; a router's own tables may carry it with an address of zeroes."""


@dataclass(frozen=True, slots=True)
class RouteMonitoring:
    """An UPDATE, whole and as octets: how it is read depends on the peer's OPENs (§4.6)."""

    peer: PeerHeader
    update: bytes


@dataclass(frozen=True, slots=True)
class StatisticsReport:
    """Counters and gauges by type (§4.8); of four or eight octets, or with a family before them."""

    peer: PeerHeader
    statistics: tuple[TLV, ...]


@dataclass(frozen=True, slots=True)
class PeerDown:
    """A peer's session ended (§4.9)."""

    peer: PeerHeader
    reason: int
    notification: Notification | None = None
    event: int | None = None
    """The FSM event of RFC 4271 §8.1, with LOCAL_EVENT."""
    information: tuple[TLV, ...] = ()

    def __str__(self) -> str:
        name = str(DownReason(self.reason)) if self.reason in tuple(DownReason) else f"reason {self.reason}"
        if self.notification is not None:
            return f"{name} {self.notification.code}/{self.notification.subcode}"
        return name if self.event is None else f"{name} {self.event}"


@dataclass(frozen=True, slots=True)
class RefusedOpen:
    """An OPEN that no session would take, such as one of AS0 that FRR makes up for its own table."""

    octets: bytes
    why: str


@dataclass(frozen=True, slots=True)
class PeerUp:
    """A peer's session came up, with the OPENs of both ends (§4.10). `local` is None for the router's own tables."""

    peer: PeerHeader
    local: Address | None
    local_port: int
    remote_port: int
    sent: Open | RefusedOpen
    received: Open | RefusedOpen
    information: tuple[TLV, ...] = ()


@dataclass(frozen=True, slots=True)
class Initiation:
    """Who the router is (§4.3)."""

    information: tuple[TLV, ...]


@dataclass(frozen=True, slots=True)
class Termination:
    """The router ends the connection (§4.5)."""

    information: tuple[TLV, ...]


@dataclass(frozen=True, slots=True)
class RouteMirroring:
    """Messages as a peer sent them, also those with errors (§4.7)."""

    peer: PeerHeader
    mirrored: tuple[TLV, ...]


@dataclass(frozen=True, slots=True)
class Damaged:
    """A message that cannot be read; the ones after it can."""

    type: int
    what: str
    octets: bytes


BMPMessage = (
    RouteMonitoring | StatisticsReport | PeerDown | PeerUp | Initiation | Termination | RouteMirroring | Damaged
)
