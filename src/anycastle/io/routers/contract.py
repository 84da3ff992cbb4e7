"""What the agent asks of a router, whichever it is.

A driver is declarative: `apply` takes all that the agent announces, and `exported` tells what the router really
exports, in the same words. The contract's tests (`tests/lab/driver_contract.py`) run against every driver.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from anycastle.model.announcement import Announcements
from anycastle.model.prefix import Address, Family


class SessionState(Enum):
    """States of a BGP session, as far as an operator cares."""

    ESTABLISHED = "established"
    CONNECTING = "connecting"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """One BGP session of the router with an upstream."""

    upstream: str
    neighbour: Address
    state: SessionState
    families: frozenset[Family]
    """What the session carries while it is established."""
    detail: str = ""
    """The last error, in the router's words."""
    graceful_restart: bool | None = None
    """Whether the neighbour keeps our routes while this router restarts; None where the router does not tell."""


class RouterDriver(Protocol):
    """Drives one router. Every method raises `WorldError` for what the router refuses or does not answer."""

    async def start(self) -> None:
        """Reach the router, and check that it is set up for this agent. Changes nothing."""
        ...

    async def apply(self, wanted: Announcements) -> None:
        """Have the router announce exactly `wanted`. Applying the same twice sends nothing to a neighbour."""
        ...

    async def exported(self) -> Announcements:
        """Read back what the router exports over the sessions that are established."""
        ...

    async def configured(self) -> Announcements:
        """Read back what the router was told to announce, whether or not a session is up to carry it."""
        ...

    async def sessions(self) -> tuple[SessionStatus, ...]:
        """Give the state of the session with each upstream's neighbours."""
        ...

    async def shut(self, text: str) -> None:
        """Close the sessions that this driver owns with Cease and `text` (RFC 9003); others are left as they are."""
        ...

    async def close(self) -> None:
        """Let go of the router. What it announces stays."""
        ...
