"""The life of a finding: suspected, opened, updated, cleared.

Theory of operation. A claim (`watch.claim`) opens after having stood for `confirm_s` and closes after having fallen for
`clear_s`: that is the hysteresis. Claims of one kind and one culprit are one *finding*, however many prefixes they
concern: an attacker with fifty more-specifics is one finding with fifty prefixes. A finding opens with its first claim,
is updated as claims open and close, support doubles or severity changes, and is cleared with its last. The book keeps
deadlines in a heap and runs each at its own time, so that the same facts give the same findings however late or in
whatever batches they came.

What a run before this one left open is *left over*. It goes on under its identity once a claim of its kind and culprit
opens; one that none does is cleared when whoever asks is satisfied that it would have been seen by now.
"""

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from anycastle.base.ports import Timestamp
from anycastle.model.event import FindingCleared, FindingOpened, FindingUpdated
from anycastle.model.prefix import Prefix
from anycastle.watch.claim import EVIDENCE_MAX, ClaimKey, Condition, Life, RouteClaim, severity_of

PREFIXES_MAX: Final = 100
"""Prefixes that an event names; beyond it the rest is a number."""

PROMPT_UPDATES_MAX: Final = 16
"""Claims of a finding that are told of at once when they open; later ones wait for `UPDATE_INTERVAL_S`."""

UPDATE_INTERVAL_S: Final = 30.0
"""At most one update of a finding in this time, so that a large one does not flood."""

NOT_SEEN_AGAIN: Final = "not seen again since the watch was started anew"
"""Why a finding is cleared that a run before this one left open."""

CLAIMS_MAX: Final = 100_000
"""Claims that are kept; a feed that brings more is not to take the memory."""


class Stage(Enum):
    """Where a claim is in its life."""

    QUIET = "quiet"
    PENDING = "pending"
    OPEN = "open"
    CLEARING = "clearing"


class _Member:
    """A claim in its finding."""

    __slots__ = ("at_start", "condition", "describe", "due", "life", "peers", "score", "stage", "told_peers")

    def __init__(self, condition: Condition, life: Life, *, at_start: bool) -> None:
        self.condition = condition
        """As it was last told of."""
        self.describe: Callable[[], Condition] = lambda: condition
        self.peers, self.score = condition.peers, condition.score
        self.at_start = at_start
        self.life = life
        self.stage = Stage.QUIET
        self.due: Timestamp | None = None
        self.told_peers = 0

    @property
    def grown(self) -> bool:
        """Twice the peers, or another severity, since it was last told of."""
        if self.peers >= 2 * max(1, self.told_peers):
            return True
        return severity_of(self.score) is not severity_of(self.condition.score)

    @property
    def open(self) -> bool:
        return self.stage in (Stage.OPEN, Stage.CLEARING)


class _Finding:
    """An open finding."""

    __slots__ = ("at_start", "ever", "identity", "members", "opened_at", "prompt", "told_at", "update_due")

    def __init__(self, identity: str, at: Timestamp, *, at_start: bool) -> None:
        self.identity = identity
        self.opened_at = at
        self.at_start = at_start
        self.members: dict[Prefix, _Member] = {}
        self.ever: dict[Prefix, None] = {}
        self.told_at = at
        self.prompt = 0
        self.update_due: Timestamp | None = None


@dataclass(frozen=True, slots=True)
class LeftOver:
    """A finding that a run before this one opened, and did not clear."""

    opened_at: Timestamp
    told: FindingOpened | FindingUpdated
    """As it was told last."""


FindingBody = FindingOpened | FindingUpdated | FindingCleared
Told = tuple[Timestamp, FindingBody]


