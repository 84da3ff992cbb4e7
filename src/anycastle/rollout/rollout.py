"""One rollout: a revision on its way through the fleet, step by step, and back again where it must.

Theory of operation. `advance` is a function from a rollout and what is seen of the world to the rollout a moment later.
- *waiting*: for a second person, for a freeze to end, for an earlier rollout on the same prefixes.
- *applying*: the step's units are desired of the new revision; each of its PoPs must live by that and be confirmed.
- *baking*: time passes, gates are asked with readings from after the step was reached. A gate that fails takes the
  rollout back at once; one without data holds it, and after its patience takes it back.
- *rolling back*: steps are taken back in reverse, each confirmed or given half a minute; then it lasts until every PoP
  is reached, for as long as that takes. There is no way out of it but through.
A pause and a freeze hold it wherever it is. `step` counts the steps that are desired of the new revision.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from anycastle.base.ports import Instant, Now, Timestamp
from anycastle.model.prefix import Prefix
from anycastle.rollout.desired import Unit
from anycastle.rollout.gates import GateVerdict, Judgement
from anycastle.rollout.orders import RolloutPolicy

STEP_BACK_S = 30.0
"""How long a rollback waits for the PoPs of one step before it takes the one before back as well."""


class RolloutState(Enum):
    """Where a rollout is."""

    WAITING = "waiting"
    APPLYING = "applying"
    BAKING = "baking"
    ROLLING_BACK = "rolling back"
    FINISHED = "finished"
    ROLLED_BACK = "rolled back"
    ABORTED = "aborted"
    """It ended before it changed anything."""


ENDED = frozenset({RolloutState.FINISHED, RolloutState.ROLLED_BACK, RolloutState.ABORTED})


@dataclass(frozen=True, slots=True)
class Rollout:
    """A rollout as it is kept."""

    number: int
    revision: str
    steps: tuple[frozenset[Unit], ...]
    before: Mapping[Unit, str]
    """Of which revision each unit was: where a rollback leads."""
    prefixes: frozenset[Prefix]
    who: str
    reason: str
    policy: RolloutPolicy = RolloutPolicy()
    marks: tuple[str, ...] = ()
    """Why a second person must approve."""
    approved_by: str | None = None
    state: RolloutState = RolloutState.WAITING
    step: int = 0
    since: Timestamp = Timestamp(0.0)
    """When it came into its state."""
    paused_by: str | None = None
    why: str = ""
    """Why it went back or ended, or what it waits for."""

    @property
    def ended(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.state in ENDED

    @property
    def unapproved(self) -> bool:
        """Whether a second person must approve it, and none has."""
        return bool(self.marks) and self.approved_by is None

    @property
    def units(self) -> frozenset[Unit]:
        """Give all that it changes."""
        return frozenset().union(*self.steps)

    def pops_of(self, step: int) -> frozenset[str]:
        """Give the PoPs of a step; steps count from 1."""
        return frozenset(unit.pop for unit in self.steps[step - 1]) if 1 <= step <= len(self.steps) else frozenset()


@dataclass(frozen=True, slots=True)
class Seen:
    """What of the world decides how a rollout goes on."""

    now: Now
    entered: Instant
    """When it came into its state, or went on after a pause, a freeze, or a start of the controller."""
    held: str | None = None
    """Why nothing may go on by itself: a freeze."""
    blocked: str | None = None
    """Why it may not begin, or not go a step further."""
    stale: str | None = None
    """Why it may not begin any more."""
    lacking: Mapping[str, str] = field(default_factory=dict)
    """PoP -> why it is not where it is desired; of all PoPs that the rollout touches."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """PoP -> why its agent refused what is desired of it."""
    judgements: Sequence[Judgement] = ()
    """What the gates say of the step that bakes."""

    @property
    def waited_s(self) -> float:
        """Give how long the rollout has been in its state."""
        return self.now.monotonic - self.entered


def advance(rollout: Rollout, seen: Seen) -> Rollout:
    """Give the rollout a moment later: the same where nothing is to be done."""
    if rollout.ended or rollout.paused_by is not None:
        return rollout
    match rollout.state:
        case RolloutState.WAITING:
            return _begin(rollout, seen)
        case RolloutState.APPLYING:
            return _reach(rollout, seen)
        case RolloutState.BAKING:
            return _bake(rollout, seen)
        case _:
            return _step_back(rollout, seen)


def roll_back(rollout: Rollout, why: str, now: Now) -> Rollout:
    """Give the rollout on its way back, with its last step taken back already."""
    if rollout.step == 0:
        return entered(rollout, RolloutState.ABORTED, now, why=why)
    return entered(rollout, RolloutState.ROLLING_BACK, now, step=rollout.step - 1, why=why)


def go_on(rollout: Rollout, now: Now) -> Rollout:
    """Give the rollout in its next step, or finished."""
    if rollout.step == len(rollout.steps):
        return entered(rollout, RolloutState.FINISHED, now)
    return entered(rollout, RolloutState.APPLYING, now, step=rollout.step + 1)


def entered(rollout: Rollout, state: RolloutState, now: Now, *, step: int | None = None, why: str = "") -> Rollout:
    """Give the rollout in another state."""
    at = rollout.step if step is None else step
    return replace(rollout, state=state, since=now.wall, step=at, why=why)


def _holding(rollout: Rollout, why: str) -> Rollout:
    return rollout if rollout.why == why else replace(rollout, why=why)


def _begin(rollout: Rollout, seen: Seen) -> Rollout:
    if seen.stale is not None:
        return entered(rollout, RolloutState.ABORTED, seen.now, why=seen.stale)
    if rollout.unapproved:
        return _holding(rollout, f"waits for the approval of a second person: {'; '.join(rollout.marks)}")
    waits_for = seen.held or seen.blocked
    return go_on(rollout, seen.now) if waits_for is None else _holding(rollout, waits_for)


def _reach(rollout: Rollout, seen: Seen) -> Rollout:
    pops = rollout.pops_of(rollout.step)
    refused = _told(seen.refused, pops)
    lacking = _told(seen.lacking, pops)
    if seen.held is not None:
        return _holding(rollout, seen.held)
    if refused:
        return roll_back(rollout, f"step {rollout.step} was refused: {refused}", seen.now)
    if not lacking:
        return entered(rollout, RolloutState.BAKING, seen.now)
    if seen.waited_s >= rollout.policy.patience_s:
        why = f"step {rollout.step} was not reached in {rollout.policy.patience_s:g} s: {lacking}"
        return roll_back(rollout, why, seen.now)
    return _holding(rollout, lacking)


def _bake(rollout: Rollout, seen: Seen) -> Rollout:
    if seen.held is not None:
        return _holding(rollout, seen.held)
    failed = [judged for judged in seen.judgements if judged.verdict is GateVerdict.FAIL]
    if failed:
        why = f"step {rollout.step}: {'; '.join(line for judged in failed for line in judged.evidence)}"
        return roll_back(rollout, why, seen.now)
    if seen.waited_s < rollout.policy.bake_s:
        return _holding(rollout, "")
    unknown = [judged for judged in seen.judgements if judged.verdict is GateVerdict.NO_DATA]
    if unknown:
        lacks = "; ".join(line for judged in unknown for line in judged.evidence)
        if seen.waited_s >= rollout.policy.bake_s + rollout.policy.patience_s:
            return roll_back(rollout, f"step {rollout.step}: no data is not a pass: {lacks}", seen.now)
        return _holding(rollout, f"waits for data: {lacks}")
    if seen.blocked is not None and rollout.step < len(rollout.steps):
        return _holding(rollout, seen.blocked)
    return go_on(rollout, seen.now)


def _step_back(rollout: Rollout, seen: Seen) -> Rollout:
    """Take one more step back once the last is confirmed; `why` stays what sent it back."""
    if seen.held is not None:
        return rollout
    lacking = _told(seen.lacking, rollout.pops_of(rollout.step + 1))
    if rollout.step > 0:
        if lacking and seen.waited_s < STEP_BACK_S:
            return rollout
        return entered(rollout, RolloutState.ROLLING_BACK, seen.now, step=rollout.step - 1, why=rollout.why)
    touched = {unit.pop for unit in rollout.units}
    if _told(seen.lacking, touched):
        return rollout
    return entered(rollout, RolloutState.ROLLED_BACK, seen.now, why=rollout.why)


def _told(said: Mapping[str, str], pops: Iterable[str]) -> str:
    return "; ".join(f"{pop}: {said[pop]}" for pop in sorted(pops) if pop in said)
