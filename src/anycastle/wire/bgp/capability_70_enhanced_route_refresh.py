"""Enhanced Route Refresh capability (RFC 7313 §3.1)."""

from dataclasses import dataclass
from typing import Final

from anycastle.wire.bgp.capability_error import malformed

CODE: Final = 70


@dataclass(frozen=True, slots=True)
class EnhancedRouteRefresh:
    """The sender marks where a refresh begins and ends."""


def decode(value: bytes) -> EnhancedRouteRefresh:
    """Decode the value, which is empty."""
    if value:
        raise malformed(CODE, "enhanced route refresh", value)
    return EnhancedRouteRefresh()


def encode(_capability: EnhancedRouteRefresh) -> bytes:
    """Encode the value."""
    return b""
