"""The watch as a source: convergence from its event log (M2), and how visible prefixes are, by its socket (M4)."""

import asyncio
from typing import Any, Final

import msgspec

from anycastle.base.errors import WorldError
from anycastle.base.ports import Now
from anycastle.io.event_log import EventLog, StoredEvent
from anycastle.io.local_socket import ask
from anycastle.io.telemetry.source import SourceCounts
from anycastle.io.telemetry.telemetry_file import WatchLog
from anycastle.model.event import ConvergenceMeasured
from anycastle.slo.telemetry.intake import Intake

EVERY_S: Final = 2.0
ROWS_MAX: Final = 500


class WatchSource:
    """Follows a watch."""

    def __init__(self, settings: WatchLog, intake: Intake) -> None:
        self.name = settings.name
        self.every_s = EVERY_S
        self.counts = SourceCounts()
        self._settings = settings
        self._intake = intake
        self._sequence = 0

    async def poll(self, now: Now) -> bool:
        """Count what was added."""
        rows = await asyncio.to_thread(self._read)
        for stored in rows:
            event = stored.event()
            if event is not None and isinstance(event.body, ConvergenceMeasured):
                self._intake.converged(event.body, event.at, now.wall)
                self.counts.counted += 1
            self._sequence = stored.sequence
        if self._settings.socket is not None:
            self._look(await asyncio.to_thread(ask, self._settings.socket, {"command": "status"}), now)
        return len(rows) == ROWS_MAX

    def _read(self) -> list[StoredEvent]:
        if not self._settings.path.exists():
            return []
        try:
            with EventLog(self._settings.path, read_only=True) as log:
                return list(log.read(self._sequence, limit=ROWS_MAX))
        except WorldError as error:
            raise WorldError(f"{self._settings.path}: {error}") from error

    def _look(self, told: dict[str, Any], now: Now) -> None:
        for each in told.get("prefixes", ()):
            if each.get("visibility") is not None and each.get("able"):
                able = float(each["able"])
                self._intake.visible(f"{each['prefix']}", able, round(able * each["visibility"]), now.wall)

    def place(self) -> bytes:
        """Give the number of the last row that was counted."""
        return msgspec.json.encode(self._sequence)

    def restore(self, place: bytes) -> None:
        """Go on from a place."""
        self._sequence = msgspec.json.decode(place, type=int)

    def close(self) -> None:
        """There is nothing to let go of."""
