"""Alerts of the exported rules, in a real Prometheus, become signals."""

import asyncio
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from anycastle.daemons.budget_source import SOURCE, BudgetSource, signals_of
from anycastle.io.config.indicators_file import IndicatorSettings
from anycastle.io.prometheus_query import PrometheusAlert
from anycastle.response.signal import Signal, Subject, Urgency
from tests.lab.prometheus_server import Prometheus
from tests.ports import free_port

RULES = """
groups:
  - name: as-exported
    interval: 1s
    rules:
      - {alert: AnycastleBudgetBurn, expr: vector(1) > 0, labels: {severity: ticket, service: dns, region: eu}}
      - {alert: AnycastleBudgetBurn, expr: vector(2) > 0, labels: {severity: page, service: dns, region: eu},
         annotations: {summary: goes too fast}}
      - {alert: SomebodyElses, expr: vector(1) > 0, labels: {severity: page}}
"""


@pytest.mark.mission("C9", "C15")
def test_a_real_prometheus_says_what_burns(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES)
    server = Prometheus(tmp_path, "global: {evaluation_interval: 1s}\nrule_files: [rules.yml]\n")
    said: list[list[Signal]] = []

    def take(source: str, signals: Iterable[Signal]) -> None:
        assert source == SOURCE
        said.append(list(signals))

    async def main() -> None:
        settings = IndicatorSettings(f"http://{server.address}", 0.05, {})
        task = asyncio.create_task(BudgetSource(settings, print).run(take))
        deadline = time.monotonic() + 30
        while not said:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    try:
        asyncio.run(main())
    finally:
        server.stop()
    subject = Subject(service="dns", region="eu")
    assert said[-1] == [Signal("budget_burn", subject, Urgency.PAGE, firing=True, summary="goes too fast")]


def test_what_is_pending_does_not_fire() -> None:
    labels = {"alertname": "AnycastleBudgetBurn", "service": "dns", "severity": "page"}
    assert signals_of([PrometheusAlert("pending", labels, {})]) == []
    assert len(signals_of([PrometheusAlert("firing", labels, {})])) == 1


def test_one_that_does_not_answer_is_told_once_and_changes_nothing() -> None:
    lines, said = list[str](), list[object]()

    async def main() -> None:
        settings = IndicatorSettings(f"http://127.0.0.1:{free_port()}", 0.01, {})
        task = asyncio.create_task(BudgetSource(settings, lines.append).run(lambda *each: said.append(each)))
        await asyncio.sleep(0.5)  # of questions
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    assert len(lines) == 1
    assert "budgets are not known" in lines[0]
    assert said == []
