"""Incidents of a case: what its facts say to the response engine, in the order of time.

The same log gives the same incidents with the same numbers, so `incidents timeline 3` means one thing for as long as a
log is only added to. What is said here is only what an event means by itself, by the table of `openings`; a drain
that begins is a cause. What belongs together and who is told is the engine's to decide.

Probes are folded into states of a region: *reaching*, or *not reaching* where at least half of its networks had no
answer to their last probe. A region of one network is one opinion, and is told as such.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from anycastle.base.ports import Timestamp
from anycastle.model import event as events
from anycastle.model.stance import DrainStep, Stance
from anycastle.response import follows
from anycastle.response.conditions import drain_of
from anycastle.response.engine import ResponseEngine
from anycastle.response.evidence import Case, Fact, Lane, Probed
from anycastle.response.findings import OpenFindings
from anycastle.response.notification import Notice
from anycastle.response.openings import opens, over
from anycastle.response.policy import Policy
from anycastle.response.signal import Signal, Subject, Topology

LOST_SHARE: Final = 0.5
"""Of a region's networks without an answer: above it most of the region's users may be cut off."""

Do = Callable[[ResponseEngine], list[Notice] | None]


class Told(NamedTuple):
    """Something that the engine is told at a time."""

    at: Timestamp
    do: Do


@dataclass(frozen=True, slots=True)
class Story:
    """What became of a case."""

    engine: ResponseEngine
    notices: tuple[Notice, ...]
    probe_facts: tuple[Fact, ...]
    """What probes amount to, as lines of a timeline."""
    alerts: tuple[tuple[Timestamp, Signal], ...] = ()
    """What the engine was told, firing or quiet."""


def story_of(case: Case, told: Iterable[Told] = (), policy: Policy = Policy()) -> Story:
    """Play a case to the engine, with what a file of alerts says besides. Raises `MisuseError` of the latter."""
    engine = _Noting(case.topology, policy)
    probe_facts, of_probes = _of_probes(case.probes)
    known = _Known()
    of_facts = (each for fact in case.facts for each in _of_fact(fact, known))
    steps = sorted([*told, *of_probes, *of_facts], key=lambda each: each.at)
    notices: list[Notice] = []
    for step in steps:
        notices += _pass(engine, step.at)
        notices += step.do(engine) or []
    if steps:
        # Of what comes after the last line nothing is known; that nothing happened for so long is taken for granted.
        notices += _pass(engine, Timestamp(steps[-1].at + policy.clear_after_s + 1.0))
    return Story(engine, tuple(notices), tuple(probe_facts), tuple(engine.heard))


class _Noting(ResponseEngine):
    """Keeps what it is told."""

    def __init__(self, topology: Topology, policy: Policy) -> None:
        super().__init__(topology, policy)
        self.heard: list[tuple[Timestamp, Signal]] = []

    def take(self, signals: Iterable[Signal], now: Timestamp) -> list[Notice]:
        """Take signals, and keep them."""
        some = list(signals)
        self.heard += [(now, signal) for signal in some]
        return super().take(some, now)


def _pass(engine: ResponseEngine, until: Timestamp) -> list[Notice]:
    notices: list[Notice] = []
    while engine.deadline() < until:
        notices += engine.tick(engine.deadline())
    return notices


def _told(fact: Fact, *signals: Signal) -> Told:
    return Told(fact.at, lambda engine: engine.take(signals, fact.at))


def _text(fact: Fact) -> str:
    return f"{fact.pop}: {fact.text}" if fact.pop else fact.text


def _says(fact: Fact, kind: str, firing: bool, subject: Subject, *, part: bool = False) -> Told:
    return _told(fact, opens(kind, subject, _text(fact), part=part) if firing else over(kind, subject, _text(fact)))


class _Known:
    """What was said before, as far as what is said next depends on it."""

    def __init__(self) -> None:
        self._sessions: dict[str, dict[str, bool]] = {}
        """PoP -> each session that was up once, and whether it is: one that never was is not lost."""
        self.findings = OpenFindings()

    def session(self, pop: str, upstream: str, neighbour: str, state: str) -> tuple[int, int]:
        """Take a session's state; give how many of its PoP are lost, of how many."""
        known, up = self._sessions.setdefault(pop, {}), state == "established"
        name = f"{upstream} {neighbour}"
        if up or name in known:
            known[name] = up
        return sum(not each for each in known.values()), len(known)

    def upstreams(self, pop: str) -> set[str]:
        """Give the upstreams that a PoP has a session with."""
        return {name.partition(" ")[0] for name, up in self._sessions.get(pop, {}).items() if up}

    def found(self, body: object) -> list[Signal]:
        """Take what the watch says; give what changed."""
        before = {each.key: each for each in self.findings.signals}
        self.findings.take(body)
        after = {each.key: each for each in self.findings.signals}
        begun = [each for key, each in after.items() if before.get(key) != each]
        return begun + [over(*_named(each)) for key, each in before.items() if key not in after]


