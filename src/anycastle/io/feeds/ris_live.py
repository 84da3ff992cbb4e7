"""RIS Live over its WebSocket: subscribe, read, and come back whenever the connection is lost.

Each watched prefix is subscribed to with its more-specifics and what covers it. A connection that is lost, refused or
silent is made anew after a pause that doubles from `BACK_OFF_FIRST_S` to `BACK_OFF_LAST_S`, each with jitter; what
happened in between is not known, and is said so as a `FeedGap`. As prefixes can be calm for days, the feed is asked
for a sign of life every `PING_S`: silence is counted from the last frame of any kind.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from anycastle.base.ports import Now, Randomness, Timestamp
from anycastle.io.feeds.fact_queue import FactQueue
from anycastle.watch.fact import FeedGap
from anycastle.watch.ris_live import RISLiveReader
from anycastle.watch.silence import SilenceWatch
from anycastle.watch.table import WatchedTable
from anycastle.wire.ris_live import FRAME_BYTES_MAX, PING, subscription

ADDRESS: Final = "wss://ris-live.ripe.net/v1/ws/?client=anycastle"
"""RIPE's server; it asks each client to name itself."""

PING_S: Final = 15.0
BACK_OFF_FIRST_S: Final = 1.0
BACK_OFF_LAST_S: Final = 60.0
STEADY_S: Final = 60.0
"""A connection that held this long was a good one: the next pause is short again."""

OPEN_TIMEOUT_S: Final = 10.0
SILENT_MAX_S: Final = 60.0
"""Silence after which a connection is given up: four pings without an answer."""

AHEAD_MAX_S: Final = 5.0
"""How far a collector's clock may be ahead of ours."""

FRAMES_QUEUED_MAX: Final = 1024
"""Frames that the library holds for us before it stops reading from the socket."""


class RISLiveFeed:
    """One feed."""

    def __init__(
        self,
        table: WatchedTable,
        queue: FactQueue,
        silence: SilenceWatch,
        now: Callable[[], Now],
        randomness: Randomness,
        *,
        address: str = ADDRESS,
        name: str = "ris-live",
        prefixes: Sequence[str] | None = None,
        silent_max_s: float = SILENT_MAX_S,
        back_off_first_s: float = BACK_OFF_FIRST_S,
    ) -> None:
        self.name = name
        self.reader = RISLiveReader(table)
        self.connections = 0
        self.connected = False
        self.ahead = 0
        """Facts from the future, which were taken as of now: one wrong clock must not move the engine's."""
        self.trouble = ""
        """Why the last connection ended or could not be made."""
        self._address = address
        self._queue = queue
        self._silence = silence
        self._now = now
        self._randomness = randomness
        self._prefixes = [str(each.prefix) for each in table] if prefixes is None else list(prefixes)
        self._connection: ClientConnection | None = None
        self._silent_max_s = silent_max_s
        self._back_off_first_s = back_off_first_s
        self._heard: Timestamp | None = None

    async def run(self) -> None:
        """Read until cancelled."""
        self._silence.expect(self.name, self._now().wall)
        pause_s = self._back_off_first_s
        while True:
            began = self._now().monotonic
            try:
                await self._converse()
                self.trouble = "the server closed the connection"
            except TimeoutError:
                self.trouble = f"no sign of life for {self._silent_max_s:g} s"
            except (OSError, WebSocketException) as error:
                self.trouble = str(error) or type(error).__name__
            finally:
                self.connected = False
            if self._now().monotonic - began >= STEADY_S:
                pause_s = self._back_off_first_s
            await asyncio.sleep(pause_s * self._randomness.uniform(0.5, 1.0))
            pause_s = min(BACK_OFF_LAST_S, 2 * pause_s)

    async def watch(self, prefixes: Iterable[str]) -> None:
        """Ask for these prefixes from now on; what comes of others concerns nobody, and ends with the connection."""
        before, self._prefixes = set(self._prefixes), list(prefixes)
        connection = self._connection
        for prefix in [each for each in self._prefixes if each not in before]:
            if connection is not None:
                with contextlib.suppress(WebSocketException):  # the reader sees the same end, and asks for all anew
                    await connection.send(subscription(prefix).decode())

    async def _converse(self) -> None:
        """Read one connection to its end."""
        async with connect(
            self._address,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=1.0,
            max_size=FRAME_BYTES_MAX,
            max_queue=FRAMES_QUEUED_MAX,
            ping_interval=None,  # frames of our own tell more: that the service answers, not only its front
            compression=None,
        ) as connection:
            self.connected = True
            self.connections += 1
            self._say_gap()
            self.trouble = ""
            self._connection = connection  # from here on `watch` asks for what is new itself
            pinging = asyncio.create_task(self._ping(connection))
            try:
                for prefix in tuple(self._prefixes):
                    await connection.send(subscription(prefix).decode())
                while True:
                    async with asyncio.timeout(self._silent_max_s):
                        frame = await connection.recv()
                    self._take(frame)
            finally:
                self._connection = None
                pinging.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await pinging

    def _take(self, frame: str | bytes) -> None:
        wall = self._now().wall
        self._heard = wall
        self._queue.put(self._silence.heard(self.name, None, wall))
        facts = self.reader.read(frame)
        if self.reader.speaker is not None:
            self._queue.put(self._silence.heard(self.name, self.reader.speaker, wall))
        for number, fact in enumerate(facts):
            if fact.at > wall + AHEAD_MAX_S:
                self.ahead += 1
                facts[number] = replace(fact, at=wall)
        self._queue.put(facts)

    async def _ping(self, connection: ClientConnection) -> None:
        while True:
            await asyncio.sleep(min(PING_S, self._silent_max_s / 4))
            try:
                await connection.send(PING)
            except WebSocketException:
                return  # the reader sees the same end

    def _say_gap(self) -> None:
        """Say how long nothing was heard, if anything was before."""
        if self._heard is not None:
            wall = self._now().wall
            self._queue.put([FeedGap(wall, self.name, max(0.0, wall - self._heard), self.trouble)])
