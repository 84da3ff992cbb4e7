"""What watches on other machines told, as documents of a controller's store.

A document for each watch says how far its log was told, one for each finding what it came to: a telling rewrites the
findings that it is of. It is acknowledged once the store has it, and the next one is taken from there: a telling that
comes twice changes nothing. A log under another name takes the place of the one before, with all that was found.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import msgspec

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.io.event_log import GENESIS
from anycastle.io.findings_lines import HowFar, Row, Stretch, Telling
from anycastle.io.store.port import Store
from anycastle.io.watched import KEPT, Found, begun, in_order

WATCHES: Final = "watch/"
FINDINGS: Final = "finding/"
WATCHES_MAX: Final = 50
OPEN_MAX: Final = 5_000
"""Findings of one watch that are open; of those beyond nothing is kept but their number."""

SILENT_S: Final = 120.0
"""A watch that told nothing for so long is silent: six signs of life, and a delivery's longest wait."""


class Telltale(msgspec.Struct):
    """A watch on another machine, and how far it told."""

    name: str
    principal: str
    """Who answers for it: nobody else tells in its name."""
    far: HowFar
    heard: float
    beyond: int = 0
    """Events of findings for which there was no room."""


@dataclass(slots=True)
class Taken:
    """What became of a telling."""

    far: HowFar
    events: int = 0
    repeated: int = 0


@dataclass(slots=True)
class _Memory:
    """A watch as the store has it."""

    watch: Telltale
    found: dict[str, Found] = field(default_factory=dict)
    """Key of the document -> finding; those that are over in the order in which they ended."""


class ToldFindings:
    """Keeps them. Every method raises `WorldError`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turn = asyncio.Lock()
        self._term = 0
        self._known: dict[str, _Memory] = {}
        """Of the term alone: another controller may have taken tellings between two."""

    async def take(self, told: Telling, principal: str, at: Timestamp, term: int) -> Taken:
        """Take a telling that has no problem; it is on the disk when this returns.

        Raises `Superseded`, and `MisuseError` where another principal told in the watch's name, or beyond a limit.
        """
        stretch = told.stretch
        assert stretch is not None
        assert not told.problems
        async with self._turn:
            if self._term != term:
                self._term, self._known = term, {}
            memory = self._known.pop(stretch.watch, None) or await self._memory(stretch, principal)
            if memory.watch.principal != principal:
                self._known[stretch.watch] = memory
                raise MisuseError(f"{stretch.watch} is told of by another principal: give this watch another name")
            gone: dict[str, Found] = {}
            if memory.watch.far.log != stretch.log and stretch.after == 0:
                gone, memory = memory.found, _Memory(_new(stretch, principal))
            memory.watch.heard = at
            taken, changed = _folded(memory, told)
            documents: dict[str, bytes | None] = dict.fromkeys(gone)
            documents |= {key: msgspec.json.encode(memory.found[key]) for key in changed if key in memory.found}
            documents |= dict.fromkeys(changed - memory.found.keys())
            documents[WATCHES + stretch.watch] = msgspec.json.encode(memory.watch)
            await self._store.commit(term, documents, ())  # what fails here is read from the store again
            self._known[stretch.watch] = memory
        return taken

    async def _memory(self, stretch: Stretch, principal: str) -> _Memory:
        watches = await self.watches()
        known = watches.get(stretch.watch)
        if known is None:
            if len(watches) >= WATCHES_MAX:
                raise MisuseError(f"{WATCHES_MAX} watches are the most that a controller is told by")
            return _Memory(_new(stretch, principal))
        return _Memory(known, await self._found(f"{FINDINGS}{stretch.watch}/"))

    async def watches(self) -> dict[str, Telltale]:
        """Give name -> watch."""
        documents = await self._store.documents(WATCHES)
        found = [msgspec.json.decode(each, type=Telltale) for each in documents.values()]
        return {each.name: each for each in found}

    async def findings(self, watch: str | None = None) -> list[Found]:
        """Give the findings of one watch, or of all: the open ones first, then the newest."""
        return in_order((await self._found(FINDINGS if watch is None else f"{FINDINGS}{watch}/")).values())

    async def _found(self, beginning: str) -> dict[str, Found]:
        documents = await self._store.documents(beginning)
        return await asyncio.to_thread(_decoded, documents)

    async def forget(self, watch: str, term: int) -> bool:
        """Forget a watch and what it found; tell whether it was known. Raises `Superseded`."""
        async with self._turn:
            if watch not in await self.watches():
                return False
            self._known.pop(watch, None)
            documents = await self._store.documents(f"{FINDINGS}{watch}/")
            await self._store.commit(term, {WATCHES + watch: None, **dict.fromkeys(documents)}, ())
        return True


def _decoded(documents: Mapping[str, bytes]) -> dict[str, Found]:
    found = {key: msgspec.json.decode(each, type=Found) for key, each in documents.items()}
    return dict(sorted(found.items(), key=lambda item: item[1].cleared or 0.0))


def _new(stretch: Stretch, principal: str) -> Telltale:
    return Telltale(stretch.watch, principal, HowFar(stretch.log, 0, GENESIS.hash.hex()), 0.0)


def _folded(memory: _Memory, told: Telling) -> tuple[Taken, set[str]]:
    """Take the rows that are new; give how far the log is told now, and the keys of documents that change."""
    stretch, far = told.stretch, memory.watch.far
    assert stretch is not None
    if far.log != stretch.log:  # a log of which the beginning was never told
        return Taken(HowFar(stretch.log, 0, GENESIS.hash.hex())), set()
    if stretch.after > far.sequence:  # rows are missing between
        return Taken(far), set()
    rows = [row for row in told.rows if row.sequence > far.sequence]
    changed = set(_fold(memory, rows))
    if stretch.through > far.sequence:
        far = memory.watch.far = HowFar(far.log, stretch.through, stretch.hash)
    return Taken(far, len(rows), len(told.rows) - len(rows)), changed


def _fold(memory: _Memory, rows: Iterable[Row]) -> Iterable[str]:
    name, all_found = memory.watch.name, memory.found
    is_open = sum(each.cleared is None for each in all_found.values())
    for row in rows:
        key = f"{FINDINGS}{name}/{sha256(str(row.body['finding']).encode()).hexdigest()[:32]}"
        found, at = all_found.get(key), Timestamp(row.at)
        if found is None or found.cleared is not None:
            if is_open >= OPEN_MAX:
                memory.watch.beyond += 1
                continue
            found = all_found[key] = begun(row.body, at, name)
            is_open += 1
        found.take(row.kind, row.body, at)
        yield key
        if found.cleared is not None:
            is_open -= 1
            all_found[key] = all_found.pop(key)  # the last that ended
            while len(all_found) - is_open > KEPT:
                oldest = next(other for other, each in all_found.items() if each.cleared is not None)
                del all_found[oldest]
                yield oldest
