"""From probers' results to what is left of a budget: the collector's counters, and the exported rules in Prometheus."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from anycastle.io.config.load import load_fleet
from anycastle.io.slo_export import RULES, prometheus_files, write_files
from anycastle.model.fleet import Fleet
from anycastle.slo.export.prometheus import Counters
from tests.lab.agent_rigs import until
from tests.lab.prometheus_server import Prometheus

pytestmark = [pytest.mark.lab, pytest.mark.mission("C9", "I3", "I4")]

LEFT = "slo:error_budget_left:ratio"
COMMAND = (sys.executable, "-m", "anycastle.cli.main")
OBJECTIVE = "\nobjectives:\n  - {name: reach, indicator: routing_success, target: 90%, by_region: true}\n"
TELEMETRY = """
name: central
fleet: {folder}/fleet
probers: [{{name: results, path: {folder}/results.ndjson}}]
"""


def result(number: int, region: str, address: str, *, lost: bool) -> str:
    failure = {"kind": "timeout", "phase": "answer", "words": "no answer"} if lost else None
    return json.dumps(
        {
            "id": str(number), "at": time.time(), "vantage_point": f"v{number % 7}", "asn": 64496 + number % 7,
            "country": region, "target": "t", "kind": "dns", "address": address, "phases": {"answer": 12.0},
            "failure": failure, "pop": "" if lost else "fra1", "seen": None if lost else {"rcode": "NOERROR"},
        }
    )  # fmt: skip


class Collector:
    """A collector of telemetry, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "telemetry.log"
        self.start()

    def start(self) -> None:
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "telemetry", "run", str(self.folder / "telemetry.yaml"),
                 "--listen", f"127.0.0.1:{self.port}", "--state-dir", str(self.folder / "state")], stderr=log,
            )  # fmt: skip
        found = until(lambda: re.search(r"serving at 127\.0\.0\.1:(\d+)", self.log.read_text()), "it serves")
        self._port = int(found[1])

    _port = 0

    @property
    def port(self) -> int:
        return self._port

    def totals(self) -> dict[str, float]:
        """Give each total that it serves, as Prometheus would read it."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return {
            line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
            for line in lines
            if "_slo_" in line and line[0] != "#"
        }

    def stop(self, number: int = signal.SIGTERM) -> None:
        os.kill(self.process.pid, number)
        self.process.wait(30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    subprocess.run([*COMMAND, "init", str(tmp_path / "fleet")], check=True, capture_output=True)
    service = next((tmp_path / "fleet" / "services").iterdir())
    service.write_text(service.read_text() + OBJECTIVE)
    (tmp_path / "telemetry.yaml").write_text(TELEMETRY.format(folder=tmp_path))
    (tmp_path / "results.ndjson").touch()
    return tmp_path


def fleet_of(folder: Path) -> Fleet:
    found = load_fleet(folder / "fleet").fleet
    assert found is not None
    return found


@pytest.fixture
def collector(folder: Path) -> Iterator[Collector]:
    made = Collector(folder)
    try:
        yield made
    finally:
        made.stop()


def test_prometheus_knows_what_is_left_as_it_is_counted_by_hand(folder: Path, collector: Collector) -> None:
    fleet = fleet_of(folder)
    (objective,) = fleet.objectives
    address = str(next(each for each in fleet.services if each.name == objective.service).prefixes[0].first)
    write_files(prometheus_files(fleet.objectives, Counters()), folder)
    scrape = f"[{{job_name: t, static_configs: [{{targets: ['127.0.0.1:{collector.port}']}}]}}]"
    config = (
        f"global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nscrape_configs: {scrape}\nrule_files: [{RULES}]\n"
    )
    server = Prometheus(folder, config)

    def recorded(name: str) -> dict[str, float]:
        """Give region -> value; the whole is ''."""
        found = server.ask("/api/v1/query", query=name)["result"]
        assert isinstance(found, list)
        return {each["metric"].get("region", ""): float(each["value"][1]) for each in found}

    try:
        # The first results make the series; what Prometheus has not seen grow has no rate.
        rounds, per_round = 5, 20
        number = 0
        for _ in range(rounds):
            with (folder / "results.ndjson").open("a") as results:
                for place in range(per_round):
                    number += 1
                    region = "de" if place % 2 else "us"
                    results.write(result(number, region, address, lost=place == 0) + "\n")  # one of twenty, all in us
            events = f'anycastle_slo_events_total{{objective="reach",region="us",service="{objective.service}"}}'
            until(lambda events=events, told=number / 2: collector.totals().get(events) == told, "it is counted")
            told = server.ask("/api/v1/query", query="anycastle_slo_events_total")
            until(
                lambda before=told: server.ask("/api/v1/query", query="anycastle_slo_events_total") != before,
                "it is scraped",
            )
        left = until(lambda: recorded(LEFT) if len(recorded(LEFT)) == 3 else None, "the rules have said what is left")
    finally:
        server.stop()
    # A twentieth of all is lost, of a tenth that may be: half is left. All of it is lost in one region, a tenth there.
    assert left == {"": pytest.approx(0.5), "us": pytest.approx(0.0, abs=1e-6), "de": pytest.approx(1.0)}


def test_totals_survive_a_kill_and_nothing_counts_twice(folder: Path, collector: Collector) -> None:
    fleet = fleet_of(folder)
    (objective,) = fleet.objectives
    address = str(next(each for each in fleet.services if each.name == objective.service).prefixes[0].first)
    events = f'anycastle_slo_events_total{{objective="reach",region="de",service="{objective.service}"}}'
    for number in range(1, 61):
        with (folder / "results.ndjson").open("a") as results:
            results.write(result(number, "de", address, lost=False) + "\n")
        if number % 30 == 0:
            until(lambda: collector.totals().get(events, 0.0) > 0, "something is counted")
            collector.stop(signal.SIGKILL)
            collector.start()
    until(lambda: collector.totals().get(events) == 60.0, "each result is counted")
    with (folder / "results.ndjson").open("a") as results:
        results.write(result(61, "de", address, lost=True) + "\n")
    until(lambda: collector.totals().get(events) == 61.0, "and one more, once")
