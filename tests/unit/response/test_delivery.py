"""Deliveries as dialogues: retries, order, what is dead, and what is full."""

from dataclasses import replace
from random import Random

import pytest

from anycastle.base.ports import Timestamp
from anycastle.response import delivery
from anycastle.response.delivery import DEAD_MAX, UNDER_WAY_MAX, DeliveryEngine, DeliveryPolicy
from anycastle.response.message import Message
from anycastle.response.notification import NoticeKind
from anycastle.response.signal import Urgency

STEADY = DeliveryPolicy(jitter=0.0)


def at(seconds: float) -> Timestamp:
    return Timestamp(seconds)


def message(number: int, incident: int = 1, urgency: Urgency = Urgency.PAGE) -> Message:
    return Message(
        f"{number:08d}", f"net/{incident}", "net", incident, NoticeKind.PAGE, urgency, at(0), at(0), "fra is gone"
    )


def keys(engine: DeliveryEngine, now: float, *names: str) -> list[str]:
    return [each.key for each in engine.begin(at(now), names or ("a", "b"))]


def test_a_message_goes_to_each_notifier_once() -> None:
    engine = DeliveryEngine(Random(1), STEADY)
    engine.put(["a", "b"], message(1), at(0))
    engine.put(["a"], message(1), at(1))
    assert keys(engine, 1) == ["00000001/a", "00000001/b"]
    assert keys(engine, 1) == []
    done = engine.took("00000001/a")
    assert done is not None
    assert done.attempts == 1
    assert engine.took("00000001/a") is None
    assert list(engine.waiting) == ["00000001/b"]


def test_it_waits_twice_as_long_each_time_up_to_a_minute() -> None:
    engine = DeliveryEngine(Random(1), STEADY)
    engine.put(["a"], message(1), at(0))
    now, pauses = 0.0, []
    for _ in range(9):
        assert keys(engine, now) == ["00000001/a"]
        assert engine.failed("00000001/a", "refused", at(now)) is None
        due = engine.deadline()
        assert keys(engine, due - 0.01) == []
        pauses.append(due - now)
        now = due
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_pauses_are_drawn_and_a_server_that_says_when_is_believed() -> None:
    engine = DeliveryEngine(Random(1))
    for number in range(1, 101):
        engine.put([f"n{number}"], message(number), at(0))
    for each in engine.begin(at(0), [f"n{number}" for number in range(1, 101)]):
        engine.failed(each.key, "busy", at(0))
    dues = {each.due for each in engine.waiting.values()}
    assert len(dues) == 100
    assert all(0.5 <= due <= 1.0 for due in dues)
    (one,) = engine.begin(at(2), ["n1"])
    engine.failed(one.key, "429", at(2), again_s=30.0)
    assert engine.waiting[one.key].due == 32.0
    (one,) = engine.begin(at(32), ["n1"])
    engine.failed(one.key, "429", at(32), again_s=1e9)
    assert engine.waiting[one.key].due == 632.0, "not believed beyond ten minutes"


def test_the_end_of_an_incident_never_overtakes_its_page() -> None:
    engine = DeliveryEngine(Random(1), STEADY)
    engine.put(["a"], message(1), at(0))
    engine.put(["a"], replace(message(2), kind=NoticeKind.CLEARED), at(0))
    engine.put(["a"], message(3, incident=2), at(0))
    assert keys(engine, 0) == ["00000001/a", "00000003/a"], "another incident passes it by"
    engine.failed("00000001/a", "down", at(0))
    assert keys(engine, 0.5) == []
    assert keys(engine, 1) == ["00000001/a"]
    engine.took("00000001/a")
    assert keys(engine, 1) == ["00000002/a"]


def test_few_are_under_way_to_one_notifier() -> None:
    engine = DeliveryEngine(Random(1), STEADY)
    for number in range(1, 20):
        engine.put(["a", "b"], message(number, incident=number), at(0))
    begun = keys(engine, 0)
    assert len(begun) == 2 * UNDER_WAY_MAX
    assert engine.deadline() == 86_400.0, "nothing to do until one of them ends"
    engine.took(begun[0])
    assert engine.deadline() <= 0
    assert len(keys(engine, 0)) == 1


def test_what_is_refused_is_dead_and_can_be_sent_again() -> None:
    engine = DeliveryEngine(Random(1), STEADY)
    engine.put(["a"], message(1), at(0))
    keys(engine, 0)
    dead = engine.failed("00000001/a", "status 400", at(0), refused=True)
    assert dead is not None
    assert (dead.why, dead.attempts) == ("status 400", 1)
    assert not engine.waiting
    engine.put(["a"], message(1), at(1))
    assert not engine.waiting, "what is dead is known"
    assert engine.again("00000001/a", at(2))
    assert not engine.again("00000001/a", at(2))
    assert keys(engine, 2) == ["00000001/a"]


def test_what_is_a_day_old_or_has_no_notifier_is_dead() -> None:
    engine = DeliveryEngine(Random(1), STEADY)
    engine.put(["a", "gone"], message(1), at(0))
    assert keys(engine, 0, "a") == ["00000001/a"]
    assert engine.dead["00000001/gone"].why == "there is no notifier gone any more"
    engine.failed("00000001/a", "no route to host", at(0))
    assert keys(engine, 86_400) == []
    assert engine.dead["00000001/a"].why == "given up after 1 attempts: no route to host"


def test_where_the_queue_is_full_a_ticket_gives_way_to_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "WAITING_MAX", 3)
    engine = DeliveryEngine(Random(1), STEADY)
    engine.put(["a"], message(1), at(0))
    engine.put(["a"], message(2, urgency=Urgency.TICKET), at(0))
    engine.put(["a"], message(3, urgency=Urgency.TICKET), at(0))
    engine.put(["a"], message(4, urgency=Urgency.TICKET), at(0))
    assert list(engine.dead) == ["00000004/a"]
    engine.put(["a"], message(5), at(0))
    assert list(engine.dead) == ["00000004/a", "00000002/a"]
    assert list(engine.waiting) == ["00000001/a", "00000003/a", "00000005/a"]


def test_dead_letters_are_bounded_and_counted() -> None:
    engine = DeliveryEngine(Random(1), STEADY)
    for number in range(DEAD_MAX + 5):
        engine.put(["gone"], message(number, incident=number), at(0))
    engine.begin(at(0), [])
    assert len(engine.dead) == DEAD_MAX
    assert engine.dead_beyond == 5
    assert "00000005/gone" in engine.dead


def test_what_was_under_way_when_it_ended_waits_again() -> None:
    engine = DeliveryEngine(Random(1), STEADY)
    engine.put(["a"], message(1), at(0))
    keys(engine, 0)
    after = DeliveryEngine(Random(2), STEADY, waiting=engine.waiting.values(), dead=engine.dead.values())
    assert [each.key for each in after.begin(at(1), ["a"])] == ["00000001/a"]
