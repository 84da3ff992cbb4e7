"""Toggle experiments: what the Internet does when one upstream is told something, and told the contrary (M10).

Theory of operation. A toggle is one change of what we tell one upstream about a prefix: announce, withdraw, set or
remove a prepend or a community. Of each peer three moments are compared: one settling time before the toggle, the
toggle itself, and one settling time after it. Near peers follow a router before its agent has stamped the change: the
toggle's own moment is `BEFORE_S` ahead of its stamp. The span before is the *control*: what moves then moves by itself.
A toggle that another one comes too near to, in either span, is left out, as nobody could tell the two apart.

A route that shows a withdrawn upstream still, or a new one, tells by itself. Whether an instruction was followed can
only be told by comparison: among the ASes whose route goes through the upstream, those that changed in the spans after
against those that changed in the controls, by Fisher's exact test, over all repetitions. *Honoured* is a difference
that chance does not make; *ignored*, that hardly any changed although many could have; all else is *inconclusive*.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import exp, lgamma, log, log1p
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.model.asn import ASN
from anycastle.model.prefix import Prefix
from anycastle.watch.convergence import BEFORE_S, percentile
from anycastle.watch.detectors.policy import Compliance
from anycastle.watch.fact import Fact, OwnAction, OwnChange, Peer, PeerDown, RouteGone, RouteSeen
from anycastle.watch.intent import WatchedPrefix
from anycastle.watch.path import hops_of
from anycastle.wire.bgp.as_path import ASPath

CHANCE_MAX: Final = 0.01
"""How likely chance alone may make a difference that is called honoured."""

FOLLOW_MAX: Final = 0.10
"""The most that may follow an instruction that is called ignored, with 95 % certainty."""

REPETITIONS_MIN: Final = 2
"""Toggles of an instruction below which nothing but what routes themselves show is concluded."""

MOVES_MAX: Final = 200
"""Moves of one toggle that are listed; counts tell of the rest."""


class ToggleKind(Enum):
    """What was told."""

    ANNOUNCE = "announce"
    WITHDRAW = "withdraw"
    INSTRUCT = "instruct"


@dataclass(frozen=True, slots=True, order=True)
class Toggle:
    """One change of what an upstream is told."""

    at: Timestamp
    upstream: ASN
    kind: ToggleKind = field(compare=False)
    instruction: str = field(default="", compare=False)
    """What is set and removed again, for an INSTRUCT; its toggles are repetitions of one experiment."""


@dataclass(frozen=True, slots=True)
class Move:
    """What one peer did after a toggle; no path where it had or has none. Times are seconds after the toggle."""

    peer: Peer
    before: ASPath | None
    after: ASPath | None
    first_s: float
    last_s: float
    updates: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """One toggle: who moved, and how fast; the trials are ASes whose route goes through the upstream."""

    toggle: Toggle
    peers: int
    """Peers that were there all the time."""
    moves: tuple[Move, ...]
    moved: int
    first_s_p50: float | None
    settled_s: tuple[float, ...] = field(repr=False)
    """How long each that moved went on moving, those too that `moves` does not list; in order."""
    through_before: tuple[ASN, ...]
    """ASes whose route went through the upstream."""
    through_after: tuple[ASN, ...]
    changed: tuple[ASN, ...]
    """Of both, those whose route changed."""
    control: tuple[ASN, ...]
    control_changed: tuple[ASN, ...]


@dataclass(frozen=True, slots=True)
class ToggleVerdict:
    """What all toggles of one instruction to one upstream come to."""

    upstream: ASN
    kind: ToggleKind
    instruction: str
    toggles: int
    compliance: Compliance
    trials: int
    changed: int
    control_trials: int
    control_changed: int
    chance: float | None
    """How likely chance alone makes the difference to the control; None where none was compared."""
    reason: str


@dataclass(slots=True)
class _Span:
    first: Timestamp
    last: Timestamp
    updates: int = 0


@dataclass(slots=True)
class _Running:
    """A toggle's moments, as they come."""

    toggle: Toggle
    control: dict[Peer, ASPath | None] = field(default_factory=dict)
    before: dict[Peer, ASPath | None] = field(default_factory=dict)
    lost: set[Peer] = field(default_factory=set)
    spans: dict[Peer, _Span] = field(default_factory=dict)


