"""What an indicator says: a value with its interval, or why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from anycastle.kernels.intervals import Interval


class State(Enum):
    """How much a reading says."""

    MEASURED = "measured"
    TOO_FEW = "too few"
    """Something was measured, less than the indicator's minimum: the value is told and counts for nothing."""
    NO_DATA = "no data"
    """Nothing was measured. That is neither good nor bad, and never zero."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One indicator over one scope."""

    indicator: str
    scope: str
    """A region, or `global`."""
    state: State
    value: float | None
    interval: Interval | None
    """95 %; None where there are too few networks to tell, whatever the value."""
    count: float
    """What it was computed of, in what the indicator counts."""
    minimum: float
    excluded: Mapping[str, float] = field(default_factory=dict)
    """What was left out, by reason."""
    note: str = ""


GLOBAL = "global"


def state_of(count: float, minimum: float) -> State:
    """Give the state of so many measurements."""
    return State.NO_DATA if count <= 0 else State.TOO_FEW if count < minimum else State.MEASURED
