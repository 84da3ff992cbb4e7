"""Answers that a client has already are not sent again, and large ones are sent packed: for every read, in one place.

Pages read the PoPs of a wide fleet each few seconds, half a megabyte that mostly says the same. An answer's ETag is
made of its octets, unless the endpoint gave one of its own (then that says which state may be decided on, and stays).
What is packed is only what GET gives: no answer of those holds a secret that a length could tell.
"""

import asyncio
import gzip
from hashlib import blake2b
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PACKED_FROM: Final = 1_400
"""Octets from which on packing is worth it: less is one packet anyway."""

APART_FROM: Final = 32 * 1024
"""Octets from which on a thread packs: a megabyte takes ten milliseconds, and agents are on this loop too."""

_LEVEL: Final = 1
"""JSON of a thousand PoPs becomes a twelfth; level 6 makes it a fifteenth in four times the time."""


class Compact:
    """The application, whose answers to GET are tagged and packed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Held(Headers(scope=scope), send))


class _Held:
    """Holds the beginning of an answer until its body is there; what is a stream, or no JSON, goes through."""

    def __init__(self, asked: Headers, send: Send) -> None:
        self._asked = asked
        self._send = send
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start" and _is_json(message):
            self._start = message
            return
        start, self._start = self._start, None
        if start is None:
            await self._send(message)
        elif message.get("more_body", False):
            await self._send(start)
            await self._send(message)
        else:
            await self._whole(start, message.get("body", b""))

    async def _whole(self, start: Message, body: bytes) -> None:
        headers = MutableHeaders(raw=list(start["headers"]))
        headers.add_vary_header("Accept-Encoding")
        own = "etag" not in headers  # of what this body says; an endpoint's own names what an order is decided on
        if own:
            headers["ETag"] = f'W/"{blake2b(body, digest_size=16).hexdigest()}"'
        if own and headers["etag"] in _tags(self._asked.get("if-none-match", "")):
            del headers["content-length"]
            del headers["content-type"]
            start, body = {**start, "status": 304}, b""
        elif len(body) >= PACKED_FROM and _takes_gzip(self._asked.get("accept-encoding", "")):
            body = await _packed(body)
            headers["Content-Encoding"] = "gzip"
            headers["Content-Length"] = str(len(body))
        await self._send({**start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})


async def _packed(body: bytes) -> bytes:
    if len(body) < APART_FROM:
        return gzip.compress(body, _LEVEL, mtime=0)
    return await asyncio.to_thread(gzip.compress, body, _LEVEL, mtime=0)


def _is_json(start: Message) -> bool:
    headers = Headers(raw=list(start["headers"]))
    kind = headers.get("content-type", "").partition(";")[0]
    return start["status"] == 200 and kind == "application/json" and "content-encoding" not in headers


def _tags(text: str) -> frozenset[str]:
    return frozenset(each.strip() for each in text.split(","))


def _takes_gzip(text: str) -> bool:
    """Tell whether Accept-Encoding (RFC 9110 §12.5.3) names gzip, and does not refuse it."""
    for each in text.split(","):
        name, _, weight = each.partition(";")
        if name.strip().lower() in ("gzip", "x-gzip"):
            return weight.replace(" ", "").lower() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