_KINDS: Final = {
    OwnAction.ANNOUNCE: ToggleKind.ANNOUNCE,
    OwnAction.WITHDRAW: ToggleKind.WITHDRAW,
    OwnAction.CHANGE: ToggleKind.INSTRUCT,
}


def toggle_of(change: OwnChange, watched: WatchedPrefix) -> Toggle | None:
    """Give what an agent did to a prefix as a toggle; a change of attributes counts as an instruction.

    None where the fleet knows no such upstream, or the change is of another prefix.
    """
    if change.prefix != watched.prefix:
        return None
    place = change.pop, change.upstream
    asn = next((told.asn for told in watched.told if (told.pop, told.upstream) == place), None)
    if asn is None:
        return None
    text = f"attributes at {change.pop}" if change.action is OwnAction.CHANGE else ""
    return Toggle(change.at, asn, _KINDS[change.action], text)


def toggles_of_changes(changes: Iterable[Fact], watched: WatchedPrefix) -> tuple[Toggle, ...]:
    """Give what our agents did to a prefix as toggles; several sessions of one upstream make one."""
    found: dict[tuple[float, ASN], Toggle] = {}
    for change in changes:
        toggle = toggle_of(change, watched) if isinstance(change, OwnChange) else None
        if toggle is not None:
            found.setdefault((toggle.at, toggle.upstream), toggle)
    return tuple(found.values())


