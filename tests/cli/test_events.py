import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from anycastle.base.ports import Timestamp
from anycastle.cli.events import events
from anycastle.io.event_log import EventLog
from anycastle.model.event import AnnouncementsApplied, CheckChanged, Event

NOON = 1763899200.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "events.sqlite"
    with EventLog(path) as log:
        log.append(
            [
                Event(Timestamp(NOON), "fra", CheckChanged("dns", "udp", "failing", "connection refused")),
                Event(Timestamp(NOON + 0.0031), "fra", AnnouncementsApplied((), (), ("192.0.2.0/24 t1",))),
                Event(Timestamp(NOON + 60), "fra", CheckChanged("web", "http", "passing", "")),
            ]
        )
    return path


def call(*arguments: object) -> Result:
    return CliRunner().invoke(events, [str(argument) for argument in arguments])


def test_the_table(path: Path) -> None:
    result = call(path)
    assert result.exit_code == 0
    assert result.stdout == (
        "      1  2025-11-23T12:00:00.000Z  fra         check_changed            "
        "service=dns check=udp verdict=failing evidence='connection refused'\n"
        "      2  2025-11-23T12:00:00.003Z  fra         announcements_applied    withdrawn: 192.0.2.0/24 t1;\n"
        "      3  2025-11-23T12:01:00.000Z  fra         check_changed            "
        "service=web check=http verdict=passing\n"
    )


def test_json_and_ndjson(path: Path) -> None:
    lines = [json.loads(line) for line in call(path, "-o", "ndjson").stdout.splitlines()]
    assert json.loads(call(path, "-o", "json").stdout) == lines
    assert [line["sequence"] for line in lines] == [1, 2, 3]
    assert lines[1]["withdrawn"] == ["192.0.2.0/24 t1"]
    assert lines[0]["at"] == "2025-11-23T12:00:00.000Z"


@pytest.mark.parametrize(
    ("options", "sequences"),
    [
        (["--kind", "check_changed"], [1, 3]),
        (["--service", "web"], [3]),
        (["--since", "2025-11-23T12:00:30Z"], [3]),
        (["--since", "2025-11-23T12:00:00"], [1, 2, 3]),
        (["--since", "1h"], []),
        (["--limit", "2"], [2, 3]),
        (["--since", "2025-11-23", "--limit", "1"], [3]),
    ],
)
def test_options_choose(path: Path, options: list[str], sequences: list[int]) -> None:
    result = call(path, "-o", "ndjson", *options)
    assert [json.loads(line)["sequence"] for line in result.stdout.splitlines()] == sequences


def test_wrong_use_says_what_is_right(path: Path) -> None:
    since = call(path, "--since", "yesterday")
    assert since.exit_code == 2
    assert "15m" in since.stderr
    assert call(path, "--follow", "-o", "json").exit_code == 2
    assert call(path.parent / "none").exit_code == 1
    kind = call(path, "--kind", "check_chnaged")
    assert kind.exit_code == 0
    assert "knows no kind" in kind.stderr


def test_help_is_the_groups() -> None:
    assert "verify" in call("--help").stdout


def test_follow_goes_on(path: Path) -> None:
    program = "from anycastle.cli.events import events; events()"
    arguments = [sys.executable, "-u", "-c", program, str(path), "--follow", "-o", "ndjson", "--limit", "1"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout is not None
        assert json.loads(follower.stdout.readline())["sequence"] == 3
        with EventLog(path) as log:
            log.append([Event(Timestamp(NOON + 90), "fra", CheckChanged("dns", "udp", "passing", ""))])
        assert json.loads(follower.stdout.readline())["sequence"] == 4
        follower.kill()


@pytest.mark.mission("I1")
def test_verify(path: Path) -> None:
    good = call("verify", path)
    assert good.exit_code == 0
    assert good.stdout.startswith("3 rows, unbroken; head 3:")
    head = good.stdout.split()[-1]
    assert call("verify", path, "--head", head).exit_code == 0
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("DROP TRIGGER event_is_not_changed")
        other.execute("UPDATE event SET pop = 'ams' WHERE sequence = 2")
    bad = call("verify", path)
    assert bad.exit_code == 1
    assert bad.stdout == "row 2: its content does not fit its hash: it was altered or moved\n"
    assert "1 problem in 3 rows" in bad.stderr
    assert call("verify", path, "--head", "3:ab").exit_code == 2
    assert call("verify", path.parent / "none").exit_code == 1
