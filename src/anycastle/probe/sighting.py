"""One answer of an anycast address to one vantage point."""

from dataclasses import dataclass

from anycastle.base.ports import Timestamp
from anycastle.model.vantage_point import VantagePoint


@dataclass(frozen=True, slots=True)
class Sighting:
    """A vantage point asked `target` at a time, and a PoP answered, or none did."""

    vantage: VantagePoint
    target: str
    at: Timestamp
    pop: str = ""
    """By what the server said of itself; empty where nobody answered, or who did is not known."""
    rtt_ms: float | None = None
    server: str = ""
    """What it said, as it came."""
    error: str = ""