class ToggleExperiment:
    """Takes the facts of a prefix in order of time; `finish` gives the rest of the outcomes."""

    def __init__(self, prefix: Prefix, toggles: Iterable[Toggle], own_asns: frozenset[ASN], settle_s: float) -> None:
        self.prefix = prefix
        self.outcomes: list[Outcome] = []
        self.left_out: list[Toggle] = []
        """Toggles that another one came too near to."""
        self._settle_s = settle_s
        self._own = own_asns
        self._held: dict[Peer, ASPath | None] = {}
        self._running: list[_Running] = []
        self._due: list[tuple[Timestamp, int, _Running]] = []
        self._plan(sorted(toggles))

    def _plan(self, toggles: Sequence[Toggle]) -> None:
        nearest_s = 2 * self._settle_s
        for number, toggle in enumerate(toggles):
            others = (*toggles[max(0, number - 1) : number], *toggles[number + 1 : number + 2])
            if any(abs(other.at - toggle.at) < nearest_s for other in others):
                self.left_out.append(toggle)
                continue
            running = _Running(toggle)
            moments = (toggle.at - self._settle_s, toggle.at - BEFORE_S, toggle.at + self._settle_s)
            self._due += [(Timestamp(at), 3 * number + which, running) for which, at in enumerate(moments)]
        heapq.heapify(self._due)

    def take(self, fact: Fact) -> None:
        """Take one fact; those of other prefixes do nothing but let time pass."""
        self._advance(fact.at)
        match fact:
            case RouteSeen(peer=peer, prefix=self.prefix, path=path):
                self._changed(peer, path, fact.at)
            case RouteGone(peer=peer, prefix=self.prefix):
                self._changed(peer, None, fact.at)
            case PeerDown(peer=peer):
                self._held.pop(peer, None)
                for running in self._running:
                    running.lost.add(peer)
            case _:
                pass

    def finish(self, now: Timestamp) -> list[Outcome]:
        """Give the outcomes up to `now`; a toggle whose time is not over by then has none."""
        self._advance(now)
        return self.outcomes

    def _changed(self, peer: Peer, path: ASPath | None, at: Timestamp) -> None:
        if peer.asn in self._own or (peer in self._held and self._held[peer] == path):
            return
        self._held[peer] = path
        for running in self._running:
            if at >= running.toggle.at - BEFORE_S:
                span = running.spans.setdefault(peer, _Span(at, at))
                span.last = at
                span.updates += 1

    def _advance(self, now: Timestamp) -> None:
        while self._due and self._due[0][0] <= now:
            _, moment, running = heapq.heappop(self._due)
            match moment % 3:
                case 0:
                    running.control = dict(self._held)
                    self._running.append(running)
                case 1:
                    running.before = dict(self._held)
                case _:
                    self._running.remove(running)
                    self.outcomes.append(self._outcome(running))

    def _outcome(self, running: _Running) -> Outcome:
        toggle, after = running.toggle, self._held
        there = [peer for peer in {**running.before, **after} if peer not in running.lost]
        moves = [
            Move(peer, running.before.get(peer), after.get(peer), *_times(running.spans[peer], toggle.at))
            for peer in there
            if running.before.get(peer) != after.get(peer) and peer in running.spans
        ]
        before_through = self._through(toggle.upstream, running.before, there)
        after_through = self._through(toggle.upstream, after, there)
        control = [peer for peer in {**running.control, **running.before} if peer not in running.lost]
        in_control = self._through(toggle.upstream, running.control, control)
        in_control |= self._through(toggle.upstream, running.before, control)
        return Outcome(
            toggle=toggle,
            peers=len(there),
            moves=tuple(sorted(moves, key=lambda move: (move.first_s, move.peer))[:MOVES_MAX]),
            moved=len(moves),
            first_s_p50=percentile([move.first_s for move in moves], (), 0.50),
            settled_s=tuple(sorted(move.last_s for move in moves)),
            through_before=tuple(sorted(before_through)),
            through_after=tuple(sorted(after_through)),
            changed=_differ(running.before, after, there, before_through | after_through),
            control=tuple(sorted(in_control)),
            control_changed=_differ(running.control, running.before, control, in_control),
        )

    def _through(self, upstream: ASN, held: dict[Peer, ASPath | None], peers: Iterable[Peer]) -> set[ASN]:
        """Give the ASes whose route has the upstream next to our origin."""
        found = set()
        for peer in peers:
            path = held.get(peer)
            hops = () if path is None else hops_of(path)
            if len(hops) > 1 and hops[-1] in self._own and hops[-2] == upstream:
                found.add(peer.asn)
        return found


def _times(span: _Span, at: Timestamp) -> tuple[float, float, int]:
    """Give its seconds after the toggle, 0 for what came just before the stamp, and its updates."""
    return round(max(0.0, span.first - at), 3), round(max(0.0, span.last - at), 3), span.updates


def _differ(
    one: dict[Peer, ASPath | None], other: dict[Peer, ASPath | None], peers: Iterable[Peer], among: set[ASN]
) -> tuple[ASN, ...]:
    return tuple(sorted({peer.asn for peer in peers if one.get(peer) != other.get(peer)} & among))


def verdicts(outcomes: Iterable[Outcome]) -> Iterator[ToggleVerdict]:
    """Give what each instruction to each upstream comes to, in order of upstream and instruction."""
    groups: dict[tuple[ASN, str, str], list[Outcome]] = {}
    for outcome in outcomes:
        toggle = outcome.toggle
        groups.setdefault((toggle.upstream, toggle.kind.value, toggle.instruction), []).append(outcome)
    for _, group in sorted(groups.items()):
        match group[0].toggle.kind:
            case ToggleKind.WITHDRAW:
                yield _verdict(group, *_withdrawn(group), chance=None)
            case ToggleKind.ANNOUNCE:
                yield _verdict(group, *_announced(group), chance=None)
            case ToggleKind.INSTRUCT:
                compliance, reason, chance = _instructed(group)
                yield _verdict(group, compliance, reason, chance=chance)


