"""Symptoms of how things are run: objectives, storms of alerts, too many pages."""

import json
from pathlib import Path

import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.objective import Objective
from anycastle.response.symptoms.symptom import State
from anycastle.response.symptoms.table import SYMPTOMS
from anycastle.slo.engine import SLOEngine
from anycastle.slo.series import Events
from tests.unit.response.symptoms.rig import START, answer, case_of, home, judged, vantage_points


def burning(*regions: str) -> str:
    """Give the alerts of an objective of which some regions lose a tenth for an hour, as lines for the response."""
    engine = SLOEngine([Objective("reach", "dns", "routing_success", 0.999, by_region=True)])
    lines: list[str] = []
    for minute in range(8 * 60):
        at = Timestamp(START + 60 * minute)
        bad = {
            region: 0.1 if region in regions and minute > 7 * 60 else 0.0
            for region in ("europe", "north-america", "asia")
        }
        engine.take("reach", at, {region: Events(1000 * (1 - share), 1000) for region, share in bad.items()})
        if minute % 5:
            continue
        for each in engine.evaluate(at):
            region = "" if each.scope == "global" else each.scope
            lines += [
                json.dumps({"at": at, "alert": "budget_burn", "service": "dns", "region": region, "urgency": "page",
                            "summary": alert.summary})
                for alert in each.alerts
                if alert.severity.value == "page"
            ]  # fmt: skip
    assert lines
    return "\n".join(lines) + "\n"


@pytest.mark.mission("O6", "C9")
def test_9_the_whole_burns_for_one_region(tmp_path: Path) -> None:
    told = judged(case_of(tmp_path, alerts=burning("asia")))["burn-too-wide"]
    assert told.state is State.LIKELY
    assert any(each.startswith("asia: ") for each in told.evidence)


def test_9_every_region_burns_then_the_objective_is_right(tmp_path: Path) -> None:
    told = judged(case_of(tmp_path, alerts=burning("asia", "europe", "north-america")))["burn-too-wide"]
    assert told.state is State.POSSIBLE
    assert told.against == ("every region burns: the objective is not what is wrong",)


def storm(count: int) -> str:
    lines = [
        {
            "at": START + number,
            "alert": "probe_loss",
            "pop": f"pop{number}",
            "urgency": "page",
            "summary": f"loss at {number}",
        }
        for number in range(count)
    ]
    return "".join(json.dumps(each) + "\n" for each in lines)


@pytest.mark.mission("O6", "C9")
def test_15_a_storm_though_one_probe_of_many_is_lost(tmp_path: Path) -> None:
    probes = [
        answer(who, START + at, None if who.name == "asia-0" and at == 10 else home(region))
        for at in range(0, 60, 10)
        for region, who in vantage_points()
    ]
    told = judged(case_of(tmp_path, alerts=storm(30), probes=probes))["alert-storm"]
    assert told.state is State.LIKELY
    assert told.evidence[0] == "30 alerts within 60 s, which became 6 pages"
    lost = [answer(who, START + at, None) for at in range(0, 60, 10) for _, who in vantage_points()]
    right = judged(case_of(tmp_path, alerts=storm(30), probes=lost))["alert-storm"]
    assert right.state is State.POSSIBLE
    assert "the storm has a reason" in right.against[0]
    assert judged(case_of(tmp_path, alerts=storm(5), probes=probes))["alert-storm"].state is State.NOT_SEEN


@pytest.mark.mission("O6")
def test_20_the_same_page_all_day_long(tmp_path: Path) -> None:
    lines = [
        {"at": START + 3600 * hour + 900 * firing, "alert": "pop_down", "pop": "ams", "urgency": "page",
         "firing": not firing, "summary": "ams does not answer"}
        for hour in range(12)
        for firing in (0, 1)
    ]  # fmt: skip
    told = judged(case_of(tmp_path, alerts="".join(json.dumps(each) + "\n" for each in lines)))["too-many-pages"]
    assert told.state is State.LIKELY
    assert told.evidence[0].startswith("12 pages in 1.0 days")
    once = judged(case_of(tmp_path, alerts=json.dumps(lines[0]) + "\n"))["too-many-pages"]
    assert once.state is State.NOT_SEEN


@pytest.mark.mission("O6")
def test_there_are_twenty_each_once_and_each_says_what_it_lacks(tmp_path: Path) -> None:
    assert [each.number for each in SYMPTOMS] == list(range(1, 21))
    assert len({each.name for each in SYMPTOMS}) == 20
    nothing = judged(case_of(tmp_path, with_fleet=False))
    assert len(nothing) == 20
    for name, told in nothing.items():
        assert told.state is State.NOT_ENOUGH, name
        assert told.missing, name
