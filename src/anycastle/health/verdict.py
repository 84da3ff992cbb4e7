"""From single answers to a verdict: rise, fall, and fast confirmation.

Theory of operation. A check is asked on a fixed grid, `interval_s` apart, at a phase of its own, so that a thousand
checks spread over the interval. A verdict changes after `fall` failures or `rise` passes in a row. Waiting for the
grid would make detection cost up to `fall` intervals; so the first failure of a healthy check is followed by the
next question after `confirm_interval_s`, until the verdict has changed or an answer refutes it. Recovery stays on
the grid: announcing a second later costs little, announcing a service that is about to fail again costs its
clients. An UNKNOWN answer is our own failure: it moves nothing. A question may be hastened, where others that fail give
reason to doubt: it is asked once more before its slot of the grid, and no more than once.
"""

from enum import Enum

from anycastle.base.ports import FAR_FUTURE, Instant, after
from anycastle.model.check import Check, CheckResult, Outcome, Severity


class Verdict(Enum):
    """What is held to be true of a check. PENDING: not yet asked often enough."""

    PENDING = "pending"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class CheckTracker:
    """One check's schedule, its streak of answers, and its verdict."""

    __slots__ = ("_grid", "_hastened", "check", "due", "evidence", "failures", "late", "passes", "unknowns", "verdict")

    def __init__(self, check: Check, first: Instant, phase_s: float = 0.0) -> None:
        self.check = check
        self.verdict = Verdict.PENDING
        self.due = first
        """When to ask next; `FAR_FUTURE` while a question is out."""
        self.evidence = "not yet checked"
        self.passes = 0
        self.failures = 0
        self.unknowns = 0
        self.late = 0
        """Slots of the grid that went by without a question."""
        self._grid = after(first, phase_s)
        self._hastened = False

    @property
    def failing(self) -> bool:
        """Whether a failure of a healthy check is being confirmed."""
        return self.verdict is Verdict.HEALTHY and self.failures > 0

    @property
    def may_withdraw(self) -> bool:
        """Whether a failure that could withdraw the service is being confirmed."""
        return self.failing and self.check.severity is Severity.HARD

    def hasten(self, now: Instant) -> bool:
        """Halve the wait for the next question of a healthy hard check, once in each slot; tell whether it was."""
        healthy = self.verdict is Verdict.HEALTHY and not self.failures and self.check.severity is Severity.HARD
        if not healthy or self._hastened or not now < self.due < FAR_FUTURE:
            return False
        self.due, self._hastened = after(now, (self.due - now) / 2), True
        return True

    def asked(self) -> None:
        """Note that the question is out: none is due until the answer comes."""
        self.due = FAR_FUTURE

    def answered(self, result: CheckResult, now: Instant) -> bool:
        """Take an answer; tell whether the verdict changed."""
        changed = self._judge(result)
        self._schedule(now)
        return changed

    def reset(self, now: Instant) -> None:
        """Forget the verdict and ask again at once: what was known is too old to act on."""
        self.verdict, self.passes, self.failures = Verdict.PENDING, 0, 0
        if self.due != FAR_FUTURE:
            self.due = now

    def resume(self, before: "CheckTracker") -> None:
        """Go on from what another tracker of the same check knew."""
        self.verdict, self.evidence = before.verdict, before.evidence
        self.passes, self.failures = before.passes, before.failures

    def _judge(self, result: CheckResult) -> bool:
        if result.outcome is Outcome.UNKNOWN:
            self.unknowns += 1
            return False
        if result.outcome is Outcome.PASS:
            self.passes, self.failures = self.passes + 1, 0
            reached, verdict = self.passes >= self.check.rise, Verdict.HEALTHY
        else:
            self.passes, self.failures = 0, self.failures + 1
            reached, verdict = self.failures >= self.check.fall, Verdict.UNHEALTHY
        if not reached or self.verdict is verdict:
            return False
        self.verdict, self.evidence = verdict, result.evidence
        return True

    def _schedule(self, now: Instant) -> None:
        interval = self.check.interval_s
        behind = now - self._grid
        if behind >= 0:
            self._hastened = False
            slots = int(behind // interval) + 1
            self._grid = Instant(self._grid + slots * interval)
            self.late += slots - 1
        self.due = min(self._grid, after(now, self.check.confirm_interval_s)) if self._in_doubt() else self._grid

    def _in_doubt(self) -> bool:
        if self.verdict is Verdict.PENDING:
            return self.passes + self.failures > 0
        return self.failing
