"""Incidents that a controller wrote down keep the numbers that people were paged with."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from anycastle.io.evidence import Read, read_events
from anycastle.response.evidence import merged
from anycastle.response.incident import Status
from anycastle.response.postmortem import postmortem_of
from anycastle.response.recorded import with_recorded
from anycastle.response.story import story_of
from anycastle.response.timeline import timeline_of
from tests.unit.response.symptoms.rig import START, fleet
from tests.unit.response.test_timeline import night


def rows(path: Path) -> Path:
    """Write what `events -o ndjson` prints of a controller that responds live."""
    told = {"urgency": "page", "title": "ams is gone", "alert": "pop_down", "pops": ["ams"], "services": ["dns"],
            "prefixes": [], "incident": 41}  # fmt: skip
    lines = [
        {"at": START + 66, "kind": "incident_changed", "change": "opened", "who": "", "text": "", **told},
        {
            "at": START + 67,
            "kind": "notice_sent",
            "notice": "n1",
            "incident": 41,
            "notice_kind": "page",
            "notifier": "pager",
        },
        {
            "at": START + 68,
            "kind": "notice_sent",
            "notice": "n1",
            "incident": 41,
            "notice_kind": "page",
            "notifier": "mail",
        },
        {"at": START + 90, "kind": "incident_changed", "change": "acknowledged", "who": "ada", "text": "", **told},
        {"at": START + 230, "kind": "incident_changed", "change": "cleared", "who": "", "text": "", **told},
    ]
    path.write_text("".join(json.dumps({"pop": "controller", **line}) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.mark.mission("C15")
def test_what_was_written_down_takes_the_place_of_what_would_be_made(tmp_path: Path) -> None:
    derived = night(tmp_path)
    into = Read()
    read_events(rows(tmp_path / "controller.ndjson"), into)
    assert into.problems == []
    case = merged([derived, into.case()], derived.topology)
    case = replace(case, given=derived.given)
    story = with_recorded(story_of(case), case)
    (incident,) = story.engine.incidents.values()
    assert (incident.id, incident.status, incident.acknowledged_by) == (41, Status.CLEARED, "ada")
    assert [notice.kind.value for notice in story.notices] == ["page"]  # two notifiers took the same one
    lines = timeline_of(incident, case, story).lines
    assert any("withdrawn 192.0.2.0/24" in line.text for line in lines)
    assert any((line.lane, line.text) == ("notified", "page, by pager") for line in lines)
    moments = postmortem_of(incident, case, story, fleet()).moments
    assert (moments.paged, moments.acknowledged) == (START + 67, START + 90)


def test_without_such_rows_nothing_changes(tmp_path: Path) -> None:
    case = night(tmp_path)
    story = story_of(case)
    assert with_recorded(story, case) is story
