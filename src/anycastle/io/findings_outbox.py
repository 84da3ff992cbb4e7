"""What of a watch's event log a controller has not: the log itself is the buffer, and a small file says how far it was
told.

The controller answers how far it has the log, with the hash of that row. Where the log has that row, it is gone on from
there, be that ahead of the file or behind it: a file that is older than the truth, or a controller's store that was put
back from a copy, costs lines that are told twice, and none that is never told. Where it has not, or the file is lost,
the log is told anew from its beginning under a new name.

A controller also learns from this that the watch lives: where there is nothing to tell, a line without events goes out
each `HEARTBEAT_S`.
"""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from anycastle.base.errors import WorldError
from anycastle.io.clock import now
from anycastle.io.delivery import Batch
from anycastle.io.durable import write_durably
from anycastle.io.event_log import GENESIS, EventLog
from anycastle.io.findings_lines import FINDING_KINDS, LINES_MAX, HowFar, Stretch, encode_row, encode_telling

HEARTBEAT_S: Final = 20.0
ROWS_MAX: Final = 10_000
"""Rows of the log that are looked at for one batch."""

_START: Final = GENESIS.hash.hex()


class FindingsOutbox:
    """One log, and the file beside it. Used by one thread at a time."""

    def __init__(
        self, log: Path, cursor: Path, watch: str, monotonic: Callable[[], float] = lambda: now().monotonic
    ) -> None:
        """Go on from where the file says. Raises `WorldError`."""
        self._path = log
        self._cursor_path = cursor
        self._watch = watch
        self._monotonic = monotonic
        self._told_at: float | None = None
        self.cursor = self._read() or self._anew()

    def batch(self, octets_max: int) -> Batch | None:
        """Give what to tell next; None where there is nothing, and it was said lately. Raises `WorldError`."""
        if not self._path.exists():  # the log is made with the first event
            if self.cursor.sequence:
                self._anew()
            return self._stretch(self.cursor.sequence, self.cursor.hash, [])
        with EventLog(self._path, read_only=True) as log:
            if _hash_at(log, self.cursor.sequence) != self.cursor.hash:
                self._anew()
            return self._next(log, octets_max)

    def _next(self, log: EventLog, octets_max: int) -> Batch | None:
        through, digest, size = self.cursor.sequence, self.cursor.hash, 0
        rows: list[bytes] = []
        for stored in log.read(through, limit=ROWS_MAX):
            # A row that another version wrote otherwise is passed over, as whoever reads this log does.
            if stored.kind in FINDING_KINDS and stored.event() is not None:
                row = encode_row(stored)
                if rows and (size + len(row) > octets_max or len(rows) >= LINES_MAX):
                    break
                rows.append(row)
                size += len(row)
            through, digest = stored.sequence, stored.hash.hex()
        return self._stretch(through, digest, rows, long=through >= self.cursor.sequence + ROWS_MAX)

    def take(self, _batch: Batch, answer: bytes) -> None:
        """Take how far the controller has the log. Raises `WorldError` where it does not have what it was told."""
        try:
            far = msgspec.json.decode(answer, type=HowFar)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise WorldError("what was told was answered by something else than a controller") from error
        before = self.cursor
        if far.log != before.log:
            raise WorldError("the controller answers for another log than it was told of")
        if far == before:
            self._told_at = self._monotonic()
            return
        if not self._has(far):
            self._anew()
            raise WorldError(f"the controller has another row {far.sequence} than this log: all is told anew")
        self._move(far)
        if far.sequence < before.sequence:
            raise WorldError(f"the controller has the log up to row {far.sequence} alone: it is told from there again")
        self._told_at = self._monotonic()

    def _has(self, far: HowFar) -> bool:
        if far.sequence == 0:
            return far.hash == _START
        with EventLog(self._path, read_only=True) as log:
            return _hash_at(log, far.sequence) == far.hash

    def _stretch(self, through: int, digest: str, rows: list[bytes], *, long: bool = False) -> Batch | None:
        """Give a batch; None where it tells nothing that cannot wait for the next sign of life."""
        lately = self._told_at is not None and self._monotonic() - self._told_at < HEARTBEAT_S
        if lately and not rows and not long:
            return None
        after = self.cursor.sequence
        stretch = Stretch(self._watch, self.cursor.log, after, through, digest)
        return Batch(after + 1, encode_telling(stretch, rows), through + 1)

    # -- the file -----------------------------------------------------------------------------------------------------

    def _read(self) -> HowFar | None:
        try:
            return msgspec.json.decode(self._cursor_path.read_bytes(), type=HowFar)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WorldError(f"{self._cursor_path}: {error.strerror}", retryable=False) from error
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None  # what it said is lost: the log is told anew

    def _anew(self) -> HowFar:
        return self._move(HowFar(secrets.token_hex(16), 0, _START))

    def _move(self, far: HowFar) -> HowFar:
        """Have it on disk first: what was told under a name is not told under another."""
        write_durably(self._cursor_path, msgspec.json.encode(far))
        self.cursor = far
        return far


def _hash_at(log: EventLog, sequence: int) -> str:
    """Give the hash of a row; '' where there is none."""
    if sequence == 0:
        return _START
    return next((each.hash.hex() for each in log.read(sequence - 1, limit=1) if each.sequence == sequence), "")
