import pytest

from anycastle.base.ports import FAR_FUTURE, Instant
from anycastle.health.verdict import CheckTracker, Verdict
from anycastle.model.check import CheckResult, Outcome, Severity
from tests.unit.health.world import check

PASS, FAIL, UNKNOWN = (CheckResult(outcome, 0.001, outcome.value) for outcome in Outcome)


def healthy(**changes: object) -> CheckTracker:
    tracker = CheckTracker(check(**changes), Instant(0.0))
    for _ in range(2):
        tracker.asked()
        tracker.answered(PASS, Instant(0.0))
    assert tracker.verdict is Verdict.HEALTHY
    return tracker


def test_a_verdict_needs_rise_passes_or_fall_failures_in_a_row() -> None:
    tracker = healthy()
    changes = [tracker.answered(answer, Instant(1.0)) for answer in (FAIL, FAIL, PASS, FAIL, FAIL, FAIL)]
    assert changes == [False, False, False, False, False, True]
    assert tracker.verdict is Verdict.UNHEALTHY
    assert [tracker.answered(answer, Instant(2.0)) for answer in (PASS, FAIL, PASS, PASS)] == [
        False,
        False,
        False,
        True,
    ]


@pytest.mark.mission("F7", "M9")
def test_after_a_first_failure_it_is_asked_again_at_once_until_confirmed_or_refuted() -> None:
    tracker = healthy(interval_s=10.0, confirm_interval_s=0.05)
    tracker.answered(FAIL, Instant(10.0))
    assert tracker.due == pytest.approx(10.05)
    tracker.answered(FAIL, Instant(10.06))
    assert tracker.due == pytest.approx(10.11)
    tracker.answered(PASS, Instant(10.12))
    assert tracker.due == 20.0, "refuted: back to the grid"


def test_a_hastened_question_halves_its_wait_and_the_grid_stays() -> None:
    tracker = healthy(interval_s=10.0)
    assert (tracker.hasten(Instant(4.0)), tracker.due) == (True, 7.0)
    tracker.asked()
    assert not tracker.hasten(Instant(7.0)), "the question is out"
    tracker.answered(PASS, Instant(7.0))
    assert tracker.due == 10.0
    assert not tracker.hasten(Instant(8.0)), "once in each slot"
    tracker.answered(PASS, Instant(10.0))
    assert (tracker.hasten(Instant(14.0)), tracker.due) == (True, 17.0)
    assert not tracker.hasten(Instant(15.0)), "nor a second time before it is asked"


def test_only_hard_checks_that_nothing_speaks_against_are_hastened() -> None:
    assert not healthy(severity=Severity.SOFT).hasten(Instant(0.5))
    assert not CheckTracker(check(), Instant(1.0)).hasten(Instant(0.5))
    failing = healthy(interval_s=10.0, confirm_interval_s=1.0)
    failing.answered(FAIL, Instant(10.0))
    assert (failing.hasten(Instant(10.5)), failing.due) == (False, 11.0)


def test_recovery_stays_on_the_grid() -> None:
    tracker = healthy(interval_s=10.0)
    for _ in range(3):
        tracker.answered(FAIL, Instant(10.0))
    tracker.answered(PASS, Instant(20.0))
    assert tracker.due == 30.0


def test_an_unknown_answer_moves_nothing_and_is_counted() -> None:
    tracker = healthy()
    tracker.answered(FAIL, Instant(1.0))
    tracker.answered(UNKNOWN, Instant(1.1))
    assert (tracker.failures, tracker.unknowns, tracker.verdict) == (1, 1, Verdict.HEALTHY)


def test_slots_that_went_by_unasked_are_counted_and_not_made_up_for() -> None:
    tracker = healthy(interval_s=1.0)
    tracker.asked()
    assert tracker.due == FAR_FUTURE
    tracker.answered(PASS, Instant(4.5))
    assert (tracker.late, tracker.due) == (3, 5.0)


def test_a_reset_asks_again_at_once_unless_a_question_is_out() -> None:
    tracker = healthy()
    tracker.reset(Instant(50.0))
    assert (tracker.verdict, tracker.due) == (Verdict.PENDING, 50.0)
    tracker.asked()
    tracker.reset(Instant(60.0))
    assert tracker.due == FAR_FUTURE


def test_the_phase_spreads_checks_of_a_long_interval_after_a_quick_first_answer() -> None:
    tracker = CheckTracker(check(interval_s=60.0, rise=1), Instant(0.5), phase_s=40.0)
    assert tracker.due == 0.5
    tracker.asked()
    tracker.answered(PASS, Instant(0.6))
    assert tracker.due == 40.5
