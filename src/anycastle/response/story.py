"""Incidents of a case: what its facts say to the response engine, in the order of time.

The same log gives the same incidents with the same numbers, so `incidents timeline 3` means one thing for as long as a
log is only added to. What is said here is only what an event means by itself: a check that fails is *service_down* of
its PoP, a drain that begins is a cause. What belongs together and who is told is the engine's to decide.

Probes are folded into states of a region: *reaching*, or *not reaching* where at least half of its networks had no
answer to their last probe. A region of one network is one opinion, and is told as such.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from anycastle.base.ports import Timestamp
from anycastle.model import event as events
from anycastle.response import follows
from anycastle.response.engine import ResponseEngine
from anycastle.response.evidence import Case, Fact, Lane, Probed
from anycastle.response.notification import Notice
from anycastle.response.policy import Policy
from anycastle.response.signal import Cause, CauseKind, Signal, Subject, Topology, Urgency

LOST_SHARE: Final = 0.5
"""Of a region's networks without an answer: above it most of the region's users may be cut off."""

KIND_OF_FINDING: Final = {
    "origin_change": follows.HIJACK,
    "sub_prefix": follows.HIJACK,
    "forged_path": follows.HIJACK,
    "squatting": follows.HIJACK,
    "route_leak": follows.LEAK,
    "visibility_loss": follows.VISIBILITY,
    "partial_visibility": follows.VISIBILITY,
}
"""Detector -> kind of alert; a finding of another detector is an alert of the detector's name."""

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
    members = _Members()
    of_facts = (each for fact in case.facts for each in _of_fact(fact, members))
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


def _alert(fact: Fact, name: str, firing: bool, *, page: bool = False, subject: Subject | None = None) -> Told:
    urgency = Urgency.PAGE if page else Urgency.TICKET
    place = f"{fact.pop}: " if fact.pop else ""
    signal = Signal(name, subject or fact.subject, urgency, firing, place + fact.text)
    return Told(fact.at, lambda engine: engine.take([signal], fact.at))


class _Members:
    """Which checks of a service fail, which sessions of a PoP are down: an alert is over with the last of them."""

    def __init__(self) -> None:
        self._wrong: dict[tuple[str, str, str], set[str]] = {}
        self.were_up: set[tuple[str, str]] = set()
        """PoP and session that was established once: one that never was is not lost."""

    def fails(self, pop: str, service: str) -> bool:
        """Tell whether a check of a service fails at a PoP."""
        return bool(self._wrong.get(("check", pop, service)))

    def any_wrong(self, kind: str, fact: Fact, service: str, member: str, wrong: bool) -> bool:
        """Take what one says, and tell whether any is wrong."""
        known = self._wrong.setdefault((kind, fact.pop, service), set())
        (known.add if wrong else known.discard)(member)
        return bool(known)


def _of_fact(fact: Fact, members: _Members) -> Iterator[Told]:
    """Give what a fact says to the engine; nothing for most."""
    match fact.body:
        case events.CheckChanged(service, check, verdict):
            down = members.any_wrong("check", fact, service, check, verdict == "unhealthy")
            yield _alert(fact, follows.SERVICE_DOWN, down, page=True)
        case events.StanceChanged(stance=stance):
            yield _alert(fact, follows.WITHDRAWN, stance == "withdraw")
            yield _alert(fact, follows.FLOOR, False)  # a refusal that goes on is told right after its stance
        case events.LeaseLapsed():
            yield _alert(fact, follows.POP_DOWN, True, page=True, subject=Subject(pop=fact.pop))
        case events.AgentStarted():
            yield _alert(fact, follows.POP_DOWN, False, subject=Subject(pop=fact.pop))
        case events.SessionChanged(upstream, neighbour, state):
            session = f"{upstream} {neighbour}"
            if state == "established":
                members.were_up.add((fact.pop, session))
            lost = state != "established" and (fact.pop, session) in members.were_up
            down = members.any_wrong("session", fact, "", session, lost)
            yield _alert(fact, follows.SESSION_DOWN, down, subject=Subject(pop=fact.pop))
        case events.WithdrawalRefused():
            yield _alert(fact, follows.FLOOR, True, page=members.fails(fact.pop, fact.subject.service))
        case events.RouterDiverged(problem=problem):
            yield _alert(fact, "router_diverged", bool(problem), subject=Subject(pop=fact.pop))
        case events.AnnouncementsConfirmed():
            yield _alert(fact, "router_diverged", False, subject=Subject(pop=fact.pop))
        case events.FindingOpened(finding_kind=kind) | events.FindingUpdated(finding_kind=kind):
            page = fact.body.severity == "critical"
            yield from _of_finding(fact, kind, fact.body.prefixes, firing=True, page=page)
        case events.FindingCleared(finding_kind=kind):
            yield from _of_finding(fact, kind, fact.body.prefixes, firing=False, page=False)
        case events.DrainChanged(scope=scope, step=step):
            yield _of_drain(fact, scope, step)
        case _:
            return


def _of_finding(fact: Fact, kind: str, prefixes: tuple[str, ...], *, firing: bool, page: bool) -> Iterator[Told]:
    for prefix in prefixes or ("",):
        yield _alert(fact, KIND_OF_FINDING.get(kind, kind), firing, page=page, subject=Subject(prefix=prefix))


def _of_drain(fact: Fact, scope: str, step: str) -> Told:
    name = f"drain-{fact.pop}-{scope}"
    if step == "normal":
        return Told(fact.at, lambda engine: engine.end(name, fact.at) if engine.knows_cause(name) else [])
    cause = Cause(name, CauseKind.DRAIN, Subject(service=scope, pop=fact.pop), fact.text)
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
        told.append(_alert(fact, follows.UNREACHABLE, now_lost, page=len(seen) > 1))
    return facts, told


def _probe_fact(probe: Probed, failing: int, networks: int, lost: bool) -> Fact:
    where = probe.region or "a region that is not known"
    said = f"{failing} of {networks} networks get no answer" if lost else "most networks are answered again"
    why = f" ({probe.words})" if lost and probe.words else ""
    text = f"{probe.target} from {where}: {said}{why}"
    return Fact(probe.at, Lane.PROBE, text, Subject(region=probe.region), probe.where)
