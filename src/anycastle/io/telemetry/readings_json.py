"""Readings for JSON and for Prometheus."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client.core import Metric

from anycastle.io.metrics import gauge
from anycastle.slo.indicators.table import INDICATORS
from anycastle.slo.reading import Reading, State

_BY_ID = {each.id: each for each in INDICATORS.values()}


def plain(reading: Reading) -> dict[str, Any]:
    """Give a reading for JSON."""
    indicator = _BY_ID[reading.indicator]
    interval = reading.interval
    return {
        "indicator": reading.indicator,
        "name": indicator.name,
        "scope": reading.scope,
        "state": reading.state.value,
        "value": reading.value,
        "unit": indicator.unit,
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
        "count": reading.count,
        "minimum": reading.minimum,
        "excluded": dict(reading.excluded),
        "note": reading.note,
    }


def families(readings: Iterable[Reading]) -> Iterator[Metric]:
    """Give metric families of readings; one that is not measured has no value, so that nobody takes it for one."""
    rows: Mapping[str, list[tuple[tuple[str, ...], float]]] = {"value": [], "low": [], "high": [], "count": []}
    for reading in readings:
        key = (_BY_ID[reading.indicator].name, reading.scope, reading.note.partition(",")[0].partition(":")[0])
        rows["count"].append((key, reading.count))
        if reading.value is not None and reading.state is State.MEASURED:
            rows["value"].append((key, reading.value))
            if reading.interval is not None:
                rows["low"].append((key, reading.interval.low))
                rows["high"].append((key, reading.interval.high))
    labels = ["indicator", "scope", "of"]
    yield gauge("indicator_value", "Indicators that are measured, over the last hour", labels, rows["value"])
    yield gauge("indicator_low", "Lower end of an indicator's interval of 95 %", labels, rows["low"])
    yield gauge("indicator_high", "Upper end of an indicator's interval of 95 %", labels, rows["high"])
    yield gauge("indicator_count", "What an indicator was computed of", labels, rows["count"])
