"""BGP communities: standard (RFC 1997), large (RFC 8092) and extended (RFC 4360)."""

from dataclasses import dataclass
from typing import Final

from anycastle.base.errors import ParseError


@dataclass(frozen=True, slots=True, order=True)
class StandardCommunity:
    """A standard community: `administrator:value`, two octets each."""

    administrator: int
    value: int

    def __str__(self) -> str:
        return f"{self.administrator}:{self.value}"


@dataclass(frozen=True, slots=True, order=True)
class LargeCommunity:
    """A large community: `administrator:local_1:local_2`, four octets each."""

    administrator: int
    local_1: int
    local_2: int

    def __str__(self) -> str:
        return f"{self.administrator}:{self.local_1}:{self.local_2}"


@dataclass(frozen=True, slots=True, order=True)
class ExtendedCommunity:
    """An extended community as its eight octets, high-order first."""

    octets: int

    def __str__(self) -> str:
        kind = (self.octets >> 56) & 0xFF, (self.octets >> 48) & 0xFF
        name = {0x02: "rt", 0x03: "soo"}.get(kind[1])
        if name and kind[0] in (0x00, 0x02):  # two-octet and four-octet AS specific (RFC 4360 §3.1, RFC 5668)
            low = 32 if kind[0] == 0x00 else 16
            administrator = (self.octets >> low) & ((1 << (48 - low)) - 1)
            return f"{name}:{administrator}:{self.octets & ((1 << low) - 1)}"
        return f"0x{self.octets:016x}"


Community = StandardCommunity | LargeCommunity | ExtendedCommunity

GRACEFUL_SHUTDOWN: Final = StandardCommunity(65535, 0)  # RFC 8326 §4
BLACKHOLE: Final = StandardCommunity(65535, 666)  # RFC 7999 §5
NO_EXPORT: Final = StandardCommunity(65535, 65281)  # RFC 1997
NO_ADVERTISE: Final = StandardCommunity(65535, 65282)
NO_EXPORT_SUBCONFED: Final = StandardCommunity(65535, 65283)
NO_PEER: Final = StandardCommunity(65535, 65284)  # RFC 3765

WELL_KNOWN: Final = {
    "graceful-shutdown": GRACEFUL_SHUTDOWN,
    "blackhole": BLACKHOLE,
    "no-export": NO_EXPORT,
    "no-advertise": NO_ADVERTISE,
    "no-export-subconfed": NO_EXPORT_SUBCONFED,
    "no-peer": NO_PEER,
}


def parse_community(text: str) -> Community:
    """Parse `65535:0`, `64500:1:2`, `rt:64500:1`, `soo:…`, `0x…` (extended) or a well-known name.

    Raises `ParseError`.
    """
    raw = text.strip()
    if raw in WELL_KNOWN:
        return WELL_KNOWN[raw]
    if raw.startswith("0x") and len(raw) == 18:
        try:
            return ExtendedCommunity(int(raw, 16))
        except ValueError:
            raise ParseError(f"{text!r} is not sixteen hexadecimal digits after 0x") from None
    parts = raw.split(":")
    if len(parts) == 3 and parts[0] in ("rt", "soo"):
        return _parse_extended(parts, text)
    if len(parts) not in (2, 3) or not all(part.isascii() and part.isdigit() and len(part) <= 10 for part in parts):
        raise ParseError(f"{text!r} is not a community; write 65535:0, 64500:1:2, rt:64500:1 or a well-known name")
    numbers = [int(part) for part in parts]
    limit = 0xFFFF if len(numbers) == 2 else 0xFFFFFFFF
    if max(numbers) > limit:
        raise ParseError(
            f"{text!r}: each part is at most {limit}" + ("; a large community has three parts" * (len(numbers) == 2))
        )
    return StandardCommunity(*numbers) if len(numbers) == 2 else LargeCommunity(*numbers)


def _parse_extended(parts: list[str], text: str) -> ExtendedCommunity:
    if not all(part.isascii() and part.isdigit() and len(part) <= 10 for part in parts[1:]):
        raise ParseError(f"{text!r}: after {parts[0]}: come two numbers")
    subtype = 0x02 if parts[0] == "rt" else 0x03
    administrator, value = int(parts[1]), int(parts[2])
    if administrator <= 0xFFFF and value <= 0xFFFFFFFF:
        return ExtendedCommunity(subtype << 48 | administrator << 32 | value)
    if administrator <= 0xFFFFFFFF and value <= 0xFFFF:
        return ExtendedCommunity(0x02 << 56 | subtype << 48 | administrator << 16 | value)
    raise ParseError(f"{text!r}: an AS number over 65535 leaves two octets for the value (RFC 5668)")
