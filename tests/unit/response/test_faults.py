import pytest

from anycastle.base.ports import Timestamp
from anycastle.response.faults import PAST_AGAIN_S, SHOWN_S, STEADY_S, Faults
from anycastle.response.signal import Urgency


def at(seconds: float) -> Timestamp:
    return Timestamp(seconds)


@pytest.mark.mission("C15")
def test_one_fault_is_a_ticket_for_a_while_and_begins_from_what_was_kept() -> None:
    faults = Faults()
    assert faults.signals(at(0.0)) == []
    faults.add("KeyError at x.py:7", STEADY_S, at(100.0))
    (told,) = faults.signals(at(100.0))
    assert (told.name, told.urgency) == ("response_failed", Urgency.TICKET)
    assert "KeyError at x.py:7" in told.summary
    assert (faults.stuck, faults.pause_s) == (False, 1.0)
    assert not faults.tell_past(at(100.0))
    assert faults.signals(at(100.0 + SHOWN_S)) == []


def test_three_in_a_row_are_stuck_and_told_past_the_response_now_and_then() -> None:
    faults = Faults()
    for number in range(3):
        faults.add("KeyError", 1.0, at(float(number)))
    assert faults.stuck
    assert faults.pause_s == 4.0
    assert faults.signals(at(2.0))[0].urgency is Urgency.PAGE
    assert "3 times in a row" in faults.words
    assert faults.tell_past(at(2.0))
    assert not faults.tell_past(at(2.0 + PAST_AGAIN_S - 1))
    assert faults.tell_past(at(2.0 + PAST_AGAIN_S))


def test_one_that_lived_long_begins_another_row() -> None:
    faults = Faults()
    for lived_s in (1.0, 1.0, 1.0, STEADY_S):
        faults.add("KeyError", lived_s, at(1.0))
    assert (faults.row, faults.stuck) == (1, False)
    for _ in range(50):
        faults.add("KeyError", 0.0, at(1.0))
    assert faults.pause_s == 15.0
