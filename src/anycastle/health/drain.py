"""Draining a service, or a whole PoP: a machine that survives configure, restart and the agent's death.

    NORMAL -> SHUTTING -> WITHDRAWN -> STOPPED, and from any of them back to NORMAL

SHUTTING announces with GRACEFUL_SHUTDOWN (RFC 8326) and the policy's steered attributes, so that neighbours move
what they can while packets still arrive. After `soak_s` the service is withdrawn, which takes a permit; without one
the drain stays in SHUTTING and says so. `wait_s` later, when the last packets are served, it is STOPPED and its
addresses may go. A drain carries who asked, why, and when it ends by itself. Deadlines are wall time, because they
outlive the machine's boot.
"""

from dataclasses import dataclass, replace

from anycastle.base.ports import Timestamp
from anycastle.model.stance import DrainStep


@dataclass(frozen=True, slots=True)
class Drain:
    """A drain of one service at this PoP."""

    step: DrainStep
    owner: str
    reason: str
    since: Timestamp
    """When the present step began."""
    soak_s: float = 5.0
    wait_s: float = 5.0
    expires: Timestamp | None = None


def begin(owner: str, reason: str, now: Timestamp, soak_s: float, wait_s: float, expires: Timestamp | None) -> Drain:
    """Give a drain at its first step."""
    return Drain(DrainStep.SHUTTING, owner, reason, now, soak_s, wait_s, expires)


def soaked(drain: Drain, now: Timestamp) -> bool:
    """Tell whether the drain has shut gracefully for `soak_s`."""
    return now >= drain.since + drain.soak_s


def advance(drain: Drain, now: Timestamp, *, may_withdraw: bool) -> Drain | None:
    """Give the drain as it stands at `now`, or None when it has expired."""
    if drain.expires is not None and now >= drain.expires:
        return None
    if drain.step is DrainStep.SHUTTING and may_withdraw and soaked(drain, now):
        drain = replace(drain, step=DrainStep.WITHDRAWN, since=now)  # and on at once, where nothing is to be waited for
    if drain.step is DrainStep.WITHDRAWN and now >= drain.since + drain.wait_s:
        return replace(drain, step=DrainStep.STOPPED, since=now)
    return drain


def changes(drain: Drain) -> tuple[Timestamp, ...]:
    """Give the wall times at which the drain may move by itself; one that has passed without a move does not return."""
    ends = {DrainStep.SHUTTING: drain.since + drain.soak_s, DrainStep.WITHDRAWN: drain.since + drain.wait_s}
    step_end = (Timestamp(ends[drain.step]),) if drain.step in ends else ()
    return step_end if drain.expires is None else (*step_end, drain.expires)
