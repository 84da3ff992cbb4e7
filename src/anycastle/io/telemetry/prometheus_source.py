"""A Prometheus as a source: two counts, by PoP, that make a ratio; asked once for each span that they are of."""

from math import isfinite

import msgspec

from anycastle.base.ports import Now
from anycastle.io.prometheus_query import PrometheusQueries
from anycastle.io.telemetry.source import SourceCounts
from anycastle.io.telemetry.telemetry_file import PrometheusSource as Settings
from anycastle.slo.telemetry.intake import Intake


class PrometheusSource:
    """Asks a Prometheus. Spans in which it could not be asked are missing: `increase` looks back one span only."""

    def __init__(self, settings: Settings, intake: Intake) -> None:
        self.name = settings.name
        self.every_s = settings.settings.every_s
        self.counts = SourceCounts()
        self._settings = settings
        self._intake = intake
        self._asked_at = 0.0

    async def poll(self, now: Now) -> bool:
        """Count the span that has passed; nothing before it has."""
        if 0 <= now.wall - self._asked_at < self.every_s * 0.9:
            return False  # a restart within a span would count it twice; a clock that was set back holds nothing up
        queries = PrometheusQueries(self._settings.settings)
        try:
            answers = [
                (each.indicator, await queries.by_pop(each.good), await queries.by_pop(each.total))
                for each in self._settings.ratios
            ]
        finally:
            await queries.close()
        for indicator, good, total in answers:
            for pop, (events, at) in total.items():
                value = min(good[pop][0], events) if pop in good else 0.0
                if not (isfinite(value) and isfinite(events)):
                    self.counts.damage(f"{self.name}: {indicator} at {pop}", "what was counted is no number")
                    continue
                self._intake.events(indicator, pop, self._settings.region, value, events, at, now.wall)
        self.counts.counted += len(answers)
        self._asked_at = now.wall
        return False

    def place(self) -> bytes:
        """Give when it was last asked."""
        return msgspec.json.encode(self._asked_at)

    def restore(self, place: bytes) -> None:
        """Go on from a place."""
        self._asked_at = msgspec.json.decode(place, type=float)

    def close(self) -> None:
        """There is nothing to let go of."""
