"""Who may shake hands, and when: handshakes cost a processor's millisecond each, and anybody can ask for one.

A few handshakes run at a time, and fewer of one address; others wait in their order. So of a thousand agents that come
back at once each gets done soon, and none times out half-way. An address whose handshakes failed too often is closed
without a word for a while; what succeeds is not counted, so agents behind one address do not hinder each other.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

from anycastle.base.ports import Instant

ADDRESSES_MAX: Final = 10_000
"""Addresses that are remembered; the one that was quiet for longest is forgotten first."""


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """How much is let in."""

    at_once: int = 32
    """Handshakes that run at a time."""
    of_one_address: int = 16
    """And of one address; what it does not finish ends after a while."""
    waiting_max: int = 4096
    """Connections that wait for a handshake; beyond it they are closed, and agents come back."""
    failures_max: int = 20
    """Handshakes of one address that may fail in a row."""
    failures_per_s: float = 0.5
    """How many more may fail each second."""


class Admission:
    """Lets connections begin, at once or later."""

    def __init__(self, limits: AdmissionLimits = AdmissionLimits()) -> None:
        self.limits = limits
        self.refused = 0
        """Connections that were closed without a handshake."""
        self._running: dict[object, str] = {}
        self._waiting: dict[object, tuple[str, Callable[[], None]]] = {}
        self._failures: OrderedDict[str, tuple[float, Instant]] = OrderedDict()

    @property
    def running(self) -> int:
        """Handshakes under way."""
        return len(self._running)

    def arrived(self, key: object, address: str, begin: Callable[[], None], now: Instant) -> bool:
        """Take a connection. False: it is to be closed."""
        network = _network(address)
        if len(self._waiting) >= self.limits.waiting_max or self._failed(network, now) >= self.limits.failures_max:
            self.refused += 1
            return False
        self._waiting[key] = (network, begin)
        self._begin_next()
        return True

    def done(self, key: object, now: Instant, *, trusted: bool) -> None:
        """Take that a connection's handshake is over, or that the connection is gone before it."""
        self._waiting.pop(key, None)
        network = self._running.pop(key, None)
        if network is not None and not trusted:
            self._failures[network] = (self._failed(network, now) + 1, now)
            self._failures.move_to_end(network)
            if len(self._failures) > ADDRESSES_MAX:
                self._failures.popitem(last=False)
        self._begin_next()

    def _begin_next(self) -> None:
        while (key := self._next()) is not None:
            network, begin = self._waiting.pop(key)
            self._running[key] = network
            begin()

    def _next(self) -> object | None:
        """Give the first that may begin."""
        if len(self._running) >= self.limits.at_once:
            return None
        counts = Counter(self._running.values())
        may = (key for key, (network, _) in self._waiting.items() if counts[network] < self.limits.of_one_address)
        return next(may, None)

    def _failed(self, network: str, now: Instant) -> float:
        failed, at = self._failures.get(network, (0.0, now))
        return max(0.0, failed - (now - at) * self.limits.failures_per_s)


def _network(address: str) -> str:
    """Give what one owner is likely to have: an IPv4 address, or a /64 of IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped is not None else f"{parsed.packed[:8].hex()}::/64"
    return str(parsed)
