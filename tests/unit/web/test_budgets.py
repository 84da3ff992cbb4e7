"""Budgets and charts where no Prometheus is asked, and what is refused whoever is asked. With one: `tests/lab`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from anycastle.model.person import Role
from tests.unit.web.world import World, folder, world

PROMISES = """
objectives:
  - {name: reach, indicator: routing_success, target: 99.9%, by_region: true}
  - {name: fast, indicator: edge_latency, threshold: 100ms, target: 95%, window: month}
"""

PAST = {"to": "2026-11-28T00:00:00Z", "length_s": "3600"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    where: Path = tmp_path_factory.mktemp("api")
    with world(f"sqlite:///{where}/store.db") as made:
        adopt_promises(made)
        yield made


def adopt_promises(api: World) -> None:
    files = folder()
    files["services/dns.yaml"] += PROMISES
    body = {"revision": api.upload(files), "reason": "first"}
    assert api.ask("POST", "/api/v1/fleet/adoption", body=body).status_code == 200


def chart(api: World, name: str, token: str | None = None, **asked: str) -> tuple[int, dict[str, object]]:
    query = "&".join(f"{key}={value}" for key, value in {**PAST, **asked}.items())
    answer = api.ask("GET", f"/api/v1/charts/{name}?{query}", token)
    return answer.status_code, answer.json()


def test_without_a_prometheus_nothing_is_known_and_that_is_said(api: World) -> None:
    told = api.ask("GET", "/api/v1/budgets").json()
    assert (told["asked"], told["at"], told["trouble"], told["every_s"]) == (False, None, None, None)
    assert told["readings"] == told["traffic"] == []
    assert told["budgets"], "what is promised is told all the same"
    assert {(each["state"], each["left"], each["exhausted_in_s"]) for each in told["budgets"]} == {
        ("no data", None, None)
    }
    assert all(each["definition"] and each["source"] and each["excludes"] for each in told["budgets"])
    assert chart(api, "cpu")[1] == {**chart(api, "cpu")[1], "asked": False, "items": []}


@pytest.mark.parametrize(
    ("name", "asked", "status"),
    [
        ("cpu", {}, 200),
        ("up", {}, 422),  # a name that is no chart's: queries are never a browser's
        ("cpu", {"length_s": "1"}, 422),
        ("cpu", {"length_s": "8000000"}, 422),
        ("cpu", {"to": "2026-11-27T00:00:00"}, 422),
    ],
)
def test_a_chart_has_a_known_name_and_a_bounded_time(api: World, name: str, asked: dict[str, str], status: int) -> None:
    assert chart(api, name, **asked)[0] == status


def test_a_limited_role_sees_its_own_and_nothing_of_all(api: World) -> None:
    web, dns = (api.token(Role.VIEWER, frozenset({name})) for name in ("web", "dns"))
    services = [{each["service"] for each in api.ask("GET", "/api/v1/budgets", token).json()["budgets"]}
                for token in (web, dns)]  # fmt: skip
    assert services == [set(), {"dns"}]
    assert chart(api, "cpu", dns)[0] == 403
    assert chart(api, "burn_rate", dns)[0] == 200
