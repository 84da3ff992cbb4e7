"""What a watch's log leaves open."""

from pathlib import Path

from anycastle.io.left_over import left_over_in
from anycastle.model.event import FindingCleared, FindingOpened, FindingUpdated
from tests.unit.io.test_watched import append, told


def test_what_is_open_is_given_as_it_was_told_last_and_since_when(tmp_path: Path) -> None:
    log = tmp_path / "events.db"
    assert left_over_in(log) == []
    append(log, 100, FindingOpened(**told("f1", 2)))  # type: ignore[arg-type]
    append(log, 110, FindingOpened(**told("f2", 2)))  # type: ignore[arg-type]
    append(log, 120, FindingUpdated(**told("f1", 7)))  # type: ignore[arg-type]
    append(log, 130, FindingCleared("f2", "origin_change", "critical", "AS64666", ("192.0.2.0/24",), (), 20.0))
    (left,) = left_over_in(log)
    assert (left.opened_at, left.told.finding, left.told.peers) == (100, "f1", 7)
