"""M1: how long an answer from the edge takes, p50 and p95, by users."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from anycastle.kernels.intervals import Interval, effective_number, quantile_intervals
from anycastle.slo.histogram import Histogram, merged, middle_of
from anycastle.slo.indicators.indicator import Indicator
from anycastle.slo.reading import GLOBAL, Reading, State, state_of

INDICATOR: Final = Indicator(
    "M1",
    "edge_latency",
    "Time from the question's last octet sent (UDP) or the connection begun (TCP, TLS, HTTP) to the answer's last octet"
    " received; p50 and p95 over answers, each weighted by the users that its network stands for.",
    "probes outside",
    "ms",
    (
        ("no answer within the timeout", "it has no time; it is M3's"),
        ("an answer by a site that is not authorised, or with wrong content", "it is not our service's; M3 has it"),
    ),
    "networks, as many of one size as say as much (Kish)",
    456,
    "z^2 q (1 - q) / d^2 with z = 1.96, q = 0.95, d = 0.02: then p95 is known to two percentile ranks. The median needs"
    " 96, to ten ranks.",
    higher_is_better=False,
    target="p50 30 ms, p95 100 ms",
    gotcha="Percentiles of PoPs or minutes must not be averaged: histograms are merged. Paths differ by region: one"
    " global figure hides a region that is far off, so each region has its own.",
)


def minimum_for(level: float) -> float:
    """Give how many networks a quantile needs: to two percentile ranks in the tails, to ten in the middle."""
    ranks = 0.02 if min(level, 1 - level) <= 0.1 else 0.1
    return float(round(1.96**2 * level * (1 - level) / ranks**2))


def readings(
    by_region: Mapping[str, Mapping[str, Histogram]], level: float, randomness: np.random.Generator
) -> list[Reading]:
    """Give a quantile of each region and of all; `by_region` has a histogram for each region and network."""
    scopes: dict[str, Mapping[str, Histogram]] = dict(sorted(by_region.items()))
    whole: dict[str, Histogram] = {}
    for networks in by_region.values():
        for network, histogram in networks.items():
            whole.setdefault(network, Histogram()).merge(histogram)
    scopes[GLOBAL] = whole
    return [_reading(scope, networks, level, randomness) for scope, networks in scopes.items()]


def _reading(scope: str, networks: Mapping[str, Histogram], level: float, randomness: np.random.Generator) -> Reading:
    total = merged(networks.values())
    count = effective_number(np.array([each.total for each in networks.values()], np.float64))
    value = total.quantile(level)
    interval = _interval(networks, level, randomness) if value is not None else None
    minimum = minimum_for(level)
    state = state_of(count, minimum)
    note = f"p{level * 100:g}, relative error of the histogram 1 %"
    if state is State.MEASURED and interval is None:
        note += "; too few networks for an interval"
    return Reading(INDICATOR.id, scope, state, value, interval, count, minimum, {}, note)


def _interval(networks: Mapping[str, Histogram], level: float, randomness: np.random.Generator) -> Interval | None:
    rows = [
        (middle_of(bucket), weight, number)
        for number, (_, histogram) in enumerate(sorted(networks.items()))
        for bucket, weight in histogram.weights.items()
    ]
    values, weights, cluster = (np.array(column) for column in zip(*rows, strict=True))
    return quantile_intervals(values, weights, cluster.astype(np.int64), (level,), randomness)[0]
