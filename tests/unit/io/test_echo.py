import os
import threading
import time

import pytest

from anycastle.base.ports import Timestamp
from anycastle.io import echo
from anycastle.io.echo import Echo
from anycastle.model.event import Alarm, Event


def event(text: str) -> Event:
    return Event(Timestamp(1.0), "ams", Alarm("test", "ams", text))


def text_of(told: Event) -> str | None:
    assert isinstance(told.body, Alarm)
    return None if told.body.text == "quiet" else told.body.text


def test_lines_come_in_their_order_and_what_is_not_told_is_left_out() -> None:
    reading, writing = os.pipe()
    made = Echo(text_of, writing)
    for text in ("one", "quiet", "two"):
        made.put(event(text))
    made.close()
    os.close(writing)
    with os.fdopen(reading) as lines:
        assert lines.read() == "one\ntwo\n"
    assert made.left_out == 0


def test_a_reader_that_stopped_reading_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(echo, "CLOSE_S", 0.05)
    reading, writing = os.pipe()
    made = Echo(lambda _: "x" * 70_000, writing)  # more than a pipe holds
    for _ in range(echo.QUEUE_MAX + 10):
        made.put(event("x"))
    assert made.left_out >= 9
    closing = threading.Thread(target=made.close, daemon=True)
    closing.start()
    closing.join(20)
    assert not closing.is_alive()
    os.close(reading)


def test_a_reader_that_has_gone_is_counted_and_nothing_is_raised() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    made = Echo(text_of, writing)
    made.put(event("one"))
    deadline = time.monotonic() + 20
    while not made.left_out:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    made.close()
    os.close(writing)
