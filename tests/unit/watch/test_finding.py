"""The life of a finding: thresholds, hysteresis, grouping, and that the clock's steps do not matter."""

import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.event import FindingCleared, FindingOpened, FindingUpdated
from anycastle.model.prefix import Prefix, parse_prefix
from anycastle.model.watch import Thresholds
from anycastle.watch.claim import ClaimKey, Condition, Life, RouteClaim, Severity, Support, Suspicion, severity_of
from anycastle.watch.finding import FindingBook
from tests.unit.watch.scene import OURS, peer

SUSPICION = Suspicion("kind", "AS666", 70, ("because",))


def claim(thresholds: Thresholds, *numbers: int) -> RouteClaim:
    made = RouteClaim(ClaimKey("kind", "AS666", OURS), Life(), thresholds)
    for number in numbers:
        made.add(peer(number), Support(Timestamp(float(number)), "666", SUSPICION))
    return made


@pytest.mark.parametrize(
    ("thresholds", "numbers", "up", "holds"),
    [
        (Thresholds(2, 2, 1), (), 5, False),
        (Thresholds(2, 2, 1), (0,), 5, None),
        (Thresholds(2, 2, 1), (0, 1), 5, True),
        (Thresholds(3, 3, 2), (0, 1, 2), 5, None),  # one collector
        (Thresholds(3, 3, 2), (0, 1, 3), 5, True),
        (Thresholds(3, 3, 2), (0, 1, 2), 1, True),  # there is but one
        (Thresholds(6, 1, 1), (0, 1), 5, False),
        (Thresholds(6, 1, 1), (0, 1, 2), 5, None),
    ],
)
def test_thresholds(thresholds: Thresholds, numbers: tuple[int, ...], up: int, holds: bool | None) -> None:
    made = claim(thresholds, *numbers)
    assert made.holds(up) is holds
    for number in numbers:
        made.remove(peer(number))
    assert made.holds(up) is False


def condition(holds: bool | None, prefix: Prefix = OURS, score: int = 70) -> Condition:
    return Condition("kind", "AS666", prefix, holds, score, ("because",), peers=2, asns=2, collectors=1)


def at(seconds: float) -> Timestamp:
    return Timestamp(seconds)


def test_it_opens_after_having_stood_and_closes_after_having_fallen() -> None:
    book, life = FindingBook(), Life(confirm_s=10, clear_s=20)
    assert book.judge(condition(True), life, at(0)) == []
    assert book.judge(condition(None), life, at(5)) == []
    assert book.advance(at(100)) == [], "in between is not standing"
    assert book.judge(condition(True), life, at(100)) == []
    ((opened_at, opened),) = book.advance(at(1000))
    assert (opened_at, type(opened)) == (110, FindingOpened)
    book.judge(condition(False), life, at(1000))
    book.judge(condition(True), life, at(1010))
    assert book.advance(at(2000)) == []
    book.judge(condition(False), life, at(2000))
    assert book.judge(condition(None), life, at(2005)) == []
    ((cleared_at, cleared),) = book.advance(at(9999))
    assert (cleared_at, type(cleared)) == (2020, FindingCleared)
    assert cleared.lasted_s == 1910  # type: ignore[union-attr]
    assert book.deadline is None


def test_claims_of_one_culprit_are_one_finding_until_the_last_is_over() -> None:
    book, life = FindingBook(), Life(clear_s=10)
    prefixes = [parse_prefix(f"192.0.{number}.0/24") for number in range(3)]
    told = [body for prefix in prefixes for _, body in book.judge(condition(True, prefix), life, at(0))]
    assert [type(body) for body in told] == [FindingOpened, FindingUpdated, FindingUpdated]
    for number, prefix in enumerate(prefixes):
        book.judge(condition(False, prefix), life, at(100 + number))
    bodies = [body for _, body in book.advance(at(500))]
    assert [type(body) for body in bodies] == [FindingUpdated, FindingCleared]
    assert bodies[-1].prefixes == tuple(map(str, prefixes))
    assert len({body.finding for body in (*told, *bodies)}) == 1


def test_a_graver_score_is_an_update() -> None:
    book, life = FindingBook(), Life()
    book.judge(condition(True, score=50), life, at(0))
    assert book.judge(condition(True, score=55), life, at(60)) == []
    ((_, updated),) = book.judge(condition(True, score=75), life, at(120))
    assert (type(updated), updated.severity) == (FindingUpdated, "critical")


@pytest.mark.parametrize(("score", "severity"), [(0, Severity.INFO), (40, Severity.WARNING), (70, Severity.CRITICAL)])
def test_severity(score: int, severity: Severity) -> None:
    assert severity_of(score) is severity


def test_evidence_is_the_earliest_and_bounded() -> None:
    made = claim(Thresholds(), *range(30, 0, -1))
    found = made.condition()
    assert len(found.evidence) == 8
    assert found.evidence[0].startswith("1.000 192.0.2.0/24 rrc00 AS1001")
    assert (found.peers, found.asns, found.collectors) == (30, 30, 11)
