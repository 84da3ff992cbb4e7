import json
from pathlib import Path
from typing import Any

import pytest

from anycastle.base.errors import ParseError, WorldError
from anycastle.io.agent_report import read_report, report_of
from anycastle.model.announcement import Announcement, RouteAttributes
from anycastle.model.permit import PermitState
from anycastle.model.prefix import Family, parse_prefix
from anycastle.model.service import Floor
from anycastle.model.stance import DrainStep, Stance

PREFIX = parse_prefix("192.0.2.0/24")
TOLD: dict[str, Any] = {
    "pop": "ams",
    "version": "1",
    "at": 1700000000.5,
    "region": "eu",
    "capacity": 5.0,
    "booted": True,
    "ready": False,
    "problems": ["the watchdog is gone"],
    "services": [
        {
            "name": "dns",
            "prefixes": ["192.0.2.0/24"],
            "floor": {"pops": 2, "capacity": 0.0},
            "stance": "steer",
            "reason": "draining",
            "condition": "up",
            "permit": "held",
            "drain": {"step": "shutting", "owner": "ann", "reason": "cards", "expires": None},
            "definitions": {"checks": "0123456789ab"},
            "checks": [],
        }
    ],
    "wanted": [{"prefix": "192.0.2.0/24", "upstream": "one", "prepend": 2}],
    "exported": [{"prefix": "192.0.2.0/24", "upstream": "one", "prepend": 2}],
    "sessions": [
        {"upstream": "one", "neighbour": "203.0.113.1", "state": "established", "families": ["ipv4"]},
        {"upstream": "two", "neighbour": "203.0.113.2", "state": "down", "families": ["ipv4"]},
    ],
}


@pytest.mark.mission("C3")
def test_what_an_agent_says_becomes_a_report(tmp_path: Path) -> None:
    path = tmp_path / "ams.json"
    path.write_text(json.dumps(TOLD))
    report = read_report(path)
    assert report == report_of(TOLD, "ams")
    assert report.exported == report.wanted == {Announcement(PREFIX, "one", RouteAttributes(2))}
    assert report.established == {("one", Family.IPV4)}
    assert (report.pop, report.region, report.capacity) == ("ams", "eu", 5.0)
    assert report.at == 1700000000.5
    assert report.problems == ("the watchdog is gone",)
    told = report.services["dns"]
    assert (told.stance, told.permit, told.drain) == (Stance.STEER, PermitState.HELD, DrainStep.SHUTTING)
    assert (told.drain_owner, told.prefixes, told.floor) == ("ann", (PREFIX,), Floor(2))
    assert told.definitions == {"checks": "0123456789ab"}


@pytest.mark.parametrize(("booted", "ready", "heard"), [(True, False, True), (False, True, False)])
def test_an_agent_that_has_not_read_its_router_says_so(booted: bool, ready: bool, heard: bool) -> None:
    assert report_of({**TOLD, "booted": booted, "ready": ready}, "ams").booted is heard


@pytest.mark.parametrize("ready", [True, False])
def test_an_older_agent_is_believed_where_nothing_is_amiss(ready: bool) -> None:
    older = {key: value for key, value in TOLD.items() if key != "booted"} | {"ready": ready}
    assert report_of(older, "ams").booted is ready


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"exported": None}, "exported"),
        ({"pop": 3}, "pop"),
        ({"exported": [{"prefix": "192.0.2.0", "upstream": "one"}]}, "no length"),
        ({"services": [{"name": "dns", "stance": "sit", "permit": "held"}]}, "stance"),
    ],
)
def test_what_is_no_status_is_refused_and_named(changed: dict[str, Any], why: str, tmp_path: Path) -> None:
    path = tmp_path / "ams.json"
    path.write_text(json.dumps({**TOLD, **changed}))
    with pytest.raises(ParseError, match=why) as caught:
        read_report(path)
    assert str(path) in str(caught.value)
    with pytest.raises(ParseError, match="ams=x"):
        report_of({**TOLD, **changed}, "ams=x")


def test_exports_that_are_not_there_are_not_nothing() -> None:
    with pytest.raises(ParseError, match="missing required field `exported`"):
        report_of({key: value for key, value in TOLD.items() if key != "exported"}, "ams")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="No such file"):
        read_report(tmp_path / "ams.json")
