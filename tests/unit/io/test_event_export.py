import json
from pathlib import Path

import pytest

from anycastle.base.errors import ParseError, WorldError
from anycastle.base.ports import Timestamp
from anycastle.io.event_export import is_export, verify_export, write_export
from anycastle.io.event_log import GENESIS, EventLog, Head
from anycastle.model.event import CheckChanged, Event


def changed(number: int) -> Event:
    return Event(Timestamp(1763900000.1 + number / 3), "fra", CheckChanged("dns", "tcp", "failing", f'é"{number}\n'))


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    log = EventLog(tmp_path / "events.db")
    log.append(changed(n) for n in range(1203))
    return log


def exported(log: EventLog, path: Path, after: Head = GENESIS) -> Head:
    with path.open("wb") as file:
        return write_export(log.rows(after.sequence), after, file)


def test_an_export_has_the_logs_chain(log: EventLog, tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    head = exported(log, path)
    result = verify_export(path, head)
    assert result.sound
    assert (result.rows, result.head) == (1203, log.head())
    assert is_export(path)
    assert not is_export(log.path)
    first = json.loads(path.read_text().splitlines()[1])
    assert json.loads(first["body"])["evidence"] == 'é"0\n'


def test_exports_that_follow_one_another_are_one_chain(log: EventLog, tmp_path: Path) -> None:
    first, second = tmp_path / "1.ndjson", tmp_path / "2.ndjson"
    noted = exported(log, first)
    log.append([changed(9), changed(10)])
    exported(log, second, noted)
    assert verify_export(second).head == log.head()
    assert verify_export(second).rows == 2
    forged = tmp_path / "3.ndjson"
    exported(log, forged, Head(noted.sequence, bytes(32)))
    assert "it does not follow the row before it" in str(verify_export(forged).problems[0])


def test_an_export_of_nothing_is_whole(tmp_path: Path) -> None:
    with EventLog(tmp_path / "events.db") as log:
        assert exported(log, tmp_path / "x") == GENESIS
    assert verify_export(tmp_path / "x").sound


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda lines: lines[:-1], "the head is missing: the export was cut"),
        (lambda lines: [*lines[:-2], lines[-1]], "the last 1 rows are missing"),
        (lambda lines: [*lines[:5], *lines[6:]], "1 rows before it are missing"),
        (lambda lines: [*lines, lines[1]], "something follows the head"),
        (lambda lines: [line.replace(b"fra", b"frb") for line in lines], "its content does not fit its hash"),
        (lambda lines: [lines[0], b"{}\n", *lines[1:]], "it is no row of a log"),
        (lambda lines: [line.replace(b'"at":1763900000.1,', b'"at":"x",') for line in lines], "it is no row of a log"),
    ],
)
def test_what_was_changed_is_found(log: EventLog, tmp_path: Path, damage: object, says: str) -> None:
    path = tmp_path / "events.ndjson"
    exported(log, path)
    path.write_bytes(b"".join(damage(path.read_bytes().splitlines(keepends=True))))  # type: ignore[operator]
    result = verify_export(path)
    assert not result.sound
    assert any(says in str(problem) for problem in result.problems)


@pytest.mark.parametrize("octets", [b"", b"{}\n", b"x", b'{"format":"anycastle-events","version":2}\n'])
def test_what_is_no_export_is_said(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(octets)
    with pytest.raises(ParseError, match="x:1: "):
        verify_export(path)


def test_a_line_that_is_cut_is_named(log: EventLog, tmp_path: Path) -> None:
    path = tmp_path / "x"
    exported(log, path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3]) + lines[3][:30])
    with pytest.raises(ParseError, match="x:4: "):
        verify_export(path)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    for read in (is_export, verify_export):
        with pytest.raises(WorldError, match="cannot be read"):
            read(tmp_path / "nowhere")
