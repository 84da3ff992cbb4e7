"""One TCP connection of a neighbour on asyncio."""

import asyncio
from collections.abc import Callable
from typing import cast

from anycastle.base.limits import SEND_QUEUE_MAX


class Connection(asyncio.Protocol):
    """Hands what happens on a connection to whoever owns it, until it is told to close."""

    def __init__(self, made: "Callable[[Connection], None]") -> None:
        """`made` is called once, and sets `received` and `lost`."""
        self.transport: asyncio.Transport | None = None
        self.received: Callable[[bytes], None] = lambda _octets: None
        self.lost: Callable[[str], None] = lambda _detail: None
        self.ended = asyncio.get_running_loop().create_future()
        self._made = made
        self._closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport that asyncio made."""
        self.transport = cast("asyncio.Transport", transport)
        self._made(self)

    def data_received(self, data: bytes) -> None:
        """Pass on what the peer sent."""
        if not self._closing:
            self.received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell of the end, unless we wanted it."""
        if not self.ended.done():
            self.ended.set_result(None)
        if not self._closing:
            self._closing = True
            self.lost(str(exc) if exc else "")

    def write(self, octets: bytes) -> bool:
        """Queue octets; give False, and queue nothing, when the peer has read so little that the queue is full."""
        assert self.transport is not None
        if self.transport.get_write_buffer_size() + len(octets) > SEND_QUEUE_MAX:
            return False
        self.transport.write(octets)
        return True

    def close(self, patience_s: float) -> None:
        """Deliver what is queued, but wait no longer than `patience_s` for a peer that does not read."""
        self._closing = True
        assert self.transport is not None
        self.transport.close()
        if self.transport.get_write_buffer_size():
            asyncio.get_running_loop().call_later(patience_s, self.transport.abort)
