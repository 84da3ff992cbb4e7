"""The watch engine: facts in, findings out.

Theory of operation. `take` first runs all that was due before the fact's time, each at its own time, then the fact.
A route that changed at a peer is shown to the route detectors; what they suspect is counted for, and what they no
longer suspect against, the claims that it supports. Its prefix is swept `SETTLE_S` later, all peers together, by the
prefix detectors, and then each `SWEEP_S` for as long as anything may still come of it.

The engine's clock is the feeds' time: the latest that any fact or `advance` named. A fact that comes late is taken
as of now. Nothing else tells time, so facts that are replayed give what they gave live, byte for byte.
"""

import heapq
from collections.abc import Iterable
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.model.event import Alarm, Body, ConvergenceMeasured, Event
from anycastle.model.prefix import Prefix
from anycastle.watch.claim import ClaimKey, RouteClaim, Support, Suspicion
from anycastle.watch.convergence import ConvergenceTracker
from anycastle.watch.detectors import PREFIX_DETECTORS, ROUTE_DETECTORS
from anycastle.watch.detectors.contract import OwnRecord, PrefixContext, PrefixMemory, RouteContext
from anycastle.watch.fact import (
    Fact,
    FeedGap,
    FeedSilence,
    OwnAction,
    OwnChange,
    OwnDrain,
    PeerDown,
    PeerUp,
    RouteGone,
    RouteSeen,
    SeedEnd,
    TableSize,
)
from anycastle.watch.finding import FindingBook, LeftOver
from anycastle.watch.intent import Intent, WatchedPrefix
from anycastle.watch.region import RegionMap
from anycastle.watch.relation import NoRelations, Relations
from anycastle.watch.table import Concern, Concerned, WatchedTable
from anycastle.watch.toggle_record import ToggleRecord
from anycastle.watch.validation import NoValidation, Validation
from anycastle.watch.view import REFILL_S, PeerView, RouteState, Views

SETTLE_S: Final = 5.0
"""From a prefix's change to its first sweep: an UPDATE's way through the collectors takes about that long."""

SWEEP_S: Final = 60.0
"""Between later sweeps of a prefix at which something goes on."""

LEFT_S: Final = REFILL_S
"""How long what a run before this one found is looked for: what peers have not told again by then is absent."""

LIVELY_S: Final = 6000.0
"""How long after its last change a prefix is swept: the 90 minutes of a stuck route, and a little."""

RELATED_MAX: Final = 100_000
"""Prefixes that are followed, watched ones aside: a tenth of a full table within our own space is an attack."""

_REFUSED: Final = f"more than {RELATED_MAX} prefixes concern ours; further ones are not followed, only counted"

LEARN_S: Final = 3600.0
"""Without a table at the start: how long whatever stands next to our upstreams is taken for usual."""

OBSERVER: Final = "watch"
"""What stands for the PoP in the events of watching."""


