"""Objectives as Prometheus's recording and alerting rules, with the tests that `promtool` runs of them.

The rules read two counters: `anycastle_slo_events_total` and `anycastle_slo_good_events_total`, with the labels
`service`, `objective` and `region`; other names may be given. Recorded are the shares of bad events over each window
and the events of the long ones. An alert asks both windows of a burn rate and the minimum count, as `slo.burn` does. A
series of good events that is missing while there are events counts as none good, not as no data.

Prometheus has no calendar: a calendar window becomes a rolling one of the same length.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from anycastle.base.errors import MisuseError
from anycastle.model.objective import Objective, Window, format_share, format_window
from anycastle.slo.burn import (
    BASELINE_FACTOR,
    EXHAUSTION_S,
    GUIDE,
    RULES,
    BurnRule,
    Severity,
    minimum_of,
)
from anycastle.slo.engine import NO_DATA_S
from anycastle.slo.minimum_counts import minimum_count
from anycastle.slo.words import span_short

EVENTS: Final = "anycastle_slo_events_total"
GOOD: Final = "anycastle_slo_good_events_total"

LEFT: Final = "slo:error_budget_left:ratio"
BURN_RATE: Final = "slo:burn_rate:ratio_rate1h"
ERROR: Final = "slo:sli_error:ratio_rate"
"""Share of bad events; behind it the span, such as `6h`."""
COUNTED: Final = "slo:events:increase"
"""Events; behind it the span."""

BURN: Final = "AnycastleBudgetBurn"
SILENT: Final = "AnycastleObjectiveSilent"

Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Counters:
    """The names of the two counters."""

    events: str = EVENTS
    good: str = GOOD


def rules(objectives: Iterable[Objective], counters: Counters = Counters()) -> Plain:
    """Give a rule file: for each objective a group of records and a group of alerts."""
    groups: list[Plain] = []
    for objective in objectives:
        name = f"{objective.service}-{objective.name}"
        groups.append({"name": f"slo-records-{name}", "rules": _records(objective, counters)})
        groups.append({"name": f"slo-alerts-{name}", "rules": _alerts(objective, counters)})
    return {"groups": groups}


def _scopes(objective: Objective) -> tuple[str, ...]:
    return ("global", "region") if objective.by_region else ("global",)


def _labels(objective: Objective, scope: str) -> dict[str, str]:
    return {"service": objective.service, "objective": objective.name, "scope": scope}


def _selector(objective: Objective, scope: str) -> str:
    return "{" + ",".join(f'{key}="{value}"' for key, value in _labels(objective, scope).items()) + "}"


def window_text(window: Window) -> str:
    """Give a window as Prometheus writes it."""
    return span_short(window.length_s)


def _records(objective: Objective, counters: Counters) -> list[Plain]:
    spans = sorted({span for rule in RULES for span in (rule.long_s, rule.short_s)} | {objective.window.length_s})
    long = sorted({rule.long_s for rule in RULES})
    found: list[Plain] = []
    for scope in _scopes(objective):
        labels = _labels(objective, scope)
        summed = "sum by (region)" if scope == "region" else "sum"
        selector = f'{{service="{objective.service}",objective="{objective.name}"}}'
        for span_s in spans:
            window = span_short(span_s)
            events = f"{summed} (rate({counters.events}{selector}[{window}]))"
            good = f"{summed} (rate({counters.good}{selector}[{window}]))"
            # `or`: no good event at all has no series of its own.
            expression = f"1 - (({good} or 0 * {events}) / {events})"
            found.append({"record": f"{ERROR}{window}", "expr": expression, "labels": labels})
        for span_s in long:
            window = span_short(span_s)
            expression = f"{summed} (increase({counters.events}{selector}[{window}]))"
            found.append({"record": f"{COUNTED}{window}", "expr": expression, "labels": labels})
        found += _outlook(objective, scope, labels)
    return found


def _outlook(objective: Objective, scope: str, labels: dict[str, str]) -> list[Plain]:
    selector, window = _selector(objective, scope), window_text(objective.window)
    budget = f"{objective.budget:.12g}"
    return [
        {
            "record": LEFT,
            "expr": f"1 - {ERROR}{window}{selector} / {budget}",
            "labels": labels,
        },
        {
            "record": BURN_RATE,
            "expr": f"{ERROR}1h{selector} / {budget}",
            "labels": labels,
        },
    ]


def _alerts(objective: Objective, counters: Counters) -> list[Plain]:
    found: list[Plain] = []
    for scope in _scopes(objective):
        found += _burn_alerts(objective, scope)
        found.append(_guide_alert(objective, scope))
    selector = f'{{service="{objective.service}",objective="{objective.name}"}}'
    found.append(
        {
            "alert": SILENT,
            "expr": f"(sum (increase({counters.events}{selector}[{span_short(NO_DATA_S)}])) or vector(0)) == 0",
            "for": "5m",
            "labels": {"severity": Severity.TICKET.value, "service": objective.service, "objective": objective.name},
            "annotations": {"summary": f"{objective.service} {objective.name}: nothing was measured"},
        }
    )
    return found


def _alert(objective: Objective, scope: str, expression: str, tier: str, severity: Severity) -> Plain:
    where = " in {{ $labels.region }}" if scope == "region" else ""
    promise = f"{format_share(objective.target)} over {format_window(objective.window)}"
    return {
        "alert": BURN,
        "expr": expression,
        "labels": {"severity": severity.value, "burnrate_tier": tier, **_labels(objective, scope)},
        "annotations": {
            "summary": f"{objective.service} {objective.name}{where}: the budget of {promise} goes too fast ({tier})",
        },
    }


def _burn_alerts(objective: Objective, scope: str) -> list[Plain]:
    """Give the alerts of all burn rates but those that can never fire with this target."""
    found = []
    for rule in RULES:
        with suppress(MisuseError):
            found.append(_burn_alert(objective, scope, rule))
    return found


def _burn_alert(objective: Objective, scope: str, rule: BurnRule) -> Plain:
    """Give the alert of a burn rate. Raises `MisuseError` where it can never fire."""
    minimum = minimum_of(rule, objective)
    mark = f"{rule.factor(objective.window) * objective.budget:.12g}"
    selector = _selector(objective, scope)
    long, short = span_short(rule.long_s), span_short(rule.short_s)
    expression = (
        f"{ERROR}{long}{selector} >= {mark}"
        f" and {ERROR}{short}{selector} >= {mark}"
        f" and {COUNTED}{long}{selector} >= {minimum:g}"
    )
    return _alert(objective, scope, expression, rule.name, rule.severity)


def _guide_alert(objective: Objective, scope: str) -> Plain:
    """Give the alert of three times the usual rate and a budget that is spent within a day.

    The minimum is that of a service whose whole budget is left: the most that the rule asks for elsewhere.
    """
    selector = _selector(objective, scope)
    days = objective.window.length_s / EXHAUSTION_S
    minimum = objective.minimum_events
    if minimum is None:
        minimum = float(minimum_count(objective.budget, BASELINE_FACTOR, 3600).events)
    rate = f"{BURN_RATE}{selector}"
    usual = f"quantile_over_time(0.5, {rate}[7d] offset 1h)"
    expression = (
        f"{rate} > 0"
        f" and {rate} >= {BASELINE_FACTOR:g} * {usual}"
        f" and {rate} >= {LEFT}{selector} * {days:g}"
        f" and {COUNTED}1h{selector} >= {minimum:g}"
    )
    return _alert(objective, scope, expression, GUIDE, Severity.PAGE)


def rule_tests(objectives: Iterable[Objective], rule_file: str, counters: Counters = Counters()) -> Plain:
    """Give a file of `promtool test rules`: of each objective a good time, a burning one, and one of few events."""
    cases: list[Plain] = []
    known = list(objectives)
    for objective in known:
        silent = [_silent(each) for each in known if each is not objective]
        cases.append(_case_good(objective, counters, silent))
        cases.append(_case_burning(objective, counters))
        cases.append(_case_few(objective, counters, silent))
        cases.append(_case_nothing_good(objective, counters))
    return {"rule_files": [rule_file], "evaluation_interval": "1m", "tests": cases}


_RATE: Final = 100_000
"""Events a minute of the tests: more than any minimum."""


def _inputs(objective: Objective, counters: Counters, events: str, good: str) -> list[Plain]:
    selector = f'{{service="{objective.service}",objective="{objective.name}",region="eu"}}'
    return [
        {"series": f"{counters.events}{selector}", "values": events},
        {"series": f"{counters.good}{selector}", "values": good},
    ]


def _ask(minute: int, alert: str, expected: list[Plain]) -> Plain:
    return {"eval_time": f"{minute}m", "alertname": alert, "exp_alerts": expected}


def _case_good(objective: Objective, counters: Counters, silent: list[Plain]) -> Plain:
    """Everything is good; the other objectives have no series, and say so."""
    steady = f"0+{_RATE}x180"
    return {
        "interval": "1m",
        "input_series": _inputs(objective, counters, steady, steady),
        "alert_rule_test": [_ask(120, BURN, []), _ask(120, SILENT, silent)],
    }


def _case_burning(objective: Objective, counters: Counters) -> Plain:
    """Everything fails from the third hour on: ten minutes later the windows of the fast rule are past any mark."""
    events, good = f"0+{_RATE}x240", f"0+{_RATE}x180 {180 * _RATE}+0x60"
    return {
        "interval": "1m",
        "input_series": _inputs(objective, counters, events, good),
        "alert_rule_test": [_ask(240, BURN, _expected(objective, minute=240))],
    }


def _expected(objective: Objective, minute: int) -> list[Plain]:
    """Give the alerts of a history that is good for three hours and then bad altogether, worked out by hand."""
    found: list[Plain] = []
    bad_minutes = minute - 180
    for scope in _scopes(objective):
        for rule in RULES:
            seen = min(minute, rule.long_s / 60)
            share = min(bad_minutes, seen) / seen
            try:
                alert = _burn_alert(objective, scope, rule)
            except MisuseError:
                continue
            if share >= rule.factor(objective.window) * objective.budget:
                found.append(_as_expected(objective, scope, alert))
        # The baseline: the good hours are the most of those before; the last hour is left out by the offset.
        found.append(_as_expected(objective, scope, _guide_alert(objective, scope)))
    return found


def _as_expected(objective: Objective, scope: str, alert: Plain) -> Plain:
    labels = {**_labels(objective, scope), **alert["labels"], **({"region": "eu"} if scope == "region" else {})}
    summary = alert["annotations"]["summary"].replace("{{ $labels.region }}", "eu")
    return {"exp_labels": labels, "exp_annotations": {"summary": summary}}


def _case_few(objective: Objective, counters: Counters, silent: list[Plain]) -> Plain:
    """One single event, and it is bad: no burn; silence only when it is long past."""
    return {
        "interval": "1m",
        "input_series": _inputs(objective, counters, "0x10 1x300", "0x310"),
        "alert_rule_test": [
            _ask(12, BURN, []),
            _ask(14, SILENT, silent),
            _ask(120, SILENT, [*silent, _silent(objective)]),
        ],
    }


def _case_nothing_good(objective: Objective, counters: Counters) -> Plain:
    """The worst there is: no event was ever good, and their counter has no series. All rates are at their greatest.

    The rule by what is usual is silent: there is no usual rate yet.
    """
    expected = [
        _as_expected(objective, scope, alert)
        for scope in _scopes(objective)
        for alert in _burn_alerts(objective, scope)
    ]
    return {
        "interval": "1m",
        "input_series": _inputs(objective, counters, f"0+{_RATE}x60", "")[:1],
        "alert_rule_test": [_ask(60, BURN, expected)],
    }


def _silent(objective: Objective) -> Plain:
    return {
        "exp_labels": {"severity": "ticket", "service": objective.service, "objective": objective.name},
        "exp_annotations": {"summary": f"{objective.service} {objective.name}: nothing was measured"},
    }
