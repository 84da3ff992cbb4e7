"""Which anycast addresses the loopback carries: there before the first announcement, gone only after the last.

An address taken away while packets for it still arrive has them refused (exabgp issue 993); so one that is no longer
needed stays for `LINGER_S` after no export of its service is to be seen.
"""

from anycastle.base.ports import FAR_FUTURE, Instant, after
from anycastle.health.commands import SetAddresses
from anycastle.model.prefix import Address

LINGER_S = 1.0


class AddressKeeper:
    """Turns the addresses that are needed into the addresses that are there."""

    def __init__(self) -> None:
        self._there: frozenset[Address] | None = None
        self._going: dict[Address, Instant] = {}

    def settle(self, needed: frozenset[Address], now: Instant) -> list[SetAddresses]:
        """Give the command that makes the loopback right, if it is not."""
        unneeded = (self._there or frozenset()) - needed
        self._going = {address: self._going.get(address, after(now, LINGER_S)) for address in unneeded}
        kept = {address for address, gone_at in self._going.items() if now < gone_at}
        self._going = {address: self._going[address] for address in kept}
        addresses = needed | kept
        if addresses == self._there:
            return []
        self._there = addresses
        return [SetAddresses(addresses)]

    @property
    def lingering(self) -> bool:
        """An address is still to go."""
        return bool(self._going)

    @property
    def deadline(self) -> Instant:
        """The instant at which the next address goes."""
        return min(self._going.values(), default=FAR_FUTURE)
