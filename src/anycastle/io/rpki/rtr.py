"""A connection to a validator's cache over TCP or TLS, driven by the client's engine (RFC 8210 §9)."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Final

from anycastle.base.errors import WorldError
from anycastle.base.ports import FAR_FUTURE
from anycastle.io.clock import now
from anycastle.io.rpki.cache_place import CachePlace
from anycastle.io.rpki.export import RPKIData
from anycastle.io.system_words import system_words
from anycastle.session.rtr_client import Command, Dial, Expired, Hang, Problem, RTRClient, Say, Synchronised

RTR_PORT: Final = 323
"""IANA's port for RTR over TCP; 3323 and 8282 are what validators use that do not run as root."""

DIAL_S: Final = 10.0
_READ_OCTETS: Final = 1 << 18


async def fetch(place: CachePlace) -> RPKIData:
    """Give what a cache says now. Raises `WorldError` where it says nothing."""
    heard: asyncio.Queue[Synchronised | Expired | Problem] = asyncio.Queue(maxsize=16)
    feed = RTRFeed(place, heard.put_nowait)
    feed.start()
    try:
        event = await heard.get()
    finally:
        await feed.close()
    if not isinstance(event, Synchronised):
        raise WorldError(event.text if isinstance(event, Problem) else "the cache's data are too old")
    return RPKIData(event.table, event.aspas, None)


class RTRFeed:
    """Keeps the VRPs and ASPAs of one cache fresh until it is closed.

    `on_event` hears of `Synchronised`, `Expired` and `Problem`; `client.table` is the data, or None.
    """

    def __init__(self, place: CachePlace, on_event: Callable[[Synchronised | Expired | Problem], None]) -> None:
        self.client = RTRClient()
        self._place = place
        self._on_event = on_event
        self._connection: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def start(self) -> None:
        """Begin to dial; needs a running loop."""
        self._carry_out(self.client.start(now().monotonic))

    async def close(self) -> None:
        """Hang up, and do not come back."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        writer = self._writer
        self._hang()
        if writer is not None:
            writer.transport.abort()  # TLS would wait for the cache's farewell
        if self._connection is not None:
            self._connection.cancel()
            await asyncio.gather(self._connection, return_exceptions=True)

    def _carry_out(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Dial():
                    self._connection = asyncio.get_running_loop().create_task(self._connect())
                case Say(octets):
                    if self._writer is not None:
                        self._writer.write(octets)
                case Hang():
                    self._hang()
                case _:
                    self._on_event(command)
        self._set_timer()

    def _hang(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None

    async def _connect(self) -> None:
        """Dial once, and pass on what the cache says until the connection ends."""
        try:
            context = None if self._place.tls is None else self._place.tls.context()
            async with asyncio.timeout(DIAL_S):
                reader, writer = await asyncio.open_connection(
                    self._place.host, self._place.port, limit=_READ_OCTETS, ssl=context
                )
        except (OSError, WorldError) as error:
            why = f"{self._place.host} port {self._place.port}: {_words(error)}"
            self._carry_out(self.client.disconnected(now().monotonic, why))
            return
        self._writer = writer
        self._carry_out(self.client.connected(now().monotonic))
        detail = "the cache closed the connection"
        try:
            while self._writer is writer and (octets := await reader.read(_READ_OCTETS)):
                self._carry_out(self.client.received(octets, now().monotonic))
        except OSError as error:
            detail = _words(error)
        finally:
            writer.close()
        if self._writer is writer:
            self._writer = None
            self._carry_out(self.client.disconnected(now().monotonic, detail))

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.client.deadline != FAR_FUTURE and not self._closed:
            self._timer = asyncio.get_running_loop().call_at(self.client.deadline, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._carry_out(self.client.wake(now().monotonic))


def _words(error: OSError | WorldError) -> str:
    """Give what went wrong with the cache that a message names."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is refused: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS fails: {error.reason or error}"
        case WorldError():
            return str(error)
        case OSError():
            return system_words(error)
