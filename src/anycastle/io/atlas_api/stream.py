"""New results as they come: the streaming API, and what it missed from the REST API.

A stream is a WebSocket on which a measurement is subscribed to (RIPE Atlas, "Streaming API"). It says nothing of what
came while nobody listened. So once a subscription stands, results since the last one are fetched, and what both bring
is given once. A stream that is lost is opened again after a pause that doubles.
"""

import hashlib
import json
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, Final

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from anycastle.base.errors import WorldError
from anycastle.io.atlas_api.client import AtlasAPI
from anycastle.wire.atlas.parse import RESULT_BYTES_MAX

ADDRESS: Final = "wss://atlas-stream.ripe.net/stream/?client=anycastle"
"""RIPE Atlas asks each client to name itself."""

KNOWN_MAX: Final = 200_000
"""Results that are remembered, so that none is given twice."""

OVERLAP_S: Final = 600
"""A probe that was cut off delivers late: so far back results are asked for again."""

OPEN_TIMEOUT_S: Final = 10.0
PAUSES_S: Final = (1.0, 60.0)
STEADY_S: Final = 60.0
"""A stream that held this long was a good one: the next pause is short again."""

Told = Callable[[str], None]


class Follower:
    """Follows one measurement."""

    def __init__(
        self,
        api: AtlasAPI,
        number: int,
        address: str = ADDRESS,
        told: Told = lambda _: None,
        pauses_s: tuple[float, float] = PAUSES_S,
    ) -> None:
        self._api = api
        self._number = number
        self._address = address
        self._told = told
        self._pauses_s = pauses_s
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self.streams = 0
        """Subscriptions that stood."""

    def results(self, since: int, until: float) -> Iterator[bytes]:
        """Give each result once, a line of JSON, from `since` (seconds since 1970) until the clock passes `until`.

        Raises `WorldError` where the API refuses for good.
        """
        pause_s = self._pauses_s[0]
        while time.time() < until:
            began = time.monotonic()
            try:
                with connect(self._address, open_timeout=OPEN_TIMEOUT_S, max_size=RESULT_BYTES_MAX) as stream:
                    self._subscribe(stream)
                    asked_at = int(time.time())
                    for line in self._api.results(self._number, since, asked_at):
                        yield from self._fresh(line)
                    since = asked_at - OVERLAP_S
                    yield from self._streamed(stream, until)
            except (OSError, WebSocketException) as error:
                trouble = str(error) or type(error).__name__
            else:
                return
            if time.monotonic() - began >= STEADY_S:
                pause_s = self._pauses_s[0]
            wait_s = min(pause_s * random.uniform(0.5, 1.0), max(0.0, until - time.time()))
            self._told(f"the stream is lost ({trouble}); again in {wait_s:.1f} s")
            time.sleep(wait_s)
            pause_s = min(2 * pause_s, self._pauses_s[1])

    def _subscribe(self, stream: ClientConnection) -> None:
        stream.send(json.dumps(["atlas_subscribe", {"streamType": "result", "msm": self._number}]))
        while True:
            kind, payload = _message(stream.recv(timeout=OPEN_TIMEOUT_S))
            if kind == "atlas_error":
                raise WorldError(f"the stream of measurement {self._number}: {_words(payload)}", retryable=False)
            if kind == "atlas_subscribed":
                self.streams += 1
                return

    def _streamed(self, stream: ClientConnection, until: float) -> Iterator[bytes]:
        while (left_s := until - time.time()) > 0:
            try:
                kind, payload = _message(stream.recv(timeout=left_s))
            except TimeoutError:
                return
            if kind == "atlas_error":
                raise WorldError(f"the stream of measurement {self._number}: {_words(payload)}", retryable=False)
            if kind == "atlas_result" and isinstance(payload, dict):
                yield from self._fresh(json.dumps(payload, separators=(",", ":")).encode())

    def _fresh(self, line: bytes) -> Iterator[bytes]:
        """Give a result that was not given yet. Both APIs may order its fields otherwise."""
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            self._told("a line that is no JSON is passed over")
            return
        digest = hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=12).digest()
        if digest in self._known:
            return
        self._known[digest] = None
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        yield line


def _message(text: str | bytes) -> tuple[str, Any]:
    """Give a message's type and payload; ('', None) for what is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "", None
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
        return value[0], value[1]
    return "", None


def _words(payload: Any) -> str:
    if isinstance(payload, dict):
        return str(payload.get("detail") or payload.get("message") or payload)[:300]
    return str(payload)[:300]
