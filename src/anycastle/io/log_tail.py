"""The agent's event log as the link tells it: rows behind a number, a bounded batch at a time."""

import contextlib
from pathlib import Path
from typing import Final

import msgspec

from anycastle.base.errors import WorldError
from anycastle.io.event_log import EventLog, StoredEvent
from anycastle.io.link.host import LogRows
from anycastle.wire.link.message import EventRow

BATCH_OCTETS: Final = 256 * 1024
"""Octets of one batch, unless a single row is longer: a long message would hold up what matters more."""


class LogTail:
    """Reads one log. Used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log: EventLog | None = None
        self.name = ""
        """The hash of its first row, which tells it from another log; empty while there is none."""

    def read(self, after: int, limit: int) -> LogRows:
        """Give rows behind a number. Raises `WorldError`, and opens the file anew the next time."""
        try:
            return self._read(after, limit)
        except WorldError:
            self.close()
            raise

    def find_name(self) -> str:
        """Give the log's name; empty where it can not be read yet."""
        with contextlib.suppress(WorldError):
            self.read(0, 1)
        return self.name

    def close(self) -> None:
        """Let go of the file."""
        if self._log is not None:
            self._log.close()
            self._log = None

    def _read(self, after: int, limit: int) -> LogRows:
        if self._log is None:
            self._log = EventLog(self._path, read_only=True)
            self.name = ""
        if not self.name:
            self.name = next((row.hash.hex() for row in self._log.read(limit=1)), "")
        rows: list[EventRow] = []
        octets = 0
        for stored in self._log.read(after, limit=limit):
            row, length = _row_of(stored)
            octets += length
            if stored.sequence != after + 1 + len(rows) or (rows and octets > BATCH_OCTETS):
                break
            rows.append(row)
        return LogRows(self.name, after + 1, rows)


def _row_of(stored: StoredEvent) -> tuple[EventRow, int]:
    fields = msgspec.json.encode(stored.fields)
    return EventRow(max(0.0, float(stored.at)), stored.kind, msgspec.Raw(fields), stored.hash.hex()), len(fields)
