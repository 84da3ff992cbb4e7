"""From the verdicts of its checks to the condition of a service."""

from collections.abc import Iterable
from enum import Enum

from anycastle.health.verdict import CheckTracker, Verdict
from anycastle.model.check import Severity
from anycastle.model.service import Quorum


class Condition(Enum):
    """What a service's checks say of it together. PENDING: the answers so far decide neither way."""

    PENDING = "pending"
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


def condition_of(trackers: Iterable[CheckTracker], quorum: Quorum) -> Condition:
    """Give the condition: DOWN only when the hard checks cannot reach the quorum whatever the pending ones will say."""
    total = healthy = unhealthy = 0
    degraded = False
    for tracker in trackers:
        if tracker.check.severity is Severity.SOFT:
            degraded = degraded or tracker.verdict is Verdict.UNHEALTHY
            continue
        total += 1
        healthy += tracker.verdict is Verdict.HEALTHY
        unhealthy += tracker.verdict is Verdict.UNHEALTHY
    need = quorum.required_of(total)
    if total - unhealthy < need:
        return Condition.DOWN
    if healthy < need:
        return Condition.PENDING
    return Condition.DEGRADED if degraded else Condition.UP
