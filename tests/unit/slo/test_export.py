"""Objectives in other programs' forms, as far as no program is needed to tell; `tests/lab` asks the real ones."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycastle.base.errors import ParseError
from anycastle.io.config.write import yaml_text
from anycastle.io.openslo import read_openslo
from anycastle.io.slo_export import openslo_files
from anycastle.model.objective import INDICATOR_NAMES, TIMED, Objective, Period, Planned, Window
from anycastle.slo.export import grafana
from anycastle.slo.export.openslo import document, read_document
from anycastle.slo.export.prometheus import Counters, rule_tests, rules
from anycastle.slo.indicators.table import INDICATORS

REACH = Objective("reach", "dns", "routing_success", 0.999, by_region=True)
FAST = Objective("fast", "dns", "edge_latency", 0.95, threshold_ms=100.0, window=Window(Period.MONTH))

windows = st.builds(Window, st.sampled_from([Period.WEEK, Period.MONTH, Period.QUARTER])) | st.builds(
    Window, st.just(Period.ROLLING), st.integers(1, 366).map(float)
)
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)


@st.composite
def objectives(draw: st.DrawFn) -> Objective:
    indicator = draw(st.sampled_from(INDICATOR_NAMES))
    return Objective(
        draw(names), draw(names), indicator, draw(st.integers(1, 99_999)) / 100_000,
        float(draw(st.integers(1, 10_000))) if indicator in TIMED else None, draw(windows), draw(st.booleans()),
        draw(st.sampled_from(Planned)), float(draw(st.integers(0, 900))),
        draw(st.none() | st.integers(1, 10**7).map(float)),
    )  # fmt: skip


def test_the_names_of_indicators_are_those_that_are_defined() -> None:
    assert tuple(INDICATORS) == INDICATOR_NAMES


@pytest.mark.mission("C9")
@given(objectives())
def test_what_is_written_as_openslo_is_read_the_same(objective: Objective) -> None:
    assert read_document(json.loads(json.dumps(document(objective))), "f") == objective


def test_documents_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "slos.yaml"
    service = "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: dns}\n---\n"
    path.write_text(service + openslo_files([REACH, FAST], Counters())["anycastle-slo.openslo.yaml"])
    assert read_openslo(path) == [REACH, FAST]


def test_a_document_of_somebody_else() -> None:
    """As other tools write them: an indicator by reference, a target in percent."""
    value = {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": "web-errors"},
        "spec": {
            "service": "web",
            "indicatorRef": "client-errors",
            "timeWindow": [{"duration": "4w", "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"targetPercent": 99.5}],
        },
    }
    assert read_document(value, "f") == Objective(
        "web-errors", "web", "client_errors", 0.995, window=Window(Period.ROLLING, 28.0)
    )


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("budgetingMethod", "Timeslices", "spec.budgetingMethod: Occurrences is read, not 'Timeslices'"),
        ("objectives", [], "spec.objectives: a list of one item is needed"),
        ("objectives", [{"target": 1}], "spec.objectives[0].target: a target lies between 0 and 1"),
        ("timeWindow", [{"duration": "1Y", "isRolling": False}], "spec.timeWindow[0]: of calendar windows 1w, 1M, 1Q"),
        ("timeWindow", [{"duration": "soon"}], "spec.timeWindow[0]: 'soon' is no window"),
        ("service", None, "spec.service: None is no name"),
        ("indicator", {"metadata": {"name": "cpu"}}, "spec.indicator: 'cpu' is none of"),
        ("indicator", {"metadata": {"name": "edge-latency"}}, "edge_latency needs anycastle/threshold-ms"),
    ],
)
def test_what_cannot_be_followed_is_told(key: str, value: Any, words: str) -> None:
    whole = document(REACH)
    del whole["metadata"]["annotations"]["anycastle/indicator"]
    whole["spec"][key] = value
    with pytest.raises(ParseError) as caught:
        read_document(whole, "f: document 1")
    assert words in str(caught.value)
    assert str(caught.value).startswith("f: document 1: ")


def test_broken_files_have_a_place(tmp_path: Path) -> None:
    path = tmp_path / "slos.yaml"
    for text, words in (
        ("a: [", r"slos\.yaml:1:\d+: "),
        ("a: 1\n", "document 1: apiVersion: openslo/v1 is read, not None"),
        ("- 1\n", "document 1: a mapping is needed"),
        ("apiVersion: openslo/v1\nkind: Service\n", "no document is of kind SLO"),
    ):
        path.write_text(text)
        with pytest.raises(ParseError, match=words):
            read_openslo(path)


def test_rules_have_names_and_labels_of_their_own() -> None:
    found = [rule for group in rules([REACH, FAST])["groups"] for rule in group["rules"]]
    keys = [(rule.get("alert") or rule["record"], tuple(sorted(rule["labels"].items()))) for rule in found]
    assert len(set(keys)) == len(keys)
    tiers = {
        (rule["labels"]["objective"], rule["labels"]["burnrate_tier"])
        for rule in found
        if "burnrate_tier" in rule["labels"]
    }
    assert ("reach", "5m/1h") in tiers
    assert ("fast", "5m/1h") in tiers
    assert all("value" not in str(rule["labels"]) for rule in found)  # what changes is no label


def test_a_rule_that_can_never_fire_is_not_written() -> None:
    loose = Objective("loose", "dns", "routing_success", 0.9)
    tiers = [rule["labels"].get("burnrate_tier") for group in rules([loose])["groups"] for rule in group["rules"]]
    assert "5m/1h" not in tiers
    assert "30m/6h" in tiers


def test_other_counters_are_used_everywhere() -> None:
    text = yaml_text(rules([REACH], Counters("events_x", "good_x"))) + yaml_text(
        rule_tests([REACH], "f", Counters("events_x", "good_x"))
    )
    assert "anycastle_slo_" not in text
    assert "events_x{" in text


@pytest.mark.mission("C10")
@pytest.mark.parametrize("board", [grafana.executive([REACH, FAST]), grafana.on_call([REACH, FAST])])
def test_dashboards_are_whole(board: dict[str, Any]) -> None:
    """Grafana's model: ids of their own, places that do not overlap, a data source that is chosen, no data told."""
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        taken |= cells
        assert panel["fieldConfig"]["defaults"]["noValue"] == "no data"
        assert panel["datasource"]["uid"] == "${datasource}"
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
    recorded = {
        rule["record"] for group in rules([REACH, FAST])["groups"] for rule in group["rules"] if "record" in rule
    }
    for query in grafana.queries(board):
        assert query.partition("{")[0] in recorded | {"ALERTS"}
