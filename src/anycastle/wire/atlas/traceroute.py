"""Traceroute: hop by hop. Hop 255 is a last try with the greatest TTL after five silent hops."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from anycastle.wire.atlas.result import Origin, convert, milliseconds, words_of

LAST_TRY: Final = 255
"""The hop of the last try; it is no place on the path."""


@dataclass(frozen=True, slots=True)
class HopReply:
    """What became of one packet. Without an address it was lost."""

    address: str = ""
    rtt_ms: float | None = None
    """None for a lost packet, and for one that came after its time (`late`)."""
    ttl: int | None = None
    inner_ttl: int | None = None
    """The TTL in the quoted packet, where it is not 1: a hop that hides."""
    size: int | None = None
    late: bool = False
    mtu: int | None = None
    """Of the next hop, from an ICMP error that asks for smaller packets (RFC 1191)."""
    labels: tuple[int, ...] = ()
    """MPLS labels (RFC 4950)."""
    error: str = ""
    """The letter of an ICMP error: H host, N network, P protocol, A prohibited; or its number, or words."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One TTL."""

    number: int | None
    replies: tuple[HopReply, ...]
    error: str


@dataclass(frozen=True, slots=True)
class Traceroute:
    """A traceroute."""

    origin: Origin
    target: str
    name: str
    family: int | None
    protocol: str
    size: int | None
    paris: int | None
    """The variation of the flow: equal ones take the same way past load balancers. None: not told."""
    hops: tuple[Hop, ...]
    error: str

    @property
    def reached(self) -> bool:
        """Tell whether the target itself answered."""
        return any(
            reply.address == self.target and not reply.error
            for hop in self.hops
            for reply in hop.replies
            if reply.address
        )


class _MPLS(msgspec.Struct):
    label: int


class _Object(msgspec.Struct):
    mpls: list[_MPLS] = []


class _Extension(msgspec.Struct):
    obj: list[_Object] = []


class _Reply(msgspec.Struct):
    from_: str = msgspec.field(default="", name="from")
    rtt: float | None = None
    ttl: int | None = None
    ittl: int | None = None
    size: int | None = None
    late: int | None = None
    mtu: int | None = None
    icmpext: _Extension | None = None
    err: str | int = ""
    error: Any = None
    x: str = ""


class _Hop(msgspec.Struct):
    hop: int | None = None
    result: list[_Reply] = []
    error: Any = None


class _Raw(msgspec.Struct):
    dst_addr: str = ""
    dst_name: str = ""
    af: int | None = None
    proto: str = ""
    size: int | None = None
    paris_id: int | None = None
    result: list[_Hop] = []


def parse_traceroute(value: dict[str, Any], origin: Origin) -> Traceroute:
    """Parse a traceroute. Raises `ParseError`."""
    raw = convert(value, _Raw)
    hops = tuple(Hop(each.hop, tuple(map(_reply, each.result)), words_of(each.error)) for each in raw.result)
    errors = [hop.error for hop in hops if hop.error]
    return Traceroute(
        origin,
        raw.dst_addr,
        raw.dst_name,
        raw.af,
        raw.proto,
        raw.size,
        raw.paris_id,
        hops,
        errors[0] if errors else "",
    )


def _reply(raw: _Reply) -> HopReply:
    labels = tuple(mpls.label for each in (raw.icmpext.obj if raw.icmpext else []) for mpls in each.mpls)
    error = words_of(raw.error) or str(raw.err)
    return HopReply(
        raw.from_, milliseconds(raw.rtt), raw.ttl, raw.ittl, raw.size, raw.late is not None, raw.mtu, labels, error
    )
