"""Anycast addresses on the loopback interface, by netlink."""

from collections.abc import Iterable
from ipaddress import ip_address

from anycastle.base.errors import WorldError
from anycastle.model.prefix import Address, Family, family_of

_EXISTS, _ABSENT = 17, 99
"""EEXIST and EADDRNOTAVAIL: the address is already there, or already gone."""


class Loopback:
    """Keeps the addresses that are its own; addresses of others on the interface are never touched."""

    def __init__(self, own: Iterable[Address], interface: str = "lo") -> None:
        self.own = frozenset(own)
        self.interface = interface

    def adopt(self, more: Iterable[Address]) -> None:
        """Count more addresses as its own; one that is no longer wanted stays its own, to be taken away."""
        self.own |= frozenset(more)

    async def set(self, wanted: frozenset[Address]) -> None:
        """Have exactly `wanted` of the own addresses there. Raises `WorldError`."""
        if not self.own:
            return
        from pyroute2 import AsyncIPRoute
        from pyroute2.netlink.exceptions import NetlinkError

        try:
            async with AsyncIPRoute() as route:
                index = (await route.link_lookup(ifname=self.interface))[0]
                dump = await route.get_addr(index=index)
                there = {ip_address(message.get_attr("IFA_ADDRESS")) async for message in dump}
                changes = [("add", address) for address in sorted(self.own & wanted - there, key=str)]
                changes += [("del", address) for address in sorted((self.own - wanted) & there, key=str)]
                for change, address in changes:
                    try:
                        await route.addr(change, index=index, address=str(address), prefixlen=_bits(address))
                    except NetlinkError as error:
                        if error.code not in (_EXISTS, _ABSENT):
                            raise
        except NetlinkError as error:
            raise WorldError(f"addresses of {self.interface} cannot be set: {error}") from error
        except OSError as error:
            raise WorldError(f"addresses of {self.interface} cannot be set: {error.strerror}") from error


def _bits(address: Address) -> int:
    family: Family = family_of(address)
    return family.bits
