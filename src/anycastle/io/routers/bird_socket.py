"""BIRD's control socket: commands out, replies with their codes in.

A reply is lines of `NNNN-text`, the last of them `NNNN text`; a line that begins with a blank goes on with the code
before. Commands that belong together go out together, and BIRD carries them out in one turn of its loop: each wait for
it costs a withdrawal a change of process. Their sum is kept short, since BIRD 2.0.12 drops a client that sends more
than about a kilobyte ahead.
Source: BIRD Programmer's Documentation, § Client; doc/reply_codes.
"""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from anycastle.base.errors import WorldError
from anycastle.io.system_words import system_words

RECONFIGURED: Final = 3
IN_PROGRESS: Final = frozenset({4, 5, 17})
"""Reconfiguration in progress, already in progress and queued, queued one removed."""

UP_AND_RUNNING: Final = 13
CONFIGURATION_ERROR: Final = 8002
NO_MATCH: Final = frozenset({8001, 8003})
"""Network not found, no protocols match."""

NO_TABLES: Final = "No valid tables"
"""Text of the answer for the exports of a session that is down."""

PARSE_ERROR: Final = 9000
"""From here on a code says that BIRD did not understand the command."""

_WELCOME: Final = 1
_TIMEOUT_S: Final = 5.0
_REPLY_OCTETS_MAX: Final = 64 * 1024 * 1024
_COMMAND_OCTETS_MAX: Final = 1000
_CHUNK: Final = 1 << 18
_LAST_LINE: Final = re.compile(rb"^\d{4} .*\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to a command: its last code, and each line with its code."""

    code: int
    lines: tuple[tuple[int, str], ...]

    @property
    def text(self) -> str:
        """The last line, which says how it went."""
        return self.lines[-1][1].strip()


class BirdSocket:
    """A connection to BIRD that is made when it is needed, and made anew when BIRD was restarted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = asyncio.Lock()
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._received = bytearray()

    async def ask(self, command: str) -> Reply:
        """Give the reply to a command, whatever its code. Raises `WorldError` when BIRD does not answer."""
        return (await self.ask_together(command))[0]

    async def ask_together(self, *commands: str, heard: list[Reply] | None = None) -> list[Reply]:
        """Give the replies to commands that BIRD carries out one after the other, as `ask` does.

        They are put into `heard` as they come, for whoever must know the first ones where a later one does not come.
        """
        replies: list[Reply] = [] if heard is None else heard
        text = "".join(f"{command}\n" for command in commands)
        assert len(text) < _COMMAND_OCTETS_MAX
        assert text.count("\n") == len(commands)
        async with self._lock:
            try:
                await self._ask(text.encode(), len(commands), replies)
            except TimeoutError as error:
                self.close()
                unanswered = commands[len(replies)]
                raise WorldError(f"BIRD gave no answer to {unanswered!r} within {_TIMEOUT_S:g} s") from error
            except OSError as error:
                self.close()
                raise WorldError(f"BIRD does not answer at {self.path}: {system_words(error)}") from error
            except (EOFError, ValueError) as error:
                self.close()
                raise WorldError(f"BIRD does not answer at {self.path}: {error}") from error
            except asyncio.CancelledError:
                self.close()  # else the rest of this reply would be taken for the next one's
                raise
        return replies

    async def expect(self, command: str) -> Reply:
        """Give the reply to a command that BIRD must understand. Raises `WorldError`."""
        return (await self.expect_together(command))[0]

    async def expect_together(self, *commands: str, heard: list[Reply] | None = None) -> list[Reply]:
        """Give the replies to commands that BIRD must understand, as `ask_together` does. Raises `WorldError`."""
        replies = await self.ask_together(*commands, heard=heard)
        for command, reply in zip(commands, replies, strict=True):
            if reply.code >= PARSE_ERROR:
                raise WorldError(f"BIRD does not take {command!r}: {reply.text}")
        return replies

    async def _ask(self, octets: bytes, count: int, replies: list[Reply]) -> None:
        if self._writer is not None:
            try:
                return await self._exchange(octets, count, replies)
            except (OSError, EOFError):
                if replies:
                    raise
                self.close()  # BIRD was restarted since the last command
        async with asyncio.timeout(_TIMEOUT_S):
            await self._connect()
        await self._exchange(octets, count, replies)
        return None

    async def _connect(self) -> None:
        self._reader, self._writer = await asyncio.open_unix_connection(str(self.path), limit=_CHUNK)
        welcome = await self._reply()
        if welcome.code != _WELCOME:
            raise ValueError(f"not BIRD's welcome: {welcome.text}")

    async def _exchange(self, octets: bytes, count: int, replies: list[Reply]) -> None:
        assert self._writer is not None
        self._writer.write(octets)
        for _ in range(count):
            async with asyncio.timeout(_TIMEOUT_S):
                replies.append(await self._reply())

    async def _reply(self) -> Reply:
        assert self._reader is not None
        searched = 0
        while (last := _LAST_LINE.search(self._received, searched)) is None:
            searched = self._received.rfind(b"\n") + 1
            more = await self._reader.read(_CHUNK)
            if not more:
                raise EOFError("the connection was closed")
            self._received += more
            if len(self._received) > _REPLY_OCTETS_MAX:
                raise EOFError("the reply has no end")
        reply = _parse(self._received[: last.end()].decode("utf-8", "replace"))
        del self._received[: last.end()]
        return reply

    def close(self) -> None:
        """Let go of the connection."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None
        self._received.clear()


def _parse(text: str) -> Reply:
    lines: list[tuple[int, str]] = []
    code = 0
    for line in text[:-1].split("\n"):  # a peer's words may hold other separators
        if line[:1] == " ":
            lines.append((code, line[1:]))
        else:
            code = int(line[:4])
            lines.append((code, line[5:]))
    return Reply(code, tuple(lines))
