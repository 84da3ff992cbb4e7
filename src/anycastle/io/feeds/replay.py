"""Archives as one stream of facts: tables first, then all updates in the order of their times.

A file is MRT, or lines of RIS Live JSON; its first octet tells. What a table's file says was so before the start;
updates older than the newest table are in it already, and are left out.
"""

import heapq
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Final

from anycastle.base.errors import WorldError
from anycastle.base.ports import Timestamp
from anycastle.io.feeds.byte_source import ByteSource
from anycastle.io.feeds.mrt_facts import MRTFacts
from anycastle.watch.fact import Fact, SeedEnd
from anycastle.watch.ris_live import RISLiveReader
from anycastle.watch.table import WatchedTable
from anycastle.wire.ris_live import FRAME_BYTES_MAX

_COLLECTOR: Final = re.compile(r"rrc\d+|route-views[\w.-]*", re.ASCII)


@dataclass(slots=True)
class Replay:
    """What is replayed, and what became of it once it was."""

    table: WatchedTable
    names: Sequence[str]
    collector: str | None = None
    """Names the collector of every file; where it is not given, the file's path does."""
    problems: list[str] = field(default_factory=list)
    """What could not be read: file and place."""
    unreadable: list[str] = field(default_factory=list)
    """Files in which something is, and nothing could be read."""
    seeded_at: Timestamp | None = None
    ended_at: Timestamp | None = None
    """Of all that was read, whomever it concerns, the last: as long as it was seen that nothing more happened."""

    def facts(self) -> Iterator[Fact]:
        """Give all facts, once. Raises `WorldError` where a file cannot be read."""
        updates = []
        for name in self.names:
            source = self._source(name)
            if source is None:
                continue
            seed, facts = source
            if seed:
                yield from self._seed(facts)
            else:
                updates.append(facts)
        if self.seeded_at is not None:
            yield SeedEnd(self.seeded_at)
        start = self.seeded_at
        for fact in heapq.merge(*updates, key=lambda fact: fact.at):
            if start is None or fact.at >= start:
                yield fact

    def _seed(self, facts: Iterator[Fact]) -> Iterator[Fact]:
        for fact in facts:
            self.seeded_at = fact.at if self.seeded_at is None else max(self.seeded_at, fact.at)
            yield fact

    def _source(self, name: str) -> tuple[bool, Iterator[Fact]] | None:
        """Tell whether a file holds a table, and give its facts; None for one without routes."""
        if _is_json(name):
            return False, self._ris_live(name)
        archive = MRTFacts(name, self.collector or collector_of(name), self.table)
        if archive.is_empty:
            self.problems += archive.problems or [f"{name}: it holds no route"]
            self.unreadable += archive.unreadable
            return None
        return archive.is_table, self._mrt(archive)

    def _mrt(self, archive: MRTFacts) -> Iterator[Fact]:
        yield from archive.facts()
        self._reach(archive.ended_at)
        self.problems += archive.problems
        self.unreadable += archive.unreadable

    def _ris_live(self, name: str) -> Iterator[Fact]:
        reader, ended_at = RISLiveReader(self.table), None
        for line in _lines(name):
            yield from reader.read(line)
            ended_at = reader.told_at or ended_at
        self._reach(ended_at)
        if reader.garbage:
            text = f"{name}: messages that could not be read: {reader.garbage}; the first: {reader.garbage_reasons[0]}"
            self.problems.append(text)
            if reader.messages == reader.garbage:
                self.unreadable.append(name)

    def _reach(self, at: Timestamp | None) -> None:
        if at is not None:
            self.ended_at = at if self.ended_at is None else max(self.ended_at, at)


def collector_of(name: str) -> str:
    """Give the collector that a path names, such as `rrc00` or `route-views2`, else the file's own name."""
    found = _COLLECTOR.findall(name)
    return found[-1].rstrip(".-_") if found else PurePath(name).name.partition(".")[0] or name


def _is_json(name: str) -> bool:
    """Tell whether a file holds JSON; standard input is MRT, as it can be read but once."""
    if name == "-":
        return False
    with ByteSource(name) as source:
        return next(source.pieces(), b"").lstrip()[:1] == b"{"


def _lines(name: str) -> Iterator[bytes]:
    """Give the lines of a file. Raises `WorldError` for one that is no message of any size."""
    rest = b""
    with ByteSource(name) as source:
        for piece in source.pieces():
            *lines, rest = (rest + piece).split(b"\n")
            if len(rest) > FRAME_BYTES_MAX:
                raise WorldError(f"{name}: a line of more than {FRAME_BYTES_MAX} octets", retryable=False)
            yield from (line for line in lines if line.strip())
    if rest.strip():
        yield rest
