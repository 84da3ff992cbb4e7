"""What the API says of budgets equals a count by hand of what a real Prometheus holds, by the exported rules."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
from click.testing import CliRunner

from anycastle.cli.main import cli
from anycastle.io.budgets import Budgets
from anycastle.io.config.indicators_file import IndicatorSettings
from anycastle.io.slo_export import RULES, prometheus_files, write_files
from anycastle.model.objective import Objective, Period, Window
from anycastle.model.person import Role
from anycastle.slo.charts import POINTS_MAX
from anycastle.slo.export.prometheus import Counters
from tests.lab.prometheus_server import Prometheus, program
from tests.unit.web.test_budgets import adopt_promises
from tests.unit.web.world import World, world

pytestmark = pytest.mark.mission("C9", "C10")

OBJECTIVES = [
    Objective("reach", "dns", "routing_success", 0.999, by_region=True),
    Objective("fast", "dns", "edge_latency", 0.95, threshold_ms=100.0, window=Window(Period.MONTH)),
]
STEP_S = 15
STEPS = 480
"""Two hours."""
LATE = 60
"""In the last steps, a quarter of an hour, events go bad."""
RATE = {"eu": 3000, "us": 1000}
BAD = {"eu": 240, "us": 0}
"""Events of a step, and bad ones among the late ones."""
INDICATORS = {
    'value{indicator="edge_latency",scope="eu",of="p95",instance="a"}': 31.5,
    'low{indicator="edge_latency",scope="eu",of="p95",instance="a"}': 30.0,
    'high{indicator="edge_latency",scope="eu",of="p95",instance="a"}': 33.0,
    'count{indicator="edge_latency",scope="eu",of="p95",instance="a"}': 700,
    'value{indicator="edge_latency",scope="eu",of="p95",instance="b"}': 90.0,
    'count{indicator="edge_latency",scope="eu",of="p95",instance="b"}': 500,
    'count{indicator="edge_latency",scope="us",of="p95",instance="a"}': 3,
}
TRAFFIC = {'offered{unit="bits",instance="a"}': 6e9, 'scrubbed{unit="bits",instance="a"}': 2e9,
           'offered{unit="bits",instance="b"}': 1e9}  # fmt: skip


def history(now: float) -> str:
    """Give two hours of series up to now, as OpenMetrics; a collector's figures are of the last minutes."""
    lines = []
    start = now - STEPS * STEP_S
    for name in ("events", "good_events"):
        lines.append(f"# TYPE anycastle_slo_{name} counter")
        for region, rate in RATE.items():
            total = 0
            for step in range(STEPS + 1):
                labels = f'service="dns",objective="reach",region="{region}"'
                lines.append(f"anycastle_slo_{name}_total{{{labels}}} {total} {start + step * STEP_S:.3f}")
                total += rate - (BAD[region] if name == "good_events" and step >= STEPS - LATE else 0)
    lines.append("# TYPE node_cpu_seconds counter")
    for pop, busy in (("fra1", 0.25), ("iad1", 0.5)):
        series = f'node_cpu_seconds_total{{mode="idle",pop="{pop}"}}'
        moments = [step * STEP_S for step in range(STEPS + 1)]
        lines += [f"{series} {(1 - busy) * moment} {start + moment:.3f}" for moment in moments]
    for family, rows in (("indicator", INDICATORS), ("traffic", TRAFFIC)):
        for kind in sorted({row.partition("{")[0] for row in rows}):
            lines.append(f"# TYPE anycastle_{family}_{kind} gauge")
            for row, value in rows.items():
                if row.startswith(kind):
                    lines += [f"anycastle_{family}_{row} {value} {now - 60 * ago:.3f}" for ago in (2, 1, 0)]
    return "\n".join([*lines, "# EOF\n"])


@dataclass
class Lab:
    api: World
    prometheus: Prometheus

    def told(self, token: str | None = None) -> dict[str, Any]:
        found: dict[str, Any] = self.api.ask("GET", "/api/v1/budgets", token).json()
        return found

    def budget(self, objective: str, region: str | None = None) -> dict[str, Any]:
        found: dict[str, Any] = next(
            each for each in self.told()["budgets"] if (each["objective"], each["region"]) == (objective, region)
        )
        return found

    def chart(self, name: str, token: str | None = None, **asked: str) -> list[dict[str, Any]]:
        query = {"to": datetime.now(UTC).isoformat(), "length_s": "3600"} | asked
        answer = self.api.http.get(
            f"/api/v1/charts/{name}", params=query, headers={"Authorization": f"Bearer {token or self.api.admin}"}
        )
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


