"""Servers on loopback that take what notifiers send, and check it strictly as the real ones document it."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Answer = tuple[int, dict[str, str], str]


@dataclass
class Got:
    """A request that came."""

    path: str
    headers: dict[str, str]
    octets: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.octets)


@dataclass
class Server:
    """What came, and what is answered."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    answer: Callable[[Got], Answer] = lambda _: (200, {}, "ok")


@contextmanager
def serving(answer: Callable[[Got], Answer]) -> Iterator[Server]:
    server = Server(answer=answer)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            octets = self.rfile.read(int(self.headers["Content-Length"]))
            got = Got(self.path, {name.lower(): value for name, value in self.headers.items()}, octets)
            server.got.append(got)
            status, headers, text = server.answer(got)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(text.encode()))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None: ...

    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{listener.server_address[1]}"
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


def pagerduty(got: Got) -> Answer:
    """Answer as the Events API v2 documents it."""
    problems = pagerduty_problems(got)
    if problems:
        return (
            400,
            {},
            json.dumps({"status": "invalid event", "message": "Event is invalid", "errors": problems}),
        )
    key = got.body["dedup_key"]
    return 202, {}, json.dumps({"status": "success", "message": "Event processed", "dedup_key": key})


def pagerduty_problems(got: Got) -> list[str]:
    """Source: https://developer.pagerduty.com/docs/send-alert-event."""
    body, found = got.body, []
    known = {"routing_key", "event_action", "dedup_key", "payload", "images", "links", "client", "client_url"}
    found += [f"unknown {each}" for each in body.keys() - known]
    if len(body.get("routing_key", "")) != 32:
        found.append("'routing_key' must be 32 characters")
    if body.get("event_action") not in ("trigger", "acknowledge", "resolve"):
        found.append("'event_action' is invalid")
    if not isinstance(body.get("dedup_key"), str) or len(body["dedup_key"]) > 255:
        found.append("'dedup_key' is invalid")
    if body.get("event_action") == "trigger":
        payload = body.get("payload", {})
        fields = {"summary", "timestamp", "severity", "source", "component", "group", "class", "custom_details"}
        found += [f"unknown payload.{each}" for each in payload.keys() - fields]
        found += [f"payload.{each} is missing" for each in ("summary", "source", "severity") if not payload.get(each)]
        if len(payload.get("summary", "")) > 1024:
            found.append("payload.summary is too long")
        if payload.get("severity") not in ("critical", "warning", "error", "info"):
            found.append("payload.severity is invalid")
        datetime.fromisoformat(payload["timestamp"])
    return found


def slack(got: Got) -> Answer:
    """Answer as an incoming webhook documents it: 200 `ok`, or 400 with a word."""
    return (200, {}, "ok") if not slack_problems(got) else (400, {}, "invalid_payload")


def slack_problems(got: Got) -> list[str]:
    """Source: https://docs.slack.dev/reference/block-kit/blocks."""
    body, found = got.body, []
    found += [f"unknown {each}" for each in body.keys() - {"text", "blocks", "thread_ts", "mrkdwn"}]
    if not body.get("text"):
        found.append("no text")
    if not 1 <= len(body["blocks"]) <= 50:
        found.append("blocks")
    for block in body["blocks"]:
        match block["type"]:
            case "header":
                if block["text"]["type"] != "plain_text" or not 1 <= len(block["text"]["text"]) <= 150:
                    found.append("header")
            case "section":
                texts = [*([block["text"]] if "text" in block else []), *block.get("fields", [])]
                if not texts or len(block.get("fields", [])) > 10:
                    found.append("section")
                for text in texts:
                    most = 2000 if text in block.get("fields", []) else 3000
                    if text["type"] not in ("mrkdwn", "plain_text") or not 1 <= len(text["text"]) <= most:
                        found.append("section text")
                    if any(each in text["text"] for each in ("<", ">")):
                        found.append("what could be a mention")
            case _:
                found.append("unknown block")
    return found
