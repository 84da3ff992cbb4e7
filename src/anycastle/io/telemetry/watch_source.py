"""The watch as a source: convergence from its event log (M2), and how visible prefixes are, by its socket (M4)."""

import asyncio
from typing import Any

from anycastle.base.ports import Now
from anycastle.io.local_socket import ask
from anycastle.io.telemetry.event_log_source import EventLogSource
from anycastle.io.telemetry.telemetry_file import WatchLog
from anycastle.model.event import ConvergenceMeasured, Event
from anycastle.slo.telemetry.intake import Intake


class WatchSource(EventLogSource):
    """Follows a watch."""

    def __init__(self, settings: WatchLog, intake: Intake) -> None:
        super().__init__(settings.name, settings.path)
        self._socket = settings.socket
        self._intake = intake

    def take(self, event: Event, now: Now) -> bool:
        """Count a change that was measured."""
        if not isinstance(event.body, ConvergenceMeasured):
            return False
        self._intake.converged(event.body, event.at, now.wall)
        return True

    async def caught_up(self, now: Now) -> None:
        """Look how visible prefixes are."""
        if self._socket is not None:
            request = {"command": "status"}
            self._look(await asyncio.to_thread(ask, self._socket, request, of="`anycastle watch run`"), now)

    def _look(self, told: dict[str, Any], now: Now) -> None:
        for each in told.get("prefixes", ()):
            if each.get("visibility") is not None and each.get("able"):
                able = float(each["able"])
                self._intake.visible(f"{each['prefix']}", able, round(able * each["visibility"]), now.wall)
