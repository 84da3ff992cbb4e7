"""Withdraw permits, as agents and controllers speak of them."""

from dataclasses import dataclass
from enum import Enum


class PermitState(Enum):
    """NONE: not dealt to this PoP. HELD: may be used. USED: this PoP's withdrawal stands on it."""

    NONE = "none"
    HELD = "held"
    USED = "used"


@dataclass(frozen=True, slots=True)
class PermitReport:
    """What an agent says of its permit for one service; `epoch` numbers the last grant or revocation that it took."""

    service: str
    state: PermitState
    epoch: int
    exported: bool
    """Its router exports all prefixes of the service."""
    wanted: bool = False
    """A withdrawal that needs it is due, and was refused for want of it or of one that it needs beside it."""
