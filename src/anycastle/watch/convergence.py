"""How long the Internet takes to follow a change of ours (M2).

Theory of operation. A measurement begins with our own router's UPDATE, the moment at which the change left us, not
with the command that asked for it. Of each full-feed peer it keeps the first reaction, the last update, how many
there were (the paths that were hunted through), and how long the peer had no route. It ends when nothing changed for
`quiet_s` and every peer is where it should be, or at `horizon_s`; both are the fleet's own (`Settling`). Changes of the
same kind within `MERGE_S` are one change: PoPs and upstreams of one rollout.

Where it should be: without the route after a withdrawal everywhere, with one after an announcement. Any other change
concerns only the peers that react to it. A peer that is not there at the end, or whose session went down, is
*censored*: it took at least that long. Percentiles take that into account (Kaplan and Meier 1958), and are None where
too few peers converged to say; dropping those peers would call a slow change fast.

Our own change is told by an agent's log, and may be heard after the first updates that it caused: near peers follow
within milliseconds. So what each peer did lately is remembered, and a measurement that begins late takes in what came
since the change; or just before its stamp, which the agent sets when its router has answered. What came after the end
that the measurement would have had is not taken in: it is of another cause.
"""

import heapq
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from anycastle.base.ports import Timestamp
from anycastle.model.event import ConvergenceMeasured
from anycastle.model.prefix import Prefix
from anycastle.model.watch import Settling
from anycastle.watch.fact import OwnAction, OwnChange, Peer

MERGE_S: Final = 5.0
"""Changes of one kind to one prefix within this time are one change."""

RUNNING_MAX: Final = 10_000
"""Measurements at once; a fleet that changes more prefixes in fifteen minutes measures those."""

LATE_S: Final = 60.0
"""How late a change of ours may be told. A log that is read later than this has worse troubles."""

BEFORE_S: Final = 0.5
"""How long before an agent's stamp the router's UPDATE may have left."""

RECENT_MAX: Final = 5_000
"""Updates of one prefix that are remembered: several of each peer of a large project of collectors."""

COURSES_MAX: Final = 2_000
"""Peers whose own times an event tells: more than any project of collectors has full feeds of one family."""


@dataclass(slots=True)
class Course:
    """What one peer did, in seconds after the change."""

    holds: bool
    gone_at_s: float | None = None
    """Since when it has no route, if it lost it after the change."""
    first_s: float | None = None
    last_s: float = 0.0
    changes: int = 0
    unreachable_s: float = 0.0
    down_s: float | None = None
    """When its session ended: what came then is not known."""


@dataclass(slots=True)
class Measurement:
    """One change that is being followed."""

    prefix: Prefix
    action: OwnAction
    pops: list[str]
    at: Timestamp
    settling: Settling
    """The fleet's, when it began."""
    everywhere: bool
    """Every peer is to follow: it was withdrawn everywhere, or announced where nobody had it."""
    courses: dict[Peer, Course] = field(default_factory=dict)
    last_s: float = 0.0
    unsettled: int = 0
    """Peers that are not where they should be."""
    queued: Timestamp | None = None
    """The earliest place in the queue; the due time itself may have moved on."""

    @property
    def due(self) -> Timestamp:
        """When it ends, as things stand."""
        nobody = not self.last_s and not self.everywhere
        horizon_s = self.settling.horizon_s
        seconds = horizon_s if self.unsettled or nobody else min(self.last_s + self.settling.quiet_s, horizon_s)
        return Timestamp(self.at + seconds)

    def settled(self, course: Course) -> bool:
        """Tell whether a peer is where it should be."""
        if course.down_s is not None or not self.everywhere:
            return True
        return course.holds is (self.action is not OwnAction.WITHDRAW)

    def take(self, course: Course, update: "_Update") -> None:
        """Take in what a peer did."""
        self.unsettled -= not self.settled(course)
        _follow(self, course, update)
        self.unsettled += not self.settled(course)


class _Update(NamedTuple):
    """What a peer did."""

    at: Timestamp
    peer: Peer
    holds: bool


