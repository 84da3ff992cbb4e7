"""An upstream over all PoPs: what agents said of it, by the API and by the command that prints the same."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from anycastle.cli.main import cli
from anycastle.io.config import load_fleet
from anycastle.model.fleet import Fleet
from anycastle.model.person import Role
from anycastle.web.upstreams import Told, places_of, told_of, upstreams, whole
from tests.unit.web.world import EXAMPLE, World

pytestmark = pytest.mark.mission("C10")

V4, V6 = "192.0.2.0/24", "2001:db8:53::/48"


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    found = load_fleet(EXAMPLE).fleet
    assert found is not None
    return found


def report(**changes: Any) -> dict[str, Any]:
    """Give what an agent says of a PoP with two upstreams."""
    told = {
        "pop": "fra1", "ready": True, "services": [],
        "sessions": [
            {"upstream": "transit-a", "neighbour": "203.0.113.1", "state": "established", "families": ["IPv4"]},
            {"upstream": "transit-b", "neighbour": "203.0.113.9", "state": "down", "families": ["IPv4"],
             "detail": "Hold Timer Expired"},
        ],
        "wanted": [{"prefix": V4, "upstream": "transit-a", "prepend": 1, "communities": ["64496:2", "64496:1"]},
                   {"prefix": V4, "upstream": "transit-b"}],
        "exported": [{"prefix": V4, "upstream": "transit-a"}, {"prefix": V6, "upstream": "transit-a"}],
    }  # fmt: skip
    return {**told, **changes}


def heard_at(pop: str) -> dict[str, Told]:
    told = told_of(pop, report())
    assert told is not None
    return {pop: told}


def test_what_is_wanted_stands_against_what_is_exported(fleet: Fleet) -> None:
    heard = heard_at("fra1")
    places = places_of(fleet, "transit-a")
    assert len(places) > 1
    told = whole(fleet, places, heard)
    (fra1,) = [each for each in told["places"] if each["pop"] == "fra1"]
    assert [(each["neighbour"], each["state"]) for each in fra1["sessions"]] == [("203.0.113.1", "established")]
    plain = {"prepend": 0, "med": None, "communities": []}
    assert fra1["routes"] == [
        {"prefix": V4, "service": "dns", "wanted": {"prepend": 1, "med": None, "communities": ["64496:1", "64496:2"]},
         "exported": plain},
        {"prefix": V6, "service": "dns", "wanted": None, "exported": plain},
    ]  # fmt: skip
    others = [each for each in told["places"] if each["pop"] != "fra1"]
    assert all((each["heard"], each["sessions"], each["routes"]) == (False, [], []) for each in others)


def test_a_list_counts_sessions_and_what_is_told_otherwise(fleet: Fleet) -> None:
    heard = heard_at("fra1")
    items = {name: each for each in upstreams(fleet, heard) for name in each["names"]}
    assert [items["transit-a"][name] for name in ("heard", "sessions", "sessions_up", "routes_missing")] == [1, 1, 1, 2]
    assert [items["transit-b"][name] for name in ("heard", "sessions", "sessions_up", "routes_missing")] == [
        sum(pop.name == "fra1" for pop, _ in places_of(fleet, "transit-b")), 1, 0, 1,
    ]  # fmt: skip
    asns = [each["asn"] for each in upstreams(fleet, {})]
    assert asns == sorted(set(asns))
    assert {each["sessions"] for each in upstreams(fleet, {})} == {0}


def test_what_a_pop_only_watches_is_not_amiss_and_what_is_no_report_is_not_heard(fleet: Fleet) -> None:
    watching = told_of("fra1", report(observe_only=True))
    assert watching is not None
    items = {name: each for each in upstreams(fleet, {"fra1": watching}) for name in each["names"]}
    assert [items["transit-a"][name] for name in ("heard", "sessions_up", "routes_missing")] == [1, 1, 0]
    assert told_of("fra1", report(booted=False)) is None
    assert told_of("fra1", report(sessions=[{"neighbour": "203.0.113.1"}])) is None


def test_an_upstream_is_found_by_its_name_or_its_asn(fleet: Fleet) -> None:
    (asn,) = {int(each.asn) for _, each in places_of(fleet, "transit-a")}
    assert places_of(fleet, f"AS{asn}") == places_of(fleet, str(asn)) == places_of(fleet, f"as{asn}")
    assert {each.asn for _, each in places_of(fleet, str(asn))} == {asn}
    assert places_of(fleet, "nobody") == []


def test_the_command_prints_what_the_api_tells(api: World) -> None:
    def run(*words: str) -> Any:
        environment = {"ANYCASTLE_TOKEN": api.admin, "ANYCASTLE_SERVER": api.url}
        return CliRunner().invoke(cli, ["upstream", *words], env=environment)

    one = run("show", "transit-a", "-o", "json")
    assert one.exit_code == 0, one.output
    assert json.loads(one.stdout) == api.ask("GET", "/api/v1/upstreams/transit-a").json()
    every = run("list", "-o", "json")
    assert json.loads(every.stdout) == api.ask("GET", "/api/v1/upstreams").json()["items"] != []
    assert "not heard: " in run("show", "transit-a").stderr
    assert "no upstream is named nobody" in str(run("show", "nobody").exception)
    without = CliRunner().invoke(cli, ["upstream", "list"], env={"ANYCASTLE_SERVER": ""})
    assert (without.exit_code, "name it by --server" in without.output) == (2, True)


def test_whoever_is_limited_to_some_services_does_not_see_upstreams(api: World) -> None:
    token = api.token(Role.VIEWER, frozenset({"dns"}))
    assert api.ask("GET", "/api/v1/upstreams", token).status_code == 403
