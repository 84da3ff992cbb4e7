"""A file of lines as a source: access logs, and results of probers."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from anycastle.base.ports import Now
from anycastle.io.telemetry.line_tail import Line, LineTail, Place
from anycastle.io.telemetry.source import SourceCounts
from anycastle.io.telemetry.telemetry_file import AccessLog, ProberResults
from anycastle.slo.telemetry.intake import Intake, probe_of
from anycastle.wire.access.record import LineError
from anycastle.wire.access.table import FORMATS

EVERY_S: Final = 0.5

Count = Callable[[str, Now], bool]
"""Counts a line; False for one that concerns nobody. Raises `LineError`."""


class LineSource:
    """Follows a file, and counts its lines."""

    def __init__(self, name: str, path: Path, count: Count) -> None:
        self.name = name
        self.every_s = EVERY_S
        self.counts = SourceCounts()
        self.tail = LineTail(path)
        self._count = count
        self._counted_to = Place()

    async def poll(self, now: Now) -> bool:
        """Count what was added."""
        lines = await asyncio.to_thread(self.tail.read, now.monotonic)
        for line in lines:
            self._take(line, now)
        self._counted_to = self.tail.place
        return bool(lines)

    def _take(self, line: Line, now: Now) -> None:
        text = line.octets.decode("utf-8", "replace").rstrip("\r")
        if not text:
            return
        try:
            if self._count(text, now):
                self.counts.counted += 1
            else:
                self.counts.passed_over += 1
        except LineError as error:
            self.counts.damage(f"{self.tail.path}: octet {line.offset}", str(error))

    def place(self) -> bytes:
        """Give how far it was counted."""
        return msgspec.json.encode(self._counted_to)

    def restore(self, place: bytes) -> None:
        """Go on from a place."""
        self._counted_to = self.tail.place = msgspec.json.decode(place, type=Place)

    def close(self) -> None:
        """Let go of the file."""
        self.tail.close()


def access_log_source(log: AccessLog, intake: Intake) -> LineSource:
    """Give the source of an access log."""
    parse = FORMATS[log.format]

    def count(text: str, now: Now) -> bool:
        intake.access(log.source, parse(text), now.wall)
        return True

    return LineSource(log.name, log.path, count)


def prober_source(results: ProberResults, intake: Intake, regions: dict[str, str]) -> LineSource:
    """Give the source of a prober's results."""

    def count(text: str, now: Now) -> bool:
        return count_result(text, intake, regions, results.targets, now)

    return LineSource(results.name, results.path, count)


def count_result(text: str | bytes, intake: Intake, regions: dict[str, str], targets: frozenset[str], now: Now) -> bool:
    """Count a prober's line; False where its target does not count. Raises `LineError`."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise LineError(f"no JSON: {error}") from None
    seen = probe_of(value, regions) if isinstance(value, dict) else None
    if seen is None:
        raise LineError("no result of a prober")
    if targets and seen.target not in targets:
        return False
    intake.probe(seen, now.wall)
    return True
