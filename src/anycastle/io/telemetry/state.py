"""What was counted and how far each source was read, kept together: one transaction, so that a line counts once.

Killed between two saves, both are as of the last one, and what came since is read and counted again from there.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from anycastle.base.errors import WorldError
from anycastle.slo.telemetry.measurements import Measurements

_SCHEMA: Final = """
create table if not exists cells (number integer primary key, body blob not null) without rowid;
create table if not exists places (source text primary key, body blob not null) without rowid;
"""
_VERSION: Final = 1

Places = Mapping[str, bytes]
"""Source -> its place, as it wrote it itself."""


def encode(measured: Measurements) -> bytes:
    """Give JSON."""
    return msgspec.json.encode(measured)


def decode(body: bytes | str) -> Measurements:
    """Read what `encode` wrote. Raises `msgspec.DecodeError`."""
    return msgspec.json.decode(body, type=Measurements)


class StateFile:
    """The file. Raises `WorldError` where it cannot be used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._base.execute("pragma journal_mode=wal")
            self._base.execute("pragma synchronous=full")
            (version,) = self._base.execute("pragma user_version").fetchone()
            if version not in (0, _VERSION):
                raise WorldError(f"{path} is of another version of this program ({version})", retryable=False)
            self._base.executescript(_SCHEMA)
            self._base.execute(f"pragma user_version={_VERSION}")
        except sqlite3.Error as error:
            raise WorldError(f"{path} cannot be used: {error}", retryable=False) from error

    def load(self) -> tuple[dict[int, Measurements], dict[str, bytes]]:
        """Give the cells and the places."""
        try:
            cells = {number: decode(body) for number, body in self._base.execute("select number, body from cells")}
            places = dict(self._base.execute("select source, body from places"))
        except (sqlite3.Error, msgspec.DecodeError) as error:
            raise WorldError(f"{self._path} cannot be read: {error}", retryable=False) from error
        return cells, places

    def save(self, cells: Mapping[int, bytes], places: Places, gone: Iterable[int] = ()) -> None:
        """Keep cells that changed and all places; let go of cells."""
        try:
            self._base.execute("begin immediate")
            self._base.executemany("insert or replace into cells values (?, ?)", cells.items())
            self._base.executemany("delete from cells where number = ?", ((number,) for number in gone))
            self._base.executemany("insert or replace into places values (?, ?)", places.items())
            self._base.execute("commit")
        except sqlite3.Error as error:
            if self._base.in_transaction:
                self._base.execute("rollback")
            raise WorldError(f"{self._path} cannot be written: {error}") from error

    def close(self) -> None:
        """Let go of it."""
        self._base.close()
