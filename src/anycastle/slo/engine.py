"""Objectives over scopes: cells in, evaluations and alerts out.

A scope is `global` or a region; the global series is the sum of the regions', not their mean. An alert is a statement
about one objective and scope at a time; who is told, once or again, is `response`'s to decide. What was measured in
planned maintenance or after a change of our own is set apart here, when it comes in, by `contexts` that say so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.model.objective import Objective, Planned
from anycastle.slo.budget import Budget, budget_at
from anycastle.slo.burn import GUIDE, RULES, Burn, Firing, Severity, judge, judge_guide
from anycastle.slo.reading import GLOBAL
from anycastle.slo.series import Events, Series
from anycastle.slo.words import span_in_words

NO_DATA_S: Final = 900.0
"""Seconds without an event after which that is an alert of its own: three rounds of five minutes."""

SCOPES_MAX: Final = 200
"""Regions of one objective."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A statement that somebody should know."""

    objective: str
    service: str
    scope: str
    rule: str
    """A burn rule's name, or `no-data`."""
    severity: Severity
    summary: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One objective and scope at a moment."""

    objective: Objective
    scope: str
    at: Timestamp
    budget: Budget
    burns: tuple[Burn, ...]
    silent_s: float | None
    """Since the last event; None where there never was one."""

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Give what somebody should know, pages first."""
        fired = [burn for burn in self.burns if burn.firing is Firing.YES]
        found = [self._alert(burn.name, burn.severity, self._words(burn)) for burn in fired]
        if self.silent_s is None or self.silent_s >= NO_DATA_S:
            since = "" if self.silent_s is None else f" for {span_in_words(self.silent_s)}"
            found.append(self._alert("no-data", Severity.TICKET, f"nothing was measured{since}"))
        return tuple(sorted(found, key=lambda alert: alert.severity is not Severity.PAGE))

    def _alert(self, rule: str, severity: Severity, words: str) -> Alert:
        where = "" if self.scope == GLOBAL else f" in {self.scope}"
        summary = f"{self.objective.service} {self.objective.name}{where}: {words}"
        return Alert(self.objective.name, self.objective.service, self.scope, rule, severity, summary)

    def _words(self, burn: Burn) -> str:
        rate = f"{burn.short_rate:.1f}" if burn.short_rate is not None else "?"
        why = f" ({burn.note}, more than three times that)" if burn.name == GUIDE and burn.factor else ""
        return f"the budget goes at {rate} times the rate it is made for{why}; {self.budget.words}"


@dataclass(frozen=True, slots=True)
class Context:
    """A span in which what is measured has a reason that is known."""

    start: Timestamp
    end: Timestamp
    maintenance: bool
    """Planned maintenance; else a change of our own, of which convergence is awaited."""
    regions: frozenset[str] = frozenset()
    """Of which it is a reason; all where none is named."""


class SLOEngine:
    """All objectives of a fleet."""

    def __init__(self, objectives: Iterable[Objective]) -> None:
        self.objectives: Mapping[str, Objective] = {each.name: each for each in objectives}
        self._series: dict[tuple[str, str], Series] = {}

    def take(self, name: str, at: Timestamp, by_region: Mapping[str, Events], contexts: Iterable[Context] = ()) -> None:
        """Take the events of a cell, by region ('' for one without). Raises `MisuseError` for an unknown objective."""
        objective = self.objectives.get(name)
        if objective is None:
            raise MisuseError(f"there is no objective {name!r}")
        known = tuple(contexts)
        counted = {region: _set_apart(objective, region, at, events, known) for region, events in by_region.items()}
        whole = Events()
        for region, events in counted.items():
            whole = whole.plus(events)
            if objective.by_region and region:
                self._add(objective, region, at, events)
        self._add(objective, GLOBAL, at, whole)

    def _add(self, objective: Objective, scope: str, at: Timestamp, events: Events) -> None:
        key = (objective.name, scope)
        series = self._series.get(key)
        if series is None:
            if sum(name == objective.name for name, _ in self._series) >= SCOPES_MAX:
                raise MisuseError(f"{objective.name}: more than {SCOPES_MAX} regions")
            series = self._series[key] = Series(max(objective.window.length_s * 1.1, 8 * 86_400.0))
        series.add(at, events)

    def series(self, name: str, scope: str) -> Series:
        """Give the series of one objective and scope; an empty one where nothing came yet."""
        found = self._series.get((name, scope))
        return Series(self.objectives[name].window.length_s) if found is None else found

    def evaluate(self, now: Timestamp) -> list[Evaluation]:
        """Ask all rules of all objectives and scopes, the global scope of each first."""
        found = []
        for name, objective in self.objectives.items():
            scopes = [scope for each, scope in self._series if each == name] or [GLOBAL]
            scopes.sort(key=lambda each: (each != GLOBAL, each))
            found += [self._evaluate(objective, scope, now) for scope in scopes]
        return found

    def _evaluate(self, objective: Objective, scope: str, now: Timestamp) -> Evaluation:
        series = self.series(objective.name, scope)
        budget = budget_at(objective, series, now)
        burns = tuple(judge(rule, objective, series, now) for rule in RULES)
        guide = judge_guide(objective, series, budget, now)
        last = _last_event(series, now)
        return Evaluation(objective, scope, now, budget, (*burns, guide), None if last is None else now - last)


def _last_event(series: Series, now: Timestamp) -> Timestamp | None:
    """Give about when the last event came: cells without any are silence as well."""
    if series.over(now, NO_DATA_S).total > 0:
        return now if series.last_at is None else min(now, series.last_at)
    for number in range(2, 97):
        if series.over(now, NO_DATA_S * number).total > 0:
            return Timestamp(now - NO_DATA_S * (number - 1))
    return None


def _set_apart(
    objective: Objective, region: str, at: Timestamp, events: Events, contexts: tuple[Context, ...]
) -> Events:
    """Give the events with what has a known reason set apart, as the objective has it."""
    for context in contexts:
        # A cell that ends just as a span begins lies before it: it is of what happened until then.
        if not context.start < at or (context.regions and region not in context.regions):
            continue
        if context.maintenance and objective.maintenance is Planned.EXCLUDED and at <= context.end:
            return Events(excluded=events.excluded + events.total)
        if not context.maintenance and at <= context.start + objective.convergence_s:
            return events._replace(allowed=events.bad)
    return events
