"""How an indicator describes itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Indicator:
    """What is measured, of what, and what is left out."""

    id: str
    """As the mission counts it: M1."""
    name: str
    definition: str
    source: str
    unit: str
    excludes: tuple[tuple[str, str], ...]
    """What does not count, and why."""
    counts: str
    """What its minimum is a number of."""
    minimum: float
    minimum_why: str
    higher_is_better: bool
    target: str
    """What operators commonly promise."""
    gotcha: str
    """What makes it lie, and what is done about it."""