class FindingBook:
    """All claims and findings."""

    def __init__(self) -> None:
        self._members: dict[ClaimKey, _Member] = {}
        self._findings: dict[tuple[str, str], _Finding] = {}
        self._heap: list[tuple[Timestamp, int, object]] = []
        self._order = 0
        self._left: dict[str, LeftOver] = {}
        self.seeding = False
        """Whether tables are being read: what opens was wrong before the start."""

    @property
    def deadline(self) -> Timestamp | None:
        """When `advance` is next due."""
        return self._heap[0][0] if self._heap else None

    def is_open(self, key: ClaimKey) -> bool:
        """Tell whether a claim is open."""
        member = self._members.get(key)
        return member is not None and member.open

    def open_findings(self) -> Iterable[tuple[str, str, Timestamp, tuple[Condition, ...]]]:
        """Give each open finding: kind, subject, since when, its claims."""
        for (kind, subject), finding in self._findings.items():
            conditions = tuple(member.condition for member in finding.members.values())
            yield kind, subject, finding.opened_at, conditions

    def take_over(self, left: Iterable[LeftOver]) -> None:
        """Take what a run before this one left open; of one kind and culprit the newest goes on."""
        self._left = {each.told.finding: each for each in sorted(left, key=lambda each: -each.opened_at)}

    @property
    def left_over(self) -> bool:
        """Whether anything is open still that a run before this one opened and this one did not see."""
        return bool(self._left)

    def give_up(self, looked_for: Callable[[LeftOver], bool], now: Timestamp) -> list[Told]:
        """Clear what is left over, where it would have been seen by now."""
        over = [each for each in self._left.values() if looked_for(each)]
        return [self._cleared_unseen(self._left.pop(each.told.finding), now) for each in over]

    def _cleared_unseen(self, left: LeftOver, now: Timestamp) -> Told:
        told, lasted = left.told, round(now - left.opened_at, 3)
        reasons = (*told.reasons, NOT_SEEN_AGAIN)
        cleared = FindingCleared(
            told.finding, told.finding_kind, told.severity, told.subject, told.prefixes, reasons, lasted
        )
        return now, cleared

    def drop(self, unwanted: Callable[[ClaimKey], bool], now: Timestamp) -> list[Told]:
        """Forget claims that nobody asks for any more; those that were open close at once."""
        told: list[Told] = []
        for key, member in [each for each in self._members.items() if unwanted(each[0])]:
            if member.open:
                told += self._close(key, now)
            else:
                del self._members[key]
        return told

    def judge(self, condition: Condition, life: Life, now: Timestamp) -> list[Told]:
        """Take what a prefix detector holds now; give the events that follow at once."""
        key = ClaimKey(condition.kind, condition.subject, condition.prefix)
        weight = (condition.peers, condition.score)
        return self._judge(key, condition.holds, life, now, weight, lambda: condition)

    def judge_claim(self, claim: RouteClaim, collectors_up: int, now: Timestamp) -> list[Told]:
        """Take a claim whose support changed; give the events that follow at once."""
        holds = claim.holds(collectors_up)
        return self._judge(claim.key, holds, claim.life, now, (claim.peers, claim.score), claim.condition)

    def _judge(
        self,
        key: ClaimKey,
        holds: bool | None,
        life: Life,
        now: Timestamp,
        weight: tuple[int, int],
        describe: Callable[[], Condition],
    ) -> list[Told]:
        """Move a claim on. It is described only when it is told of: with thousands of peers that costs."""
        member = self._members.get(key)
        if member is None:
            if not holds or len(self._members) >= CLAIMS_MAX:
                return []
            member = self._members[key] = _Member(describe(), life, at_start=self.seeding)
        if holds is not False:  # a claim that closes keeps what was known of it
            member.describe = describe
            member.peers, member.score = weight
        return self._step(key, member, holds, now)

    def _step(self, key: ClaimKey, member: _Member, holds: bool | None, now: Timestamp) -> list[Told]:
        match member.stage:
            case Stage.QUIET if holds:
                if member.life.confirm_s <= 0:
                    return self._open(key, member, now)
                member.stage = Stage.PENDING
                self._wait(key, member, now, member.life.confirm_s)
            case Stage.PENDING if not holds:
                member.stage, member.due = Stage.QUIET, None
            case Stage.OPEN if holds is False:
                if member.life.clear_s <= 0:
                    return self._close(key, now)
                member.stage = Stage.CLEARING
                self._wait(key, member, now, member.life.clear_s)
            case Stage.CLEARING if holds:
                member.stage, member.due = Stage.OPEN, None
            case Stage.OPEN if member.grown:
                return self._update(self._findings[key.kind, key.subject], now, prompt=False)
        if member.stage is Stage.QUIET:
            del self._members[key]
        return []

    def _wait(self, key: ClaimKey, member: _Member, now: Timestamp, seconds: float) -> None:
        member.due = Timestamp(now + seconds)
        self._push(member.due, key)

    def _push(self, due: Timestamp, what: object) -> None:
        self._order += 1
        heapq.heappush(self._heap, (due, self._order, what))

    def advance(self, now: Timestamp) -> list[Told]:
        """Run what is due up to `now`, each at its own time."""
        told: list[Told] = []
        while self._heap and self._heap[0][0] <= now:
            due, _, what = heapq.heappop(self._heap)
            if isinstance(what, ClaimKey):
                told += self._claim_due(what, due)
            elif isinstance(what, _Finding) and what.update_due == due:
                what.update_due = None
                told += self._tell_update(what, due) if what.members else []
        return told

    def _claim_due(self, key: ClaimKey, due: Timestamp) -> list[Told]:
        member = self._members.get(key)
        if member is None or member.due != due:
            return []  # it was overtaken
        member.due = None
        if member.stage is Stage.PENDING:
            return self._open(key, member, due)
        return self._close(key, due) if member.stage is Stage.CLEARING else []

    def _open(self, key: ClaimKey, member: _Member, now: Timestamp) -> list[Told]:
        member.stage = Stage.OPEN
        self._refresh(member)
        finding = self._findings.get((key.kind, key.subject))
        if finding is not None:
            finding.members[key.prefix], finding.ever[key.prefix] = member, None
            return self._update(finding, now, prompt=True)
        left = self._left_by(key)
        if left is not None:
            finding = _Finding(left.told.finding, left.opened_at, at_start=left.told.at_start)
            self._findings[key.kind, key.subject] = finding
            finding.members[key.prefix], finding.ever[key.prefix] = member, None
            return self._tell_update(finding, now)
        identity = f"{key.kind}/{key.subject}/{now:.3f}"
        finding = self._findings[key.kind, key.subject] = _Finding(identity, now, at_start=member.at_start)
        finding.members[key.prefix], finding.ever[key.prefix] = member, None
        return [(now, FindingOpened(**_fields(finding)))]

    def _left_by(self, key: ClaimKey) -> LeftOver | None:
        """Take the finding that a claim goes on with, if one was left over."""
        wanted = (key.kind, key.subject)
        name = next((n for n, each in self._left.items() if (each.told.finding_kind, each.told.subject) == wanted), "")
        return self._left.pop(name, None)

    def _refresh(self, member: _Member) -> None:
        """Take a member's description as it is now, unless it is closing."""
        if member.stage is Stage.OPEN:
            member.condition = member.describe()
            member.told_peers = member.condition.peers

    def _update(self, finding: _Finding, now: Timestamp, *, prompt: bool) -> list[Told]:
        if prompt and finding.prompt < PROMPT_UPDATES_MAX:
            finding.prompt += 1
            return self._tell_update(finding, now)
        if now >= finding.told_at + UPDATE_INTERVAL_S:
            return self._tell_update(finding, now)
        if finding.update_due is None:
            finding.update_due = Timestamp(finding.told_at + UPDATE_INTERVAL_S)
            self._push(finding.update_due, finding)
        return []

    def _tell_update(self, finding: _Finding, now: Timestamp) -> list[Told]:
        finding.told_at = now
        for member in finding.members.values():
            self._refresh(member)
        return [(now, FindingUpdated(**_fields(finding)))]

    def _close(self, key: ClaimKey, now: Timestamp) -> list[Told]:
        finding = self._findings[key.kind, key.subject]
        del self._members[key]
        if len(finding.members) > 1:
            del finding.members[key.prefix]
            return self._update(finding, now, prompt=False)
        del self._findings[key.kind, key.subject]
        fields = _fields(finding) | {"prefixes": _named(finding.ever)}
        finding.members.clear()
        lasted = round(now - finding.opened_at, 3)
        kept = ("finding", "finding_kind", "severity", "subject", "prefixes", "reasons")
        return [(now, FindingCleared(**{name: fields[name] for name in kept}, lasted_s=lasted))]


def _named(prefixes: Iterable[Prefix]) -> tuple[str, ...]:
    named = [str(prefix) for prefix in prefixes]
    more = len(named) - PREFIXES_MAX
    return tuple(named) if more <= 0 else (*named[:PREFIXES_MAX], f"and {more} more")


def _fields(finding: _Finding) -> dict[str, Any]:
    """Give the fields that opened and updated share: the worst claim speaks for all."""
    conditions = [member.condition for member in finding.members.values()]
    worst = max(conditions, key=lambda each: each.score)
    evidence = [line for each in conditions for line in each.evidence]
    return {
        "finding": finding.identity,
        "finding_kind": worst.kind,
        "severity": severity_of(worst.score).value,
        "subject": worst.subject,
        "prefixes": _named(finding.members),
        "score": worst.score,
        "reasons": worst.reasons,
        "peers": max(each.peers for each in conditions),
        "asns": max(each.asns for each in conditions),
        "collectors": max(each.collectors for each in conditions),
        "validity": worst.validity.value,
        "at_start": finding.at_start,
        "evidence": tuple(evidence[:EVIDENCE_MAX]),
    }
