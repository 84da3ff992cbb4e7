"""The five BGP messages as values."""

from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address

from anycastle.model.asn import ASN
from anycastle.model.prefix import Family
from anycastle.wire.bgp.attributes import NO_ATTRIBUTES, PathAttributes
from anycastle.wire.bgp.capability import Capability
from anycastle.wire.bgp.errors import Action, AttributeFault
from anycastle.wire.bgp.family import SAFI_UNICAST, unicast_family
from anycastle.wire.bgp.nlri import NLRI, MPUnreach


class MessageType(IntEnum):
    """Type octet of the message header (RFC 4271 §4.1, RFC 2918 §3)."""

    OPEN = 1
    UPDATE = 2
    NOTIFICATION = 3
    KEEPALIVE = 4
    ROUTE_REFRESH = 5


class RefreshSubtype(IntEnum):
    """What a ROUTE-REFRESH says (RFC 7313 §3.2)."""

    REQUEST = 0
    BEGIN = 1
    END = 2


@dataclass(frozen=True, slots=True)
class Open:
    """Who the sender is and what it can do (RFC 4271 §4.2). `asn` is the two-octet field, AS_TRANS for a larger one."""

    version: int
    asn: ASN
    hold_time_s: int
    identifier: IPv4Address
    capabilities: tuple[Capability, ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    """Routes withdrawn and announced (RFC 4271 §4.3).

    `errors` are the faults that RFC 7606 lets the session survive. Read routes by `announced_nlri` and
    `withdrawn_nlri`, which apply them, not by the fields.
    """

    withdrawn: tuple[NLRI, ...] = ()
    attributes: PathAttributes = NO_ATTRIBUTES
    nlri: tuple[NLRI, ...] = ()
    errors: tuple[AttributeFault, ...] = ()

    @property
    def action(self) -> Action | None:
        """The most severe action of its faults (RFC 7606 §3 h); None when nothing is wrong."""
        return max((fault.action for fault in self.errors), default=None)

    @property
    def announced_nlri(self) -> tuple[NLRI, ...]:
        """Unicast routes of both families that this message announces; none when it is treated as withdrawal."""
        action = self.action
        if action is not None and action >= Action.TREAT_AS_WITHDRAW:
            return ()
        reach = self.attributes.mp_reach
        return self.nlri if reach is None else self.nlri + reach.nlri

    @property
    def withdrawn_nlri(self) -> tuple[NLRI, ...]:
        """Unicast routes that this message takes back, among them those that it fails to announce (RFC 7606 §2)."""
        attributes = self.attributes
        routes = self.withdrawn
        if attributes.mp_unreach is not None:
            routes += attributes.mp_unreach.nlri
        action = self.action
        if action is not None and action >= Action.TREAT_AS_WITHDRAW:
            routes += self.nlri
            if attributes.mp_reach is not None:
                routes += attributes.mp_reach.nlri
        return routes

    @classmethod
    def end_of_rib(cls, family: Family) -> "Update":
        """Give the message that ends the first sending of a family's routes (RFC 4724 §2)."""
        if family is Family.IPV4:
            return cls()
        return cls(attributes=PathAttributes(mp_unreach=MPUnreach(family.value, SAFI_UNICAST)))

    @property
    def end_of_rib_family(self) -> Family | None:
        """The unicast family whose End-of-RIB this message is, or None."""
        if self.withdrawn or self.nlri or self.errors:
            return None
        unreach = self.attributes.mp_unreach
        if unreach is None:
            return Family.IPV4 if self.attributes == NO_ATTRIBUTES else None
        if unreach.nlri or self.attributes != PathAttributes(mp_unreach=unreach):
            return None
        return unicast_family(unreach.afi, unreach.safi)


@dataclass(frozen=True, slots=True)
class Notification:
    """Why the sender ends the session (RFC 4271 §4.5)."""

    code: int
    subcode: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Keepalive:
    """The sender lives (RFC 4271 §4.4)."""


@dataclass(frozen=True, slots=True)
class RouteRefresh:
    """A request for a family's routes, or the mark that their sending begins or ends (RFC 2918, RFC 7313).

    `subtype` may be one that is not in `RefreshSubtype`; the receiver ignores such a message (RFC 7313 §5).
    """

    afi: int
    safi: int
    subtype: int = RefreshSubtype.REQUEST


Message = Open | Update | Notification | Keepalive | RouteRefresh
