"""One service at this PoP: its checks, its flaps, its slow start, its drain and its permit, up to the decision."""

from dataclasses import dataclass

from anycastle.base.ports import FAR_FUTURE, Instant, Now, Randomness, after
from anycastle.health import drain as draining
from anycastle.health import flap
from anycastle.health.drain import Drain
from anycastle.health.flap import FlapPenalty
from anycastle.health.permits import Permit
from anycastle.health.quorum import Condition, condition_of
from anycastle.health.stance import Decision, Situation, decide
from anycastle.health.state import AgentState, SavedPenalty
from anycastle.health.verdict import CheckTracker, Verdict
from anycastle.model.check import Check
from anycastle.model.event import DrainChanged
from anycastle.model.permit import PermitState
from anycastle.model.service import OnExit, Service, WhenAlone
from anycastle.model.stance import DrainStep, Stance

FIRST_ANSWERS_S = 1.0
"""After a start every check is asked within this span, however long its interval."""

NOT_YET_KNOWN = Decision(Stance.WITHDRAW, "not yet known to serve")
"""What is decided of a service before anything is known of it."""


@dataclass(slots=True)
class ServiceState:
    """All that is known of one service here. `decision` is what was decided last."""

    service: Service
    trackers: list[CheckTracker]
    flap: FlapPenalty
    permit: Permit
    drain: Drain | None = None
    decision: Decision = NOT_YET_KNOWN
    slow_until: Instant | None = None
    leaving: bool = False
    found_steered: bool = False
    """Steered when the agent began; as long as a check has not spoken since, it stays so."""

    @property
    def announced(self) -> bool:
        """Whether the last decision keeps the service announced."""
        return self.decision.stance is not Stance.WITHDRAW

    @property
    def condition(self) -> Condition:
        """What the checks say together."""
        return condition_of(self.trackers, self.service.quorum)

    @property
    def _pending(self) -> bool:
        return any(tracker.verdict is Verdict.PENDING for tracker in self.trackers)

    @property
    def drain_step(self) -> DrainStep:
        """Where a drain stands; NORMAL without one."""
        return self.drain.step if self.drain else DrainStep.NORMAL

    def starts_slowly(self, instant: Instant) -> bool:
        """Tell whether the service is in its slow start."""
        return self.slow_until is not None and instant < self.slow_until

    def evidence(self) -> str:
        """Give the evidence of the checks that fail, or nothing."""
        return "; ".join(
            f"{tracker.check.name}: {tracker.evidence}"
            for tracker in self.trackers
            if tracker.verdict is Verdict.UNHEALTHY
        )

    def drain_event(self) -> DrainChanged:
        """Give the event that says where a drain stands, or that it ended."""
        owner, reason = (self.drain.owner, self.drain.reason) if self.drain else ("", "the drain ended")
        return DrainChanged(self.service.name, self.drain_step.value, owner, reason)

    def reconsider(self, now: Now, permit: Permit, when_alone: WhenAlone, *, alone: bool) -> Decision | None:
        """Decide again; give the new decision where it differs from the last, and remember it.

        `permit` and `when_alone` may allow less than the service's own, where withdrawing it would take others along.
        """
        if self.drain is not None:
            may_withdraw = permit.state is not PermitState.NONE or not self.announced
            drain = draining.advance(self.drain, now.wall, may_withdraw=may_withdraw)
            if drain is None:
                self.end_drain(now.monotonic)
            else:
                self.drain = drain
        situation = Situation(
            condition=self.condition,
            announced=self.announced,
            drain=self.drain_step,
            soaked=self.drain is not None and draining.soaked(self.drain, now.wall),
            suppressed=self.flap.refresh(now.monotonic),
            slow_start=self.starts_slowly(now.monotonic),
            permit=permit.state,
            when_alone=when_alone,
            alone=alone,
            leaving=self.leaving,
            steered=self.found_steered and self._pending,
        )
        decision = decide(situation)
        if decision == self.decision:
            return None
        decision = self._entered(decision, now)
        changed = decision != self.decision
        self.decision = decision
        return decision if changed else None

    def end_drain(self, instant: Instant) -> None:
        """End the drain. What was stopped must show anew that it serves: its addresses were gone for a while."""
        if self.drain_step is DrainStep.STOPPED:
            for tracker in self.trackers:
                tracker.reset(instant)
        self.drain = None

    def _entered(self, decision: Decision, now: Now) -> Decision:
        """Account for leaving one stance for another: a penalty for a failure, a slow start for a recovery."""
        if decision.stance is Stance.WITHDRAW and self.announced:
            self.slow_until = None
            if self.condition is Condition.DOWN:
                self._penalise(now)
        elif decision.stance is Stance.STEER and self.decision.stance is Stance.ANNOUNCE:
            if self.condition in (Condition.DOWN, Condition.DEGRADED):
                self._penalise(now)
        elif not self.announced and decision.stance is Stance.ANNOUNCE and self.service.slow_start.duration_s > 0:
            self.slow_until = after(now.monotonic, self.service.slow_start.duration_s)
            return Decision(Stance.STEER, "slow start after a recovery")
        return decision

    def _penalise(self, now: Now) -> None:
        """Add a flap's penalty, but not for what breaks while somebody is at work on it."""
        if not any(window.start <= now.wall < window.end for window in self.service.windows):
            self.flap.withdrawn(now.monotonic)

    def next_change(self, now: Now) -> Instant:
        """Give the instant at which the decision may change although no check answers."""
        drained = () if self.drain is None else draining.changes(self.drain)
        instants = [after(now.monotonic, at - now.wall) for at in drained]
        instants += [flap.next_change(self.flap), FAR_FUTURE if self.slow_until is None else self.slow_until]
        return min((instant for instant in instants if instant > now.monotonic), default=FAR_FUTURE)

    def saved_penalty(self, now: Now) -> SavedPenalty | None:
        """Give the penalty for the disk, unless it has as good as gone."""
        value = self.flap.current(now.monotonic)
        return SavedPenalty(value, now.wall, self.flap.suppressed) if value >= 1.0 else None

    @property
    def leaves_on_exit(self) -> bool:
        """Whether the service is to be withdrawn when the agent stops."""
        return self.service.on_exit is OnExit.WITHDRAW


