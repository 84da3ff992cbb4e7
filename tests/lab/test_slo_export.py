"""What is written for Prometheus, taken by the real promtool and the real prometheus."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from anycastle.io.slo_export import RULES, TESTS, grafana_files, prometheus_files, write_files
from anycastle.model.objective import Objective, Period, Planned, Window
from anycastle.slo.export import grafana
from anycastle.slo.export.prometheus import Counters
from tests.lab.prometheus_server import Prometheus, program

REPOSITORY = Path(__file__).parents[2]
OBJECTIVES = [
    Objective("reach", "dns", "routing_success", 0.999, by_region=True),
    Objective("fast", "dns", "edge_latency", 0.95, threshold_ms=100.0, window=Window(Period.MONTH)),
    Objective("errors", "web", "client_errors", 0.9999, window=Window(Period.ROLLING, 7.0), minimum_events=50.0,
              maintenance=Planned.EXCLUDED),
    Objective("loose", "web", "cache_hits", 0.8, window=Window(Period.QUARTER), by_region=True),
]  # fmt: skip


def promtool(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program("promtool"), *arguments], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write_files(prometheus_files(OBJECTIVES, Counters()), tmp_path)
    return tmp_path


@pytest.fixture
def one(tmp_path: Path) -> Path:
    write_files(prometheus_files(OBJECTIVES[:1], Counters()), tmp_path)
    return tmp_path


@pytest.mark.mission("C9", "I4")
def test_promtool_takes_the_rules_and_their_tests_pass(written: Path) -> None:
    checked = promtool("check", "rules", RULES, folder=written)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "SUCCESS" in checked.stdout
    tested = promtool("test", "rules", TESTS, folder=written)
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (">= 0.0144", ">= 14.4"),  # a mark that is forgotten to be a share
        ("severity: page", "severity: ticket"),
        ("or 0 * sum", "and sum"),  # no good event at all has no series: the worst outage would be no data
        ("[15m]", "[15h]"),
    ],
)
def test_the_written_tests_find_rules_that_are_wrong(one: Path, right: str, wrong: str) -> None:
    rules = (one / RULES).read_text(encoding="utf-8")
    assert right in rules
    (one / RULES).write_text(rules.replace(right, wrong), encoding="utf-8")
    assert promtool("test", "rules", TESTS, folder=one).returncode != 0


@pytest.fixture
def prometheus(written: Path) -> Iterator[Prometheus]:
    server = Prometheus(written, f"rule_files: [{RULES}]\n")
    yield server
    server.stop()


@pytest.mark.mission("C10", "I4")
def test_prometheus_runs_the_rules_and_answers_every_query_of_the_dashboards(prometheus: Prometheus) -> None:
    groups = prometheus.ask("/api/v1/rules")["groups"]
    assert isinstance(groups, list)
    assert len(groups) == 2 * len(OBJECTIVES)
    assert all(rule.get("lastError", "") == "" for group in groups for rule in group["rules"])
    for board in (grafana.executive(OBJECTIVES), grafana.on_call(OBJECTIVES)):
        for query in grafana.queries(board):
            assert prometheus.ask("/api/v1/query", query=query)["resultType"] == "vector"
    for text in grafana_files(OBJECTIVES, Counters()).values():
        assert json.loads(text)["schemaVersion"] == 39


def yaml_blocks(page: str) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", (REPOSITORY / "docs" / page).read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", ["how-to/prometheus.md"])
def test_the_rules_of_the_documentation_are_taken_and_use_metrics_that_there_are(page: str, tmp_path: Path) -> None:
    rules = [block for block in yaml_blocks(page) if block.startswith("groups:")]
    assert rules
    reference = (REPOSITORY / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^\| `(anycastle_\w+)` \|", reference, re.MULTILINE))
    for number, text in enumerate(rules):
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
        checked = promtool("check", "rules", f"{number}.yaml", folder=tmp_path)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        used = set(re.findall(r"\banycastle_[a-z_]+", text))
        assert used
        assert used <= known
