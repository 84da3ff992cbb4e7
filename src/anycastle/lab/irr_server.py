"""A registry for the lab: a TCP server that speaks IRRd's `!` protocol over a file of RPSL, and misbehaves on demand.

Run as `python -m anycastle.lab.irr_server FILE ADDRESS PORT`.
"""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum
from typing import Final

from anycastle.base.errors import ParseError
from anycastle.io.irr.registry import read_file
from anycastle.watch.irr.database import Database
from anycastle.wire.irr.query import (
    QUERY_OCTETS_MAX,
    KeepOpen,
    ListSources,
    Query,
    Quit,
    SetPrefixes,
    Timeout,
    UseSources,
    parse_query,
)
from anycastle.wire.irr.reply import REPLY_OCTETS_MAX, Data, Refused, Reply, encode_reply

TIMEOUT_S: Final = 30.0
"""IRRd's default for a client's silence."""


class Fault(Enum):
    """What goes wrong with the data of an answer."""

    CLOSES = "closes midway"
    GARBAGE = "garbage"
    SILENT = "silent"
    DRIPS = "an octet at a time"
    TOO_LONG = "too long"
    SHORT = "shorter than it says"


class IRRServer:
    """Serves a database. `fault` strikes at the answers with data whose number is in `struck`; None strikes at all."""

    def __init__(
        self,
        database: Database,
        *,
        fault: Fault | None = None,
        struck: Sequence[int] | None = None,
        set_prefixes: bool = True,
    ) -> None:
        """`set_prefixes` says whether it knows `!a`, which older servers do not."""
        self._database = database
        self._fault = fault
        self._struck = struck
        self._set_prefixes = set_prefixes
        self._given = 0
        self.connections = 0
        self.queries: list[Query] = []
        self._server: asyncio.Server | None = None
        self._conversations: set[asyncio.Task[None]] = set()

    async def start(self, address: str = "127.0.0.1", port: int = 0) -> int:
        """Listen. Gives the port."""
        self._server = await asyncio.start_server(self._serve, address, port, limit=QUERY_OCTETS_MAX)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop to listen, and end what conversations there are."""
        if self._server is not None:
            self._server.close()
        conversations = tuple(self._conversations)
        for conversation in conversations:
            conversation.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        conversation = asyncio.current_task()
        assert conversation is not None
        self._conversations.add(conversation)
        try:
            with suppress(ConnectionError, TimeoutError, ValueError):  # ValueError: a line that is too long
                await self._converse(reader, writer)
        finally:
            self._conversations.discard(conversation)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sources: tuple[str, ...] = ()
        keep_open, timeout_s = False, TIMEOUT_S
        while True:
            async with asyncio.timeout(timeout_s):
                line = await reader.readline()
            if not line:
                return
            try:
                query = parse_query(line.decode("ascii", "replace").strip())
            except ParseError as error:
                writer.write(encode_reply(Refused(str(error))))
                query = None
            if query is not None:
                self.queries.append(query)
                match query:
                    case Quit():
                        return
                    case KeepOpen():
                        keep_open = True
                        continue
                    case Timeout(seconds):
                        timeout_s = float(seconds)
                reply = self._reply(query, sources)
                if isinstance(query, UseSources) and not isinstance(reply, Refused):
                    sources = query.sources
                if not await self._give(writer, query, reply):
                    return
            await writer.drain()
            if not keep_open:
                return

    def _reply(self, query: Query, sources: tuple[str, ...]) -> Reply:
        if isinstance(query, SetPrefixes) and not self._set_prefixes:
            return Refused("Unrecognised command: a")
        return self._database.answer(query, sources)

    async def _give(self, writer: asyncio.StreamWriter, query: Query, reply: Reply) -> bool:
        """Send a reply. Tells whether the connection goes on."""
        octets = encode_reply(reply)
        if self._fault is None or not isinstance(reply, Data) or isinstance(query, ListSources):
            writer.write(octets)
            return True
        self._given += 1
        if self._struck is not None and self._given not in self._struck:
            writer.write(octets)
            return True
        return await self._misbehave(writer, octets)

    async def _misbehave(self, writer: asyncio.StreamWriter, octets: bytes) -> bool:
        match self._fault:
            case Fault.CLOSES:
                writer.write(octets[: len(octets) // 2])
                return False
            case Fault.GARBAGE:
                writer.write(b"\x00\xffnonsense\n" + octets)
            case Fault.SILENT:
                await asyncio.Event().wait()
            case Fault.DRIPS:
                for octet in octets:
                    writer.write(bytes((octet,)))
                    await writer.drain()
            case Fault.TOO_LONG:
                writer.write(b"A%d\n" % (REPLY_OCTETS_MAX + 1))
            case Fault.SHORT:
                writer.write(octets.replace(b"\n", b"9\n", 1))
        return True


async def serve(file: str, address: str, port: int) -> None:
    """Serve a file until the process ends."""
    await IRRServer(read_file(file).database).start(address, port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], int(sys.argv[3])))
