"""What the agent must know again after a restart; saved, durably, before it is acted on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from anycastle.base.ports import Timestamp
from anycastle.health.drain import Drain
from anycastle.health.permits import Permit


@dataclass(frozen=True, slots=True)
class SavedPenalty:
    """A flap penalty and the wall time at which it had that value."""

    value: float
    at: Timestamp
    suppressed: bool


@dataclass(frozen=True, slots=True)
class AgentState:
    """By service name: permits, drains and flap penalties. A service that is absent has none of them; of one that left
    the PoP the epoch of its permit is kept, which is NONE.

    What is announced is not part of it: that is read from the router, which alone knows.
    """

    permits: Mapping[str, Permit] = field(default_factory=dict)
    drains: Mapping[str, Drain] = field(default_factory=dict)
    penalties: Mapping[str, SavedPenalty] = field(default_factory=dict)
    leader_term: int = 0
    """The highest term of a controller that was ever spoken with; 0 where the fleet's files alone deal permits."""
