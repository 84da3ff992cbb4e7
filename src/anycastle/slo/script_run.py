"""Run a script: load its series into the engine cell by cell, and compare at each moment."""

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.slo.burn import burn_rate
from anycastle.slo.engine import Context, Evaluation, SLOEngine
from anycastle.slo.reading import GLOBAL
from anycastle.slo.script import Expectation, Load, Moment, Script
from anycastle.slo.series import Events

_COMPARISONS: Final = MappingProxyType({">=": operator.ge, "<=": operator.le})


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that was not met."""

    where: str
    words: str


def run(script: Script) -> list[Failure]:
    """Give what was not met; none where all was."""
    engine = SLOEngine(script.objectives.values())
    cells = sorted(
        (
            (at_s, objective, by_region)
            for objective in script.objectives
            for at_s, by_region in _cells([load for load in script.loads if load.objective == objective]).items()
        ),
        key=lambda cell: cell[:2],
    )
    contexts = [
        Context(
            Timestamp(script.start + span.start_s),
            Timestamp(script.start + span.end_s),
            span.maintenance,
            frozenset({span.region} if span.region else ()),
        )
        for span in script.spans
    ]
    failures: list[Failure] = []
    loaded = 0
    for moment in sorted(script.moments, key=lambda each: each.at_s):
        while loaded < len(cells) and cells[loaded][0] <= moment.at_s:
            at_s, objective, by_region = cells[loaded]
            engine.take(objective, Timestamp(script.start + at_s), by_region, contexts)
            loaded += 1
        failures += _compare(moment, engine, Timestamp(script.start + moment.at_s))
    return failures


def _cells(loads: list[Load]) -> dict[float, dict[str, Events]]:
    """Give the events of each cell by region; a cell ends a cell's length after it began."""
    cells: dict[float, dict[str, Events]] = {}
    for load in loads:
        for number, value in enumerate(load.values, 1):
            if value is None:
                continue
            by_region = cells.setdefault(round(number * load.cell_s, 6), {})
            more = Events(value if load.good else 0.0, value)
            by_region[load.region] = by_region.get(load.region, Events()).plus(more)
    return cells


def _compare(moment: Moment, engine: SLOEngine, now: Timestamp) -> list[Failure]:
    found = {each.scope: each for each in engine.evaluate(now) if each.objective.name == moment.objective}
    failures = _compare_alerts(moment, found)
    for expectation in moment.expectations:
        evaluation = found.get(expectation.scope)
        if expectation.kind in ("alert", "no alerts"):
            continue
        if evaluation is None:
            known = ", ".join(found)
            failures.append(Failure(expectation.where, f"there is no scope {expectation.scope!r}; there are {known}"))
        elif expectation.kind == "state":
            failures += _compare_state(expectation, evaluation)
        else:
            failures += _compare_value(expectation, engine, evaluation)
    return failures


def _compare_alerts(moment: Moment, found: Mapping[str, Evaluation]) -> list[Failure]:
    expected = [each for each in moment.expectations if each.kind == "alert"]
    if not expected and not any(each.kind == "no alerts" for each in moment.expectations):
        return []
    seen = {
        (alert.severity.value, alert.rule, alert.scope): alert.summary
        for evaluation in found.values()
        for alert in evaluation.alerts
    }
    failures = []
    for each in expected:
        if seen.pop((each.severity.value, each.rule, each.scope), None) is None:
            why = _why_not(each, found)
            failures.append(Failure(each.where, f"no alert {each.severity.value} {each.rule} {each.scope}{why}"))
    return failures + [
        Failure(moment.where, f"an alert that was not expected: {' '.join(key)} ({summary})")
        for key, summary in sorted(seen.items())
    ]


def _why_not(expectation: Expectation, found: Mapping[str, Evaluation]) -> str:
    evaluation = found.get(expectation.scope)
    if evaluation is None:
        return f"; there is no scope {expectation.scope!r}"
    burn = next((each for each in evaluation.burns if each.name == expectation.rule), None)
    if burn is None:
        return ""
    rates = ", ".join("nothing" if rate is None else f"{rate:.2f}" for rate in (burn.short_rate, burn.long_rate))
    return (
        f": {burn.firing.value}; rates {rates} against {burn.factor:g}; {burn.events:g} events,"
        f" minimum {burn.minimum:g}" + (f"; {burn.note}" if burn.note else "")
    )


def _compare_state(expectation: Expectation, evaluation: Evaluation) -> list[Failure]:
    burn = next(each for each in evaluation.burns if each.name == expectation.rule)
    if burn.firing is expectation.firing:
        return []
    words = f"{burn.name} {evaluation.scope} is {burn.firing.value}, not {expectation.firing.value}"
    return [Failure(expectation.where, f"{words}; {burn.events:g} events, minimum {burn.minimum:g}")]


def _compare_value(expectation: Expectation, engine: SLOEngine, evaluation: Evaluation) -> list[Failure]:
    value = (
        evaluation.budget.left
        if expectation.kind == "budget"
        else burn_rate(
            engine.series(evaluation.objective.name, evaluation.scope),
            evaluation.at,
            expectation.span_s,
            evaluation.objective.budget,
        )
    )
    name = f"{expectation.kind} {evaluation.scope}" if evaluation.scope != GLOBAL else expectation.kind
    if value is None:
        return [Failure(expectation.where, f"{name}: no data")]
    if expectation.comparison == "=":
        met = abs(value - expectation.value) <= expectation.within + 1e-9
    else:
        slack = expectation.within + 1e-9
        met = _COMPARISONS[expectation.comparison](
            value + (slack if expectation.comparison == ">=" else -slack), expectation.value
        )
    if met:
        return []
    form = "{:.3%}" if expectation.kind == "budget" else "{:.3f}"
    wanted = f"{expectation.comparison} {form.format(expectation.value)}"
    return [Failure(expectation.where, f"{name} is {form.format(value)}, not {wanted}")]
