"""The event log: what happened, append-only, in a hash chain, on SQLite.

Each row carries the hash of the row before it and a hash of all its own fields, so a row that was altered, removed,
inserted or moved is found by `verify`. The `head` row holds the last sequence and hash, which finds a removed tail.
What the file alone cannot show: a tail removed together with its head, an older copy of the whole file put in its
place, and a chain computed anew after an alteration. Whoever can write the file can do these. They are found with a
head (`SEQUENCE:HASH`) that was noted elsewhere: `verify` takes one.

Durability: WAL with `synchronous=FULL`, so `append` returns after the transaction is on disk. Appends from several
threads while one is at work share the next transaction (group commit). Several processes may append.
"""

import hashlib
import sqlite3
import struct
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import msgspec

from anycastle.base.errors import MisuseError, ParseError, WorldError
from anycastle.base.limits import EVENT_BYTES_MAX
from anycastle.base.ports import Timestamp
from anycastle.model.event import KIND_OF, KINDS, Event

APPLICATION_ID: Final = 0x616E7963  # "anyc"
VERSION: Final = 1
_BUSY_S: Final = 10.0
_PAGE_ROWS: Final = 500
_PROBLEMS_MAX: Final = 100
_HASH_DOMAIN: Final = b"anycastle event 1\0"

_SCHEMA: Final = """
CREATE TABLE event (
    sequence INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    pop TEXT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL
);
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL, hash BLOB NOT NULL);
CREATE TRIGGER event_is_not_changed BEFORE UPDATE ON event
    BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
CREATE TRIGGER event_is_not_removed BEFORE DELETE ON event
    BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
"""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the log: sequence and hash of the last row. Noted elsewhere, it vouches for all rows up to it."""

    sequence: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.sequence}:{self.hash.hex()}"


GENESIS: Final = Head(0, bytes(32))
"""The head of an empty log."""


def parse_head(text: str) -> Head:
    """Parse `SEQUENCE:HASH`. Raises `ParseError`."""
    sequence, _, digits = text.strip().partition(":")
    try:
        head = Head(int(sequence), bytes.fromhex(digits))
    except ValueError:
        head = Head(-1, b"")
    if head.sequence < 0 or len(head.hash) != len(GENESIS.hash):
        raise ParseError(f"{text!r} is not a head; write SEQUENCE:HASH with 64 hexadecimal digits")
    return head


class ChainRow(NamedTuple):
    """A row of a log, as it is stored."""

    sequence: int
    at: float
    pop: str
    kind: str
    body: str
    previous: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A row of the log. `fields` is the body as plain values, also where this version does not know its kind."""

    sequence: int
    at: Timestamp
    pop: str
    kind: str
    fields: dict[str, Any]
    hash: bytes

    def event(self) -> Event | None:
        """Give the typed event, or None where a newer version wrote what this one does not know."""
        body_type = KINDS.get(self.kind)
        if body_type is None:
            return None
        try:
            return Event(self.at, self.pop, msgspec.convert(self.fields, body_type))
        except msgspec.ValidationError:
            return None


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the chain, at a row."""

    sequence: int
    text: str

    def __str__(self) -> str:
        return f"row {self.sequence}: {self.text}"


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What `verify` found. `problems` names at most the first hundred; `problem_count` counts them all."""

    rows: int
    head: Head
    problems: tuple[Problem, ...] = ()
    problem_count: int = 0

    @property
    def sound(self) -> bool:
        """Nothing is wrong."""
        return self.problem_count == 0


@dataclass(slots=True)
class _Batch:
    """Events on their way to the disk, with what became of them."""

    rows: Sequence[tuple[float, str, str, str]]
    head: Head | None = None
    error: Exception | None = None


