"""Logs that grow, are rotated and truncated, while whoever reads them is stopped and started again."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule

from anycastle.base.errors import WorldError
from anycastle.io.telemetry.line_tail import LINE_OCTETS_MAX, LINGER_S, LineTail, Place

Tails = Callable[..., LineTail]


@pytest.fixture
def tails() -> Iterator[Tails]:
    """Makes tails, and closes them."""
    made: list[LineTail] = []

    def make(path: Path, place: Place = Place(), **more: bool) -> LineTail:
        made.append(LineTail(path, place, **more))
        return made[-1]

    yield make
    for each in made:
        each.close()


def texts(tail: LineTail, now: float = 0.0) -> list[str]:
    return [line.octets.decode() for line in tail.read(now)]


def add(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_half_a_line_waits_for_its_rest(tmp_path: Path, tails: Tails) -> None:
    log = tmp_path / "log"
    tail = tails(log)
    assert texts(tail) == []
    add(log, "one\ntw")
    assert texts(tail) == ["one"]
    add(log, "o\nthree\n")
    assert texts(tail) == ["two", "three"]
    assert tail.place.offset == log.stat().st_size


def test_a_log_is_rotated_and_what_is_still_written_to_the_old_one_is_read(tmp_path: Path, tails: Tails) -> None:
    log = tmp_path / "log"
    add(log, "one\n")
    tail = tails(log)
    assert texts(tail) == ["one"]
    log.rename(tmp_path / "log.1")
    add(log, "four\n")
    add(tmp_path / "log.1", "two\n")
    assert texts(tail, 1.0) == ["two"]
    assert texts(tail, 2.0) == []
    add(tmp_path / "log.1", "three\n")
    assert texts(tail, 3.0) == ["three"]
    assert texts(tail, 4.0) == []
    assert texts(tail, 4.0 + LINGER_S) == ["four"]
    assert tail.counts.rotated == 1


def test_a_log_that_is_truncated_in_place_is_read_from_its_start(tmp_path: Path, tails: Tails) -> None:
    log = tmp_path / "log"
    add(log, "one\ntwo\n")
    tail = tails(log)
    texts(tail)
    os.truncate(log, 0)
    add(log, "three\n")
    assert texts(tail) == ["three"]
    log.write_text("four and so long that nobody sees it by the size\n")
    assert texts(tail) == ["four and so long that nobody sees it by the size"]
    assert tail.counts.truncated == 2


def test_after_a_restart_what_was_rotated_away_is_read_first(tmp_path: Path, tails: Tails) -> None:
    log = tmp_path / "log"
    add(log, "one\ntwo\n")
    tail = tails(log)
    texts(tail)
    place = tail.place
    tail.close()
    add(log, "three\n")
    log.rename(tmp_path / "log.1")
    add(log, "four\n")
    again = tails(log, place)
    assert texts(again) == ["three"]
    assert texts(again, 1.0) == []
    assert texts(again, 1.0 + LINGER_S) == ["four"]
    assert again.counts.gaps == 0


def test_of_several_rotations_that_were_missed_each_is_read_in_its_turn(tmp_path: Path, tails: Tails) -> None:
    log = tmp_path / "log"
    add(log, "one\n")
    tail = tails(log)
    assert texts(tail) == ["one"]
    for number in range(1, 4):
        log.rename(tmp_path / f"log.{number}")
        os.utime(tmp_path / f"log.{number}", (number, number))
        add(log, f"of {number}\n")
    add(tmp_path / "log.other", "another log\n")
    add(tmp_path / "log.9.gz", "packed\n")
    found = [line for step in range(1, 9) for line in texts(tail, step * LINGER_S)]
    assert found == ["of 1", "of 2", "of 3"]
    assert tail.counts.gaps > 0, "what is packed was not read, and it is told"


def test_a_file_that_is_gone_is_a_gap_and_one_of_its_inode_is_not_taken_for_it(tmp_path: Path, tails: Tails) -> None:
    log = tmp_path / "log"
    add(log, "one\ntwo\n")
    tail = tails(log)
    texts(tail)
    place = tail.place
    tail.close()
    log.write_text("three, in the same inode\n")
    again = tails(log, place)
    assert texts(again) == ["three, in the same inode"]
    assert again.counts.gaps == 1


def test_a_line_beyond_the_bound_is_passed_over(tmp_path: Path, tails: Tails) -> None:
    log = tmp_path / "log"
    add(log, "x" * (LINE_OCTETS_MAX + 1))
    tail = tails(log)
    assert texts(tail) == []
    add(log, "x" * LINE_OCTETS_MAX + "\nnext\n")
    assert texts(tail) == ["next"]
    assert tail.counts.too_long == 1


def test_from_its_end(tmp_path: Path, tails: Tails) -> None:
    log = tmp_path / "log"
    add(log, "old\nhalf")
    tail = tails(log, from_start=False)
    assert texts(tail) == []
    add(log, " a line\nnew\n")
    assert texts(tail) == ["half a line", "new"]


def test_what_cannot_be_read_is_told(tmp_path: Path, tails: Tails) -> None:
    (tmp_path / "log").mkdir()
    with pytest.raises(WorldError, match=r"log cannot be read"):
        tails(tmp_path / "log").read(0.0)


class Logs(RuleBasedStateMachine):
    """Whatever happens to a log, each whole line is given once and in order; truncation may lose, and is not done."""

    lines = Bundle("lines")

    @initialize()
    def begin(self) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.log = Path(self.folder.name) / "log"
        self.log.touch()
        self.tail = LineTail(self.log)
        self.now, self.number, self.rotations = 0.0, 0, 0
        self.written: list[str] = []
        self.given: list[str] = []
        self.read()  # a log that was never looked at has no place to go on from
        self.keep()

    @rule(count=st.integers(1, 5), half=st.booleans())
    def write(self, count: int, half: bool) -> None:
        for _ in range(count):
            self.number += 1
            self.written.append(f"line {self.number}")
            text = f"line {self.number}\n"
            add(self.log, text[:4])
            if half:
                self.read()
            add(self.log, text[4:])

    @rule()
    def rotate(self) -> None:
        self.rotations += 1
        rotated = self.log.with_name(f"log.{self.rotations}")
        self.log.rename(rotated)
        os.utime(rotated, (self.rotations, self.rotations))  # the kernel's stamps are as coarse as its ticks
        self.log.touch()

    @rule()
    def read(self) -> None:
        self.now += 1.0
        self.given += texts(self.tail, self.now)

    @rule()
    def keep(self) -> None:
        self.kept, self.kept_given = self.tail.place, len(self.given)

    @rule()
    def crash(self) -> None:
        """All that was given since the place was kept is given again, and counts from there."""
        self.tail.close()
        self.tail = LineTail(self.log, self.kept)
        self.given = self.given[: self.kept_given]

    def settle(self) -> None:
        for _ in range(2 * self.rotations + 4):
            self.now += LINGER_S
            self.given += texts(self.tail, self.now)
        self.keep()

    def teardown(self) -> None:
        if hasattr(self, "tail"):
            self.settle()
            assert self.given == self.written
            self.tail.close()
            self.folder.cleanup()


TestLogs = Logs.TestCase
TestLogs.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
