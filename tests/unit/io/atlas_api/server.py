"""A server that speaks as RIPE Atlas does, as far as its documentation says: REST over HTTP, results over a WebSocket.

Source: RIPE Atlas, REST API Manual and Reference; Streaming API.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.sync.server import ServerConnection, serve

KEY = "01234567-89ab-cdef-0123-456789abcdef"
NUMBER = 1001
BEGAN = int(time.time()) - 7200


def result(probe: int, at: int, site: str = "fra") -> dict[str, Any]:
    """A result of ping, of which the fields that are read are there."""
    return {
        "fw": 5080, "type": "ping", "msm_id": NUMBER, "prb_id": probe, "timestamp": at, "af": 4, "proto": "ICMP",
        "dst_name": site, "sent": 1, "rcvd": 1, "result": [{"rtt": 12.5}],
    }  # fmt: skip


def problem(status: int, title: str, detail: str, **errors: str) -> dict[str, Any]:
    each = [{"source": {"pointer": pointer}, "detail": words} for pointer, words in errors.items()]
    return {"error": {"status": status, "code": 100, "title": title, "detail": detail, "errors": each}}


@dataclass
class Trouble:
    """An answer that is given instead of the right one."""

    status: int
    body: Any = None
    fields: dict[str, str] = field(default_factory=dict)


@dataclass
class Atlas:
    """What the server knows, and what it was asked."""

    results: list[dict[str, Any]] = field(default_factory=list)
    balance: int = 100_000
    measurement: dict[str, Any] = field(default_factory=lambda: {"start_time": BEGAN, "stop_time": None})
    troubles: dict[str, list[Trouble]] = field(default_factory=dict)
    """Beginning of a path -> what is said first."""
    cut_after: list[int] = field(default_factory=list)
    """Octets of the next lists of results, after which the connection is lost."""
    asked: list[str] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    streamed: list[Any] = field(default_factory=list)
    """Messages of the first stream, then of the next one; `None` loses it."""
    subscriptions: list[Any] = field(default_factory=list)
    address: str = ""
    stream: str = ""

    def answer(self, method: str, path: str, body: Any) -> Trouble:
        """Give status and body."""
        for beginning, troubles in self.troubles.items():
            if path.startswith(beginning) and troubles:
                return troubles.pop(0)
        if method == "POST":
            if self.keys[-1] != f"Key {KEY}":
                return Trouble(403, problem(403, "Forbidden", "The provided API key does not exist"))
            self.orders.append(body)
            return Trouble(201, {"measurements": [NUMBER]})
        if path.startswith("/credits/"):
            return Trouble(200, {"current_balance": self.balance, "credit_checked": True})
        if path == f"/measurements/{NUMBER}/":
            return Trouble(200, {"id": NUMBER, "is_oneoff": False, **self.measurement})
        return Trouble(404, problem(404, "Not Found", "Not found."))

    def lines(self, query: dict[str, list[str]]) -> bytes:
        start, stop = int(query["start"][0]), int(query["stop"][0])
        probes = {int(each) for each in query.get("probe_ids", [""])[0].split(",") if each}
        found = [
            each for each in self.results
            if start <= each["timestamp"] <= stop and (not probes or each["prb_id"] in probes)
        ]  # fmt: skip
        return b"".join(json.dumps(each).encode() + b"\n" for each in found)


def _handler(atlas: Atlas) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer("GET", None)

        def do_POST(self) -> None:
            self._answer("POST", json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, method: str, body: Any) -> None:
            parts = urlsplit(self.path)
            path = parts.path.removeprefix("/api/v2")
            atlas.asked.append(f"{method} {path}")
            atlas.keys.append(self.headers.get("Authorization"))
            if path.endswith("/results/") and not any(
                path.startswith(each) and some for each, some in atlas.troubles.items()
            ):
                return self._send(200, atlas.lines(parse_qs(parts.query)), {}, whole=not atlas.cut_after)
            said = atlas.answer(method, path, body)
            octets = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
            return self._send(said.status, octets, said.fields)

        def _send(self, status: int, octets: bytes, fields: dict[str, str], *, whole: bool = True) -> None:
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(octets)))
            self.end_headers()
            if whole:
                self.wfile.write(octets)
            else:
                self.wfile.write(octets[: atlas.cut_after.pop(0)])
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client may go in the middle of an answer
            super().handle_error(request, client_address)


def _streaming(atlas: Atlas, connection: ServerConnection) -> None:
    atlas.subscriptions.append(json.loads(connection.recv()))
    while atlas.streamed:
        message = atlas.streamed.pop(0)
        if message is None:
            return
        connection.send(message if isinstance(message, str) else json.dumps(message))
    connection.recv()  # until the client goes


@contextmanager
def served(atlas: Atlas) -> Iterator[Atlas]:
    """Serve on loopback."""
    server = _Server(("127.0.0.1", 0), _handler(atlas))
    streams = serve(lambda connection: _streaming(atlas, connection), "127.0.0.1", 0)
    threads = [threading.Thread(target=each.serve_forever) for each in (server, streams)]
    for thread in threads:
        thread.start()
    atlas.address = f"http://127.0.0.1:{server.server_port}/api/v2"
    atlas.stream = f"ws://127.0.0.1:{streams.socket.getsockname()[1]}/stream/?client=anycastle"
    try:
        yield atlas
    finally:
        server.shutdown()
        server.server_close()
        streams.shutdown()
        for thread in threads:
            thread.join(10)
