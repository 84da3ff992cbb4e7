"""What was promised and what is left, and charts of it: as a Prometheus has it."""

from collections.abc import Iterable
from math import isfinite
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime

from anycastle.base.errors import WorldError
from anycastle.io.prometheus_answer import Course, Sample
from anycastle.model.objective import Objective, format_window
from anycastle.slo.charts import CHARTS
from anycastle.slo.indicators.indicator import Indicator
from anycastle.slo.indicators.table import INDICATORS
from anycastle.slo.outlook import Outlook, outlooks
from anycastle.web.admission import Admitted
from anycastle.web.budget_shapes import BudgetsShape, ChartShape
from anycastle.web.identity import Asker
from anycastle.web.parts import PartsOf
from anycastle.web.problems import Problem, ProblemKind

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["objectives"])

LENGTH_S_MIN: Final = 15.0
LENGTH_S_MAX: Final = 92 * 86_400.0
"""A quarter: the longest window of an objective."""

ChartName = Literal[
    "budget_left", "burn_rate", "edge_latency", "disrupted_sessions", "cache_hits", "scrubbed", "cpu", "drops"
]
assert set(ChartName.__args__) == set(CHARTS)  # type: ignore[attr-defined]  # of a Literal


@ROUTER.get("/budgets", response_model=BudgetsShape)
async def budgets(parts: PartsOf, asker: Asker) -> Any:
    """Tell what is left of each budget, how fast it goes, and what clients get, as a Prometheus knows it."""
    fleet, promised = await parts.desired(), parts.budgets.promised
    objectives = [
        each
        for each in (fleet.objectives if fleet is not None else ())
        if asker.grant.covers(frozenset({each.service}))
    ]
    readings = promised.readings if asker.grant.services is None else ()
    return {
        "asked": parts.budgets.asks,
        "every_s": parts.budgets.every_s,
        "at": promised.at,
        "trouble": promised.trouble or None,
        "budgets": [_budget(each) for each in outlooks(objectives, promised.recorded, promised.firing)],
        "readings": list(_readings(readings)),
        "traffic": list(_traffic(readings)),
    }


@ROUTER.get("/charts/{name}", response_model=ChartShape)
async def chart(
    parts: PartsOf,
    asker: Asker,
    name: Annotated[ChartName, Path()],
    to: Annotated[AwareDatetime, Query(description="where it ends")],
    length_s: Annotated[float, Query(ge=LENGTH_S_MIN, le=LENGTH_S_MAX, description="seconds up to there")] = 3600.0,
    service: Annotated[str | None, Query(max_length=253, description="of one service alone")] = None,
) -> Any:
    """Show one series over time, as a Prometheus has it. Those that concern all services are not for limited roles."""
    end = to.timestamp()
    what = CHARTS[name]
    services = asker.grant.services
    if service is not None and what.by_service:
        services = frozenset({service}) if asker.grant.covers(frozenset({service})) else frozenset()
    if not what.by_service and asker.grant.services is not None:
        raise Problem(ProblemKind.NOT_ALLOWED, f"{name} concerns all services, and your role is limited to some")
    items: Iterable[Course] = ()
    if parts.budgets.asks and services != frozenset():
        try:
            items = await parts.budgets.course(name, end - length_s, end, services)
        except WorldError as error:
            raise Problem(ProblemKind.UNAVAILABLE, f"the Prometheus does not answer: {error}") from error
    return {
        "name": name,
        "unit": what.unit,
        "how": what.how,
        "asked": parts.budgets.asks,
        "items": [
            {"labels": _told(each.labels), "points": [_point(*point) for point in each.points]} for each in items
        ],
    }


TRAFFIC: Final = "anycastle_traffic_"

_PLUMBING: Final = frozenset({"__name__", "job", "instance", "indicator"})


def _told(labels: Any) -> dict[str, str]:
    """Give the labels that tell one series from another to a person."""
    return {name: value for name, value in labels.items() if name not in _PLUMBING}


def _point(at: float, value: float) -> tuple[float, float | None]:
    return at, value if isfinite(value) else None


def _budget(each: Outlook) -> dict[str, Any]:
    objective, exhausted_in_s = each.objective, each.exhausted_in_s
    indicator = INDICATORS[objective.indicator]
    return {
        "service": objective.service,
        "objective": objective.name,
        "region": each.region or None,
        "indicator": objective.indicator,
        "definition": _definition(indicator, objective),
        "source": indicator.source,
        "excludes": _excludes(indicator),
        "target": objective.target,
        "window": format_window(objective.window),
        "state": each.standing.value,
        "left": each.left,
        "good": None if each.bad is None else 1 - each.bad,
        "burn": dict(each.burn),
        "events": each.events,
        "exhausted_in_s": exhausted_in_s if isfinite(exhausted_in_s) else None,
        "words": each.words,
        "alerts": list(each.alerts),
    }


def _definition(indicator: Indicator, objective: Objective) -> str:
    within = "" if objective.threshold_ms is None else f" Good within {objective.threshold_ms:g} ms."
    return f"{indicator.id}: {indicator.definition}{within}"


def _excludes(indicator: Indicator) -> list[str]:
    return [f"{what}: {why}" for what, why in indicator.excludes]


def _traffic(samples: Iterable[Sample]) -> Iterable[dict[str, Any]]:
    """Add up what all collectors counted."""
    found: dict[str, dict[str, float]] = {}
    for each in samples:
        what = each.labels.get("__name__", "").removeprefix(TRAFFIC)
        if what in ("offered", "scrubbed"):
            row = found.setdefault(each.labels.get("unit", ""), {"offered": 0.0, "scrubbed": 0.0})
            row[what] += each.value
    return ({"unit": unit, **row} for unit, row in sorted(found.items()))


def _readings(samples: Iterable[Sample]) -> Iterable[dict[str, Any]]:
    """Put value, ends and count of each reading together. Of several collectors, the one that has counted most tells:
    their figures cannot be joined after the fact."""
    found: dict[tuple[str, str, str], dict[str, dict[str, float]]] = {}
    for each in samples:
        key = (each.labels.get("indicator", ""), each.labels.get("scope", ""), each.labels.get("of", ""))
        kind = each.labels.get("__name__", "").rpartition("_")[2]
        if isfinite(each.value):
            found.setdefault(key, {}).setdefault(each.labels.get("instance", ""), {})[kind] = each.value
    for (name, scope, of), by_instance in sorted(found.items()):
        indicator = INDICATORS.get(name)
        if indicator is None:
            continue
        told = max(by_instance.values(), key=lambda values: values.get("count", 0.0))
        yield {
            "indicator": indicator.id,
            "name": name,
            "scope": scope,
            "of": of,
            "unit": indicator.unit,
            "value": told.get("value"),
            "low": told.get("low"),
            "high": told.get("high"),
            "count": told.get("count", 0.0),
            "counts": indicator.counts,
            "definition": indicator.definition,
            "source": indicator.source,
            "excludes": _excludes(indicator),
        }
