"""Histories and their labels: what is read, and what is told of a file that is none."""

from pathlib import Path

import pytest

from anycastle.base.errors import ParseError
from anycastle.io.labelled_series import read_incidents, read_series


def test_a_history_and_its_labels(tmp_path: Path) -> None:
    series = tmp_path / "latency.csv"
    series.write_text("timestamp,value\n1970-01-01 00:05:00,1.5\n1970-01-01 00:05:00,9\n1970-01-01T00:10:00Z,2\n")
    assert read_series(series) == [(300.0, 1.5), (600.0, 2.0)]  # a time that stands twice counts once
    labels = tmp_path / "labels.json"
    labels.write_text('{"some/folder/latency.csv": [["1970-01-01 00:06:00", "1970-01-01 00:07:00.5"]]}')
    assert read_incidents(labels, tmp_path / "latency.csv.gz") == [(360.0, 420.5)]
    with pytest.raises(ParseError, match="nothing is labelled for other"):
        read_incidents(labels, tmp_path / "other.csv")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time,value\n", r":1: the heading is timestamp,value"),
        ("timestamp,value\nsoon,1\n", r":2: 'soon' is no time"),
        ("timestamp,value\n2026-01-01,x\n", r":2: 'x' is no number"),
        ("timestamp,value\n2026-01-01,nan\n", r":2: 'nan' is no number"),
        ("timestamp,value\n2026-01-02,1\n2026-01-01,1\n", r":3: 2026-01-01 is before the line above"),
        ("timestamp,value\n2026-01-01,1\n", r"at least two lines"),
    ],
)
def test_what_is_no_history(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "s.csv"
    path.write_text(text)
    with pytest.raises(ParseError, match=words):
        read_series(path)
