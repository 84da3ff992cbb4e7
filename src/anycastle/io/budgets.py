"""What a Prometheus knows of what was promised: asked at an even pace, kept, and told with its age.

Whoever reads asks nobody: pages may come as often as they like. A Prometheus that does not answer leaves what it said
before, with the trouble in words.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from anycastle.base.errors import AnycastleError
from anycastle.base.ports import Timestamp
from anycastle.io.clock import now
from anycastle.io.config.indicators_file import IndicatorSettings
from anycastle.io.prometheus_answer import Course, Sample
from anycastle.io.prometheus_query import PrometheusQueries
from anycastle.slo.charts import CHARTS, SERIES_MAX, step_of
from anycastle.slo.outlook import QUERY, Recorded

READINGS_QUERY: Final = '{__name__=~"anycastle_indicator_(value|low|high|count)|anycastle_traffic_(offered|scrubbed)"}'
UNDER_WAY_MAX: Final = 4
"""Charts that are asked for at a time; others wait their turn."""


@dataclass(frozen=True, slots=True)
class Recordings:
    """What was said last."""

    at: Timestamp | None = None
    """None: nothing yet."""
    trouble: str = ""
    """Why nothing newer is known; '' where all is well."""
    recorded: tuple[Recorded, ...] = ()
    firing: tuple[Mapping[str, str], ...] = ()
    readings: tuple[Sample, ...] = ()


class Budgets:
    """Asks one Prometheus; none where no settings are given."""

    def __init__(self, settings: IndicatorSettings | None = None, tell: Callable[[str], None] = lambda _: None) -> None:
        self._settings = settings
        self._queries = None if settings is None else PrometheusQueries(settings)
        self._tell = tell
        self._places = asyncio.Semaphore(UNDER_WAY_MAX)
        self.promised = Recordings()

    @property
    def asks(self) -> bool:
        """Tell whether there is a Prometheus to ask."""
        return self._queries is not None

    @property
    def every_s(self) -> float | None:
        """Give how often it asks."""
        return None if self._settings is None else self._settings.every_s

    async def run(self) -> None:
        """Ask until cancelled."""
        if self._queries is None or self._settings is None:
            return
        try:
            while True:
                try:
                    await self._ask(self._queries)
                except Exception as error:  # noqa: BLE001  an error of ours is told, and pages say that they are old
                    self._not_known(f"an error of ours: {error!r}")
                await asyncio.sleep(self._settings.every_s)
        finally:
            await self._queries.close()

    async def _ask(self, queries: PrometheusQueries) -> None:
        try:
            recorded = await queries.samples(QUERY)
            readings = await queries.samples(READINGS_QUERY)
            firing = [each.labels for each in await queries.alerts() if each.state == "firing"]
        except AnycastleError as error:
            self._not_known(str(error))
            return
        values = tuple(Recorded(each.labels, each.value) for each in recorded)
        self.promised = Recordings(now().wall, "", values, tuple(firing), readings)

    def _not_known(self, trouble: str) -> None:
        """Keep what was said before, with the trouble, which is told once."""
        if trouble != self.promised.trouble:
            self._tell(f"budgets are not known: {trouble}")
        self.promised = replace(self.promised, trouble=trouble)

    async def course(
        self, name: str, start: float, end: float, services: Collection[str] | None = None
    ) -> tuple[Course, ...]:
        """Give a chart's series over time, by `CHARTS`; of these services, where it has them apart.

        Raises `WorldError` where the Prometheus does not answer.
        """
        assert self._queries is not None  # whoever asks has looked
        assert self._settings is not None
        query = self._settings.charts.get(name) or CHARTS[name].of(services)
        async with self._places:
            found = await self._queries.course(query, start, end, step_of(start, end))
        return found[:SERIES_MAX]
