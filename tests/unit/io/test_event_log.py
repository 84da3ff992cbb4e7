import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from anycastle.base.errors import MisuseError, ParseError, WorldError
from anycastle.base.limits import EVENT_BYTES_MAX
from anycastle.base.ports import Timestamp
from anycastle.io.event_log import GENESIS, EventLog, Head, VerifyResult, parse_head, row_hash
from anycastle.model.event import (
    KINDS,
    AgentStarted,
    Alarm,
    AnnouncementsApplied,
    CheckChanged,
    Event,
    StanceChanged,
)


def changed(number: int, service: str = "dns") -> Event:
    return Event(Timestamp(1763900000.25 + number), "fra", CheckChanged(service, "tcp", "failing", f"e{number}"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.sqlite"


@pytest.fixture
def log(path: Path) -> Iterator[EventLog]:
    with EventLog(path) as log:
        yield log


def test_what_was_appended_is_read_back(log: EventLog) -> None:
    events = [
        Event(Timestamp(1763900000.123456), "fra", AgentStarted("1.0", recovered=True, observe_only=False)),
        Event(Timestamp(1763900001.5), "fra", AnnouncementsApplied(("192.0.2.0/24 t1",), (), ("a", "b"))),
        changed(2),
    ]
    head = log.append(events)
    stored = list(log.read())
    assert [row.event() for row in stored] == events
    assert [row.sequence for row in stored] == [1, 2, 3]
    assert head == log.head() == Head(3, stored[-1].hash)


def test_reading_filters_and_pages(log: EventLog) -> None:
    log.append(changed(n, "dns" if n % 2 else "web") for n in range(1300))
    log.append([Event(Timestamp(1763900000.0), "fra", Alarm("x", "y", "z"))])
    assert len(list(log.read())) == 1301
    assert [row.sequence for row in log.read(1298)] == [1299, 1300, 1301]
    assert [row.kind for row in log.read(kind="alarm")] == ["alarm"]
    assert len(list(log.read(service="dns"))) == 650
    assert len(list(log.read(since=Timestamp(1763900000.25 + 1290)))) == 10
    assert [row.sequence for row in log.read(limit=2)] == [1, 2]
    assert [row.sequence for row in log.read(limit=700)] == list(range(1, 701))
    assert [row.sequence for row in log.last(2, kind="check_changed", service="dns")] == [1298, 1300]


def test_an_empty_log_has_the_genesis_head(log: EventLog) -> None:
    assert log.head() == GENESIS
    assert list(log.read()) == []
    assert log.verify().sound
    assert log.append([]) == GENESIS


def test_a_log_goes_on_where_it_ended(path: Path) -> None:
    with EventLog(path) as log:
        first = log.append([changed(1)])
    with EventLog(path) as log:
        assert log.head() == first
        log.append([changed(2)])
        assert log.verify(first) == VerifyResult(2, log.head())


@pytest.mark.parametrize("kind", KINDS)
def test_a_stored_name_stands_for_its_class(log: EventLog, kind: str) -> None:
    values = {
        "str": "text",
        "bool": True,
        "int": 7,
        "float": 1.5,
        "float | None": 1.5,
        "tuple[str, ...]": ("a", "b"),
        "tuple[float, ...]": (1.5, 2.0),
    }
    annotations = KINDS[kind].__annotations__
    names = {name: getattr(type_, "__name__", str(type_)) for name, type_ in annotations.items()}
    settings = {name: values[str(annotations[name]) if text == "tuple" else text] for name, text in names.items()}
    event = Event(Timestamp(1.0), "fra", KINDS[kind](**settings))
    log.append([event])
    (row,) = log.read()
    assert (row.kind, row.event()) == (kind, event)


def test_rows_that_a_newer_version_wrote_are_kept_and_shown(log: EventLog, path: Path) -> None:
    log.append([changed(1)])
    head = log.head()
    for number, (kind, body) in enumerate([("moon_phase", '{"phase":"full"}'), ("check_changed", '{"verdict":1}')], 2):
        digest = row_hash(number, 5.0, "fra", kind, body, head.hash)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute(
                "INSERT INTO event VALUES (?, 5.0, 'fra', ?, ?, ?, ?)", (number, kind, body, head.hash, digest)
            )
            other.execute("INSERT OR REPLACE INTO head VALUES (1, ?, ?)", (number, digest))
        head = Head(number, digest)
    log.append([changed(4)])
    rows = list(log.read())
    assert [row.event() is None for row in rows] == [False, True, True, False]
    assert rows[1].fields == {"phase": "full"}
    assert log.verify().sound


def test_long_evidence_is_cut_and_says_so(log: EventLog) -> None:
    huge = Event(Timestamp(1.0), "fra", StanceChanged("dns", "withdraw", "x" * 5, "é" * 10 * EVENT_BYTES_MAX))
    many = Event(Timestamp(1.0), "fra", AnnouncementsApplied(tuple("prefix" * 9 for _ in range(9999)), (), ()))
    log.append([huge, many])
    first, second = log.read()
    assert first.fields["reason"] == "xxxxx"
    assert first.fields["evidence"].endswith("characters cut)")
    assert "more cut)" in second.fields["announced"][-1]
    with closing(sqlite3.connect(log.path)) as other:
        sizes = [row[0] for row in other.execute("SELECT length(CAST(body AS BLOB)) FROM event")]
    assert max(sizes) <= EVENT_BYTES_MAX
    assert min(sizes) > EVENT_BYTES_MAX // 4


def test_text_that_utf8_cannot_carry_is_kept_as_well_as_can_be(log: EventLog) -> None:
    log.append([Event(Timestamp(1.0), "fra", Alarm("x", "file-\udce9", "y"))])
    assert next(iter(log.read())).fields["subject"] == "file-?"
    assert log.verify().sound


def test_what_is_no_event_is_refused_and_changes_nothing(log: EventLog) -> None:
    with pytest.raises(MisuseError):
        log.append([changed(1), Event(Timestamp(float("nan")), "fra", Alarm("x", "y", "z"))])
    with pytest.raises(MisuseError):
        log.append([Event(Timestamp(1.0), "fra", "text")])  # type: ignore[arg-type]
    assert log.head() == GENESIS


# -- tampering ---------------------------------------------------------------------------------------------------------

Tamper = Callable[[sqlite3.Connection], object]

MOVE = "UPDATE event SET sequence = {} WHERE sequence = {}"


def rehash_from(start: int) -> Tamper:
    """Alter a row and compute the chain anew behind it, as one who knows the method would."""

    def tamper(other: sqlite3.Connection) -> None:
        other.execute("UPDATE event SET body = '{}' WHERE sequence = ?", (start,))
        previous = other.execute("SELECT hash FROM event WHERE sequence = ?", (start - 1,)).fetchone()[0]
        for sequence, at, pop, kind, body in other.execute(
            "SELECT sequence, at, pop, kind, body FROM event WHERE sequence >= ? ORDER BY sequence", (start,)
        ).fetchall():
            digest = row_hash(sequence, at, pop, kind, body, previous)
            other.execute("UPDATE event SET previous = ?, hash = ? WHERE sequence = ?", (previous, digest, sequence))
            previous = digest
        other.execute("UPDATE head SET hash = ?", (previous,))

    return tamper


def script(*statements: str) -> Tamper:
    return lambda other: [other.execute(statement) for statement in statements]


def cut_with_head(other: sqlite3.Connection) -> None:
    other.execute("DELETE FROM event WHERE sequence > 7")
    other.execute("UPDATE head SET (sequence, hash) = (SELECT sequence, hash FROM event WHERE sequence = 7)")


FOUND: dict[str, tuple[Tamper, set[int]]] = {
    "body altered": (script("UPDATE event SET body = replace(body, 'e5', 'e6') WHERE sequence = 5"), {5}),
    "time altered": (script("UPDATE event SET at = at + 0.001 WHERE sequence = 5"), {5}),
    "time made a text": (script("UPDATE event SET at = 'noon' WHERE sequence = 5"), {5}),
    "pop altered": (script("UPDATE event SET pop = 'ams' WHERE sequence = 5"), {5}),
    "kind altered": (script("UPDATE event SET kind = 'alarm' WHERE sequence = 5"), {5}),
    "octets moved between fields": (
        script("UPDATE event SET pop = pop || substr(kind, 1, 1), kind = substr(kind, 2) WHERE sequence = 5"),
        {5},
    ),
    "hash altered": (script("UPDATE event SET hash = zeroblob(32) WHERE sequence = 5"), {5, 6}),
    "previous altered": (script("UPDATE event SET previous = zeroblob(32) WHERE sequence = 5"), {5}),
    "row removed": (script("DELETE FROM event WHERE sequence = 5"), {6}),
    "rows removed": (script("DELETE FROM event WHERE sequence IN (3, 4, 5)"), {6}),
    "first row removed": (script("DELETE FROM event WHERE sequence = 1"), {2}),
    "row removed and the gap closed": (
        script(
            "DELETE FROM event WHERE sequence = 5",
            *(MOVE.format(n - 1, n) for n in range(6, 11)),
            "UPDATE head SET sequence = 9",
        ),
        {5, 6, 7, 8, 9},
    ),
    "rows swapped": (script(MOVE.format(99, 4), MOVE.format(4, 5), MOVE.format(5, 99)), {4, 5, 6}),
    "row doubled": (
        script(
            *(MOVE.format(n + 1, n) for n in range(10, 5, -1)),
            "INSERT INTO event SELECT 6, at, pop, kind, body, previous, hash FROM event WHERE sequence = 5",
        ),
        {6, 7, 8, 9, 10, 11},
    ),
    "tail removed": (script("DELETE FROM event WHERE sequence > 7"), {10}),
    "row added at the end": (
        script("INSERT INTO event SELECT 11, at, pop, kind, body, hash, zeroblob(32) FROM event WHERE sequence = 10"),
        {11},
    ),
    "all removed": (script("DELETE FROM event"), {10}),
    "head removed": (script("DELETE FROM head"), {10}),
    "altered and the one row rehashed": (
        lambda other: other.execute(
            "UPDATE event SET body = '{}', hash = ? WHERE sequence = 5",
            (row_hash(5, 1763900005.25, "fra", "check_changed", "{}", previous_of(other, 5)),),
        ),
        {6},
    ),
}

FOUND_WITH_A_NOTED_HEAD: dict[str, Tamper] = {
    "tail removed together with the head": cut_with_head,
    "chain computed anew": rehash_from(5),
    "everything removed": script("DELETE FROM event", "DELETE FROM head"),
}


def previous_of(other: sqlite3.Connection, sequence: int) -> bytes:
    return bytes(other.execute("SELECT previous FROM event WHERE sequence = ?", (sequence,)).fetchone()[0])


def tampered(path: Path, tamper: Tamper) -> tuple[Head, Path]:
    with EventLog(path) as log:
        head = log.append(changed(n) for n in range(1, 11))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("DROP TRIGGER event_is_not_changed")
        other.execute("DROP TRIGGER event_is_not_removed")
        tamper(other)
    return head, path


@pytest.mark.parametrize("what", FOUND)
@pytest.mark.mission("I1")
def test_tampering_is_found_at_its_rows(path: Path, what: str) -> None:
    tamper, rows = FOUND[what]
    tampered(path, tamper)
    with EventLog(path, read_only=True) as log:
        result = log.verify()
    assert not result.sound
    assert {problem.sequence for problem in result.problems} == rows, result.problems


@pytest.mark.parametrize("what", FOUND_WITH_A_NOTED_HEAD)
@pytest.mark.mission("I1")
def test_what_the_file_cannot_show_is_found_with_a_noted_head(path: Path, what: str) -> None:
    head, path = tampered(path, FOUND_WITH_A_NOTED_HEAD[what])
    with EventLog(path, read_only=True) as log:
        assert log.verify().sound  # the stated limit of the file alone
        assert not log.verify(head).sound


def test_an_older_copy_of_the_file_is_found_with_a_noted_head(path: Path, tmp_path: Path) -> None:
    with EventLog(path) as log:
        log.append([changed(1)])
    shutil.copy(path, tmp_path / "older")
    with EventLog(path) as log:
        head = log.append([changed(2)])
    with EventLog(tmp_path / "older", read_only=True) as older:
        assert older.verify().sound
        assert not older.verify(head).sound


def test_a_noted_head_goes_on_being_good(log: EventLog) -> None:
    heads = [log.append([changed(n)]) for n in range(5)]
    assert all(log.verify(parse_head(str(head))).sound for head in [GENESIS, *heads])


@pytest.mark.parametrize("seed", range(20))
def test_octets_changed_in_the_file_are_found_or_harmless(path: Path, seed: int) -> None:
    with EventLog(path) as log:
        log.append(changed(n) for n in range(1, 200))
        before = list(log.read())
    octets = bytearray(path.read_bytes())
    random = Random(seed)
    for _ in range(20):
        octets[random.randrange(4096, len(octets))] ^= 1 << random.randrange(8)
    path.write_bytes(octets)
    try:
        with EventLog(path, read_only=True) as log:
            if not log.verify().sound:
                return
            after = list(log.read())
    except WorldError:
        return
    assert after == before


def test_problems_are_counted_beyond_those_named(path: Path) -> None:
    with EventLog(path) as log:
        log.append(changed(n) for n in range(1000))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("DROP TRIGGER event_is_not_changed")
        other.execute("UPDATE event SET pop = 'x'")
    with EventLog(path, read_only=True) as log:
        result = log.verify()
    assert (len(result.problems), result.problem_count) == (100, 1000)


@pytest.mark.parametrize("statement", ["UPDATE event SET pop = 'x'", "DELETE FROM event"])
def test_the_table_itself_refuses_changes(log: EventLog, statement: str) -> None:
    log.append([changed(1)])
    with closing(sqlite3.connect(log.path)) as other, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        other.execute(statement)


@pytest.mark.parametrize("text", ["", "1", "1:ab", "x:" + "0" * 64, "-1:" + "0" * 64, "1:" + "z" * 64])
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse_head(text)


# -- readers, writers, crashes -----------------------------------------------------------------------------------------


def test_readers_are_not_in_the_way_of_a_writer_and_see_whole_transactions(path: Path) -> None:
    with EventLog(path) as log, EventLog(path, read_only=True) as reader:
        log.append([changed(1), changed(2)])
        rows = reader.read()
        next(rows)
        log.append([changed(3), changed(4)])
        assert len(list(reader.read())) == 4
        assert reader.verify().rows == 4
        with pytest.raises(WorldError):
            reader.append([changed(5)])


def test_several_writers_make_one_chain(path: Path) -> None:
    with EventLog(path) as log, EventLog(path) as watchdogs:
        log.append([changed(1)])
        watchdogs.append([changed(2)])
        log.append([changed(3)])
        assert log.verify() == VerifyResult(3, watchdogs.head())


def test_appends_from_many_threads_share_transactions_and_all_arrive(path: Path) -> None:
    with EventLog(path) as log:
        heads: list[Head] = []

        def work(number: int) -> None:
            heads.extend(log.append([changed(number), changed(n)]) for n in range(20))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(head.sequence for head in heads) == list(range(2, 321, 2))
        assert log.verify() == VerifyResult(320, log.head())


WRITER = """
import sys
from anycastle.base.ports import Timestamp
from anycastle.io.event_log import EventLog
from anycastle.model.event import Alarm, Event
with EventLog(sys.argv[1]) as log:
    while True:
        head = log.append([Event(Timestamp(1.0), "fra", Alarm("n", "s", "x" * 300)) for _ in range(5)])
        sys.stdout.write(f"{head}\\n")
        sys.stdout.flush()
"""


@pytest.mark.mission("I1")
def test_a_kill_at_any_time_loses_nothing_that_was_acknowledged(path: Path) -> None:
    random = Random(7)
    acknowledged = GENESIS
    for _ in range(8):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(random.randrange(1, 60)):
                acknowledged = parse_head(writer.stdout.readline())
            os.kill(writer.pid, signal.SIGKILL)
            for line in writer.stdout.read().splitlines(keepends=True):
                if line.endswith("\n"):
                    acknowledged = parse_head(line)
        with EventLog(path, read_only=True) as log:
            result = log.verify(acknowledged)
            assert result.sound, result.problems
            assert result.rows >= acknowledged.sequence
            assert result.rows % 5 == 0  # a transaction is there whole, or not


def test_a_full_disk_loses_the_append_and_nothing_else(log: EventLog, path: Path) -> None:
    head = log.append([changed(1)])
    pages = log._connection.execute("PRAGMA page_count").fetchone()[0]
    log._connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(WorldError, match="full") as caught:
        log.append(changed(n) for n in range(1000))
    assert caught.value.retryable
    assert log.head() == head
    log._connection.execute("PRAGMA max_page_count = 1000000")
    log.append([changed(2)])
    assert log.verify().rows == 2


def test_a_file_that_is_no_log_is_refused_and_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE t (x)")
    with pytest.raises(WorldError, match="not an event log"):
        EventLog(path)
    path.write_text("a text that is long enough to be no database" * 100)
    with pytest.raises(WorldError, match="not a database") as caught:
        EventLog(path)
    assert not caught.value.retryable
    with pytest.raises(WorldError, match="unable to open"):
        EventLog(path.parent / "none", read_only=True)


def test_a_log_of_a_newer_format_is_refused(log: EventLog, path: Path) -> None:
    log._connection.execute("PRAGMA user_version = 2")
    with pytest.raises(WorldError, match="format 2"):
        EventLog(path)
