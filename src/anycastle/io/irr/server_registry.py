"""Servers that speak IRRd's `!` protocol, over TCP, driven by the client's engine.

One connection is kept while questions come. A server that cannot be reached, breaks off or falls silent is tried again
once; then the next one is asked what is still unanswered. What one server has answered is not asked again.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from anycastle.base.errors import MisuseError, WorldError
from anycastle.base.ports import FAR_FUTURE
from anycastle.io.clock import now
from anycastle.io.system_words import system_words
from anycastle.session.irr_client import Answered, Command, IRRClient, Lost, Say
from anycastle.wire.irr.query import Question, Quit, encode_query
from anycastle.wire.irr.reply import REPLY_OCTETS_MAX, Data, Reply

IRR_PORT: Final = 43
"""IANA's port for WHOIS (RFC 3912), which IRRd answers at."""

DIAL_S: Final = 10.0
ATTEMPTS: Final = 2
"""Times that a server is tried before the next one."""

PAUSE_S: Final = 0.5
"""Between two attempts."""

CLOSE_S: Final = 1.0
"""For our last word to be sent."""

BATCH: Final = 1024
"""Questions given to a connection at once."""

ANSWERS_OCTETS_MAX: Final = 512 << 20
"""Octets of all answers of one `ask`: the routes of every ASN there is take 40 MB."""

_READ_OCTETS: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is."""

    host: str
    port: int = IRR_PORT

    def __str__(self) -> str:
        return f"{self.host} port {self.port}"


class ServerRegistry:
    """Asks servers in order. One caller at a time."""

    def __init__(self, servers: tuple[Server, ...], longest: int = REPLY_OCTETS_MAX) -> None:
        if not servers:
            raise MisuseError("name a server")
        self._servers = servers
        self._longest = longest
        self._connection: _Connection | None = None
        self._lock = asyncio.Lock()

    async def ask(self, questions: Sequence[Question]) -> list[Reply]:
        """Give the replies, in the order of the questions. Raises `WorldError` with what each server did."""
        replies: list[Reply] = []
        octets = 0
        async with self._lock:
            for start in range(0, len(questions), BATCH):
                fresh = await self._batch(questions[start : start + BATCH])
                octets += sum(len(reply.text) for reply in fresh if isinstance(reply, Data))
                if octets > ANSWERS_OCTETS_MAX:
                    raise WorldError(f"the answers come to more than {ANSWERS_OCTETS_MAX >> 20} MiB", retryable=False)
                replies += fresh
        return replies

    async def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _batch(self, questions: Sequence[Question]) -> list[Reply]:
        replies: list[Reply] = []
        troubles: dict[str, None] = {}
        for server, attempt in [(server, attempt) for server in self._servers for attempt in range(ATTEMPTS)]:
            connection = self._connection
            try:
                if connection is None:
                    if attempt:
                        await asyncio.sleep(PAUSE_S)
                    connection = self._connection = await _Connection.dial(server, self._longest)
                await connection.ask(questions[len(replies) :], replies)
            except asyncio.CancelledError:
                await self.close()  # what it still owes would be taken for answers to what is asked next
                raise
            except WorldError as error:
                troubles[str(error)] = None
                await self.close()
            else:
                return replies
        raise WorldError("; ".join(troubles))


class _Connection:
    """One connection, for as long as it lasts."""

    def __init__(
        self, server: Server, longest: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server = server
        self._client = IRRClient(longest=longest)
        self._reader, self._writer = reader, writer
        self._lost: str | None = None

    @classmethod
    async def dial(cls, server: Server, longest: int) -> "_Connection":
        """Connect. Raises `WorldError`."""
        try:
            async with asyncio.timeout(DIAL_S):
                reader, writer = await asyncio.open_connection(server.host, server.port, limit=_READ_OCTETS)
        except OSError as error:
            raise WorldError(f"{server}: {system_words(error)}") from error
        connection = cls(server, longest, reader, writer)
        connection._carry_out(connection._client.connected(now().monotonic), [])
        return connection

    async def ask(self, questions: Sequence[Question], replies: list[Reply]) -> None:
        """Add each reply as it comes. Raises `WorldError` where the connection ends before the last."""
        self._carry_out(self._client.ask(questions, now().monotonic), replies)
        while self._lost is None and not self._client.idle:
            self._carry_out(await self._hear(), replies)
        if self._lost is not None:
            raise WorldError(f"{self._server}: {self._lost}")

    async def _hear(self) -> list[Command]:
        deadline = None if self._client.deadline == FAR_FUTURE else self._client.deadline
        try:
            async with asyncio.timeout_at(deadline):
                octets = await self._reader.read(_READ_OCTETS)
        except TimeoutError:
            return self._client.wake(now().monotonic)
        except OSError as error:
            return self._client.disconnected(system_words(error))
        if not octets:
            return self._client.disconnected("it closed the connection before it had answered")
        return self._client.received(octets, now().monotonic)

    def _carry_out(self, commands: list[Command], replies: list[Reply]) -> None:
        for command in commands:
            match command:
                case Say(octets):
                    self._writer.write(octets)  # the engine's window bounds what can stand unsent
                case Answered(_, reply):
                    replies.append(reply)
                case Lost(why):
                    self._lost = why

    async def close(self) -> None:
        """Take leave where there is somebody to take it of, and close."""
        if self._lost is not None:
            self._writer.transport.abort()
            return
        with suppress(OSError, TimeoutError):
            self._writer.write(encode_query(Quit()))
            self._writer.close()
            async with asyncio.timeout(CLOSE_S):
                await self._writer.wait_closed()