def service_state(service: Service, permit: Permit, saved: AgentState, random: Randomness, now: Now) -> ServiceState:
    """Give a service's state at the agent's start, from what was saved of it."""
    trackers = [_tracker(check, random, now.monotonic) for check in service.checks]
    flaps = FlapPenalty(service.dampening)
    penalty = saved.penalties.get(service.name)
    if penalty is not None:
        flaps.value, flaps.suppressed = penalty.value, penalty.suppressed
        flaps.at = Instant(now.monotonic - max(0.0, now.wall - penalty.at))
    return ServiceState(service, trackers, flaps, permit, saved.drains.get(service.name))


def _tracker(check: Check, random: Randomness, start: Instant) -> CheckTracker:
    """Give a tracker that asks soon, and then on a grid whose phase is spread over the whole interval."""
    first_s = random.random() * min(check.interval_s, FIRST_ANSWERS_S)
    phase_s = random.random() * check.interval_s if check.interval_s > FIRST_ANSWERS_S else 0.0
    return CheckTracker(check, after(start, first_s), phase_s)


def carry_over(before: ServiceState, state: ServiceState) -> None:
    """Keep what is known of a service through a reload; a check that was changed starts anew."""
    state.decision, state.slow_until = before.decision, before.slow_until
    state.found_steered, state.leaving = before.found_steered, before.leaving
    known = {tracker.check: tracker for tracker in before.trackers}
    for tracker in state.trackers:
        if tracker.check in known:
            tracker.resume(known[tracker.check])
