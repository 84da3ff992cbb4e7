"""One QUIC connection of a probe (RFC 9000). Packets, timers and TLS are aioquic's; the socket and its waits are ours.

A handshake of QUIC opens the connection and shakes hands at once: it is one phase, `handshake`.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, HandshakeCompleted, QuicEvent, StreamDataReceived, StreamReset

from anycastle.io.checks.stream import readable
from anycastle.io.checks.tls import client_context
from anycastle.io.checks.verdict import Failed
from anycastle.io.probe.course import Course
from anycastle.io.probe.datagram import open_udp
from anycastle.model.prefix import Address
from anycastle.probe.target import ProbeTarget

_OCTETS_MAX: Final = 65_535
_DATAGRAMS_AT_ONCE: Final = 64
_CRYPTO_ERROR: Final = range(0x100, 0x200)
"""A TLS alert, its number added (RFC 9001 §4.8)."""


class QUICSession:
    """A connection under way."""

    def __init__(self, channel: socket.socket, connection: QuicConnection) -> None:
        self.connection = connection
        self._channel = channel
        self._peer = channel.getpeername()
        self._ended: ConnectionTerminated | None = None

    async def handshake(self) -> str:
        """Open the connection; give the protocol that was agreed by ALPN. Raises `Failed` and `OSError`."""
        self.connection.connect(self._peer, now=_now())
        while True:
            for event in await self.events():
                if isinstance(event, HandshakeCompleted):
                    return event.alpn_protocol or ""

    async def events(self) -> list[QuicEvent]:
        """Send what waits to be sent, and give what happened next. Raises `Failed` where the connection has ended."""
        while True:
            self.flush()
            found = self._events()
            if found:
                return found
            if self._ended is not None:
                raise Failed(_end_in_words(self._ended))
            await self._wait()

    def flush(self) -> None:
        """Send what waits to be sent."""
        for octets, _ in self.connection.datagrams_to_send(now=_now()):
            try:
                self._channel.send(octets)
            except BlockingIOError:
                return  # as lost on the way: its timer sends it again

    async def answer(self, stream: int, octets: bytes, octets_max: int) -> bytes:
        """Send octets on a new stream and end it; give all that comes before the other end does so too."""
        self.connection.send_stream_data(stream, octets, end_stream=True)
        found = b""
        while True:
            for event in await self.events():
                match event:
                    case StreamDataReceived(stream_id=of) if of == stream:
                        found += event.data
                        if len(found) > octets_max:
                            raise Failed(f"an answer of more than {octets_max} octets")
                        if event.end_stream:
                            return found
                    case StreamReset(stream_id=of) if of == stream:
                        raise Failed(f"the stream was reset with error {event.error_code}")
                    case _:
                        pass

    def _events(self) -> list[QuicEvent]:
        found: list[QuicEvent] = []
        while (event := self.connection.next_event()) is not None:
            if isinstance(event, ConnectionTerminated):
                self._ended = event
            else:
                found.append(event)
        return found

    async def _wait(self) -> None:
        """Wait for a datagram, or for the connection's timer."""
        timer = self.connection.get_timer()
        try:
            async with asyncio.timeout_at(timer):
                await readable(self._channel.fileno())
        except TimeoutError:
            self.connection.handle_timer(now=_now())
            return
        for _ in range(_DATAGRAMS_AT_ONCE):
            try:
                octets = self._channel.recv(_OCTETS_MAX)
            except BlockingIOError:
                return
            self.connection.receive_datagram(octets, self._peer, now=_now())


@asynccontextmanager
async def opened_quic(
    target: ProbeTarget,
    address: Address,
    alpn: str,
    server_name: str,
    course: Course,
    *,
    verify: bool,
    ca_file: str | None,
) -> AsyncIterator[QUICSession]:
    """Give an open connection on which `alpn` is spoken; closed at the end. Raises `Failed`, `Undecided`, `OSError`."""
    configuration = QuicConfiguration(
        alpn_protocols=[alpn], server_name=server_name, cafile=_authorities(ca_file) if verify else None
    )
    if not verify:
        configuration.verify_mode = ssl.CERT_NONE
    with open_udp(address, target.port, target.source_port) as channel:
        course.local_port = channel.getsockname()[1]
        session = QUICSession(channel, QuicConnection(configuration=configuration))
        course.begin("handshake")
        if await session.handshake() != alpn:
            raise Failed(f"{alpn} was not agreed by ALPN")
        course.end()
        try:
            yield session
        finally:
            session.connection.close()
            with suppress(OSError):  # it is over either way
                session.flush()


def _authorities(ca_file: str | None) -> str | None:
    """Give a file of authorities that can be read: the one that is asked for, else the system's. Raises `Undecided`.

    aioquic reads it when the certificate has come, and what it cannot read would look like the server's fault.
    """
    if ca_file is not None:
        client_context(True, ca_file)
    return ca_file or ssl.get_default_verify_paths().cafile


def _end_in_words(ended: ConnectionTerminated) -> str:
    reason = f": {ended.reason_phrase}" if ended.reason_phrase else ""
    if ended.error_code in _CRYPTO_ERROR and ended.frame_type is not None:
        return f"the TLS handshake failed with alert {ended.error_code - _CRYPTO_ERROR.start}{reason}"
    return f"the connection was ended with error {ended.error_code}{reason}"


def _now() -> float:
    return asyncio.get_running_loop().time()