def until(true: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@contextmanager
def laboratory(folder: Path) -> Iterator[Lab]:
    write_files(prometheus_files(OBJECTIVES, Counters()), folder)
    (folder / "history.om").write_text(history(time.time()))
    made = run([program("promtool"), "tsdb", "create-blocks-from", "openmetrics", "history.om", "data"], cwd=folder,
               capture_output=True, text=True, check=False)  # fmt: skip
    assert made.returncode == 0, made.stderr
    server = Prometheus(folder, f"global: {{evaluation_interval: 1s}}\nrule_files: [{RULES}]\n")
    try:
        settings = IndicatorSettings(f"http://{server.address}", 0.2, {})
        with world(f"sqlite:///{folder}/store.db", budgets=Budgets(settings)) as api:
            adopt_promises(api)
            lab = Lab(api, server)
            until(lambda: lab.budget("reach", "eu")["burn"].get("5m"), "the rules are evaluated")
            until(lambda: lab.budget("reach")["left"] is not None, "the whole too")
            yield lab
    finally:
        server.stop()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with laboratory(tmp_path_factory.mktemp("budgets")) as made:
        yield made


def test_what_is_left_and_how_fast_it_goes_are_as_counted_by_hand(lab: Lab) -> None:
    bad = BAD["eu"] * LATE
    events = sum(RATE.values()) * STEPS
    whole, eu, us = (lab.budget("reach", region) for region in (None, "eu", "us"))
    assert whole["left"] == pytest.approx(1 - bad / events / 0.001, rel=1e-6)
    assert whole["good"] == pytest.approx(1 - bad / events, rel=1e-9)
    assert eu["left"] == pytest.approx(1 - bad / (RATE["eu"] * STEPS) / 0.001, rel=1e-6)
    assert (us["left"], us["burn"]["5m"]) == (1.0, 0.0)
    # The last five minutes lie within the bad quarter of an hour: 240 of 3000, and 240 of 4000.
    assert eu["burn"]["5m"] == pytest.approx(BAD["eu"] / RATE["eu"] / 0.001, rel=1e-6)
    assert whole["burn"]["5m"] == pytest.approx(BAD["eu"] / sum(RATE.values()) / 0.001, rel=1e-6)
    assert 0 < eu["burn"]["1h"] < eu["burn"]["5m"]
    assert (eu["target"], eu["window"], eu["state"]) == (0.999, "30d", "exhausted")
    assert (us["state"], us["words"]) == ("ok", "100.0% left; at the rate of the last hour it lasts")


def test_an_objective_of_which_nothing_is_recorded_is_no_data(lab: Lab) -> None:
    fast = lab.budget("fast")
    assert (fast["state"], fast["left"], fast["good"], fast["burn"]) == ("no data", None, None, {})


def test_alerts_of_the_rules_say_what_burns(lab: Lab) -> None:
    until(lambda: "page 5m/1h" in lab.budget("reach", "eu")["alerts"], "the alert fires")
    assert lab.budget("reach", "us")["alerts"] == []


def test_readings_have_value_ends_and_count_and_too_few_have_no_value(lab: Lab) -> None:
    eu, us = (each for each in lab.told()["readings"] if each["indicator"] == "M1")
    assert (eu["name"], eu["scope"], eu["of"], eu["value"], eu["low"], eu["high"], eu["count"]) == (
        "edge_latency", "eu", "p95", 31.5, 30.0, 33.0, 700,
    )  # fmt: skip
    assert (us["scope"], us["value"], us["count"]) == ("us", None, 3)
    assert lab.told()["traffic"] == [{"unit": "bits", "offered": 7e9, "scrubbed": 2e9}]


def asked(lab: Lab, *words: str) -> Any:
    command = ["slo", "budgets", "--server", lab.api.url, *words]
    return CliRunner().invoke(cli, command, env={"ANYCASTLE_TOKEN": lab.api.admin})


def test_the_command_shows_the_same(lab: Lab) -> None:
    table = asked(lab, "--service", "dns")
    assert table.exit_code == 0, table.output
    (row,) = (line.split() for line in table.stdout.splitlines() if line.startswith("dns ") and " us " in line)
    assert row[:8] == ["dns", "reach", "us", "0.999", "30d", "ok", "100.0%", "0.00"]
    assert " no data " in next(line for line in table.stdout.splitlines() if " fast " in line)
    assert re.search(r"as of \d+ s ago$", table.stderr.strip())
    plain = json.loads(asked(lab, "-o", "json").stdout)
    assert plain.keys() == lab.told().keys()
    assert [each["left"] for each in plain["budgets"] if each["region"] == "us"] == [1.0]
    assert json.loads(asked(lab, "--service", "web", "-o", "json").stdout)["budgets"] == []


def test_a_limited_role_sees_its_own_alone(lab: Lab) -> None:
    web, dns = (lab.api.token(Role.VIEWER, frozenset({name})) for name in ("web", "dns"))
    assert lab.told(web)["budgets"] == lab.told(web)["readings"] == lab.told(web)["traffic"] == []
    assert {each["service"] for each in lab.told(dns)["budgets"]} == {"dns"}
    until(lambda: lab.chart("burn_rate", dns), "its own series")
    assert lab.chart("burn_rate", web) == lab.chart("burn_rate", web, service="dns") == []


def test_charts_are_series_with_bounded_points(lab: Lab) -> None:
    until(lambda: len(lab.chart("burn_rate", service="dns")) == 3, "a line for the whole and each region")
    assert {each["labels"]["scope"] for each in lab.chart("burn_rate")} == {"global", "region"}
    assert lab.chart("burn_rate", service="d.s") == []
    busy = {each["labels"]["pop"]: each["points"] for each in lab.chart("cpu")}
    assert {pop: points[len(points) // 2][1] for pop, points in busy.items()} == {
        "fra1": pytest.approx(0.25), "iad1": pytest.approx(0.5)
    }  # fmt: skip
    assert all(100 < len(points) <= POINTS_MAX + 1 for points in busy.values())


def test_one_that_ends_leaves_what_it_said_with_its_age_and_the_trouble(tmp_path: Path) -> None:
    with laboratory(tmp_path) as lab:
        before = lab.budget("reach", "eu")
        lab.prometheus.stop()
        until(lambda: lab.told()["trouble"], "the trouble is told")
        first, second = lab.told(), lab.told()
        assert first["at"] == second["at"] is not None
        assert lab.prometheus.address in first["trouble"]
        assert lab.budget("reach", "eu")["left"] == before["left"]
        asked = {"to": datetime.now(UTC).isoformat(), "length_s": "60"}
        answer = lab.api.http.get(
            "/api/v1/charts/cpu", params=asked, headers={"Authorization": f"Bearer {lab.api.admin}"}
        )
        assert answer.status_code == 503
        assert lab.prometheus.address in answer.json()["detail"]
