"""What probes write, and what is read of it."""

import json
from pathlib import Path

import pytest

from anycastle.base.errors import WorldError
from anycastle.lab.client import Query
from anycastle.lab.observation import Following, read_observation

RESULTS = [
    {"kind": "message", "sent": 1.0, "took": 0.001, "pop": "pop1", "error": None, "session": 0},
    {"kind": "message", "sent": 1.2, "took": 0.001, "pop": "pop1", "error": None, "session": 1},
    {"kind": "message", "sent": 1.4, "took": 0.001, "pop": "pop1", "error": None, "session": 1},
    {"kind": "query", "sent": 2.0, "took": 0.25, "pop": "pop3", "error": None},
    {"kind": "query", "sent": 1.0, "took": None, "pop": None, "error": "no answer"},
    {"kind": "session", "sent": 2.2, "took": None, "pop": "pop1", "error": "Connection reset by peer", "session": 1},
    {"kind": "connect", "sent": 2.0, "took": None, "pop": None, "error": "TimeoutError"},
    {"kind": "connect", "sent": 1.0, "took": 0.1, "pop": "pop1", "error": None},
]


def written(path: Path, results: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(result) + "\n" for result in results))
    return path


def test_queries_come_in_the_order_of_their_sending(tmp_path: Path) -> None:
    seen = read_observation("c1", written(tmp_path / "probe", RESULTS))
    assert seen.client == "c1"
    assert seen.tally.queries == [Query(1.0), Query(2.0, 2.25, "pop3")]


def test_sessions_and_connections_are_counted(tmp_path: Path) -> None:
    seen = read_observation("c1", written(tmp_path / "probe", RESULTS))
    assert (seen.sessions, seen.sessions_ended) == (2, 1)
    assert seen.connections == [(1.0, "pop1"), (2.0, None)]
    assert seen.connections_failed(1.5) == 1
    assert seen.connections_failed(2.5) == 0


def test_a_file_that_is_still_written_is_read_line_by_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "probe"
    following = Following(path)
    assert following.answers() == []
    first, rest = '{"kind": "query", "sent": 1.5, "took": 0.1, "pop": "po', 'p2", "error": null}\n'
    path.write_text(first)
    assert following.answers() == []
    path.write_text(first + rest)
    assert following.answers() == [(1.5, "pop2")]
    assert following.answers() == []


@pytest.mark.parametrize("line", ['{"kind": "query"}', "{", '{"kind": "ping", "sent": 1.0, "took": 1, "pop": null}'])
def test_a_file_that_is_no_result_is_an_error_that_names_it(tmp_path: Path, line: str) -> None:
    path = tmp_path / "probe"
    path.write_text(f"{line}\n")
    with pytest.raises(WorldError, match="probe"):
        read_observation("c1", path)
    with pytest.raises(WorldError, match="none"):
        read_observation("c1", tmp_path / "none")
