"""Which anycast addresses the loopback carries: there before the first announcement, gone only after the last.

An address taken away while packets for it still arrive has them refused (exabgp issue 993); so one that is no longer
needed stays for `LINGER_S` after no export of its service is to be seen.
"""

from collections.abc import Iterable

from anycastle.base.ports import FAR_FUTURE, Instant, after
from anycastle.health.commands import SetAddresses
from anycastle.health.service import ServiceState
from anycastle.model.announcement import Announcements
from anycastle.model.prefix import Address, Prefix
from anycastle.model.stance import DrainStep

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


def needed_addresses(states: Iterable[ServiceState], exports: Announcements) -> frozenset[Address]:
    """Give the addresses that the loopback must carry, by what the router exports."""
    exported = {route.prefix for route in exports}
    return frozenset(
        address
        for state in states
        if state.service.manage_addresses and not _gone(state, exported)
        for address in state.service.addresses
    )


def _gone(state: ServiceState, exported: set[Prefix]) -> bool:
    """Tell whether a service left for good, and no export of it is to be seen."""
    left = not state.announced and (state.drain_step is DrainStep.STOPPED or state.leaving)
    return left and not exported.intersection(state.service.prefixes)
