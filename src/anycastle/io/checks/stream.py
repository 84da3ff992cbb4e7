"""A TCP connection for one check, plain or TLS, on a bare non-blocking socket.

Asyncio's transports cost several times the exchange itself. A local peer has nearly always answered by the time we look
a second time, so each step is tried at once, and the event loop is asked only when the kernel would make us wait.
Waiting always ends with the descriptor out of the selector *before* it is closed: a number that the kernel gives out
again must not carry an old registration.
"""

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Callable
from functools import lru_cache
from types import TracebackType
from typing import Final, Self, TypeVar

from anycastle.model.prefix import Address

T = TypeVar("T")

_CHUNK: Final = 65536
_STREAM: Final = socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
_PENDING: Final = (errno.EINPROGRESS, errno.EALREADY)


def family_of_socket(address: Address) -> socket.AddressFamily:
    """Give AF_INET or AF_INET6."""
    return socket.AF_INET if address.version == 4 else socket.AF_INET6


@lru_cache(maxsize=4096)
def _address_of_socket(address: Address, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    return family_of_socket(address), (str(address), port)


async def readable(descriptor: int) -> None:
    """Wait until a descriptor can be read."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _wake, ready)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)


async def writable(descriptor: int) -> None:
    """Wait until a descriptor can be written, or its connection attempt has ended."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_writer(descriptor, _wake, ready)
    try:
        await ready
    finally:
        loop.remove_writer(descriptor)


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


async def connect(address: Address, port: int, segment_octets: int = 0) -> socket.socket:
    """Open a TCP connection, of segments of at most so many octets if any; the caller closes it. Raises `OSError`."""
    family, sockaddr = _address_of_socket(address, port)
    connection = socket.socket(family, _STREAM)
    try:
        if segment_octets:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment_octets)
        code = connection.connect_ex(sockaddr)
        if code == errno.EINPROGRESS:
            code = connection.connect_ex(sockaddr)  # a local peer has answered by now
        if code in _PENDING:
            await writable(connection.fileno())
            code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    except BaseException:
        connection.close()
        raise
    if code not in (0, errno.EISCONN):
        connection.close()
        raise OSError(code, os.strerror(code))
    return connection


class Stream:
    """An open connection; a context manager that closes it. `tls` is there after `start_tls`."""

    __slots__ = ("_incoming", "_outgoing", "_socket", "tls")

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self.tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    @property
    def local_port(self) -> int:
        """Give our end's port."""
        return int(self._socket.getsockname()[1])

    async def send(self, data: bytes) -> None:
        """Send all of `data`."""
        if self.tls is None:
            await self._send_raw(data)
        else:
            await self._drive(self.tls, lambda tls: tls.write(data))

    async def receive(self) -> bytes:
        """Give what came next, or nothing at the end of the stream."""
        if self.tls is None:
            return await self._receive_raw()
        try:
            return await self._drive(self.tls, lambda tls: tls.read(_CHUNK))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    async def start_tls(self, context: ssl.SSLContext, server_name: str) -> ssl.SSLObject:
        """Shake hands as a client. Raises `ssl.SSLError`."""
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        await self._drive(self.tls, ssl.SSLObject.do_handshake)
        return self.tls

    async def _drive(self, tls: ssl.SSLObject, action: Callable[[ssl.SSLObject], T]) -> T:
        while True:
            try:
                result = action(tls)
            except ssl.SSLWantReadError:
                await self._send_raw(self._outgoing.read())
                data = await self._receive_raw()
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
                continue
            await self._send_raw(self._outgoing.read())
            return result

    async def _send_raw(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                await writable(self._socket.fileno())

    async def _receive_raw(self) -> bytes:
        while True:
            try:
                return self._socket.recv(_CHUNK)
            except BlockingIOError:
                await readable(self._socket.fileno())
