"""The decision itself: what a PoP does with a service, and why. One pure function; everything else feeds it."""

from dataclasses import dataclass

from anycastle.health.quorum import Condition
from anycastle.model.permit import PermitState
from anycastle.model.service import WhenAlone
from anycastle.model.stance import DrainStep, Stance


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the decision depends on."""

    condition: Condition
    announced: bool
    """Whether the service is announced now (its last stance was not WITHDRAW)."""
    drain: DrainStep
    soaked: bool
    """The drain has shut gracefully for as long as it was to; only a permit keeps it from withdrawing."""
    suppressed: bool
    slow_start: bool
    permit: PermitState
    when_alone: WhenAlone
    alone: bool
    """No controller is in reach, so none can be asked for a permit."""
    leaving: bool = False
    """The agent is stopping, and the service's `on_exit` says withdraw."""
    steered: bool = False
    """The service was found steered, and not all of its checks have spoken since."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A stance with its reason. `refused`: the withdrawal that was due, had a permit been there."""

    stance: Stance
    reason: str
    refused: bool = False


def decide(situation: Situation) -> Decision:
    """Give the stance that the situation asks for; without a permit no withdrawal is decided."""
    cause = _cause_to_withdraw(situation)
    if cause is None:
        return _announce_or_steer(situation)
    if not situation.announced or _may_withdraw(situation):
        return Decision(Stance.WITHDRAW, cause)
    return Decision(Stance.STEER, f"{cause}; no withdraw permit, so it stays announced", refused=True)


def _cause_to_withdraw(situation: Situation) -> str | None:
    if situation.leaving:
        return "the agent is stopping"
    if situation.drain in (DrainStep.WITHDRAWN, DrainStep.STOPPED):
        return "drained"
    if situation.condition is Condition.DOWN:
        return "hard checks fail"
    if situation.announced:
        return None
    if situation.drain is DrainStep.SHUTTING:
        return "drained"
    if situation.condition is Condition.PENDING:
        return "not yet known to serve"
    return "suppressed for flapping" if situation.suppressed else None


def _may_withdraw(situation: Situation) -> bool:
    if situation.permit is not PermitState.NONE:
        return True
    hard_failure = situation.condition is Condition.DOWN
    return hard_failure and situation.alone and situation.when_alone is WhenAlone.WITHDRAW


def _announce_or_steer(situation: Situation) -> Decision:
    if situation.drain is DrainStep.SHUTTING and situation.soaked:
        return Decision(Stance.STEER, "draining; no withdraw permit, so it stays announced", refused=True)
    if situation.drain is DrainStep.SHUTTING:
        return Decision(Stance.STEER, "draining")
    if situation.condition is Condition.DEGRADED:
        return Decision(Stance.STEER, "soft checks fail")
    if situation.suppressed:
        return Decision(Stance.STEER, "steady for now: it flapped")
    if situation.slow_start:
        return Decision(Stance.STEER, "slow start after a recovery")
    if situation.steered:
        return Decision(Stance.STEER, "steered until known otherwise")
    return Decision(
        Stance.ANNOUNCE, "serving" if situation.condition is Condition.UP else "serving until known otherwise"
    )
