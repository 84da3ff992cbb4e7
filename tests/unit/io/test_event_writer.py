import threading
import time
from pathlib import Path

from anycastle.base.ports import Timestamp
from anycastle.io import event_writer
from anycastle.io.event_log import EventLog
from anycastle.io.event_writer import EventWriter
from anycastle.model.event import Alarm, Event


def event(number: int) -> Event:
    return Event(Timestamp(float(number)), "ams", Alarm("test", "ams", str(number)))


def stored(path: Path) -> list[str]:
    with EventLog(path, read_only=True) as log:
        assert log.verify().sound
        return [each.fields["text"] for each in log.read()]


def test_all_that_was_handed_over_is_on_disk_in_its_order_when_it_closes(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path / "events.db")
    for number in range(1200):
        writer.put(event(number))
    writer.close()
    assert stored(tmp_path / "events.db") == [str(number) for number in range(1200)]
    assert (writer.dropped, writer.failure) == (0, None)


def until(condition: object) -> None:
    deadline = time.monotonic() + 20
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_what_the_disk_refuses_is_told_and_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "later" / "events.db"
    writer = EventWriter(path)
    writer.put(event(1))
    until(lambda: writer.failure)
    path.parent.mkdir()
    until(lambda: writer.failure is None)
    writer.close()
    assert stored(path) == ["1"]


def test_a_disk_that_refuses_for_good_keeps_nobody_from_leaving(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path / "never" / "events.db")
    for number in range(3):
        writer.put(event(number))
    until(lambda: writer.failure)
    closing = threading.Thread(target=writer.close, daemon=True)
    closing.start()
    closing.join(20)
    assert not closing.is_alive()
    assert writer.dropped == 3


def test_more_than_may_wait_is_dropped_and_counted(tmp_path: Path, monkeypatch: object) -> None:
    before, event_writer.QUEUE_MAX = event_writer.QUEUE_MAX, 5
    try:
        writer = EventWriter(tmp_path / "never" / "events.db")
    finally:
        event_writer.QUEUE_MAX = before
    writer.put(event(0))
    until(lambda: writer.failure)
    for number in range(20):
        writer.put(event(number))
    assert writer.dropped == 15
    writer.close()
