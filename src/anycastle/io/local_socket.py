"""Requests and replies between processes of one machine: JSON lines over a Unix socket that only its owner may open."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from anycastle.base.errors import AnycastleError, WorldError
from anycastle.io.lock import lock_file

LINE_BYTES_MAX = 8 * 1024 * 1024
"""One request or reply; the state of a thousand services is well below it."""

CLIENTS_MAX = 64
"""Connections served at once; another is closed at once."""

Reply = dict[str, Any]
Handler = Callable[[dict[str, Any]], Awaitable[Reply]]


class LocalServer:
    """Answers each line that a client sends with one line. A handler's `AnycastleError` becomes `{"error": …}`."""

    def __init__(self, path: Path, handler: Handler) -> None:
        self.path = path
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._lock: int | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to listen. Raises `WorldError`, also where another process answers at the path."""
        try:
            self._lock = lock_file(self.path.with_name(f"{self.path.name}.lock"))
            if self._lock is None:
                raise WorldError(f"{self.path}: another process serves here", retryable=False)
            self.path.unlink(missing_ok=True)
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            before = os.umask(0o177)
            try:
                listener.bind(str(self.path))
            except OSError:
                listener.close()
                raise
            finally:
                os.umask(before)
            self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=LINE_BYTES_MAX)
        except OSError as error:
            self._unlock()
            raise WorldError(f"{self.path} cannot be served: {error.strerror or error}", retryable=False) from error

    async def close(self) -> None:
        """Stop listening, and end what is being served."""
        if self._server is None:
            return  # the path is another's
        self._server.close()
        for client in tuple(self._clients):
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        self.path.unlink(missing_ok=True)
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            while len(self._clients) <= CLIENTS_MAX and (line := await reader.readline()):
                writer.write(msgspec.json.encode(await self._answer(line)) + b"\n")
                await writer.drain()
        except (OSError, ValueError, asyncio.CancelledError):
            pass  # the client went away, sent a line without end, or we are closing
        finally:
            self._clients.discard(task)
            writer.close()

    async def _answer(self, line: bytes) -> Reply:
        try:
            request = msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.DecodeError as error:
            return {"error": f"the request is not a JSON object: {error}"}
        try:
            return await self._handler(request)
        except AnycastleError as error:
            return {"error": str(error)}
        except Exception as error:  # noqa: BLE001  a fault of ours: who asked hears of it, and the next is answered
            told = {"message": f"{self.path}: {request.get('command')} failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(told)
            return {"error": f"failed, by a fault of this program: {type(error).__name__}"}


def ask(
    path: Path, request: dict[str, Any], timeout_s: float = 10.0, *, of: str = "the agent", found_by: str = ""
) -> Reply:
    """Send one request and give the reply. Raises `WorldError`, with the reply's own words where it is an error.

    `found_by` is the option that says where the socket is, for who looks in the wrong place.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(timeout_s)
            client.connect(str(path))
            client.sendall(msgspec.json.encode(request) + b"\n")
            with client.makefile("rb") as lines:
                line = lines.readline(LINE_BYTES_MAX)
    except TimeoutError as error:
        raise WorldError(f"{path}: no answer within {timeout_s:g} s") from error
    except OSError as error:
        raise WorldError(f"{path}: {_why_unreached(error, of, found_by)}") from error
    if not line:
        raise WorldError(f"{path}: the connection was closed without an answer")
    try:
        reply = msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WorldError(f"{path}: an answer of {len(line)} octets that cannot be read: {error}") from error
    if "error" in reply:
        raise WorldError(str(reply["error"]), retryable=False)
    return reply


def _why_unreached(error: OSError, of: str, found_by: str) -> str:
    what = error.strerror or str(error)
    if isinstance(error, PermissionError):
        return f"{what}; it is for the user alone that {of} runs as, and for root"
    hint = f" {found_by} says where its socket is" if found_by and isinstance(error, FileNotFoundError) else ""
    return f"{what}; is {of} running?{hint}"
