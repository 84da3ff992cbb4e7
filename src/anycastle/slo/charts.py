"""Series that pages draw over time, by name: a browser names one, and never writes a query.

Budgets are of the exported rules, indicators of `anycastle telemetry run`, and what PoPs' machines do of the usual
node_exporter, whose scrape needs the label `pop`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from anycastle.slo.export.prometheus import BURN_RATE, LEFT

VALUE: Final = "anycastle_indicator_value"

POINTS_MAX: Final = 400
"""Of a series: as many as a chart has pixels to show."""

SERIES_MAX: Final = 200
"""Of a chart; more cannot be told apart, and are not drawn."""

STEP_S_MIN: Final = 15.0


@dataclass(frozen=True, slots=True)
class Chart:
    """One of them."""

    query: str
    """PromQL; where it is by service, the bare name of a series."""
    unit: str
    """`ratio`, `ms`, or a rate such as `packets/s`."""
    how: str
    """What it is, and where it comes from, for a person."""
    by_service: bool = False
    """It has the label `service`; others concern all services."""

    def of(self, services: Iterable[str] | None) -> str:
        """Give the query for these services; None for all. One that is not by service is of all."""
        if services is None or not self.by_service:
            return self.query
        names = "|".join(re.escape(name) for name in sorted(services))
        escaped = names.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.query}{{service=~"{escaped}"}}'


def _indicator(name: str, of: str = "") -> str:
    return f'{VALUE}{{indicator="{name}"' + (f',of="{of}"}}' if of else "}")


CHARTS: Final = MappingProxyType(
    {
        "budget_left": Chart(LEFT, "ratio", "Share of the budget that is left, by the exported rules.", True),
        "burn_rate": Chart(BURN_RATE, "times", "Burn over an hour: 1 spends the budget in just its window.", True),
        "edge_latency": Chart(
            _indicator("edge_latency", "p95"), "ms", "M1, p95 of the time of an answer, of merged counts, by region."
        ),
        "disrupted_sessions": Chart(
            _indicator("session_disruption"), "ratio", "M6, sessions that a change of the catchment ended, by region."
        ),
        "cache_hits": Chart(
            _indicator("cache_hits", "requests"), "ratio", "M7, requests answered from a cache, by region."
        ),
        "scrubbed": Chart(_indicator("scrubbed"), "ratio", "M8, traffic dropped as an attack, over traffic offered."),
        "cpu": Chart(
            '1 - avg by (pop) (rate(node_cpu_seconds_total{mode="idle",pop!=""}[5m]))',
            "ratio",
            "Processors busy, by PoP: node_exporter, scraped with the label pop.",
        ),
        "drops": Chart(
            'sum by (pop) (rate(node_network_receive_drop_total{pop!=""}[5m]))'
            ' + sum by (pop) (rate(node_network_transmit_drop_total{pop!=""}[5m]))',
            "packets/s",
            "Packets that interfaces dropped, by PoP: node_exporter, scraped with the label pop.",
        ),
    }
)
"""Name -> chart."""

OF_MACHINES: Final = ("cpu", "drops")
"""Charts whose query the indicators' file may give: what machines export differs from place to place."""


def step_of(start: float, end: float) -> float:
    """Give seconds from one point to the next."""
    return max(STEP_S_MIN, (end - start) / POINTS_MAX)
