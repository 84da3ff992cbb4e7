"""What surrounds each request: its number, the rate of an address, security headers, figures, and our own bugs."""

import logging
import secrets
import time
from collections.abc import MutableMapping
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from anycastle.base.ports import Instant
from anycastle.web.admission import too_many
from anycastle.web.parts import Parts
from anycastle.web.problems import Problem, ProblemKind, respond

LOG: Final = logging.getLogger("anycastle.web")

_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_TLS_HEADERS: Final = {"Strict-Transport-Security": "max-age=31536000"}


class Surround:
    """The application with its surroundings."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self.app = app
        self.parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["anycastle.request"] = secrets.token_hex(8)
        begun, sent = time.monotonic(), _Sent(send, scope)
        try:
            await self._answer(scope, receive, sent)
        except Exception:
            LOG.exception("request %s ended with an error of ours", scope["anycastle.request"])
            if sent.status is None:
                bug = Problem(ProblemKind.BUG, "this is noted in the controller's log")
                await respond(bug, Request(scope))(scope, receive, sent)
        finally:
            self._measure(scope, sent, time.monotonic() - begun)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        wait_s = self.parts.by_address.wait_s(client[0] if client else "", Instant(time.monotonic()))
        if wait_s > 0:
            self.parts.measure.limited.labels("address").inc()
            await respond(too_many(wait_s), Request(scope))(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _measure(self, scope: Scope, sent: "_Sent", took_s: float) -> None:
        """Count by the endpoint's path, never by what was asked: that would be without bound."""
        endpoint = getattr(scope.get("route"), "path", "none")
        self.parts.measure.requests.labels(endpoint, str(sent.status)).inc()
        if not sent.streams:
            self.parts.measure.seconds.labels(endpoint).observe(took_s)


class _Sent:
    """Sends, with our headers, and remembers what."""

    def __init__(self, send: Send, scope: Scope) -> None:
        self.status: int | None = None
        self.streams = False
        self._send = send
        self._headers = {**_HEADERS, **(_TLS_HEADERS if scope.get("scheme") == "https" else {})}
        self._request = str(scope["anycastle.request"])

    async def __call__(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=_raw(message))
            self.streams = headers.get("content-type", "").startswith("text/event-stream")
            headers.update({**self._headers, "X-Request-ID": self._request})
            headers.setdefault("Cache-Control", "no-store")
            headers.setdefault("Content-Security-Policy", _POLICY)  # the pages have one of their own
        await self._send(message)


def _raw(message: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Give a message whose headers can be added to."""
    message["headers"] = list(message.get("headers", ()))
    return message
