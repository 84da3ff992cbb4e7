"""What a watch on another machine tells by the API: who may, what is refused, and where it is seen."""

import json
from pathlib import Path
from typing import Any

import pytest

from anycastle.model.person import Role
from tests.unit.web.world import World, world

PATH = "/api/v1/findings/events"
HEAD = {"watch": "ams", "log": "a" * 32, "after": 0, "through": 3, "hash": "b" * 64}
BODY = {
    "finding": "f1", "finding_kind": "origin_change", "severity": "critical", "subject": "AS64666",
    "prefixes": ["192.0.2.0/24"], "score": 90, "reasons": ["only AS64500 may"], "peers": 2, "asns": 2, "collectors": 1,
    "validity": "invalid", "at_start": False, "evidence": [],
}  # fmt: skip
ROW = {"sequence": 2, "at": 100.0, "kind": "finding_opened", "body": BODY}


@pytest.fixture
def api(tmp_path: Path) -> Any:
    with world(f"sqlite:///{tmp_path}/store.db") as made:
        made.adopted()
        yield made


def tell(api: World, token: str, *rows: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    return api.http.post(PATH, content="\n".join(map(json.dumps, rows)).encode(), headers=headers)


def test_what_is_told_is_seen_once_with_who_told_it_until_the_watch_is_forgotten(api: World) -> None:
    token = api.token(Role.WATCH, principal="watches")
    answer = tell(api, token, HEAD, ROW).json()
    assert answer == {"log": "a" * 32, "sequence": 3, "hash": "b" * 64, "events": 1, "repeated": 0}
    assert tell(api, token, HEAD, ROW).json()["repeated"] == 1
    told = api.ask("GET", "/api/v1/findings").json()
    assert [(each["finding"], each["watch"], each["peers"]) for each in told["items"]] == [("f1", "ams", 2)]
    assert told["watched"]
    assert [(each["name"], each["silent"], each["sequence"]) for each in told["watches"]] == [("ams", False, 3)]
    assert tell(api, api.token(Role.WATCH, principal="another"), HEAD, ROW).status_code == 409
    assert api.ask("GET", "/api/v1/findings", token).status_code == 403
    assert api.ask("DELETE", "/api/v1/findings/watches/ams").status_code == 204
    assert api.ask("DELETE", "/api/v1/findings/watches/ams").status_code == 404
    assert api.ask("GET", "/api/v1/findings").json() == {"watched": False, "watches": [], "items": []}


def test_a_wrong_line_is_named_and_nothing_is_taken(api: World) -> None:
    answer = tell(api, api.admin, HEAD, ROW, {**ROW, "sequence": 9}, {})
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/3", "/4"]
    assert api.ask("GET", "/api/v1/findings").json()["items"] == []


@pytest.mark.parametrize("role", ["prober", "watch"])
def test_a_token_that_could_do_nothing_is_not_made(api: World, role: str) -> None:
    asked = {"name": "t1", "role": role, "lasts_s": 3600.0, "services": ["dns"]}
    answer = api.ask("POST", "/api/v1/tokens", body=asked)
    assert answer.status_code == 422
    assert "hands in what concerns all services" in answer.json()["detail"]
    assert api.ask("POST", "/api/v1/tokens", body={**asked, "services": None}).status_code == 201
