"""Results of probers by the API: what is kept, what is told again, and who sees what."""

import json
from pathlib import Path
from typing import Any

import pytest

from anycastle.model.person import Role
from tests.unit.web.world import World, world

PATH = "/api/v1/probes/results"
DNS = "192.0.2.53"


def answered(at: float, pop: str, rtt_ms: float = 9.0, vantage: str = "p1", target: str = DNS) -> dict[str, Any]:
    """Give a result as a prober writes it."""
    return {
        "id": f"{vantage}-{at}", "at": at, "vantage_point": vantage, "asn": 64501, "country": "NL",
        "location": [52.3, 4.9], "target": "ns", "kind": "dns", "address": target, "phases": {"answer": rtt_ms},
        "duration_ms": rtt_ms, "failure": None, "server": f"{pop}1", "pop": pop, "seen": {"rcode": "NOERROR"},
    }  # fmt: skip


def traced(at: float, *hops: str) -> dict[str, Any]:
    seen = [
        {"number": place, "addresses": [hop] if hop else [], "rtts_ms": [1.5 * place if hop else None]}
        for place, hop in enumerate(hops, 1)
    ]
    return {**answered(at, ""), "kind": "traceroute", "pop": None, "seen": {"reached": True, "hops": seen}}


def lines(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def deliver(api: World, *rows: Any, token: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {token or api.admin}", "Content-Type": "application/x-ndjson"}
    return api.http.post(PATH, content=lines(*rows), headers=headers)


@pytest.fixture
def api(tmp_path: Path) -> Any:
    with world(f"sqlite:///{tmp_path}/store.db") as made:
        made.adopted()
        yield made


@pytest.mark.mission("C7")
def test_answers_become_turns_and_what_comes_twice_changes_nothing(api: World) -> None:
    rows = [answered(100, "fra1", 12.0), answered(110, "fra1", 9.0), answered(120, "iad1", 80.0)]
    told = deliver(api, *rows).json()
    assert told == {"results": 3, "repeated": 0, "passed_over": 0, "garbage": []}
    assert deliver(api, *rows).json()["repeated"] == 3
    (item,) = api.ask("GET", "/api/v1/catchments").json()["items"]
    assert (item["vantage_point"], item["target"], item["service"]) == ("p1", DNS, "dns")
    assert (item["latitude"], item["longitude"], item["asn"]) == (52.3, 4.9, 64501)
    turns = [(turn["pop"], turn["first"][17:19], turn["last"][17:19], turn["rtt_ms"]) for turn in item["turns"]]
    assert turns == [("fra1", "40", "50", 9.0), ("iad1", "00", "00", 80.0)]


def test_silence_is_loss_and_no_move(api: World) -> None:
    failed = {**answered(130, ""), "seen": None, "pop": None, "failure": {"kind": "silent", "phase": "", "words": "x"}}
    deliver(api, answered(100, "fra1"), failed)
    (item,) = api.ask("GET", "/api/v1/catchments").json()["items"]
    assert item["lost"] == 1
    assert [turn["pop"] for turn in item["turns"]] == ["fra1"]


def test_ways_that_differ_are_kept_and_a_silent_hop_makes_no_other_way(api: World) -> None:
    deliver(
        api, traced(100, "10.0.0.1", "10.0.1.1", DNS), traced(110, "10.0.0.1", "", DNS),
        traced(120, "10.0.0.1", "10.0.9.9", DNS),
    )  # fmt: skip
    (item,) = api.ask("GET", "/api/v1/traceroutes").json()["items"]
    assert [way["hops"] for way in item["ways"]] == [["10.0.0.1", "10.0.1.1", DNS], ["10.0.0.1", "10.0.9.9", DNS]]
    assert item["ways"][0]["last"][17:19] == "50"
    assert item["ways"][1]["rtts_ms"] == [1.5, 3.0, 4.5]
    assert api.ask("GET", "/api/v1/catchments").json()["items"] == []


def test_what_is_no_result_is_named_by_its_line(api: World) -> None:
    told = deliver(api, {"no": "result"}, answered(1, "fra1"), [], {**answered(2, ""), "kind": "http", "pop": None})
    assert told.json() == {"results": 1, "repeated": 0, "passed_over": 1, "garbage": [1, 3]}
    assert api.ask("POST", PATH, body={}).status_code == 415


def test_a_limited_role_sees_targets_of_its_services(api: World) -> None:
    deliver(api, answered(1, "fra1"), answered(1, "iad1", target="203.0.113.80"), answered(1, "x", target="8.8.8.8"))
    web = api.token(Role.VIEWER, frozenset({"web"}))
    assert [each["target"] for each in api.ask("GET", "/api/v1/catchments", web).json()["items"]] == ["203.0.113.80"]
    assert len(api.ask("GET", "/api/v1/catchments").json()["items"]) == 3


@pytest.mark.mission("C7")
def test_what_the_twin_foretold_stands_beside_what_was_measured(api: World) -> None:
    deliver(api, answered(1, "fra1"))
    asked = {"service": "dns", "source": "as-rel of 2026-11", "pop_of": {"64501": "iad1", "64502": "fra1"}}
    assert api.ask("POST", "/api/v1/predictions", body=asked).status_code == 201
    told = api.ask("GET", "/api/v1/catchments").json()
    assert told["items"][0]["predicted"] == "iad1"
    assert [(each["service"], each["networks"]) for each in told["predictions"]] == [("dns", 2)]
    wrong = {**asked, "pop_of": {"AS1": "fra1"}}
    assert api.ask("POST", "/api/v1/predictions", body=wrong).status_code == 422


def test_a_controller_that_starts_again_knows_them(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/store.db"
    with world(address) as api:
        api.adopted()
        deliver(api, answered(1, "fra1"))
    with world(address) as api:
        assert deliver(api, answered(1, "fra1"), answered(2, "iad1")).json()["repeated"] == 1
        (item,) = api.ask("GET", "/api/v1/catchments").json()["items"]
        assert [turn["pop"] for turn in item["turns"]] == ["fra1", "iad1"]