def _verdict(group: Sequence[Outcome], compliance: Compliance, reason: str, *, chance: float | None) -> ToggleVerdict:
    toggle = group[0].toggle
    trials, changed, control_trials, control_changed = _counts(group)
    return ToggleVerdict(
        toggle.upstream, toggle.kind, toggle.instruction, len(group), compliance,
        trials, changed, control_trials, control_changed, chance, reason,
    )  # fmt: skip


def _counts(group: Sequence[Outcome]) -> tuple[int, int, int, int]:
    return (
        sum(len({*each.through_before, *each.through_after}) for each in group),
        sum(len(each.changed) for each in group),
        sum(len(each.control) for each in group),
        sum(len(each.control_changed) for each in group),
    )


def _withdrawn(group: Sequence[Outcome]) -> tuple[Compliance, str]:
    before = sum(len(each.through_before) for each in group)
    left = sum(len(set(each.through_before) & set(each.through_after)) for each in group)
    if not before:
        return Compliance.INCONCLUSIVE, "no route went through it before"
    if not left:
        return Compliance.HONOURED, f"none of {before} routes goes through it any more"
    ignored = 2 * left >= before
    return Compliance.IGNORED if ignored else Compliance.INCONCLUSIVE, f"{left} of {before} routes still go through it"


def _announced(group: Sequence[Outcome]) -> tuple[Compliance, str]:
    gained = [len(set(each.through_after) - set(each.through_before)) for each in group]
    if all(gained):
        return Compliance.HONOURED, f"{sum(gained)} routes came to go through it"
    return Compliance.INCONCLUSIVE, f"no route came to go through it after {gained.count(0)} of {len(group)}"


def _instructed(group: Sequence[Outcome]) -> tuple[Compliance, str, float | None]:
    trials, changed, control_trials, control_changed = _counts(group)
    if len(group) < REPETITIONS_MIN or not trials or not control_trials:
        return Compliance.INCONCLUSIVE, f"{len(group)} toggles with {trials} routes through it are too few", None
    chance = fisher(changed, trials, control_changed, control_trials)
    told = f"{changed} of {trials} changed, {control_changed} of {control_trials} without a toggle"
    if chance <= CHANCE_MAX:
        return Compliance.HONOURED, told, chance
    if follow_limit(changed, trials) <= FOLLOW_MAX:
        return Compliance.IGNORED, told, chance
    return Compliance.INCONCLUSIVE, told, chance


def fisher(changed: int, trials: int, control_changed: int, control_trials: int) -> float:
    """Give how likely chance alone puts that many or more of all changes into the trials (one-sided).

    Source: Fisher, The Logic of Inductive Inference, 1935.
    """
    changes, both = changed + control_changed, trials + control_trials
    all_ways = _log_ways(both, changes)
    return min(
        1.0,
        sum(
            exp(_log_ways(trials, count) + _log_ways(control_trials, changes - count) - all_ways)
            for count in range(changed, min(changes, trials) + 1)
            if changes - count <= control_trials
        ),
    )


def follow_limit(changed: int, trials: int) -> float:
    """Give the share that follows at most, with 95 % certainty, where that many of the trials did.

    Source: Clopper and Pearson, The Use of Confidence or Fiducial Limits, 1934 (their upper limit).
    """
    if changed == trials:
        return 1.0
    low, high = changed / trials, 1.0
    for _ in range(40):
        share = (low + high) / 2
        tail = sum(_binomial(trials, count, share) for count in range(changed + 1))
        low, high = (share, high) if tail > 0.05 else (low, share)
    return high


def _log_ways(of: int, chosen: int) -> float:
    """Give the logarithm of the number of ways to choose."""
    return lgamma(of + 1) - lgamma(chosen + 1) - lgamma(of - chosen + 1)


def _binomial(trials: int, count: int, share: float) -> float:
    """Give how likely `count` of the trials follow; by logarithms, as the ways of a thousand trials fit no float."""
    return exp(_log_ways(trials, count) + count * log(share) + (trials - count) * log1p(-share))
