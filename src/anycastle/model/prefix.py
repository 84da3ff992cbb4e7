"""IP prefixes and addresses, both families."""

from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, ip_address

from anycastle.base.errors import MisuseError, ParseError

Address = IPv4Address | IPv6Address


class Family(IntEnum):
    """An address family; the value is its AFI (IANA Address Family Numbers)."""

    IPV4 = 1
    IPV6 = 2

    @property
    def bits(self) -> int:
        """Bits of an address: 32 or 128."""
        return 32 if self is Family.IPV4 else 128

    @property
    def longest_announced(self) -> int:
        """Longest prefix that the Internet carries: /24 or /48."""
        return 24 if self is Family.IPV4 else 48

    def __str__(self) -> str:
        return "ipv4" if self is Family.IPV4 else "ipv6"


@dataclass(frozen=True, slots=True, order=True)
class Prefix:
    """A prefix without host bits. Order: family, network, length, so that a covering one comes first."""

    family: Family
    network: int
    length: int

    def __post_init__(self) -> None:
        if not 0 <= self.length <= self.family.bits:
            raise MisuseError(f"length {self.length} is outside 0..{self.family.bits}")
        if self.network >> self.family.bits or self.network & self.host_mask:
            raise MisuseError(f"network {self.network:#x} does not fit a /{self.length}")

    @property
    def host_mask(self) -> int:
        """Bits that are not of the network, as an integer."""
        return (1 << (self.family.bits - self.length)) - 1

    @property
    def first(self) -> Address:
        """First address of the prefix."""
        return IPv4Address(self.network) if self.family is Family.IPV4 else IPv6Address(self.network)

    def contains(self, other: "Prefix | Address") -> bool:
        """Tell whether `other` lies within this prefix (a prefix contains itself)."""
        if isinstance(other, Prefix):
            network, length, family = other.network, other.length, other.family
        else:
            family = family_of(other)
            network, length = int(other), family.bits
        return family is self.family and length >= self.length and network & ~self.host_mask == self.network

    def overlaps(self, other: "Prefix") -> bool:
        """Tell whether the two share an address."""
        return self.contains(other) or other.contains(self)

    def __str__(self) -> str:
        return f"{self.first}/{self.length}"


def family_of(address: Address) -> Family:
    """Give an address's family."""
    return Family.IPV4 if isinstance(address, IPv4Address) else Family.IPV6


def parse_prefix(text: str) -> Prefix:
    """Parse `192.0.2.0/24`. Raises `ParseError`, also for host bits, naming the prefix that was likely meant."""
    host, slash, length_text = text.strip().partition("/")
    if not slash:
        raise ParseError(f"{text!r} has no length; write {text}/24 or the like")
    address = parse_address(host)
    family = family_of(address)
    if (
        not (length_text.isascii() and length_text.isdigit() and len(length_text) <= 3)
        or int(length_text) > family.bits
    ):
        raise ParseError(f"{text!r}: the length is a number from 0 to {family.bits}")
    length = int(length_text)
    host_mask = (1 << (family.bits - length)) - 1
    network = int(address) & ~host_mask
    prefix = Prefix(family, network, length)
    if network != int(address):
        raise ParseError(f"{text!r} has bits set beyond /{length}; did you mean {prefix}?")
    return prefix


def parse_address(text: str) -> Address:
    """Parse an IPv4 or IPv6 address without scope. Raises `ParseError`."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        raise ParseError(f"{text!r} is not an IPv4 or IPv6 address") from None
    if isinstance(address, IPv6Address) and address.scope_id:
        raise ParseError(f"{text!r} carries a scope; write the address alone")
    return address