def _named(signal: Signal) -> tuple[str, Subject, str]:
    return signal.name, signal.subject, signal.summary


def _of_fact(fact: Fact, known: _Known) -> Iterator[Told]:
    """Give what a fact says to the engine (`openings`, column *logged*); nothing for most."""
    pop, service = Subject(pop=fact.pop), Subject(service=fact.subject.service, pop=fact.pop)
    match fact.body:
        case events.StanceChanged(stance=stance):
            yield _says(fact, follows.SERVICE_DOWN, stance != Stance.ANNOUNCE.value, service)
        case events.WithdrawalRefused():
            yield _says(fact, follows.SERVICE_DOWN, True, service, part=True)
        case events.LeaseLapsed():
            yield _says(fact, follows.POP_DOWN, True, pop)
        case events.AgentStarted():
            yield _says(fact, follows.POP_DOWN, False, pop)
        case events.SessionChanged(upstream, neighbour, state):
            lost, of = known.session(fact.pop, upstream, neighbour, state)
            yield _says(fact, follows.SESSION_DOWN, lost > 0, pop, part=lost < of)
        case events.RouterDiverged(missing=missing):
            silent = _silent(missing, known.upstreams(fact.pop))
            yield _says(fact, follows.WITHDRAWN, True, pop, part=not silent)
        case events.AnnouncementsConfirmed():
            yield _says(fact, follows.WITHDRAWN, False, pop)
        case events.FindingOpened() | events.FindingUpdated() | events.FindingCleared():
            changed = known.found(fact.body)
            if changed:
                yield _told(fact, *changed)
        case events.DrainChanged(scope=scope, step=step):
            yield _of_drain(fact, scope, step)
        case _:
            return


def _silent(missing: Iterable[str], upstreams: set[str]) -> set[str]:
    """Give the prefixes that no upstream with a session is told of; routes are `PREFIX UPSTREAM`."""
    told: dict[str, set[str]] = {}
    for route in missing:
        prefix, _, upstream = route.partition(" ")
        told.setdefault(prefix, set()).add(upstream)
    return {prefix for prefix, names in told.items() if upstreams and upstreams <= names}


def _of_drain(fact: Fact, scope: str, step: str) -> Told:
    cause = drain_of(fact.pop, scope, fact.text)
    if step == DrainStep.NORMAL.value:
        return Told(fact.at, lambda engine: engine.end(cause.id, fact.at) if engine.knows_cause(cause.id) else [])
    return Told(fact.at, lambda engine: engine.begin(cause, fact.at))


# what probes amount to


def _of_probes(probes: Iterable[Probed]) -> tuple[list[Fact], list[Told]]:
    """Fold probes into what changed of each region and target."""
    last: dict[tuple[str, str], dict[str, bool]] = {}
    lost: dict[tuple[str, str], bool] = {}
    failing_of: dict[tuple[str, str], int] = {}
    facts, told = list[Fact](), list[Told]()
    for probe in probes:
        key = probe.region, probe.target
        seen = last.setdefault(key, {})
        before = seen.get(probe.network, True)
        seen[probe.network] = probe.answered
        failing = failing_of[key] = failing_of.get(key, 0) + before - probe.answered
        now_lost = failing >= LOST_SHARE * len(seen)
        if now_lost == lost.get(key, False):
            continue
        lost[key] = now_lost
        fact = _probe_fact(probe, failing, len(seen), now_lost)
        facts.append(fact)
        told.append(_says(fact, follows.UNREACHABLE, now_lost, fact.subject, part=len(seen) == 1))
    return facts, told


def _probe_fact(probe: Probed, failing: int, networks: int, lost: bool) -> Fact:
    where = probe.region or "a region that is not known"
    said = f"{failing} of {networks} networks get no answer" if lost else "most networks are answered again"
    why = f" ({probe.words})" if lost and probe.words else ""
    text = f"{probe.target} from {where}: {said}{why}"
    return Fact(probe.at, Lane.PROBE, text, Subject(region=probe.region), probe.where)
