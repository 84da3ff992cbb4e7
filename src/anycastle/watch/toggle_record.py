"""The toggles of a running watch: what became of each change of ours, told once its time is over (M10).

Theory of operation. An experiment compares moments of which the first lies before the toggle, and a running watch hears
of a toggle only after it. So for each announced prefix the routes of one moment are kept, and what peers did since;
both move on with time. A toggle waits until no other can come too near any more: two settling times, and `TOLD_S`. What
is kept is then given to an experiment of that one toggle. Where it does not reach back to the beginning of the control,
as the watch had just begun or more moved than is kept, the toggle is left out.

All of it begins anew with the watch: what our agents logged before that is no toggle here.
"""

import heapq
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.model.prefix import Prefix
from anycastle.watch.fact import Fact, OwnChange, Peer, PeerDown, PeerUp, RouteGone, RouteSeen
from anycastle.watch.intent import Intent, WatchedPrefix
from anycastle.watch.toggle import Outcome, Toggle, ToggleExperiment, toggle_of
from anycastle.wire.bgp.as_path import ASPath

TOLD_S: Final = 5.0
"""How late a change of ours may be told: an agent's log is read each second. A log that is later than this has worse
troubles."""

PREFIXES_MAX: Final = 1_000
"""Prefixes whose toggles are followed: the routes of each are kept twice, and test prefixes are few."""

FACTS_MAX: Final = 5_000
"""What peers did to one prefix that is kept: several updates of each peer of a large project of collectors."""

WAITING_MAX: Final = 1_000
"""Toggles, of all prefixes, that wait for the end of their time."""

OUTCOMES_MAX: Final = 100
"""Toggles of one prefix that are remembered, and as many that were left out; the oldest make room."""

JUDGED_AT_ONCE: Final = 4
"""Toggles that are judged in one step; each may take some ten milliseconds, and feeds are read by the same process."""

NEAR_MAX: Final = 1_000
"""Changes of one prefix that are remembered as what may have come too near to a toggle."""

_OfRoutes = RouteSeen | RouteGone | PeerDown


@dataclass(slots=True)
class FollowedPrefix:
    """What is kept of one prefix."""

    watched: WatchedPrefix
    since: Timestamp
    """From when on all that peers did is known."""
    outcomes: deque[Outcome] = field(default_factory=lambda: deque(maxlen=OUTCOMES_MAX))
    left_out: deque[Toggle] = field(default_factory=lambda: deque(maxlen=OUTCOMES_MAX))
    held: dict[Peer, ASPath] = field(default_factory=dict)
    """Routes before the first of `facts`."""
    facts: deque[_OfRoutes] = field(default_factory=deque)
    changes: deque[Toggle] = field(default_factory=lambda: deque(maxlen=NEAR_MAX))

    def keep(self, fact: _OfRoutes, after: Timestamp) -> None:
        """Keep what a peer did, and forget what is not after a time."""
        self.facts.append(fact)
        while self.facts and (self.facts[0].at <= after or len(self.facts) > FACTS_MAX):
            oldest = self.facts.popleft()
            self.since = max(self.since, oldest.at)
            if isinstance(oldest, RouteSeen):
                self.held[oldest.peer] = oldest.path
            else:
                self.held.pop(oldest.peer, None)

    def is_new(self, toggle: Toggle) -> bool:
        """Tell whether a change was not told yet by another session of the same upstream."""
        return all((each.at, each.upstream) != (toggle.at, toggle.upstream) for each in self.changes)

    def near(self, toggle: Toggle, seconds: float) -> bool:
        """Tell whether another change came too near to a toggle."""
        return any(each != toggle and abs(each.at - toggle.at) < seconds for each in self.changes)


