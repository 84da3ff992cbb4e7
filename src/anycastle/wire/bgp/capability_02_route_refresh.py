"""Route Refresh capability (RFC 2918 §2)."""

from dataclasses import dataclass
from typing import Final

from anycastle.wire.bgp.capability_error import malformed

CODE: Final = 2


@dataclass(frozen=True, slots=True)
class RouteRefresh:
    """The sender answers requests for its routes."""


def decode(value: bytes) -> RouteRefresh:
    """Decode the value, which is empty."""
    if value:
        raise malformed(CODE, "route refresh", value)
    return RouteRefresh()


def encode(_capability: RouteRefresh) -> bytes:
    """Encode the value."""
    return b""
