"""Standings in brief: nothing that needs a look is left out, what is well takes a number, and nothing is read twice."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from anycastle.base.ports import Timestamp
from anycastle.web.reports import OfReports
from anycastle.web.standings import BriefStanding, brief_of, brief_page, in_brief, is_well, standing

OWN = {"capacity": 1.0, "problems": ["a problem"], "sessions": 2, "sessions_up": 1}


def service(name: str = "dns", **changes: Any) -> dict[str, Any]:
    well = {
        "name": name, "stance": "announce", "reason": "serving", "condition": "up", "permit": "held",
        "suppressed": False, "drain": None, "checks": 1, "failing": [], "routes_wanted": 2, "routes_exported": 2,
    }  # fmt: skip
    return {**well, **changes}


class Agent:
    """An `AgentView` that counts how often it is read."""

    connected, since, version, assignment, refused, unsettled = True, Timestamp(0.0), "1", None, None, None

    def __init__(self) -> None:
        self.told: object | None = object()
        self.read = 0
        self.routes = [{"prefix": "192.0.2.0/24", "upstream": "a"}]

    def report(self) -> dict[str, Any] | None:
        self.read += 1
        one = {**service(), "prefixes": ["192.0.2.0/24"], "checks": []}
        return {**OWN, "sessions": [], "services": [one], "wanted": self.routes, "exported": self.routes}


@pytest.mark.parametrize(
    "changes",
    [
        {"stance": "withdraw"},
        {"stance": "steer"},
        {"condition": "degraded"},
        {"condition": "pending"},
        {"drain": {"step": "soaking", "owner": "o", "reason": "r", "expires": None}},
        {"failing": [{"name": "c", "verdict": "unhealthy", "evidence": "e"}]},
        {"suppressed": True},
        {"routes_exported": 1},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_needs_a_look_is_told_in_full(changes: dict[str, Any]) -> None:
    one = service(**changes)
    assert is_well(service())
    assert not is_well(one)
    told = brief_page({"fra": in_brief({**OWN, "services": [one]})}, None)
    assert told == {"names": ["dns"], "items": [{"pop": "fra", **OWN, "services": [one], "well": [-1]}]}


def test_what_is_well_is_told_by_its_routes_and_what_is_not_there_by_none() -> None:
    web = service("web", routes_wanted=4, routes_exported=4)
    kept = {
        "fra": in_brief({**OWN, "services": [web, service("dns")]}),
        "iad": in_brief({**OWN, "services": [service("dns", drain={"step": "normal"})]}),
    }
    told = brief_page(kept, None)
    assert told["names"] == ["dns", "web"]
    assert [each["well"] for each in told["items"]] == [[2, 4], [2, -1]]
    assert all(each["services"] == [] for each in told["items"])


def test_whoever_may_see_some_services_sees_neither_others_nor_what_is_the_pops_own() -> None:
    kept = {"fra": in_brief({**OWN, "services": [service("web"), service("dns", stance="withdraw"), service("mail")]})}
    told = brief_page(kept, frozenset({"dns", "mail"}))
    assert told["names"] == ["dns", "mail"]
    (fra,) = told["items"]
    assert ([each["name"] for each in fra["services"]], fra["well"]) == (["dns"], [-1, 2])
    assert (fra["problems"], fra["sessions"], fra["sessions_up"], fra["capacity"]) == ([], None, None, 1.0)


def test_routes_are_those_of_the_services_prefixes() -> None:
    routes = [{"prefix": prefix, "upstream": up} for prefix in ("a", "b", "c") for up in ("x", "y")]
    said = {"services": [{**service(), "prefixes": ["a", "c"], "checks": []}], "wanted": routes, "exported": routes[:1]}
    (one,) = standing("fra", said, None)["services"]
    assert (one["routes_wanted"], one["routes_exported"]) == (4, 1)


def read(standings: OfReports[BriefStanding], agents: Mapping[str, Agent], *pops: str) -> dict[str, BriefStanding]:
    return asyncio.run(standings.read(agents, pops or ("fra",)))


def test_a_report_is_read_once_until_its_agent_says_something_else() -> None:
    agent, standings = Agent(), OfReports(brief_of)
    first = read(standings, {"fra": agent})
    assert read(standings, {"fra": agent})["fra"] is first["fra"]
    assert agent.read == 1
    agent.told, agent.routes = object(), []
    second = read(standings, {"fra": agent}, "fra", "nowhere")
    assert (agent.read, second["fra"].well) == (2, {"dns": 0})


def test_of_an_agent_without_a_session_nothing_is_told_and_nothing_is_kept() -> None:
    agent, standings = Agent(), OfReports(brief_of)
    told = agent.told
    read(standings, {"fra": agent})
    agent.told = None
    assert read(standings, {"fra": agent}) == {}
    agent.told = told
    read(standings, {"fra": agent})
    read(standings, {})
    read(standings, {"fra": agent})
    assert agent.read == 3, "after each it is read anew"