class ToggleRecord:
    """All announced prefixes of an intent. Takes the facts that an engine takes, in the same order."""

    def __init__(self, intent: Intent) -> None:
        self._followed: dict[Prefix, FollowedPrefix] = {}
        self._waiting: list[tuple[Timestamp, int, Prefix, Toggle, float]] = []
        """When it is judged, its number, and the settling time that it has."""
        self._numbers = 0
        self._began: Timestamp | None = None
        self.reload(intent, Timestamp(float("-inf")))

    def reload(self, intent: Intent, now: Timestamp) -> None:
        """Follow another intent's prefixes; what is known of those that stay is kept."""
        self._own = intent.own_asns
        self.settle_s = intent.settling.toggle_s
        wanted = [each for each in intent.prefixes if each.announced][:PREFIXES_MAX]
        known = self._followed
        self._followed = {}
        for each in wanted:
            self._followed[each.prefix] = known.get(each.prefix) or FollowedPrefix(each, now)
            self._followed[each.prefix].watched = each

    def of(self, prefix: Prefix) -> FollowedPrefix | None:
        """Give what is known of a prefix; None where it is not followed."""
        return self._followed.get(prefix)

    def take(self, fact: Fact) -> None:
        """Take one fact."""
        if self._began is None and isinstance(fact, RouteSeen | RouteGone | PeerUp | PeerDown):
            self._begin(fact)
        match fact:
            case RouteSeen() | RouteGone():
                self._keep(fact, (fact.prefix,))
            case PeerDown():
                self._keep(fact, self._followed)
            case OwnChange():
                self._changed(fact)
            case _:
                pass

    def advance(self, now: Timestamp) -> None:
        """Judge toggles whose time is over, some at a time: a PoP that is drained changes all its prefixes at once."""
        for _ in range(JUDGED_AT_ONCE):
            if not self._waiting or self._waiting[0][0] > now:
                return
            _, _, prefix, toggle, settle_s = heapq.heappop(self._waiting)
            followed = self._followed.get(prefix)
            if followed is not None:
                self._judge(followed, toggle, settle_s)

    def _begin(self, fact: RouteSeen | RouteGone | PeerUp | PeerDown) -> None:
        """Note when feeds began to speak; tables that are read before that tell only how routes were then."""
        if isinstance(fact, RouteSeen) and fact.seeded:
            return
        self._began = fact.at
        for each in self._followed.values():
            each.since = max(each.since, fact.at)

    def _keep(self, fact: _OfRoutes, prefixes: Iterable[Prefix]) -> None:
        after = Timestamp(fact.at - 3 * self.settle_s - 2 * TOLD_S)
        for prefix in prefixes:
            followed = self._followed.get(prefix)
            if followed is not None:
                followed.keep(fact, after)

    def _changed(self, change: OwnChange) -> None:
        followed = self._followed.get(change.prefix)
        toggle = None if followed is None else toggle_of(change, followed.watched)
        if followed is None or toggle is None or not followed.is_new(toggle):
            return
        followed.changes.append(toggle)
        if self._began is None or toggle.at < self._began:
            return
        if len(self._waiting) >= WAITING_MAX:
            followed.left_out.append(toggle)
            return
        self._numbers += 1
        due = Timestamp(toggle.at + 2 * self.settle_s + TOLD_S)
        heapq.heappush(self._waiting, (due, self._numbers, change.prefix, toggle, self.settle_s))

    def _judge(self, followed: FollowedPrefix, toggle: Toggle, settle_s: float) -> None:
        if toggle.at - settle_s < followed.since or followed.near(toggle, 2 * settle_s):
            followed.left_out.append(toggle)
            return
        prefix = followed.watched.prefix
        experiment = ToggleExperiment(prefix, [toggle], self._own, settle_s)
        before, end = Timestamp(toggle.at - 2 * settle_s), Timestamp(toggle.at + settle_s)
        for peer, path in followed.held.items():
            experiment.take(RouteSeen(before, peer, prefix, path))
        for fact in followed.facts:
            if fact.at <= end:
                experiment.take(fact)
        followed.outcomes += experiment.finish(end)
