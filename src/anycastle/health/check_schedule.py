"""When which check of a PoP's services is asked: one queue of what is due next, and whose answer a number is."""

import heapq
from collections.abc import Iterable, Iterator

from anycastle.base.ports import FAR_FUTURE, Instant
from anycastle.health.commands import StartCheck
from anycastle.health.doubt import Doubt
from anycastle.health.service import ServiceState
from anycastle.health.verdict import CheckTracker, Verdict
from anycastle.model.check import CheckResult, Severity


class CheckSchedule:
    """The checks of all services at a PoP, by what is due next.

    A check may have several entries in the queue: one that stands for an older time than its tracker's is passed over.
    """

    def __init__(self, now: Instant) -> None:
        self.trackers: list[tuple[ServiceState, CheckTracker]] = []
        self._first_number = 0
        self._due: list[tuple[Instant, int]] = []
        self._doubt = Doubt(now)

    def adopt(self, services: Iterable[ServiceState]) -> None:
        """Take the services anew; the numbers of questions to those before them are void."""
        self._first_number += len(self.trackers)
        self.trackers = [(state, tracker) for state in services for tracker in state.trackers]
        self._due = [(tracker.due, index) for index, (_, tracker) in enumerate(self.trackers)]
        heapq.heapify(self._due)

    @property
    def deadline(self) -> Instant:
        """The instant at which the next question is due."""
        return self._due[0][0] if self._due else FAR_FUTURE

    def questions(self, now: Instant) -> Iterator[StartCheck]:
        """Ask all that is due."""
        while self._due and self._due[0][0] <= now:
            index = heapq.heappop(self._due)[1]
            tracker = self.trackers[index][1]
            if tracker.due <= now:  # else it was asked already, on an earlier entry
                tracker.asked()
                yield StartCheck(self._first_number + index, tracker.check)

    def known(self, number: int) -> bool:
        """Tell whether a question was put to the services of now; one that was asked before a reload is void."""
        return number >= self._first_number

    def answered(self, number: int, result: CheckResult, now: Instant) -> tuple[ServiceState, CheckTracker, bool]:
        """Take the answer to a known question; give whose it is, and whether its verdict changed."""
        index = number - self._first_number
        state, tracker = self.trackers[index]
        changed = tracker.answered(result, now)
        self._note(index)
        return state, tracker, changed

    def doubt_others(self, state: ServiceState, tracker: CheckTracker, now: Instant) -> None:
        """Take that a check's verdict changed; hasten all others where it gives reason to doubt them."""
        failed = tracker.verdict is Verdict.UNHEALTHY and tracker.check.severity is Severity.HARD
        if not failed or not self._doubt.failed(state.service.name, now):
            return
        for index, (_, other) in enumerate(self.trackers):
            if other.hasten(now):
                self._note(index)

    def ask_soon(self, state: ServiceState) -> None:
        """Note anew when a service's checks are due."""
        for index, (owner, tracker) in enumerate(self.trackers):
            if owner is state and tracker.due != FAR_FUTURE:
                self._note(index)

    def forget_verdicts(self, now: Instant) -> None:
        """Ask every check anew, at once: what was known is too old to act on."""
        for index, (_, tracker) in enumerate(self.trackers):
            tracker.reset(now)
            self._note(index)

    def _note(self, index: int) -> None:
        heapq.heappush(self._due, (self.trackers[index][1].due, index))