class EventLog:
    """An open log; a context manager. Raises `WorldError` for what the file or its disk refuses."""

    def __init__(self, path: Path | str, *, read_only: bool = False) -> None:
        self.path = Path(path)
        self._queue: list[_Batch] = []
        self._queue_lock = threading.Lock()
        self._connection_lock = threading.Lock()
        try:
            self._connection = _open(self.path, read_only=read_only)
        except sqlite3.Error as error:
            raise _wrapped(error, self.path) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        with self._connection_lock:
            self._connection.close()

    def append(self, events: Iterable[Event]) -> Head:
        """Add events in one transaction; they are on disk when the call returns. Gives the head after them."""
        batch = _Batch([event_row(event) for event in events])
        with self._queue_lock:
            self._queue.append(batch)
        with self._connection_lock:
            if batch.head is None and batch.error is None:  # else another thread's transaction took ours along
                with self._queue_lock:
                    batches, self._queue = self._queue, []
                self._commit(batches)
        if batch.error is not None:
            raise _wrapped(batch.error, self.path) from batch.error
        assert batch.head is not None
        return batch.head

    def _commit(self, batches: list[_Batch]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            head = _head(self._connection)
            heads = [head := self._insert(batch, head) for batch in batches]
            self._connection.execute("INSERT OR REPLACE INTO head VALUES (1, ?, ?)", (head.sequence, head.hash))
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            for batch in batches:
                batch.error = error
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            return
        for batch, head in zip(batches, heads, strict=True):
            batch.head = head

    def _insert(self, batch: _Batch, head: Head) -> Head:
        for at, pop, kind, body in batch.rows:
            sequence, previous = head.sequence + 1, head.hash
            head = Head(sequence, row_hash(sequence, at, pop, kind, body, previous))
            row = (sequence, at, pop, kind, body, previous, head.hash)
            self._connection.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        return head

    def head(self) -> Head:
        """Give the end of the log."""
        with self._connection_lock:
            try:
                return _head(self._connection)
            except sqlite3.Error as error:
                raise _wrapped(error, self.path) from error

    def read(
        self,
        after: int = 0,
        *,
        kind: str | None = None,
        service: str | None = None,
        since: Timestamp | None = None,
        limit: int | None = None,
    ) -> Iterator[StoredEvent]:
        """Give the rows after a sequence, oldest first, up to the end at the time of reading. Blocks no writer."""
        left = limit
        while left is None or left > 0:
            page = self._page(after, kind, service, since, _PAGE_ROWS if left is None else min(left, _PAGE_ROWS))
            yield from page
            if len(page) < _PAGE_ROWS:
                return
            after = page[-1].sequence
            left = None if left is None else left - len(page)

    def _page(
        self, after: int, kind: str | None, service: str | None, since: Timestamp | None, rows: int
    ) -> list[StoredEvent]:
        query = (
            "SELECT sequence, at, pop, kind, body, hash FROM event WHERE sequence > :after"
            " AND (:kind IS NULL OR kind = :kind) AND (:since IS NULL OR at >= :since)"
            " AND (:service IS NULL OR (json_valid(body) AND json_extract(body, '$.service') = :service))"
            " ORDER BY sequence LIMIT :rows"
        )
        settings = {"after": after, "kind": kind, "since": since, "service": service, "rows": rows}
        with self._connection_lock:
            try:
                return [stored_event(*row) for row in self._connection.execute(query, settings)]
            except sqlite3.Error as error:
                raise _wrapped(error, self.path) from error

    def last(self, count: int, *, kind: str | None = None, service: str | None = None) -> list[StoredEvent]:
        """Give the newest `count` rows that fit, oldest first."""
        query = (
            "SELECT sequence, at, pop, kind, body, hash FROM event WHERE (:kind IS NULL OR kind = :kind)"
            " AND (:service IS NULL OR (json_valid(body) AND json_extract(body, '$.service') = :service))"
            " ORDER BY sequence DESC LIMIT :count"
        )
        with self._connection_lock:
            try:
                rows = self._connection.execute(query, {"kind": kind, "service": service, "count": count}).fetchall()
            except sqlite3.Error as error:
                raise _wrapped(error, self.path) from error
        return [stored_event(*row) for row in reversed(rows)]

    def rows(self, after: int = 0) -> Iterator[ChainRow]:
        """Give the rows after a sequence, as they are stored."""
        query = "SELECT * FROM event WHERE sequence > ? ORDER BY sequence LIMIT ?"
        while True:
            with self._connection_lock:
                try:
                    page = self._connection.execute(query, (after, _PAGE_ROWS)).fetchall()
                except sqlite3.Error as error:
                    raise _wrapped(error, self.path) from error
            yield from map(ChainRow._make, page)
            if len(page) < _PAGE_ROWS:
                return
            after = page[-1][0]

    def verify(self, remembered: Head | None = None) -> VerifyResult:
        """Follow the chain from its start to its head, and through `remembered` where one was noted elsewhere."""
        chain = Chain(remembered)
        with self._connection_lock:
            try:
                self._connection.execute("BEGIN")
                try:
                    rows = self._connection.execute("SELECT * FROM event ORDER BY sequence")
                    for row in rows:
                        chain.follow(*row)
                    return chain.ended(_head(self._connection))
                finally:
                    self._connection.execute("ROLLBACK")
            except sqlite3.DatabaseError as error:
                chain.blame(chain.last.sequence + 1, f"the file cannot be read from here on: {error}")
                return chain.result()


@dataclass(slots=True)
class Chain:
    """How far a chain was followed, and what was wrong with it; `follow` takes the rows in their order."""

    remembered: Head | None
    last: Head = GENESIS
    rows: int = 0
    problems: list[Problem] = field(default_factory=list)
    count: int = 0

    def blame(self, sequence: int, text: str) -> None:
        """Note what is wrong at a row."""
        self.count += 1
        if len(self.problems) < _PROBLEMS_MAX:
            self.problems.append(Problem(sequence, text))

    def follow(self, sequence: int, at: Any, pop: Any, kind: Any, body: Any, previous: Any, stored: Any) -> None:
        """Take the next row, as it was read."""
        self.rows += 1
        if sequence != self.last.sequence + 1:
            missing = sequence - self.last.sequence - 1
            self.blame(sequence, f"{missing} rows before it are missing (from {self.last.sequence + 1})")
        elif previous != self.last.hash:
            self.blame(sequence, "it does not follow the row before it: one of the two was altered, inserted or moved")
        try:
            sound = row_hash(sequence, at, pop, kind, body, previous) == stored
        except (TypeError, struct.error, AttributeError):
            sound = False
        if not sound:
            self.blame(sequence, "its content does not fit its hash: it was altered or moved")
        if self.remembered is not None and self.remembered.sequence == sequence and self.remembered.hash != stored:
            self.blame(sequence, "its hash is not the one that was noted: the log was written anew")
        self.last = Head(sequence, stored if isinstance(stored, bytes) else b"")

    def ended(self, head: Head) -> VerifyResult:
        """Give what was found, after the last row, with the head that is noted beside the rows."""
        if self.last.sequence < head.sequence:
            missing = head.sequence - self.last.sequence
            self.blame(head.sequence, f"the last {missing} rows are missing")
        elif self.last != head:
            self.blame(self.last.sequence, f"the head names row {head.sequence}: rows were added or altered outside")
        if self.remembered is not None and self.remembered.sequence > self.last.sequence:
            self.blame(self.remembered.sequence, "the row that was noted as head is missing: the log was cut")
        return self.result()

    def result(self) -> VerifyResult:
        """Give what was found so far."""
        return VerifyResult(self.rows, self.last, tuple(self.problems), self.count)


def row_hash(sequence: int, at: float, pop: str, kind: str, body: str, previous: bytes) -> bytes:
    """Give the SHA-256 of a row: every field with its length, so that no two rows share an encoding."""
    digest = hashlib.sha256(_HASH_DOMAIN + struct.pack(">Qd", sequence, at))
    for text in (pop.encode(), kind.encode(), body.encode(), previous):
        digest.update(struct.pack(">Q", len(text)) + text)
    return digest.digest()


def _open(path: Path, *, read_only: bool) -> sqlite3.Connection:
    if read_only:
        address = f"{path.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(address, uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        _require_log(connection)
        return connection
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            for statement in _statements(_SCHEMA):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
        _require_log(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _require_log(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        begun = not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        connection.close()
        raise sqlite3.DatabaseError("it is empty, still being made" if begun else "it is not an event log")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        connection.close()
        raise sqlite3.DatabaseError(f"it has format {version}, this version knows up to {VERSION}")


def _head(connection: sqlite3.Connection) -> Head:
    row = connection.execute("SELECT sequence, hash FROM head").fetchone()
    return GENESIS if row is None else Head(*row)


def _wrapped(error: Exception, path: Path) -> WorldError:
    """Give the error as the world's: a full disk or a lock may pass, a file that is no log does not."""
    return WorldError(f"event log {path}: {error}", retryable=isinstance(error, sqlite3.OperationalError))


def stored_event(sequence: int, at: float, pop: str, kind: str, body: str, digest: bytes) -> StoredEvent:
    """Give a row as it is read; a body that is no JSON object is kept as a text."""
    try:
        fields = msgspec.json.decode(body)
    except msgspec.DecodeError:
        fields = {"unreadable": body}
    return StoredEvent(sequence, Timestamp(at), pop, kind, fields if isinstance(fields, dict) else {"": fields}, digest)


def event_row(event: Event) -> tuple[float, str, str, str]:
    """Give time, PoP, kind and body as they are stored. Raises `MisuseError` for what is no event."""
    kind = KIND_OF.get(type(event.body))
    if kind is None or event.at != event.at:
        raise MisuseError(f"{type(event.body).__name__} at {event.at} is not an event that can be kept")
    return float(event.at) + 0.0, _sayable(event.pop), kind, encode_body(event.body)


def encode_body(body: object) -> str:
    """Give the body as JSON of at most `EVENT_BYTES_MAX` octets; long texts and lists are cut, and say so."""
    fields = msgspec.to_builtins(body)
    texts_max, items_max = EVENT_BYTES_MAX, EVENT_BYTES_MAX
    while True:
        encoded = msgspec.json.encode({name: _cut(value, texts_max, items_max) for name, value in fields.items()})
        if len(encoded) <= EVENT_BYTES_MAX:
            return encoded.decode()
        texts_max, items_max = texts_max // 2, items_max // 2


def _cut(value: Any, texts_max: int, items_max: int) -> Any:
    if isinstance(value, str):
        text = _sayable(value)
        return text if len(text) <= texts_max else f"{text[:texts_max]}… ({len(text) - texts_max} characters cut)"
    if isinstance(value, list | tuple):
        kept = [_cut(item, texts_max, items_max) for item in value[:items_max]]
        return kept if len(value) <= items_max else [*kept, f"… ({len(value) - items_max} more cut)"]
    return value


def _sayable(text: str) -> str:
    """Give the text without lone surrogates, which file names can bring in and UTF-8 cannot carry."""
    return text.encode("utf-8", "replace").decode()