class ConvergenceTracker:
    """All changes that are being followed; at most one for each prefix."""

    def __init__(self, settling: Settling) -> None:
        self.settling = settling
        """May be replaced: what is being followed keeps the one that it began with."""
        self._running: dict[Prefix, Measurement] = {}
        self._queue: list[tuple[Timestamp, Prefix]] = []
        self._recent: dict[Prefix, deque[_Update]] = {}

    @property
    def deadline(self) -> Timestamp | None:
        """When `advance` is next due."""
        return self._queue[0][0] if self._queue else None

    def _enqueue(self, measurement: Measurement) -> None:
        """Queue a measurement where it is due earlier than it is queued; a later time is looked up when it comes."""
        due = measurement.due
        if measurement.queued is None or due < measurement.queued:
            measurement.queued = due
            heapq.heappush(self._queue, (due, measurement.prefix))

    def begin(
        self, change: OwnChange, peers: Iterable[tuple[Peer, bool]], *, everywhere: bool
    ) -> list[tuple[Timestamp, ConvergenceMeasured]]:
        """Follow a change, from the peers that are able to see it and whether each holds the route.

        A change of another kind ends the measurement that was running for the prefix; it is given as it stands.
        """
        running = self._running.get(change.prefix)
        if running is not None and running.action is change.action and change.at - running.at <= MERGE_S:
            running.everywhere = running.everywhere or everywhere
            running.unsettled = sum(1 for course in running.courses.values() if not running.settled(course))
            if change.pop not in running.pops:
                running.pops.append(change.pop)
            self._enqueue(running)
            return []
        ended = [] if running is None else [(change.at, self._cut_off(running, change.at))]
        self._running.pop(change.prefix, None)
        if len(self._running) < RUNNING_MAX:
            measurement = Measurement(change.prefix, change.action, [change.pop], change.at, self.settling, everywhere)
            measurement.courses = {peer: Course(holds) for peer, holds in peers}
            self._catch_up(measurement)
            self._running[change.prefix] = measurement
            self._enqueue(measurement)
        return ended

    def _cut_off(self, running: Measurement, at: Timestamp) -> ConvergenceMeasured:
        """Give a measurement as it stands at the next change, without what peers did for that one.

        A change is told only once its agent's log is read, and peers may have followed it by then.
        """
        until = at - BEFORE_S
        earlier: dict[Peer, list[_Update]] = {}
        for update in self._recent.get(running.prefix, ()):
            if running.at - BEFORE_S <= update.at < until:
                earlier.setdefault(update.peer, []).append(update)
        for peer, course in running.courses.items():
            if course.first_s is None or running.at + course.last_s < until:
                continue
            own = earlier.get(peer, [])
            reacted = running.at + course.first_s < until
            if reacted and (not own or running.at < at - LATE_S):
                continue  # what it did for this change is forgotten by now: it stays as one that had not converged
            running.courses[peer] = again = Course(holds=True, down_s=course.down_s)
            for update in own:
                _follow(running, again, update)
        return summary(running, at - running.at)

    def _catch_up(self, measurement: Measurement) -> None:
        """Take in what peers did from the change, which is told only now, to the end that it has by that."""
        since = [
            (update, measurement.courses[update.peer])
            for update in self._recent.get(measurement.prefix, ())
            if update.peer in measurement.courses and update.at >= measurement.at - BEFORE_S
        ]
        for _, course in since:
            # Before its first update: what was taken back was held, what was changed too; of what is new, nobody knew.
            course.holds = not (measurement.everywhere and measurement.action is OwnAction.ANNOUNCE)
        measurement.unsettled = sum(1 for each in measurement.courses.values() if not measurement.settled(each))
        for update, course in since:
            if update.at > measurement.due:
                break
            measurement.take(course, update)

    def _remember(self, prefix: Prefix, update: _Update) -> None:
        recent = self._recent.get(prefix)
        if recent is None:
            if len(self._recent) >= RUNNING_MAX:
                del self._recent[next(iter(self._recent))]
            recent = self._recent[prefix] = deque(maxlen=RECENT_MAX)
        recent.append(update)
        while recent[0].at < update.at - LATE_S:
            recent.popleft()

    def changed(self, prefix: Prefix, peer: Peer, at: Timestamp, *, holds: bool) -> None:
        """Take a peer's update."""
        update = _Update(at, peer, holds)
        self._remember(prefix, update)
        measurement = self._running.get(prefix)
        course = measurement.courses.get(peer) if measurement else None
        if measurement is None or course is None:
            return
        measurement.take(course, update)
        self._enqueue(measurement)

    def down(self, peer: Peer, at: Timestamp) -> None:
        """Note that a peer's session ended."""
        for measurement in self._running.values():
            course = measurement.courses.get(peer)
            if course is not None and course.down_s is None:
                measurement.unsettled -= not measurement.settled(course)
                course.down_s = max(0.0, at - measurement.at)
                self._enqueue(measurement)

    def advance(self, now: Timestamp) -> list[tuple[Timestamp, ConvergenceMeasured]]:
        """End what is due."""
        told: list[tuple[Timestamp, ConvergenceMeasured]] = []
        while self._queue and self._queue[0][0] <= now:
            queued, prefix = heapq.heappop(self._queue)
            measurement = self._running.get(prefix)
            if measurement is None or measurement.queued != queued:
                continue  # it was overtaken
            due = measurement.due
            if due > queued:
                measurement.queued = None
                self._enqueue(measurement)
                continue
            del self._running[prefix]
            told.append((due, summary(measurement, due - measurement.at)))
        return told


