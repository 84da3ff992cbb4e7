"""The page and the files of it: what stands in them, how old they say they are, and what a reader never sees half."""

import json
from pathlib import Path
from typing import Any

import pytest

from anycastle.base.errors import ParseError
from anycastle.base.ports import Timestamp
from anycastle.io import status_files
from anycastle.io.status_page import OLD_S, STYLE_HASH, page, summary
from anycastle.response.public_status import (
    Component,
    Health,
    PublicIncident,
    PublicMaintenance,
    PublicStatus,
    Update,
)

pytestmark = pytest.mark.mission("C10")

AT = Timestamp(1_764_000_000.0)


def made(health: Health = Health.DEGRADED, name: str = "Name servers") -> dict[str, Any]:
    part = Component("name-servers-asia", "asia", "", health, True)
    component = Component("name-servers", name, "They answer.", health, True, (part,))
    open_ = PublicIncident(
        3, f"Reduced capacity of {name}", "minor", ("name-servers",), AT, None, (Update(AT, "investigating", "Found."),)
    )
    window = PublicMaintenance("name-servers", f"Planned maintenance of {name}", AT, Timestamp(AT + 60), False)
    return summary(PublicStatus("Example", "https://s.example", AT, (component,), (open_,), (), (window,)))


def test_the_summary_has_statuspages_shape() -> None:
    told = made()
    assert told["status"] == {"indicator": "minor", "description": "Degraded performance"}
    assert told["page"]["updated_at"] == "2025-11-24T16:00:00Z"
    assert [(each["id"], each["status"], each["group_id"]) for each in told["components"]] == [
        ("name-servers", "degraded_performance", None),
        ("name-servers-asia", "degraded_performance", "name-servers"),
    ]
    assert told["incidents"][0]["incident_updates"][0]["status"] == told["incidents"][0]["status"] == "investigating"
    assert told["scheduled_maintenances"][0]["status"] == "scheduled"
    json.dumps(told)


def test_the_page_says_it_in_words_and_loads_nothing() -> None:
    text = page(made(name="<b>Name & servers"), AT)
    for word in (
        "Degraded performance",
        "&lt;b&gt;Name &amp; servers",
        "asia",
        "Found.",
        "Scheduled",
        "As of",
        STYLE_HASH,
    ):
        assert word in text
    assert "<script" not in text
    assert "<b>Name" not in text
    assert "src=" not in text
    assert "Not known now" not in text


def test_old_data_is_never_told_as_how_it_stands() -> None:
    text = page(made(Health.OPERATIONAL), Timestamp(AT + OLD_S + 600))
    assert "Not known now: the last word is 15 min old" in text
    assert 'class="overall good"' not in text
    assert "“All systems operational”" in text


def test_what_is_not_known_is_no_state() -> None:
    told = summary(PublicStatus("Example", "", AT, (Component("a", "A", "", Health.DEGRADED, False),), (), (), ()))
    text = page(told, AT)
    assert "Not known now" in text
    assert "Degraded" not in text


def test_files_are_replaced_and_age_where_nobody_answers(tmp_path: Path) -> None:
    folder = tmp_path / "www"
    assert not status_files.age(folder, AT)
    status_files.export(folder, json.dumps(made()).encode(), AT)
    first = (folder / "index.html").read_text()
    assert "As of" in first
    assert json.loads((folder / "api/v2/summary.json").read_text()) == made()
    assert status_files.age(folder, Timestamp(AT + 3600))
    assert "the last word is 60 min old" in (folder / "index.html").read_text()
    assert sorted(each.name for each in folder.rglob("*") if each.is_file()) == ["index.html", "summary.json"]
    assert (folder / "index.html").stat().st_mode & 0o777 == 0o644


def test_what_is_no_summary_changes_nothing(tmp_path: Path) -> None:
    status_files.export(tmp_path, json.dumps(made()).encode(), AT)
    before = (tmp_path / "index.html").read_bytes()
    with pytest.raises(ParseError, match="not a summary"):
        status_files.export(tmp_path, b'{"page": 1}', AT)
    assert (tmp_path / "index.html").read_bytes() == before
