"""A week or a month in figures: checks, sessions, incidents, findings, changes; what the log does not hold is None.

Weekly: are health checks right, do BGP sessions hold. Monthly besides: do upstreams do what they are told, is the RPKI
in order, have PoPs room. Both from the same fold; the report chooses.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from anycastle.base.errors import ParseError
from anycastle.base.ports import Timestamp
from anycastle.model import event as events
from anycastle.response.evidence import Case, Sample, Source, any_within
from anycastle.response.incident import Incident
from anycastle.response.notification import PAGES
from anycastle.response.story import Story

NEAR_S: Final = 60.0
"""A lost answer so near to a failed check says that the check was right."""

SOURCES: Final = (Source.EVENTS, Source.WATCH, Source.PROBES, Source.TELEMETRY)
"""Without one of these a review says less."""

POLICY: Final = ("policy_ignored", "path_rule", "transit_change")
REGISTRIES: Final = ("rpki_change", "roa_expiry")


class Span(NamedTuple):
    """What is reviewed; `end` is the first moment after it."""

    name: str
    start: Timestamp
    end: Timestamp


def week_of(text: str) -> Span:
    """Read `2026-W48`, an ISO week, of UTC. Raises `ParseError`."""
    try:
        year, week = text.upper().split("-W")
        start = datetime.fromisocalendar(int(year), int(week), 1).replace(tzinfo=UTC)
    except ValueError as error:
        raise ParseError(f"{text!r} is no week such as 2026-W48") from error
    return Span(f"week {text.upper()}", Timestamp(start.timestamp()), Timestamp((start + timedelta(7)).timestamp()))


def month_of(text: str) -> Span:
    """Read `2026-11`, of UTC. Raises `ParseError`."""
    try:
        start = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
    except ValueError as error:
        raise ParseError(f"{text!r} is no month such as 2026-11") from error
    end = (start.replace(day=28) + timedelta(4)).replace(day=1)
    return Span(f"month {text}", Timestamp(start.timestamp()), Timestamp(end.timestamp()))


@dataclass(frozen=True, slots=True)
class CheckReview:
    """One check of a PoP's service."""

    pop: str
    service: str
    check: str
    failures: int
    unconfirmed: int | None
    """Failures with no lost answer near them; None where no probes were asked in the span."""
    down_s: float
    """From a failed verdict to the next good one, or to the end of what is known."""


@dataclass(frozen=True, slots=True)
class SessionReview:
    """One BGP session."""

    pop: str
    session: str
    losses: int
    down_s: float


@dataclass(frozen=True, slots=True)
class Review:
    """All of it."""

    span: Span
    known: tuple[Timestamp, Timestamp] | None
    """First and last moment that anything is known of, within the span."""
    checks: tuple[CheckReview, ...]
    sessions: tuple[SessionReview, ...] | None
    """None where no agent's log was given."""
    incidents: tuple[Incident, ...]
    pages: int
    withdrawals: int
    refusals: int
    changes: Mapping[str, int]
    """Who -> orders that were granted."""
    findings: Mapping[str, int] | None
    """Kind -> how many opened; None where the watch was not given."""
    policy: tuple[str, ...]
    registries: tuple[str, ...]
    peaks: Mapping[str, Mapping[str, float]]
    """Metric -> PoP -> its greatest value."""
    probes: int
    lost: int
    missing: tuple[str, ...]


def review_of(case: Case, story: Story, span: Span) -> Review:
    """Review a span. What began before it counts within it only."""
    within = _within(case, span)
    with_events = Source.EVENTS in case.given
    opened = [body for _, body in within.of(events.FindingOpened)]
    return Review(
        span,
        within.span,
        tuple(_checks(within)),
        tuple(_sessions(within)) if with_events else None,
        tuple(each for each in story.engine.incidents.values() if span.start <= each.opened < span.end),
        sum(each.kind in PAGES and span.start <= each.at < span.end for each in story.notices),
        sum(bool(body.withdrawn) for _, body in within.of(events.AnnouncementsApplied)),
        len(within.of(events.WithdrawalRefused)),
        Counter(body.owner for _, body in within.of(events.OperatorCommanded) if body.granted),
        Counter(body.finding_kind for body in opened) if Source.WATCH in case.given else None,
        tuple(str(fact) for fact in within.findings(*POLICY) if isinstance(fact.body, events.FindingOpened)),
        tuple(str(fact) for fact in within.findings(*REGISTRIES) if isinstance(fact.body, events.FindingOpened)),
        _peaks(within.samples),
        len(within.probes),
        sum(not probe.answered for probe in within.probes),
        tuple(each.value for each in SOURCES if each not in case.given),
    )  # fmt: skip


def _within(case: Case, span: Span) -> Case:
    def holds(at: float) -> bool:
        return span.start <= at < span.end

    return Case(
        tuple(fact for fact in case.facts if holds(fact.at)),
        tuple(probe for probe in case.probes if holds(probe.at)),
        tuple(sample for sample in case.samples if holds(sample.at)),
        topology=case.topology,
        given=case.given,
    )


def _checks(case: Case) -> Iterable[CheckReview]:
    end = case.span[1] if case.span else 0.0
    lost = [probe.at for probe in case.probes if not probe.answered]
    failing: dict[tuple[str, str, str], list[tuple[float, float | None]]] = {}
    for fact, body in case.of(events.CheckChanged):
        spells = failing.setdefault((fact.pop, body.service, body.check), [])
        if body.verdict == "unhealthy":
            spells.append((fact.at, None))
        elif spells and spells[-1][1] is None:
            spells[-1] = spells[-1][0], fact.at
    for (pop, service, check), spells in sorted(failing.items()):
        bare = [at for at, _ in spells if not any_within(lost, at - NEAR_S, at + NEAR_S)]
        down_s = sum((end if over is None else over) - at for at, over in spells)
        yield CheckReview(pop, service, check, len(spells), len(bare) if case.probes else None, down_s)


def _sessions(case: Case) -> Iterable[SessionReview]:
    end = case.span[1] if case.span else 0.0
    up: set[tuple[str, str]] = set()
    since: dict[tuple[str, str], float] = {}
    losses: Counter[tuple[str, str]] = Counter()
    down_s: dict[tuple[str, str], float] = {}
    for fact, body in case.of(events.SessionChanged):
        key = fact.pop, f"{body.upstream} {body.neighbour}"
        down_s.setdefault(key, 0.0)
        if body.state == "established":
            down_s[key] += fact.at - since.pop(key, fact.at)
            up.add(key)
        elif key in up:
            up.discard(key)
            losses[key] += 1
            since[key] = fact.at
    for key in sorted(down_s):
        yield SessionReview(*key, losses[key], down_s[key] + (end - since[key] if key in since else 0.0))


def _peaks(samples: Iterable[Sample]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for sample in samples:
        pops = found.setdefault(sample.metric, {})
        pops[sample.pop] = max(sample.value, pops.get(sample.pop, sample.value))
    return found
