"""Budgets that are spent too fast, as signals: alerts of the exported rules, asked of the Prometheus that runs them.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/#alerts
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from anycastle.base.errors import AnycastleError
from anycastle.daemons.signal_source import Take
from anycastle.io.config.indicators_file import IndicatorSettings
from anycastle.io.prometheus_query import PrometheusAlert, PrometheusQueries
from anycastle.response.follows import BURN
from anycastle.response.openings import SILENT, opens
from anycastle.response.signal import Signal, Subject, Urgency
from anycastle.slo.export import prometheus

SOURCE: Final = "budgets"
KIND: Final[Mapping[str, str]] = {prometheus.BURN: BURN, prometheus.SILENT: SILENT}
"""Alerts of the exported rules -> kind of the signal; others are nobody's business here."""


def signals_of(alerts: list[PrometheusAlert]) -> list[Signal]:
    """Give what fires; of rules that say the same of a service and region, the most urgent counts."""
    found: dict[tuple[str, str, str, str], Signal] = {}
    for each in alerts:
        kind = KIND.get(each.labels.get("alertname", ""))
        if kind is None or each.state != "firing":
            continue
        subject = Subject(service=each.labels.get("service", ""), region=each.labels.get("region", ""))
        page = each.labels.get("severity") == Urgency.PAGE.value
        text = each.annotations.get("summary") or f"{kind} of {subject.service}"
        signal = opens(kind, subject, text, part=not page)
        known = found.get(signal.key)
        if known is None or (known.urgency is Urgency.TICKET and page):
            found[signal.key] = signal
    return list(found.values())


class BudgetSource:
    """Asks one Prometheus, as often as its file says. One that does not answer leaves what it said before."""

    def __init__(self, settings: IndicatorSettings, tell: Callable[[str], None]) -> None:
        self._settings = settings
        self._tell = tell

    async def run(self, take: Take) -> None:
        """See `SignalSource`."""
        queries, said, trouble = PrometheusQueries(self._settings), list[Signal](), ""
        try:
            while True:
                try:
                    found = signals_of(await queries.alerts())
                    trouble = ""
                    if found != said:
                        said = found
                        take(SOURCE, found)
                except AnycastleError as error:
                    if trouble != str(error):
                        trouble = str(error)
                        self._tell(f"budgets are not known: {error}")
                await asyncio.sleep(self._settings.every_s)
        finally:
            await queries.close()
