"""The collector's HTTP side, as an ASGI application: OTLP and probers' results in, pages out.

What is taken is answered once it is kept on disk, so that a sender that was told yes need not keep it. A body is
bounded before it is read and after it is unpacked; the server around this bounds connections and headers.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from anycastle.base.errors import ParseError, WorldError
from anycastle.io.status_server import Page
from anycastle.io.telemetry import otlp
from anycastle.io.whole_file import read_whole

RESULTS: Final = "/results"
_TOKEN_OCTETS_MAX: Final = 65_536
_SHED: Final = {"retry-after": "5"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request's head."""

    method: str
    path: str
    parameters: Mapping[str, str]
    fields: Mapping[str, str]

    @property
    def media_type(self) -> str:
        """Give what the body is, without parameters."""
        return self.fields.get("content-type", "").partition(";")[0].strip().lower()


class _TooLongError(Exception):
    """A body beyond its bound."""


class _Refusal(Exception):
    """A request that is not taken."""

    def __init__(self, status: HTTPStatus, words: str) -> None:
        super().__init__(words)
        self.status = status


Take = Callable[[str, Any], otlp.Outcome]
"""OTLP's path and message -> what became of it."""


@dataclass(frozen=True, slots=True)
class TelemetryApp:
    """The application."""

    take: Take
    take_results: Callable[[bytes], str]
    """Probers' lines -> '' or what is wrong with them."""
    kept: Callable[[], Awaitable[None]]
    """Comes back once all that was taken until now is on disk. Raises `WorldError`."""
    pages: Mapping[str, Callable[[Asked], Page]]
    token_file: Path | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        assert scope["type"] == "http"
        fields = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        asked = Asked(scope["method"], scope["path"], query, fields)
        more: Mapping[str, str] = {}
        try:
            page = await self._answer(asked, receive)
        except _Refusal as refusal:
            page = _refused(asked, refusal.status, str(refusal))
        except WorldError as error:  # of the disk: the sender is to keep what it has
            page = _refused(asked, HTTPStatus.SERVICE_UNAVAILABLE, str(error))
            more = _SHED
        await _send(send, asked, page, more)

    async def _answer(self, asked: Asked, receive: Any) -> Page:
        if asked.path in self.pages:
            if asked.method not in ("GET", "HEAD"):
                raise _Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "only GET")
            return self.pages[asked.path](asked)
        signal = otlp.SIGNALS.get(asked.path)
        if signal is None and asked.path != RESULTS:
            there = " ".join([*self.pages, RESULTS, *otlp.SIGNALS])
            raise _Refusal(HTTPStatus.NOT_FOUND, f"there is: {there}")
        if asked.method != "POST":
            raise _Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "only POST")
        self._admit(asked)
        body = await self._body(asked, receive)
        if signal is None:
            wrong = self.take_results(body)
            if wrong:
                raise _Refusal(HTTPStatus.BAD_REQUEST, wrong)
            await self.kept()
            return Page(b"", HTTPStatus.NO_CONTENT)
        return await self._otlp(asked, signal, body)

    async def _otlp(self, asked: Asked, signal: otlp.Signal, body: bytes) -> Page:
        media_type = asked.media_type
        if media_type not in (otlp.PROTOBUF, otlp.JSON):
            known = f"{otlp.PROTOBUF} and {otlp.JSON}"
            raise _Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"the content type is {media_type!r}; known are {known}")
        try:
            message = otlp.decode(signal, media_type, body)
        except ParseError as error:
            raise _Refusal(HTTPStatus.BAD_REQUEST, str(error)) from error
        outcome = self.take(asked.path, message)
        await self.kept()
        return Page(otlp.encode(signal, media_type, outcome), content_type=media_type)

    def _admit(self, asked: Asked) -> None:
        if self.token_file is None:
            return
        token = read_whole(self.token_file, _TOKEN_OCTETS_MAX).strip()
        shown = asked.fields.get("authorization", "").removeprefix("Bearer ").encode("latin-1")
        if not token or not hmac.compare_digest(token, shown):
            raise _Refusal(HTTPStatus.UNAUTHORIZED, "the token is not the collector's")

    async def _body(self, asked: Asked, receive: Any) -> bytes:
        try:
            octets = await _received(receive)
            return otlp.unpack(octets, asked.fields.get("content-encoding", "").strip().lower())
        except _TooLongError:
            words = f"the body is longer than {otlp.BODY_OCTETS_MAX} octets"
            raise _Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, words) from None
        except ParseError as error:
            raise _Refusal(HTTPStatus.BAD_REQUEST, str(error)) from error


async def _received(receive: Any) -> bytes:
    parts, length = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise _Refusal(HTTPStatus.BAD_REQUEST, "the sender went away")
        parts.append(message.get("body", b""))
        length += len(parts[-1])
        if length > otlp.BODY_OCTETS_MAX:
            raise _TooLongError
        if not message.get("more_body", False):
            return b"".join(parts)


def _refused(asked: Asked, status: HTTPStatus, words: str) -> Page:
    if asked.path in otlp.SIGNALS and asked.media_type in (otlp.PROTOBUF, otlp.JSON):
        return Page(otlp.encode_error(asked.media_type, words), status, asked.media_type)
    return Page(f"{words}\n".encode(), status)


async def _send(send: Any, asked: Asked, page: Page, more: Mapping[str, str]) -> None:
    fields = {"content-type": page.content_type, "content-length": str(len(page.body)), **more}
    if page.status is HTTPStatus.NO_CONTENT:
        fields = {}
    if page.status is HTTPStatus.UNAUTHORIZED:
        fields["www-authenticate"] = "Bearer"
    headers = [(name.encode(), value.encode()) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": page.status.value, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if asked.method == "HEAD" else page.body})
