"""What gates ask that agents do not know: indicators of each PoP, asked of a Prometheus while a rollout needs them."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Final

from anycastle.base.errors import AnycastleError
from anycastle.io.config.indicators_file import IndicatorSettings
from anycastle.io.prometheus_query import PrometheusQueries
from anycastle.rollout.gates import Reading

LOOK_S: Final = 1.0
"""How often it is looked whether a rollout asks for anything, between two answers."""


class MeasuredIndicators:
    """Asks for the indicators of a file. What cannot be asked is told, once as long as it stays the same."""

    def __init__(self, settings: IndicatorSettings, tell: Callable[[str], None]) -> None:
        self._settings = settings
        self._tell = tell
        self._trouble: dict[str, str] = {}

    @property
    def names(self) -> frozenset[str]:
        """What they are called."""
        return frozenset(self._settings.queries)

    async def run(
        self, asked_for: Callable[[], Collection[str]], take: Callable[[str, Mapping[str, Reading]], None]
    ) -> None:
        """Hand over the readings of what is asked for, again and again; until cancelled."""
        while True:
            wanted = asked_for()
            await self.ask(wanted, take)
            await asyncio.sleep(LOOK_S if self.names.isdisjoint(wanted) else self._settings.every_s)

    async def ask(self, wanted: Collection[str], take: Callable[[str, Mapping[str, Reading]], None]) -> None:
        """Hand over the readings of some of these, once."""
        names = sorted(self.names.intersection(wanted))
        if names:
            queries = PrometheusQueries(self._settings)
            try:
                await asyncio.gather(*(self._ask(queries, name, take) for name in names))
            finally:
                await queries.close()

    async def _ask(
        self, queries: PrometheusQueries, name: str, take: Callable[[str, Mapping[str, Reading]], None]
    ) -> None:
        try:
            values = await queries.by_pop(self._settings.queries[name])
        except AnycastleError as error:
            if self._trouble.get(name) != str(error):
                self._trouble[name] = str(error)
                self._tell(f"the indicator {name} has no data: {error}")
            return
        self._trouble.pop(name, None)
        take(name, {pop: Reading(value, at) for pop, (value, at) in values.items()})
