"""Where registry objects come from: servers, tried in order, or a file. Either is asked the same questions."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol

from anycastle.base.errors import ParseError, WorldError
from anycastle.io.feeds.byte_source import ByteSource
from anycastle.io.irr.server_registry import Server, ServerRegistry
from anycastle.watch.irr.database import Database
from anycastle.wire.irr.objects import read_objects
from anycastle.wire.irr.query import Question
from anycastle.wire.irr.reply import Reply

LINE_OCTETS_MAX: Final = 1 << 20
"""Octets of one line of a file; what is longer is no RPSL."""

REMARKS_MAX: Final = 20
"""Faults of a file that are told one by one."""


class Registry(Protocol):
    """Something that answers questions."""

    async def ask(self, questions: Sequence[Question]) -> list[Reply]:
        """Give the replies, in the order of the questions. Raises `WorldError` where there is no answer."""
        ...


class FileRegistry:
    """The objects of a file. `remarks` are what could not be read of it."""

    def __init__(self, database: Database, remarks: tuple[str, ...] = ()) -> None:
        self.database = database
        self.remarks = remarks

    async def ask(self, questions: Sequence[Question]) -> list[Reply]:
        """Answer as a server would that holds the file."""
        return [self.database.answer(each.query, each.sources) for each in questions]


def read_file(name: str) -> FileRegistry:
    """Read RPSL from a path, `-` or a URL, plain or packed. Raises `WorldError`.

    Objects of other classes are passed over; what cannot be read is told, with its place, and the rest stands.
    """
    database, remarks, more = Database(), list[str](), 0
    for each in read_objects(_lines(name), name):
        if not isinstance(each, ParseError):
            database.add(each)
        elif len(remarks) < REMARKS_MAX:
            remarks.append(str(each))
        else:
            more += 1
    if not database.count:
        raise WorldError(f"{name} holds no route, route6, as-set or aut-num object", retryable=False)
    if more:
        remarks.append(f"{name}: {more} more objects and lines cannot be read")
    return FileRegistry(database, tuple(remarks))


def _lines(name: str) -> Iterator[str]:
    rest = b""
    with ByteSource(name) as source:
        for piece in source.pieces():
            *lines, rest = (rest + bytes(piece)).split(b"\n")
            for line in lines:
                yield line.decode("utf-8", "replace")
            if len(rest) > LINE_OCTETS_MAX:
                raise WorldError(f"{name} is no RPSL: it has a line of over {LINE_OCTETS_MAX} octets", retryable=False)
        if source.cut is not None:
            raise WorldError(f"{name}: {source.cut}")
    yield rest.decode("utf-8", "replace")


class WithSources:
    """A registry, asked about these sources wherever a question does not name its own.

    `remarks` are what could not be read of a file.
    """

    def __init__(self, registry: Registry, sources: tuple[str, ...], remarks: tuple[str, ...] = ()) -> None:
        self.remarks = remarks
        self._registry = registry
        self._sources = sources

    async def ask(self, questions: Sequence[Question]) -> list[Reply]:
        """Ask, with the sources put in."""
        return await self._registry.ask([Question(each.query, each.sources or self._sources) for each in questions])


@asynccontextmanager
async def open_registry(
    servers: Iterable[Server], file: str | None, sources: tuple[str, ...]
) -> AsyncIterator[WithSources]:
    """Open the file, or else the servers, for as long as the context lasts."""
    if file is not None:
        read = read_file(file)
        yield WithSources(read, sources, read.remarks)
        return
    registry = ServerRegistry(tuple(servers))
    try:
        yield WithSources(registry, sources)
    finally:
        await registry.close()
