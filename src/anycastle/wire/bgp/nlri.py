"""Network Layer Reachability Information of unicast routes, in UPDATE fields and multiprotocol attributes."""

from dataclasses import dataclass

from anycastle.model.prefix import Address, Prefix


@dataclass(frozen=True, slots=True, order=True)
class NLRI:
    """A prefix as an UPDATE names it; `path_id` is set on a session with ADD-PATH only (RFC 7911 §3)."""

    prefix: Prefix
    path_id: int | None = None

    def __str__(self) -> str:
        return str(self.prefix) if self.path_id is None else f"{self.prefix} path {self.path_id}"


@dataclass(frozen=True, slots=True)
class MPReach:
    """Routes announced in MP_REACH_NLRI (RFC 4760 §3).

    `next_hops` holds one address, or two where a link-local one follows the global one (RFC 2545 §3). The NLRI of
    families other than unicast stay as octets in `opaque`, a next hop of unknown form in `opaque_next_hop`.
    """

    afi: int
    safi: int
    next_hops: tuple[Address, ...] = ()
    nlri: tuple[NLRI, ...] = ()
    opaque: bytes = b""
    opaque_next_hop: bytes = b""


@dataclass(frozen=True, slots=True)
class MPUnreach:
    """Routes withdrawn in MP_UNREACH_NLRI (RFC 4760 §4); without any it is an End-of-RIB (RFC 4724 §2)."""

    afi: int
    safi: int
    nlri: tuple[NLRI, ...] = ()
    opaque: bytes = b""