class WatchEngine:
    """One engine over all feeds."""

    def __init__(
        self, intent: Intent, validation: Validation | None = None, relations: Relations | None = None
    ) -> None:
        self.intent = intent
        self.table = WatchedTable(intent.prefixes)
        self.views = Views(intent.own_asns, RegionMap(intent.regions))
        self.book = FindingBook()
        self.validation: Validation = validation or NoValidation()
        self.relations: Relations = relations or NoRelations()
        self.now = Timestamp(float("-inf"))
        self.seeded_at: Timestamp | None = None
        """When the tables at the start had been read."""
        self.late = 0
        """Facts that came after a later one, and were taken as of then."""
        self.refused = 0
        """Routes to more-specific or covering prefixes that were beyond `RELATED_MAX`."""
        self._left_due: Timestamp | None = None
        self._tidy_due = Timestamp(float("-inf"))
        self.convergence = ConvergenceTracker(intent.settling)
        self.toggles = ToggleRecord(intent)
        self._claims: dict[ClaimKey, RouteClaim] = {}
        self._memory = {each.prefix: PrefixMemory() for each in self.table}
        self._own = {each.prefix: OwnRecord() for each in self.table}
        self._lives = {each.name: each.life for each in ROUTE_DETECTORS}
        self._sweep_due: dict[Prefix, Timestamp] = {}
        self._sweeps: list[tuple[Timestamp, Prefix]] = []
        self._lively_until: dict[Prefix, Timestamp] = {}

    # -- time ---------------------------------------------------------------------------------------------------

    @property
    def deadline(self) -> Timestamp | None:
        """When `advance` is next due; None while nothing waits."""
        while self._sweeps and self._sweep_due.get(self._sweeps[0][1]) != self._sweeps[0][0]:
            heapq.heappop(self._sweeps)  # overtaken
        sweep = self._sweeps[0][0] if self._sweeps else None
        dues = (self.book.deadline, self.convergence.deadline, sweep, self._left_due)
        return min((due for due in dues if due is not None), default=None)

    def advance(self, now: Timestamp) -> list[Event]:
        """Run all that is due up to `now`, each at its own time."""
        events: list[Event] = []
        while (due := self.deadline) is not None and due <= now:
            self.now = max(self.now, due)
            events += self._dated(self.book.advance(due))
            events += self._dated(self.convergence.advance(due))
            events += self._looked_for(due)
            while self._sweeps and self._sweeps[0][0] <= due:
                at, prefix = heapq.heappop(self._sweeps)
                if self._sweep_due.get(prefix) == at:
                    events += self._sweep(prefix)
        self.now = max(self.now, now)
        self.toggles.advance(self.now)
        return events

    def take_over(self, left: Iterable[LeftOver], at: Timestamp) -> None:
        """Take what a run before this one left open; it began at `at` to look whether that is so still."""
        self.book.take_over(left)
        self._left_due = Timestamp(at + LEFT_S) if self.book.left_over else None

    def _looked_for(self, now: Timestamp) -> list[Event]:
        """Clear what a run before this one found, once as many peers tell of our prefixes as had seen it."""
        if self._left_due is None or self._left_due > now:
            return []
        peers = sum(self.views.collectors.values())
        events = self._dated(self.book.give_up(lambda left: peers >= left.told.peers, now))
        self._left_due = Timestamp(now + SWEEP_S) if self.book.left_over else None
        return events

    def take(self, fact: Fact) -> list[Event]:
        """Take one fact; give the events up to it and from it."""
        if fact.at < self.now:
            self.late += 1
        events = self.advance(fact.at)
        self.toggles.take(fact)
        match fact:
            case RouteSeen():
                events += self._seen(fact)
            case RouteGone():
                events += self._gone(fact)
            case PeerDown():
                events += self._down(fact)
            case PeerUp():
                events += self._up(fact)
            case TableSize():
                self.book.seeding = True
                self.views.sized(fact)
            case SeedEnd():
                events += self._seeded()
            case OwnChange():
                events += self._own_change(fact)
            case OwnDrain():
                self._own_drain(fact)
            case FeedGap():
                text = f"cut off for {fact.seconds:.0f} s: what happened meanwhile is not known. {fact.reason}"
                events.append(self._event(Alarm("feed_gap", fact.feed, text.rstrip())))
            case FeedSilence():
                events.append(self._silence(fact))
        return events

    def revalidate(self) -> None:
        """Say that the VRPs changed: every prefix is looked at again."""
        for watched in self.table:
            self._dirty(watched.prefix)

    def reload(self, intent: Intent, relations: Relations | None = None) -> list[Event]:
        """Watch by another intent, and keep all that is known of the prefixes that it still has.

        What was found by the old one stands until `rejudge` has been asked for each of `known`.
        """
        self.intent = intent
        self.convergence.settling = intent.settling
        self.toggles.reload(intent, self.now)
        self.relations = self.relations if relations is None else relations
        self.table.replace(intent.prefixes)
        self._memory = {each.prefix: self._memory.get(each.prefix, PrefixMemory()) for each in self.table}
        self._own = {each.prefix: self._own.get(each.prefix, OwnRecord()) for each in self.table}
        self.views.renew(intent.own_asns, RegionMap(intent.regions), lambda each: self.table.concern(each) is not None)
        gone = {key for key in self._claims if self.table.concern(key.prefix) is None}
        self._claims = {key: claim for key, claim in self._claims.items() if key not in gone}
        for claim in self._claims.values():
            claim.thresholds = claim.life.thresholds or intent.thresholds
        return self._dated(self.book.drop(self._is_nobodys, self.now))

    def _is_nobodys(self, key: ClaimKey) -> bool:
        """Tell whether a claim concerns nobody any more, or a prefix that is swept no more."""
        return self.table.concern(key.prefix) is None or (
            key.kind not in self._lives and self.table.get(key.prefix) is None
        )

    @property
    def known(self) -> list[Prefix]:
        """Prefixes that some peer has told of."""
        return self.views.known()

    def rejudge(self, prefix: Prefix) -> list[Event]:
        """Judge a prefix's routes by the present intent; give the events from it."""
        concerned = self.table.concern(prefix)
        if concerned is None:
            return []
        self._dirty(concerned.watched.prefix)
        events: list[Event] = []
        for view, state in self.views.holders(prefix):
            events += self._suspect(concerned, view, state)
        return events

    # -- routes -------------------------------------------------------------------------------------------------

    def _seen(self, fact: RouteSeen) -> list[Event]:
        concerned = self.table.concern(fact.prefix)
        if concerned is None:
            return []
        if not self._room_for(fact.prefix):
            self.refused += 1
            return [self._event(Alarm("routes_refused", "watch", _REFUSED))] if self.refused == 1 else []
        view = self.views.view(fact.peer)
        self.book.seeding = self.book.seeding or fact.seeded  # up to `SeedEnd`
        if not view.up:
            self.views.up(fact.peer, self.now)  # it speaks, so it is up, whatever was said
        state, changed = self.views.put(fact, view)
        if not changed:
            return []
        if not fact.seeded:
            self.convergence.changed(fact.prefix, fact.peer, fact.at, holds=True)
        self._dirty(concerned.watched.prefix)
        return self._suspect(concerned, view, state)

    def _suspect(self, concerned: Concerned, view: PeerView, state: RouteState) -> list[Event]:
        """Show a route to the route detectors, and count what they say."""
        if view.own or concerned.concern is Concern.COVERING:
            return self._weigh(concerned.prefix, view, state, [])
        memory = self._memory[concerned.watched.prefix]
        if memory.learning_until is None:
            memory.learning_until = Timestamp(self.now + LEARN_S)
        context = RouteContext(
            concerned, view.peer, state, self.now, self.intent, memory, self.validation, self.relations
        )
        suspicions = [found for each in ROUTE_DETECTORS if (found := each.suspect(context)) is not None]
        return self._weigh(concerned.prefix, view, state, suspicions)

    def _room_for(self, prefix: Prefix) -> bool:
        """Tell whether a prefix may be taken in; a flood of more-specifics must not take the memory."""
        if self.views.knows(prefix) or self.table.get(prefix) is not None or self.views.prefixes < RELATED_MAX:
            return True
        if self.now >= self._tidy_due:
            self._tidy_due = Timestamp(self.now + SWEEP_S)
            self.views.forget_unheld(lambda each: self.table.get(each) is not None)
        return self.views.prefixes < RELATED_MAX

    def _weigh(self, prefix: Prefix, view: PeerView, state: RouteState, found: list[Suspicion]) -> list[Event]:
        """Count what is suspected of a route for its claims, and take back what no longer is."""
        if not found and not state.suspicions:
            return []
        events: list[Event] = []
        now_held: list[tuple[RouteClaim, Suspicion]] = []
        for suspicion in found:
            claim = self._claim(ClaimKey(suspicion.kind, suspicion.subject, prefix))
            claim.add(view.peer, Support(self.now, str(state.path), suspicion))
            now_held.append((claim, suspicion))
        kept = [claim for claim, _ in now_held]
        gone = [claim for claim, _ in state.suspicions if claim not in kept]
        for claim in gone:
            claim.remove(view.peer)
        state.suspicions = tuple(now_held)
        if now_held:
            view.suspected[prefix] = None
        else:
            view.suspected.pop(prefix, None)
        for claim in (*kept, *gone):
            events += self._judge(claim)
        return events

    def _claim(self, key: ClaimKey) -> RouteClaim:
        claim = self._claims.get(key)
        if claim is None:
            claim = self._claims[key] = RouteClaim(key, self._lives[key.kind], self.intent.thresholds)
        return claim

    def _judge(self, claim: RouteClaim) -> list[Event]:
        told = self.book.judge_claim(claim, self.views.collectors_up, self.now)
        if not claim.support:
            self._claims.pop(claim.key, None)
        return self._dated(told)

    def _gone(self, fact: RouteGone) -> list[Event]:
        concerned = self.table.concern(fact.prefix)
        if concerned is None or not self._room_for(fact.prefix):
            return []
        view = self.views.view(fact.peer)
        state, changed = self.views.drop(fact.prefix, view, self.now)
        if not changed:
            return []
        self.convergence.changed(fact.prefix, fact.peer, fact.at, holds=False)
        self._dirty(concerned.watched.prefix)
        return self._weigh(fact.prefix, view, state, [])

    def _down(self, fact: PeerDown) -> list[Event]:
        """Take back what the peer's routes supported; the rest is unknown in one step, however much it is."""
        view = self.views.down(fact.peer)
        self.convergence.down(fact.peer, fact.at)
        self._dirty_held(view)
        events: list[Event] = []
        for prefix in list(view.suspected):
            events += self._weigh(prefix, view, view.routes[prefix], [])
        return events

    def _dirty_held(self, view: PeerView) -> None:
        """Have the watched prefixes that a peer told of swept, now and until it had the time to tell them anew."""
        for watched in self.table:
            if watched.prefix in view.routes:
                self._dirty(watched.prefix)

    def _up(self, fact: PeerUp) -> list[Event]:
        """Let a peer tell its table anew; one that comes back without a word that it had gone was down for a moment."""
        known = self.views.peers.get(fact.peer)
        events = self._down(PeerDown(fact.at, fact.peer)) if known is not None and known.up and known.routes else []
        view = self.views.up(fact.peer, self.now)
        self._dirty_held(view)
        return events

    def _seeded(self) -> list[Event]:
        events: list[Event] = []
        for watched in self.table:
            memory = self._memory[watched.prefix]
            memory.seeded, memory.learning_until = True, self.now
            events += self._sweep(watched.prefix)
        self.book.seeding = False
        self.seeded_at = self.now
        return events

    # -- our own acts -------------------------------------------------------------------------------------------

    def _own_change(self, fact: OwnChange) -> list[Event]:
        record = self._own.get(fact.prefix)
        watched = self.table.get(fact.prefix)
        if record is None or watched is None:
            return []
        before = self.context(watched).withdrawn_everywhere
        record.last_change = self.now
        record.last_text = f"{fact.pop} {fact.upstream}".rstrip() + f" at {fact.at:.3f}"
        if fact.action is OwnAction.WITHDRAW:
            record.last_withdrawal = self.now
        announces = fact.action is not OwnAction.WITHDRAW
        record.announced_at[fact.pop, fact.upstream] = announces
        for place in [each for each in record.announced_at if not fact.upstream and each[0] == fact.pop]:
            record.announced_at[place] = announces
        self._dirty(fact.prefix)
        context = self.context(watched)
        return self._dated(self._follow(fact, context, before=before))

    def _follow(
        self, fact: OwnChange, context: PrefixContext, *, before: bool
    ) -> list[tuple[Timestamp, ConvergenceMeasured]]:
        """Measure how the Internet takes a change: all of it, where the last PoP withdrew or the first announced."""
        held = {view.peer: view.holds(state) for view, state in context.survey.states}
        family = fact.prefix.family
        able = [view.peer for view in self.views.peers.values() if self.views.able(view, family)]
        peers = [(peer, held.get(peer, False)) for peer in able if peer in held or fact.action is OwnAction.ANNOUNCE]
        first = fact.action is OwnAction.ANNOUNCE and (before or not any(held.values()))
        everywhere = context.withdrawn_everywhere if fact.action is OwnAction.WITHDRAW else first
        return self.convergence.begin(fact, peers, everywhere=everywhere)

    def _own_drain(self, fact: OwnDrain) -> None:
        for prefix in fact.prefixes:
            record = self._own.get(prefix)
            if record is None:
                continue
            if fact.active:
                since = record.draining.get(fact.pop, (self.now, ""))[0]
                record.draining[fact.pop] = (since, fact.reason)
            else:
                record.draining.pop(fact.pop, None)
            self._dirty(prefix)

    # -- sweeps -------------------------------------------------------------------------------------------------

    def _dirty(self, prefix: Prefix) -> None:
        """Have a prefix swept soon."""
        self._lively_until[prefix] = Timestamp(self.now + LIVELY_S)
        due = Timestamp(self.now + SETTLE_S)
        waiting = self._sweep_due.get(prefix)
        if waiting is None or waiting > due:
            self._sweep_at(prefix, due)

    def _sweep_at(self, prefix: Prefix, due: Timestamp) -> None:
        self._sweep_due[prefix] = due
        heapq.heappush(self._sweeps, (due, prefix))

    def _sweep(self, prefix: Prefix) -> list[Event]:
        """Ask the prefix detectors."""
        self._sweep_due.pop(prefix, None)
        watched = self.table.get(prefix)
        if watched is None:
            return []
        events: list[Event] = []
        context = self.context(watched)
        for detector in PREFIX_DETECTORS:
            for condition in detector.assess(context):
                events += self._dated(self.book.judge(condition, detector.lives[condition.kind], self.now))
        if self.now < self._lively_until.get(prefix, self.now):
            self._sweep_at(prefix, Timestamp(self.now + SWEEP_S))
        return events

    def context(self, watched: WatchedPrefix) -> PrefixContext:
        """Give a prefix as the detectors see it now."""
        prefix = watched.prefix
        return PrefixContext(
            watched=watched,
            now=self.now,
            survey=self.views.survey(prefix, self.now),
            memory=self._memory[prefix],
            own=self._own[prefix],
            intent=self.intent,
            validation=self.validation,
            is_open=lambda kind, subject: self.book.is_open(ClaimKey(kind, subject, prefix)),
        )

    # -- events -------------------------------------------------------------------------------------------------

    def _silence(self, fact: FeedSilence) -> Event:
        who = fact.feed if fact.peer is None else f"{fact.feed}: {fact.peer}"
        if fact.silent:
            return self._event(Alarm("feed_silent", who, f"silent for {fact.seconds:.0f} s"))
        return self._event(Alarm("feed_speaks", who, f"speaks again after {fact.seconds:.0f} s"))

    def _event(self, body: Body) -> Event:
        return Event(self.now, OBSERVER, body)

    def _dated(self, told: Iterable[tuple[Timestamp, Body]]) -> list[Event]:
        return [Event(at, OBSERVER, body) for at, body in told]
