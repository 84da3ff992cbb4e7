"""A labelled history through the burn-rate rules: how often each cries wolf, and how long it needs when there is one.

An alarm is a run of moments at which a rule fires; runs less than `JOIN_S` apart are one. It is true where it overlaps
an incident, or begins while the rule's long window still holds a part of one; else it is false. The delay is from an
incident's beginning to the first moment at which the rule fires within it. Labels are wide by nature: a delay is
against the label, not against the first bad event.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final, NamedTuple

import numpy as np

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.model.objective import Objective
from anycastle.slo.budget import budget_at
from anycastle.slo.burn import RULES, Firing, Severity, judge, judge_guide, minimum_of
from anycastle.slo.minimum_counts import HEALTHY, MONTH_S
from anycastle.slo.series import Cell, Events, Series

JOIN_S: Final = 3600.0
LEARNING: Final = 0.15
"""Part of a history that a threshold is learned from: as the Numenta Anomaly Benchmark has it."""


class Incident(NamedTuple):
    """A labelled span."""

    start: Timestamp
    end: Timestamp


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one rule did."""

    rule: str
    severity: Severity
    minimum: float | None
    """Events; None where the rule can never fire with this target."""
    false_alarms: int
    false_per_month: float
    detected: int
    incidents: int
    delays_s: tuple[float, ...]
    silent: float
    """Part of the moments at which there were fewer events than the minimum."""

    @property
    def delay_s(self) -> float | None:
        """Give the middle delay; None where nothing was detected."""
        return median(self.delays_s) if self.delays_s else None


def learned_threshold(values: Sequence[float]) -> float:
    """Give the greatest value of the history's first part. Raises `MisuseError` of too short a one."""
    first = values[: int(len(values) * LEARNING)]
    if len(first) < 100:
        raise MisuseError(f"a threshold is learned from at least 100 values, not {len(first)}")
    return max(first)


def slices(rows: Sequence[tuple[Timestamp, float]], bad_above: float) -> list[Cell]:
    """Give one event a row: bad where the value is above a threshold."""
    return [Cell(at, Events(float(value <= bad_above), 1.0)) for at, value in rows]


def counted(
    rows: Sequence[tuple[Timestamp, float]],
    incidents: Sequence[Incident],
    objective: Objective,
    bad_in_incident: float,
    randomness: np.random.Generator,
) -> list[Cell]:
    """Give the row's number of events, each bad by chance: as a healthy service's, or as in an incident."""
    cells = []
    for at, value in rows:
        number = max(0, round(value))
        within = any(start < at <= end for start, end in incidents)
        bad = int(randomness.binomial(number, bad_in_incident if within else HEALTHY * objective.budget))
        cells.append(Cell(at, Events(float(number - bad), float(number))))
    return cells


def replay(objective: Objective, cells: Sequence[Cell], incidents: Sequence[Incident]) -> list[Outcome]:
    """Give how each rule does on a history."""
    series = Series(objective.window.length_s * 1.1)
    firing: dict[str, list[Timestamp]] = {}
    few: dict[str, int] = {}
    severity: dict[str, Severity] = {}
    for cell in cells:
        series.add(cell.at, cell.events)
        budget = budget_at(objective, series, cell.at)
        burns = [judge(rule, objective, series, cell.at) for rule in RULES]
        for burn in (*burns, judge_guide(objective, series, budget, cell.at)):
            severity[burn.name] = burn.severity
            if burn.firing is Firing.YES:
                firing.setdefault(burn.name, []).append(cell.at)
            few[burn.name] = few.get(burn.name, 0) + (burn.firing in (Firing.TOO_FEW, Firing.NO_DATA))
    span_s = cells[-1].at - cells[0].at if len(cells) > 1 else 0.0
    months = max(span_s - sum(each.end - each.start for each in incidents), 1.0) / MONTH_S
    return [
        _outcome(name, each, objective, firing.get(name, []), incidents, months, few[name] / len(cells))
        for name, each in severity.items()
    ]


def _outcome(
    rule: str,
    severity: Severity,
    objective: Objective,
    moments: Sequence[Timestamp],
    incidents: Sequence[Incident],
    months: float,
    silent: float,
) -> Outcome:
    found = next((each for each in RULES if each.name == rule), None)
    memory_s = found.long_s if found else 3600.0
    false = sum(
        not any(first <= end + memory_s and last >= start for start, end in incidents) for first, last in _runs(moments)
    )
    delays = [
        moment - start
        for start, end in incidents
        if (moment := next((each for each in moments if start <= each <= end), None)) is not None
    ]
    minimum: float | None
    try:
        minimum = minimum_of(found, objective) if found else objective.minimum_events
    except MisuseError:
        minimum = None
    return Outcome(rule, severity, minimum, false, false / months, len(delays), len(incidents), tuple(delays), silent)


def _runs(moments: Sequence[Timestamp]) -> list[tuple[Timestamp, Timestamp]]:
    runs: list[tuple[Timestamp, Timestamp]] = []
    for moment in moments:
        if runs and moment - runs[-1][1] <= JOIN_S:
            runs[-1] = (runs[-1][0], moment)
        else:
            runs.append((moment, moment))
    return runs


def without_minimum(objective: Objective) -> Objective:
    """Give the objective with rules that fire on a single event: for comparison."""
    return replace(objective, minimum_events=1.0)
