"""M8: how much of what was offered was dropped as an attack."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from anycastle.slo.indicators.indicator import Indicator
from anycastle.slo.reading import GLOBAL, Reading, state_of

INDICATOR: Final = Indicator(
    "M8",
    "scrubbed",
    "Traffic dropped as an attack, over traffic offered; in bits, in packets and in requests.",
    "counters of nftables, FlowSpec and scrubbers; interfaces",
    "ratio",
    (("drops for want of capacity", "a queue that overflows is no mitigation; they are told apart"),),
    "intervals of a minute",
    5,
    "A counter that was read once has no rate.",
    higher_is_better=False,
    target="none: it depends on who attacks",
    gotcha="Of what arrived behind the filter the ratio means nothing: the base is what was offered. What"
    " scrubbing costs legitimate clients is in M3 and M5. One unit alone misleads: a flood of small packets is few"
    " bits.",
)


class Unit(Enum):
    """What is counted."""

    BITS = "bits"
    PACKETS = "packets"
    REQUESTS = "requests"


@dataclass(frozen=True, slots=True)
class Minute:
    """What one PoP counted in one minute, in one unit."""

    pop: str
    passed: float
    dropped: float
    """By a rule that means an attack."""
    overflowed: float = 0.0
    """For want of capacity."""


def reading(minutes: list[Minute], unit: Unit, scope: str = GLOBAL) -> Reading:
    """Give the share; it has no interval: every packet was counted."""
    offered = sum(each.passed + each.dropped + each.overflowed for each in minutes)
    dropped = sum(each.dropped for each in minutes)
    overflowed = sum(each.overflowed for each in minutes)
    state = state_of(len(minutes) if offered > 0 else 0, INDICATOR.minimum)
    left = {"overflowed, not counted as scrubbed": overflowed} if overflowed else {}
    return Reading(
        INDICATOR.id, scope, state, dropped / offered if offered > 0 else None, None, len(minutes), INDICATOR.minimum,
        left, unit.value,
    )  # fmt: skip