def _follow(measurement: Measurement, course: Course, update: _Update) -> None:
    """Take an update into the course of its peer."""
    after_s = max(0.0, update.at - measurement.at)
    if course.first_s is None:
        course.first_s = after_s
    course.last_s = max(course.last_s, after_s)
    course.changes += 1
    if course.holds and not update.holds:
        course.gone_at_s = after_s
    elif update.holds and course.gone_at_s is not None:
        course.unreachable_s += max(0.0, after_s - course.gone_at_s)
        course.gone_at_s = None
    course.holds = update.holds
    measurement.last_s = max(measurement.last_s, after_s)


def summary(measurement: Measurement, ended_s: float) -> ConvergenceMeasured:
    """Give a measurement's figures as they stand `ended_s` after the change."""
    concerned = [
        course for course in measurement.courses.values() if measurement.everywhere or course.first_s is not None
    ]
    converged: list[float] = []
    censored: list[float] = []
    for course in concerned:
        if course.down_s is not None:
            censored.append(course.down_s)
        elif (
            course.first_s is not None
            and measurement.settled(course)
            and course.last_s + measurement.settling.quiet_s <= ended_s
        ):
            converged.append(course.last_s)
        else:
            censored.append(ended_s)
    first = [course.first_s for course in concerned if course.first_s is not None]
    unseen = [ended_s for course in concerned if course.first_s is None]
    unreachable = [
        course.unreachable_s + (max(0.0, ended_s - course.gone_at_s) if course.gone_at_s is not None else 0.0)
        for course in concerned
        if measurement.action is not OwnAction.WITHDRAW or not measurement.everywhere
    ]
    paths = sorted(course.changes for course in concerned if course.changes)
    return ConvergenceMeasured(
        prefix=str(measurement.prefix),
        action=measurement.action.value,
        pops=tuple(measurement.pops),
        peers=len(concerned),
        reacted=len(first),
        censored=len(censored),
        first_reaction_s_p50=percentile(first, unseen, 0.50),
        converged_s_p50=percentile(converged, censored, 0.50),
        converged_s_p90=percentile(converged, censored, 0.90),
        converged_s_p95=percentile(converged, censored, 0.95),
        unreachable_s_p95=percentile(unreachable, (), 0.95),
        paths_p50=percentile(paths, (), 0.50),
        paths_max=max(paths, default=0),
        converged_s=thinned(converged),
        censored_s=thinned(censored),
    )


def thinned(seconds: Sequence[float]) -> tuple[float, ...]:
    """Give the times in their order, to the millisecond; of too many, `COURSES_MAX` at even ranks."""
    ordered = sorted(round(each, 3) for each in seconds)
    if len(ordered) <= COURSES_MAX:
        return tuple(ordered)
    return tuple(ordered[(2 * rank + 1) * len(ordered) // (2 * COURSES_MAX)] for rank in range(COURSES_MAX))


def percentile(ended: Sequence[float], censored: Sequence[float], share: float) -> float | None:
    """Give the time by which a share had ended, when some were last seen not to have; None where nobody can say.

    The survival curve falls at each end by the part of those then still watched; the percentile is where it first
    reaches 1 - share. Source: Kaplan and Meier, Nonparametric Estimation from Incomplete Observations, 1958.
    """
    times = sorted([(time, 0) for time in ended] + [(time, 1) for time in censored])
    at_risk = len(times)
    surviving = 1.0
    for time, lost in times:
        if not lost:
            surviving *= (at_risk - 1) / at_risk
            if surviving <= 1.0 - share + 1e-12:
                return round(float(time), 6)
        at_risk -= 1
    return None
