"""`/metrics`, `/healthz` and `/readyz` over plain HTTP/1.1: GETs, and nothing that changes anything.

A path may also be an *answer*: one that takes time, and reads what is asked behind the question mark.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl

from anycastle.base.errors import WorldError

REQUEST_BYTES_MAX = 16 * 1024
REQUEST_TIMEOUT_S = 5.0
CONNECTIONS_MAX = 32


@dataclass(frozen=True, slots=True)
class Page:
    """What a path answers with."""

    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    content_type: str = "text/plain; charset=utf-8"


Pages = Mapping[str, Callable[[str], Page]]
"""Path -> a function from the request's Accept header to the page."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a request asks: parameters of its query, of each name the last; header fields by lower-case name."""

    parameters: Mapping[str, str]
    fields: Mapping[str, str]


Answers = Mapping[str, Callable[[Question], Awaitable[Page]]]
"""Path -> a function that bounds its own time."""

_NO_ANSWERS: Final[Answers] = MappingProxyType({})


class StatusServer:
    """Serves the pages; one request per connection."""

    def __init__(self, pages: Pages, host: str, port: int, answers: Answers = _NO_ANSWERS) -> None:
        self._pages = pages
        self._answers = answers
        self._address = (host, port)
        self._server: asyncio.Server | None = None
        self._busy = 0

    async def start(self) -> int:
        """Listen, and give the port. Raises `WorldError`."""
        host, port = self._address
        try:
            self._server = await asyncio.start_server(self._serve, host, port, limit=REQUEST_BYTES_MAX)
        except OSError as error:
            raise WorldError(f"{host}:{port} cannot be served: {error.strerror}", retryable=False) from error
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._busy += 1
        try:
            if self._busy > CONNECTIONS_MAX:
                return
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            page = await self._page(head)
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                writer.write(_response(page, with_body=not head.startswith("HEAD ")))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return  # whoever asked went away, or never asked
        finally:
            self._busy -= 1
            writer.close()

    async def _page(self, head: str) -> Page:
        method, _, rest = head.partition(" ")
        path, _, query = rest.split(" ", 1)[0].partition("?")
        if method not in ("GET", "HEAD"):
            return Page(b"only GET\n", HTTPStatus.METHOD_NOT_ALLOWED)
        if path not in self._pages and path not in self._answers:
            return Page(f"there is: {' '.join([*self._pages, *self._answers])}\n".encode(), HTTPStatus.NOT_FOUND)
        lines = (line.partition(":") for line in reversed(head.split("\r\n")[1:]))
        fields = {name.lower(): value.strip() for name, _, value in lines}  # of several, the first one
        if path in self._answers:
            return await self._answers[path](Question(dict(parse_qsl(query)), fields))
        return self._pages[path](fields.get("accept", ""))


def _response(page: Page, *, with_body: bool) -> bytes:
    head = (
        f"HTTP/1.1 {page.status.value} {page.status.phrase}\r\nContent-Type: {page.content_type}\r\n"
        f"Content-Length: {len(page.body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (page.body if with_body else b"")
