"""ADD-PATH capability (RFC 7911 §4)."""

from dataclasses import dataclass
from enum import IntFlag
from struct import iter_unpack, pack
from typing import Final

from anycastle.wire.bgp.capability_error import malformed

CODE: Final = 69


class AddPathMode(IntFlag):
    """What the sender can do with several paths for a prefix."""

    RECEIVE = 1
    SEND = 2
    BOTH = 3


@dataclass(frozen=True, slots=True)
class AddPathFamily:
    """A family and what the sender can do with its path identifiers."""

    afi: int
    safi: int
    mode: AddPathMode


@dataclass(frozen=True, slots=True)
class AddPath:
    """Several paths for a prefix can be exchanged."""

    families: tuple[AddPathFamily, ...]


def decode(value: bytes) -> AddPath | None:
    """Decode the value; None for a Send/Receive octet other than 1, 2 and 3, which makes it not understood."""
    if len(value) % 4:
        raise malformed(CODE, "ADD-PATH", value)
    triples = tuple(iter_unpack("!HBB", value))
    if any(not 1 <= mode <= 3 for _, _, mode in triples):
        return None
    return AddPath(tuple(AddPathFamily(afi, safi, AddPathMode(mode)) for afi, safi, mode in triples))


def encode(capability: AddPath) -> bytes:
    """Encode the value."""
    return b"".join(pack("!HBB", each.afi, each.safi, each.mode) for each in capability.families)
