"""One rollout: a revision on its way through the fleet, step by step, and back again where it must.

Theory of operation. `advance` is a function from a rollout and what is seen of the world to the rollout a moment later.
- *waiting*: for a second person, for a freeze to end, for an earlier rollout on the same prefixes.
- *applying*: the step's units are desired of the new revision; each of its PoPs must live by that and be confirmed.
- *baking*: time passes, gates are asked with readings from after the step was reached. A gate that fails takes the
  rollout back at once. One without data holds it, and so does a PoP that is not any more where it was; after its
  patience either takes it back.
- *rolling back*: steps are taken back in reverse, each confirmed or given half a minute; then it lasts until every PoP
  is reached, for as long as that takes. There is no way out of it but through.
A pause and a freeze hold it wherever it is. `step` counts the steps that are desired of the new revision.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import islice
from typing import NamedTuple

from anycastle.base.ports import Instant, Now, Timestamp, after
from anycastle.model.prefix import Prefix
from anycastle.rollout.desired import Unit
from anycastle.rollout.gates import GateVerdict, Judgement
from anycastle.rollout.orders import RolloutPolicy

STEP_BACK_S = 30.0
"""How long a rollback waits for the PoPs of one step before it takes the one before back as well."""

NAMED_MAX = 3
"""PoPs that are named where many are waited for."""


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
    """Why it went back or ended."""

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

    def pops_until(self, step: int) -> frozenset[str]:
        """Give the PoPs of a step and of all before it."""
        return frozenset().union(*(self.pops_of(each) for each in range(1, step + 1)))


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

    def waited(self, seconds: float) -> bool:
        """Tell whether the rollout has been in its state for so long."""
        return self.now.monotonic >= after(self.entered, seconds)


class Onward(NamedTuple):
    """What becomes of a rollout, and what it waits for where it stays as it is."""

    rollout: Rollout
    waits_for: str = ""


def advance(rollout: Rollout, seen: Seen) -> Onward:
    """Give the rollout a moment later: the same where nothing is to be done."""
    if rollout.ended or rollout.paused_by is not None:
        return Onward(rollout)
    if seen.held is not None and rollout.state is not RolloutState.WAITING:
        return Onward(rollout, seen.held)
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


def _begin(rollout: Rollout, seen: Seen) -> Onward:
    if seen.stale is not None:
        return Onward(entered(rollout, RolloutState.ABORTED, seen.now, why=seen.stale))
    if rollout.unapproved:
        return Onward(rollout, f"the approval of a second person: {'; '.join(rollout.marks)}")
    waits_for = seen.held or seen.blocked
    return Onward(go_on(rollout, seen.now)) if waits_for is None else Onward(rollout, waits_for)


def _reach(rollout: Rollout, seen: Seen) -> Onward:
    pops = rollout.pops_of(rollout.step)
    refused = _told(seen.refused, pops)
    lacking = _told(seen.lacking, pops)
    if refused:
        return Onward(roll_back(rollout, f"step {rollout.step} was refused: {refused}", seen.now))
    if not lacking:
        return Onward(entered(rollout, RolloutState.BAKING, seen.now))
    patience_s = rollout.policy.patience_s
    if seen.waited(patience_s):
        why = f"step {rollout.step} was not reached in {patience_s:g} s: {lacking}"
        return Onward(roll_back(rollout, why, seen.now))
    return Onward(rollout, lacking)


def _bake(rollout: Rollout, seen: Seen) -> Onward:
    policy = rollout.policy
    failed = _evidence(seen.judgements, GateVerdict.FAIL)
    if failed:
        return Onward(roll_back(rollout, f"step {rollout.step}: {failed}", seen.now))
    lacking = _told(seen.lacking, rollout.pops_until(rollout.step))
    unknown = _evidence(seen.judgements, GateVerdict.NO_DATA)
    missing = lacking or (f"data: {unknown}" if unknown else "")
    if not seen.waited(policy.bake_s):
        return Onward(rollout, lacking)
    if missing and seen.waited(policy.bake_s + policy.patience_s):
        why = f"it did not stay: {lacking}" if lacking else f"no data is not a pass: {unknown}"
        return Onward(roll_back(rollout, f"step {rollout.step}: {why}", seen.now))
    if missing:
        return Onward(rollout, missing)
    if seen.blocked is not None and rollout.step < len(rollout.steps):
        return Onward(rollout, seen.blocked)
    return Onward(go_on(rollout, seen.now))


def _step_back(rollout: Rollout, seen: Seen) -> Onward:
    """Take one more step back once the last is confirmed; `why` stays what sent it back."""
    if rollout.step > 0:
        lacking = _told(seen.lacking, rollout.pops_of(rollout.step + 1))
        if lacking and not seen.waited(STEP_BACK_S):
            return Onward(rollout, lacking)
        return Onward(entered(rollout, RolloutState.ROLLING_BACK, seen.now, step=rollout.step - 1, why=rollout.why))
    lacking = _told(seen.lacking, rollout.pops_until(len(rollout.steps)))
    if lacking:
        return Onward(rollout, lacking)
    return Onward(entered(rollout, RolloutState.ROLLED_BACK, seen.now, why=rollout.why))


def _told(said: Mapping[str, str], pops: Iterable[str]) -> str:
    """Give what is said of some PoPs: of the first few, and how many more there are."""
    return _some([f"{pop}: {said[pop]}" for pop in sorted(pops) if pop in said])


def _evidence(judgements: Iterable[Judgement], verdict: GateVerdict) -> str:
    return _some([line for judged in judgements if judged.verdict is verdict for line in judged.evidence])


def _some(lines: Sequence[str]) -> str:
    more = len(lines) - NAMED_MAX
    return "; ".join([*islice(lines, NAMED_MAX), *([f"and {more} more"] if more > 0 else [])])
