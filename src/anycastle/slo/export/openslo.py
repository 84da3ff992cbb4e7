"""Objectives as OpenSLO v1 (https://github.com/OpenSLO/OpenSLO), written and read.

What OpenSLO has no word for stands in annotations `anycastle/NAME`, so that what was written is read back the same. Of
documents by others the ratio of a service, a target and a window are read; what cannot be followed (time slices,
composite objectives) is refused by name.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from anycastle.base.errors import ParseError
from anycastle.model.objective import (
    INDICATOR_NAMES,
    TIMED,
    Objective,
    Period,
    Planned,
    Window,
    format_window,
    parse_window,
)
from anycastle.slo.export.prometheus import Counters

VERSION: Final = "openslo/v1"
_PREFIX: Final = "anycastle/"
_PERIODS: Final = {Period.WEEK: "1w", Period.MONTH: "1M", Period.QUARTER: "1Q"}
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")

Plain = dict[str, Any]


def document(objective: Objective, counters: Counters = Counters()) -> Plain:
    """Give one objective as a document of kind SLO."""
    annotations = {
        f"{_PREFIX}objective": objective.name,
        f"{_PREFIX}indicator": objective.indicator,
        f"{_PREFIX}by-region": str(objective.by_region).lower(),
        f"{_PREFIX}maintenance": objective.maintenance.value,
        f"{_PREFIX}convergence-s": f"{objective.convergence_s:g}",
    }
    if objective.threshold_ms is not None:
        annotations[f"{_PREFIX}threshold-ms"] = f"{objective.threshold_ms:g}"
    if objective.minimum_events is not None:
        annotations[f"{_PREFIX}minimum-events"] = f"{objective.minimum_events:.17g}"
    slug = re.sub(r"[^a-z0-9-]+", "-", f"{objective.service}-{objective.name}".lower()).strip("-")[:63]
    selector = f'{{service="{objective.service}",objective="{objective.name}"}}'
    return {
        "apiVersion": VERSION,
        "kind": "SLO",
        "metadata": {
            "name": slug,
            "displayName": f"{objective.service} {objective.name}",
            "annotations": annotations,
        },
        "spec": {
            "description": f"{objective.indicator} of {objective.service} over {format_window(objective.window)}",
            "service": objective.service,
            "indicator": {
                "metadata": {"name": objective.indicator.replace("_", "-")},
                "spec": {
                    "ratioMetric": {
                        "counter": True,
                        "good": _metric(f"{counters.good}{selector}"),
                        "total": _metric(f"{counters.events}{selector}"),
                    }
                },
            },
            "timeWindow": [_time_window(objective.window)],
            "budgetingMethod": "Occurrences",
            "objectives": [{"displayName": objective.name, "target": objective.target}],
        },
    }


def _metric(query: str) -> Plain:
    return {"metricSource": {"type": "Prometheus", "spec": {"query": query}}}


def _time_window(window: Window) -> Plain:
    if window.period is Period.ROLLING:
        return {"duration": format_window(window), "isRolling": True}
    calendar = {"startTime": "2026-01-01 00:00:00", "timeZone": "UTC"}
    return {"duration": _PERIODS[window.period], "isRolling": False, "calendar": calendar}


def read_document(value: Any, where: str) -> Objective | None:
    """Give the objective of a document; None for one of another kind. Raises `ParseError` that tells all at once."""
    reader = _Reader(where)
    if not isinstance(value, Mapping):
        raise ParseError(f"{where}: a mapping is needed")
    root: Mapping[str, Any] = value
    if root.get("apiVersion") != VERSION:
        raise ParseError(f"{where}: apiVersion: {VERSION} is read, not {root.get('apiVersion')!r}")
    if root.get("kind") != "SLO":
        return None
    objective = reader.slo(root)
    if reader.errors:
        raise ParseError("\n".join(reader.errors))
    return objective


class _Reader:
    """Reads and collects what is wrong."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.errors: list[str] = []

    def wrong(self, path: str, words: str) -> None:
        self.errors.append(f"{self.where}: {path}: {words}")

    def mapping(self, value: Any, path: str) -> Mapping[str, Any]:
        if isinstance(value, Mapping):
            return value
        self.wrong(path, "a mapping is needed")
        return {}

    def one(self, value: Any, path: str) -> Mapping[str, Any]:
        """Give the only item of a list."""
        if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 1:
            return self.mapping(value[0], f"{path}[0]")
        self.wrong(path, "a list of one item is needed; write further objectives as documents of their own")
        return {}

    def slo(self, root: Mapping[str, Any]) -> Objective:
        metadata, spec = self.mapping(root.get("metadata"), "metadata"), self.mapping(root.get("spec"), "spec")
        notes = self.mapping(metadata.get("annotations") or {}, "metadata.annotations")
        own = {str(key).removeprefix(_PREFIX): str(each) for key, each in notes.items()
               if str(key).startswith(_PREFIX)}  # fmt: skip
        if spec.get("budgetingMethod", "Occurrences") != "Occurrences":
            self.wrong("spec.budgetingMethod", f"Occurrences is read, not {spec['budgetingMethod']!r}")
        target = self.one(spec.get("objectives"), "spec.objectives")
        if target.get("compositeWeight") is not None or "indicator" in target:
            self.wrong("spec.objectives[0]", "composite objectives are not read")
        name = own.get("objective") or str(metadata.get("name") or "")
        service = spec.get("service")
        for path, text in (("metadata.name", name), ("spec.service", service)):
            if not isinstance(text, str) or not _NAME.fullmatch(text):
                self.wrong(path, f"{text!r} is no name")
        indicator = own.get("indicator") or _indicator_of(spec)
        if indicator not in INDICATOR_NAMES:
            self.wrong("spec.indicator", f"{indicator!r} is none of {', '.join(INDICATOR_NAMES)}; name one in the"
                       f" annotation {_PREFIX}indicator")  # fmt: skip
        threshold_ms = self.number(own, "threshold-ms")
        if indicator in TIMED and threshold_ms is None:
            self.wrong("metadata.annotations", f"{indicator} needs {_PREFIX}threshold-ms")
        planned = {each.value: each for each in Planned}
        maintenance = own.get("maintenance", Planned.COUNTED.value)
        if maintenance not in planned:
            self.wrong("metadata.annotations", f"{_PREFIX}maintenance is {' or '.join(planned)}, not {maintenance}")
        return Objective(
            name,
            str(service),
            indicator,
            self.target(target),
            threshold_ms,
            self.window(self.one(spec.get("timeWindow"), "spec.timeWindow")),
            own.get("by-region") == "true",
            planned.get(maintenance, Planned.COUNTED),
            self.number(own, "convergence-s") or 0.0,
            self.number(own, "minimum-events"),
        )

    def target(self, objective: Mapping[str, Any]) -> float:
        share, percent = objective.get("target"), objective.get("targetPercent")
        if isinstance(percent, int | float) and share is None:
            share = round(percent / 100, 12)
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
            self.wrong("spec.objectives[0].target", f"a target lies between 0 and 1, both excluded, not at {share!r}")
            return 0.5
        return float(share)

    def window(self, value: Mapping[str, Any]) -> Window:
        duration = str(value.get("duration"))
        calendar = {text: period for period, text in _PERIODS.items()}
        if value.get("isRolling") is False and duration in calendar:
            return Window(calendar[duration])
        if value.get("isRolling") is False:
            self.wrong("spec.timeWindow[0]", f"of calendar windows {', '.join(calendar)} are read, not {duration}")
            return Window()
        try:
            return parse_window(duration)
        except ParseError as error:
            self.wrong("spec.timeWindow[0]", str(error))
            return Window()

    def number(self, own: Mapping[str, str], key: str) -> float | None:
        if key not in own:
            return None
        try:
            value = float(own[key])
        except ValueError:
            value = -1.0
        if not 0 <= value < 1e15:
            self.wrong("metadata.annotations", f"{_PREFIX}{key}: {own[key]!r} is no number from 0 on")
            return None
        return value


def _indicator_of(spec: Mapping[str, Any]) -> str:
    """Give the name of the indicator that a document refers to, or has within."""
    reference = spec.get("indicatorRef")
    if isinstance(reference, str):
        return reference.replace("-", "_")
    indicator = spec.get("indicator")
    metadata = indicator.get("metadata") if isinstance(indicator, Mapping) else None
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return str(name or "").replace("-", "_")
