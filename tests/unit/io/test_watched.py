"""What a watch's log comes to, read while it grows."""

from pathlib import Path

from anycastle.base.ports import Timestamp
from anycastle.io.event_log import EventLog
from anycastle.io.watched import FoundLog, routes_in
from anycastle.model.event import Event, FindingCleared, FindingOpened, FindingUpdated

LINE = "100.000 192.0.2.0/24 rrc00 AS64601 10.0.0.1 path 64601 64601 64666"


def told(name: str, peers: int, *evidence: str) -> dict[str, object]:
    return {
        "finding": name, "finding_kind": "origin_change", "severity": "critical", "subject": "AS64666",
        "prefixes": ("192.0.2.0/24",), "score": 90, "reasons": ("only AS64500 may",), "peers": peers, "asns": peers,
        "collectors": 1, "validity": "invalid", "at_start": False, "evidence": evidence,
    }  # fmt: skip


def append(path: Path, at: float, body: object) -> None:
    with EventLog(path) as log:
        log.append([Event(Timestamp(at), "watch", body)])  # type: ignore[arg-type]


def test_a_finding_is_folded_from_its_opening_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    append(path, 100, FindingOpened(**told("f1", 2, LINE)))  # type: ignore[arg-type]
    found = FoundLog(path)
    (first,) = found.read()
    assert (first.kind, first.subject, first.cleared, first.told["peers"]) == ("origin_change", "AS64666", None, 2)
    append(path, 110, FindingUpdated(**told("f1", 5, LINE, "another line")))  # type: ignore[arg-type]
    append(path, 120, FindingCleared("f1", "origin_change", "critical", "AS64666", ("192.0.2.0/24",), ("gone",), 20.0))
    append(path, 130, FindingOpened(**told("f2", 3)))  # type: ignore[arg-type]
    opened, over = found.read()
    assert (opened.finding, over.finding, over.cleared, over.told["peers"]) == ("f2", "f1", 120, 5)
    assert over.evidence == [LINE, "another line"]


def test_another_log_in_its_place_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    for at in (100, 101, 102):
        append(path, at, FindingOpened(**told(f"f{at}", 2)))  # type: ignore[arg-type]
    found = FoundLog(path)
    assert len(found.read()) == 3
    for each in tmp_path.iterdir():
        each.unlink()
    append(path, 200, FindingOpened(**told("new", 2)))  # type: ignore[arg-type]
    assert [each.finding for each in found.read()] == ["new"]


def test_routes_are_read_from_evidence_and_other_lines_are_none() -> None:
    others = ("100.0 192.0.2.0/24 not seen by AS64601", "no line at all", "9e99 192.0.2.0/24 AS64601 path 64601 64500",
              "nan 192.0.2.0/24 AS64601 path 64601")  # fmt: skip
    (route,) = routes_in([LINE, *others])
    assert route == {"at": 100.0, "prefix": "192.0.2.0/24", "peer": "rrc00 AS64601 10.0.0.1",
                     "path": [64601, 64601, 64666]}  # fmt: skip
