"""A position in octets that moves forward, and says so when they end too early."""

from ipaddress import IPv4Address, IPv6Address

from anycastle.base.errors import AnycastleError
from anycastle.model.prefix import Address, Family


class DamagedError(AnycastleError):
    """A record cannot be read beyond `position`, octets from its start. Does not leave `wire`."""

    def __init__(self, what: str, position: int) -> None:
        super().__init__(what)
        self.what = what
        self.position = position


class OctetReader:
    """Takes values from `octets` one after the other. Raises `DamagedError` where they end."""

    __slots__ = ("octets", "position")

    def __init__(self, octets: bytes, position: int = 0) -> None:
        self.octets = octets
        self.position = position

    @property
    def left(self) -> int:
        """Octets not yet taken."""
        return len(self.octets) - self.position

    def take(self, count: int, what: str) -> bytes:
        """Take some octets; `what` is named when they are not there."""
        start = self.position
        end = start + count
        if end > len(self.octets):
            raise DamagedError(f"{what} of {count} octets runs over the end", start)
        self.position = end
        return self.octets[start:end]

    def rest(self) -> bytes:
        """Take all that is left."""
        return self.take(self.left, "rest")

    def unsigned(self, size: int, what: str) -> int:
        """Take an unsigned number of `size` octets."""
        return int.from_bytes(self.take(size, what))

    def address(self, family: Family, what: str) -> Address:
        """Take an address."""
        if family is Family.IPV4:
            return IPv4Address(self.take(4, what))
        return IPv6Address(self.take(16, what))

    def sized(self, what: str) -> bytes:
        """Take octets that follow their two-octet length."""
        return self.take(self.unsigned(2, f"length of {what}"), what)
