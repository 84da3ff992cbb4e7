"""What a prediction says of a plan, as the plan keeps it: the twin is a sibling, and may not be installed."""

from dataclasses import dataclass

from anycastle.model.prefix import Prefix


@dataclass(frozen=True, slots=True)
class ForeseenPoP:
    """One PoP. Shares are of all users, 0 to 1; loads in the unit of capacities."""

    name: str
    now: float
    after: float
    capacity: float | None
    """None where the files state none."""
    load: float | None = None
    """After; None where no offered load was given."""
    overload_chance: float = 0.0


@dataclass(frozen=True, slots=True)
class Loss:
    """One more PoP lost after the plan: the PoP that then has the least room, for its size."""

    lost: str
    fullest: str
    load: float
    capacity: float


@dataclass(frozen=True, slots=True)
class ForeseenShift:
    """What a plan moves of one prefix of one service."""

    service: str
    prefix: Prefix
    graph: str
    """Which graph, of which date."""
    pops: tuple[ForeseenPoP, ...]
    moved: float
    """Share of users whose PoP changes."""
    moved_though_kept: float
    """Of these: both their PoPs announce as before."""
    ases_moved_though_kept: float
    doubt: float
    losses: tuple[Loss, ...] = ()
    """One for each PoP that announces after; none where no load was given."""
