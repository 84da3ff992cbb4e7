"""Network Layer Reachability Information of unicast routes, in UPDATE fields and multiprotocol attributes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from anycastle.model.prefix import Address, Family, Prefix
from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Malformed


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


# Decoding makes prefixes that are right by construction, by the million. Filling their slots directly, without the
# checks of `Prefix`, takes a third of the time.
_SETTERS: Final = (
    *(vars(Prefix)[slot].__set__ for slot in ("family", "network", "length")),
    *(vars(NLRI)[slot].__set__ for slot in ("prefix", "path_id")),
)


def decode_nlri(octets: bytes, family: Family, *, add_path: bool) -> tuple[NLRI, ...] | Malformed:
    """Decode a list of prefixes; bits beyond a prefix's length mean nothing (RFC 4271 §4.3, RFC 7606 §5.3)."""
    set_family, set_network, set_length, set_prefix, set_path_id = _SETTERS
    new = object.__new__
    bits = family.bits
    end = len(octets)
    position = 0
    path_id: int | None = None
    routes: list[NLRI] = []
    while position < end:
        if add_path:
            path_id = int.from_bytes(octets[position : position + 4])
            position += 4
            if position >= end:
                return Malformed("NLRI ends within a path identifier", UpdateSubcode.INVALID_NETWORK_FIELD)
        length = octets[position]
        start = position + 1
        size = (length + 7) >> 3
        position = start + size
        if length > bits or position > end:
            return Malformed(f"NLRI of length {length}", UpdateSubcode.INVALID_NETWORK_FIELD)
        network = int.from_bytes(octets[start:position]) >> (8 * size - length) << (bits - length)
        prefix = new(Prefix)
        set_family(prefix, family)
        set_network(prefix, network)
        set_length(prefix, length)
        route = new(NLRI)
        set_prefix(route, prefix)
        set_path_id(route, path_id)
        routes.append(route)
    return tuple(routes)


def encode_nlri(route: NLRI, *, add_path: bool) -> bytes:
    """Encode one prefix; with ADD-PATH a missing path identifier is written as 0."""
    prefix = route.prefix
    size = (prefix.length + 7) >> 3
    octets = bytes((prefix.length,)) + (prefix.network >> (prefix.family.bits - 8 * size)).to_bytes(size)
    return (route.path_id or 0).to_bytes(4) + octets if add_path else octets


def encode_nlri_list(routes: Iterable[NLRI], *, add_path: bool) -> bytes:
    """Encode prefixes one after the other."""
    return b"".join([encode_nlri(route, add_path=add_path) for route in routes])
