"""Objectives as dashboards of Grafana, as its JSON model (schema 39): one for executives, one for who is on call.

The queries are of the records that `slo.export.prometheus` writes. A panel never shows no data as zero: its text for
that is `no data`. States carry words beside colours (Okabe and Ito's).
"""

from collections.abc import Iterable
from typing import Any, Final

from anycastle.model.objective import Objective, format_share, format_window
from anycastle.slo.burn import RULES
from anycastle.slo.words import span_short

Plain = dict[str, Any]

GOOD_COLOUR: Final = "#009E73"
WARNING_COLOUR: Final = "#E69F00"
BAD_COLOUR: Final = "#D55E00"
_DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_WIDTH: Final = 24


def executive(objectives: Iterable[Objective]) -> Plain:
    """Give the dashboard of what is left of each budget, and how it went."""
    panels: list[Plain] = []
    for row, objective in enumerate(objectives):
        selector = _selector(objective)
        left = f"slo:error_budget_left:ratio{selector}"
        title = f"{objective.service} {objective.name}: {format_share(objective.target)} over"
        title += f" {format_window(objective.window)}"
        panels += [
            _panel("stat", f"{title}: budget left", [left], (row * 8, 0, 8, 8), _budget_field(), objective),
            _panel("timeseries", f"{title}: budget left", [left], (row * 8, 8, 16, 8), _budget_field(), objective),
        ]
    return _dashboard("anycastle-slo-executive", "Anycastle: objectives", panels, "now-30d")


def on_call(objectives: Iterable[Objective]) -> Plain:
    """Give the dashboard of burn rates: what is worst, by region and in all, and what alerts are raised."""
    known = list(objectives)
    alerts = _panel(
        "table", "Alerts", ['ALERTS{alertname=~"Anycastle.*",alertstate="firing"}'], (0, 0, _WIDTH, 6), {}, None
    )
    alerts["targets"][0] |= {"instant": True, "format": "table"}
    panels = [alerts]
    for row, objective in enumerate(known):
        selector, top = _selector(objective), 6 + row * 9
        name = f"{objective.service} {objective.name}"
        rates = [f"slo:burn_rate:ratio_rate1h{selector}"]
        spans = sorted({rule.short_s for rule in RULES} | {rule.long_s for rule in RULES})
        errors = [f"slo:sli_error:ratio_rate{span_short(span)}{selector}" for span in spans[:4]]
        panels += [
            _panel("timeseries", f"{name}: burn rate", rates, (top, 0, 12, 9), _burn_field(objective), objective),
            _panel("timeseries", f"{name}: share of bad events", errors, (top, 12, 12, 9), _share_field(), objective),
        ]
    return _dashboard("anycastle-slo-on-call", "Anycastle: burn rates", panels, "now-6h")


def _selector(objective: Objective) -> str:
    return f'{{service="{objective.service}",objective="{objective.name}"}}'


def _panel(
    kind: str,
    title: str,
    queries: list[str],
    place: tuple[int, int, int, int],
    field: Plain,
    objective: Objective | None,
) -> Plain:
    top, left, width, height = place
    legend = "{{scope}} {{region}}" if objective is not None and objective.by_region else "{{scope}}"
    return {
        "type": kind,
        "title": title,
        "datasource": _DATASOURCE,
        "gridPos": {"x": left, "y": top, "w": width, "h": height},
        "fieldConfig": {"defaults": {"noValue": "no data", **field}, "overrides": []},
        "options": {},
        "targets": [
            {"refId": chr(ord("A") + number), "datasource": _DATASOURCE, "expr": query,
             "legendFormat": legend if len(queries) == 1 else f"{legend} {_span_of(query)}"}
            for number, query in enumerate(queries)
        ],
    }  # fmt: skip


def _span_of(query: str) -> str:
    """Give the window in a record's name: `ratio_rate1h` -> `1h`."""
    return query.partition("{")[0].rpartition("rate")[2]


def _budget_field() -> Plain:
    steps = [(None, BAD_COLOUR), (0.0, WARNING_COLOUR), (0.25, GOOD_COLOUR)]
    return {"unit": "percentunit", "max": 1, **_thresholds(steps)}


def _burn_field(objective: Objective) -> Plain:
    slow, fast = RULES[-1].factor(objective.window), RULES[0].factor(objective.window)
    return {"unit": "none", "min": 0, **_thresholds([(None, GOOD_COLOUR), (slow, WARNING_COLOUR), (fast, BAD_COLOUR)])}


def _share_field() -> Plain:
    return {"unit": "percentunit", "min": 0}


def _thresholds(steps: list[tuple[float | None, str]]) -> Plain:
    return {"thresholds": {"mode": "absolute", "steps": [{"value": value, "color": colour} for value, colour in steps]}}


def _dashboard(uid: str, title: str, panels: list[Plain], since: str) -> Plain:
    numbered = [{"id": number, **panel} for number, panel in enumerate(panels, 1)]
    return {
        "uid": uid,
        "title": title,
        "tags": ["anycastle", "slo"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "timezone": "utc",
        "refresh": "1m",
        "time": {"from": since, "to": "now"},
        "templating": {
            "list": [{"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}]
        },
        "annotations": {"list": []},
        "panels": numbered,
    }


def queries(dashboard: Plain) -> list[str]:
    """Give every query of a dashboard."""
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
