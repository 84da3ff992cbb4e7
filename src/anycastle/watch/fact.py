"""What feeds tell the engine. Times are the feed's own: the engine has no other clock."""

from dataclasses import dataclass
from enum import Enum

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.model.community import Community
from anycastle.model.prefix import Family, Prefix
from anycastle.wire.bgp.as_path import ASPath


@dataclass(frozen=True, slots=True, order=True)
class Peer:
    """A BGP session of a collector: what it hears from one router of one AS."""

    collector: str
    asn: ASN
    address: str
    place: int = 0
    """A router that tells several paths to a prefix (ADD-PATH) counts as one peer for each; see `watch.add_path`."""

    @property
    def session(self) -> "Peer":
        """The peer as one session, whichever of its paths this is."""
        return self if not self.place else Peer(self.collector, self.asn, self.address)

    def __str__(self) -> str:
        text = f"{self.collector} AS{self.asn} {self.address}"
        return f"{text} path {self.place + 1}" if self.place else text


@dataclass(frozen=True, slots=True)
class RouteSeen:
    """A peer holds a route now."""

    at: Timestamp
    peer: Peer
    prefix: Prefix
    path: ASPath
    communities: frozenset[Community] = frozenset()
    only_to_customer: ASN | None = None
    """OTC (RFC 9234), where the feed carries it."""
    seeded: bool = False
    """It comes from a table that was read at the start."""
    since: Timestamp | None = None
    """When the peer got it, where the table says so."""


@dataclass(frozen=True, slots=True)
class RouteGone:
    """A peer withdrew a route."""

    at: Timestamp
    peer: Peer
    prefix: Prefix


@dataclass(frozen=True, slots=True)
class PeerUp:
    """A peer's session began; it will tell all its routes anew."""

    at: Timestamp
    peer: Peer


@dataclass(frozen=True, slots=True)
class PeerDown:
    """A peer's session ended: nothing is known of its routes, which is not the same as that they are gone."""

    at: Timestamp
    peer: Peer
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TableSize:
    """How many routes of a family a peer's table held: what tells a full feed from a partial one."""

    at: Timestamp
    peer: Peer
    family: Family
    routes: int


@dataclass(frozen=True, slots=True)
class SeedEnd:
    """The tables have been read; what is wrong in them is to be reported now."""

    at: Timestamp


@dataclass(frozen=True, slots=True)
class FeedGap:
    """A feed was cut off for a while: what happened meanwhile is not known."""

    at: Timestamp
    feed: str
    seconds: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FeedSilence:
    """A feed, or one peer of it, is silent for longer than it ever should be (`silent`), or speaks again."""

    at: Timestamp
    feed: str
    peer: Peer | None
    seconds: float
    silent: bool


class OwnAction(Enum):
    """What our own routers did with a prefix."""

    ANNOUNCE = "announce"
    CHANGE = "change"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class OwnChange:
    """A router of ours sent an UPDATE about a prefix: where convergence is counted from."""

    at: Timestamp
    prefix: Prefix
    action: OwnAction
    pop: str
    upstream: str = ""
    """Empty for all of the PoP's."""


@dataclass(frozen=True, slots=True)
class OwnDrain:
    """A drain of a PoP began or ended; the loss that comes with it is our own doing."""

    at: Timestamp
    pop: str
    prefixes: tuple[Prefix, ...]
    active: bool
    reason: str = ""


Fact = RouteSeen | RouteGone | PeerUp | PeerDown | TableSize | SeedEnd | FeedGap | FeedSilence | OwnChange | OwnDrain
