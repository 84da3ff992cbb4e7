"""BIRD's control socket: commands out, replies with their codes in.

A reply is lines of `NNNN-text`, the last of them `NNNN text`; a line that begins with a blank goes on with the code
before. One command is out at a time: BIRD 2.0.12 drops a client that sends more than about a kilobyte ahead.
Source: BIRD Programmer's Documentation, § Client; doc/reply_codes.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from anycastle.base.errors import WorldError

RECONFIGURED: Final = 3
IN_PROGRESS: Final = frozenset({4, 5, 17})
"""Reconfiguration in progress, already in progress and queued, queued one removed."""

UP_AND_RUNNING: Final = 13
CONFIGURATION_OK: Final = 20
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

    async def ask(self, command: str) -> Reply:
        """Give the reply to a command, whatever its code. Raises `WorldError` when BIRD does not answer."""
        assert len(command) < _COMMAND_OCTETS_MAX
        assert "\n" not in command
        async with self._lock:
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    return await self._ask(command)
            except TimeoutError as error:
                self.close()
                raise WorldError(f"BIRD gave no answer to {command!r} within {_TIMEOUT_S:g} s") from error
            except (OSError, EOFError, ValueError) as error:
                self.close()
                raise WorldError(f"BIRD does not answer at {self.path}: {error}") from error
            except asyncio.CancelledError:
                self.close()  # else the rest of this reply would be taken for the next one's
                raise

    async def expect(self, command: str) -> Reply:
        """Give the reply to a command that BIRD must understand. Raises `WorldError`."""
        reply = await self.ask(command)
        if reply.code >= PARSE_ERROR:
            raise WorldError(f"BIRD does not take {command!r}: {reply.text}")
        return reply

    async def _ask(self, command: str) -> Reply:
        if self._writer is not None:
            try:
                return await self._exchange(command)
            except (OSError, EOFError):
                self.close()  # BIRD was restarted since the last command
        await self._connect()
        return await self._exchange(command)

    async def _connect(self) -> None:
        self._reader, self._writer = await asyncio.open_unix_connection(str(self.path), limit=_CHUNK)
        welcome = await self._reply()
        if welcome.code != _WELCOME:
            raise ValueError(f"not BIRD's welcome: {welcome.text}")

    async def _exchange(self, command: str) -> Reply:
        assert self._writer is not None
        self._writer.write(command.encode() + b"\n")
        return await self._reply()

    async def _reply(self) -> Reply:
        assert self._reader is not None
        octets = bytearray()
        while not _is_whole(octets):
            more = await self._reader.read(_CHUNK)
            if not more:
                raise EOFError("the connection was closed")
            octets += more
            if len(octets) > _REPLY_OCTETS_MAX:
                raise EOFError("the reply has no end")
        return _parse(octets.decode("utf-8", "replace"))

    def close(self) -> None:
        """Let go of the connection."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None


def _is_whole(octets: bytearray) -> bool:
    """Tell whether the last line is there and says that it is the last."""
    if not octets.endswith(b"\n"):
        return False
    start = octets.rfind(b"\n", 0, -1) + 1
    return octets[start : start + 4].isdigit() and octets[start + 4 : start + 5] == b" "


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
