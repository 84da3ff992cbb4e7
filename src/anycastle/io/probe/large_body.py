"""A small body and a large one, a connection each; where the large one stalls, it is asked for in small segments."""

import asyncio
import socket
import struct
from typing import Final, NamedTuple

from anycastle.io.checks.http_exchange import encode_request, receive_body, receive_head
from anycastle.io.checks.stream import Stream, connect
from anycastle.io.checks.tls import client_context, handshake
from anycastle.io.checks.verdict import Failed
from anycastle.io.probe.course import Course
from anycastle.io.probe.http import location_of
from anycastle.model.prefix import Address
from anycastle.probe.kinds.large_body import SEGMENT_OCTETS, LargeBodyAsk, LargeBodySeen
from anycastle.probe.target import ProbeTarget

_INFO_OCTETS: Final = 104
_ADVERTISED_AT: Final = 84
"""Of tcpi_advmss in `struct tcp_info` (linux/tcp.h): data in the largest segment that we told the other end to
send."""


class _Fetched(NamedTuple):
    status: int
    octets: int
    whole: bool
    segment_octets: int


class _Watched(Stream):
    """A stream that counts what comes, and gives up where nothing does."""

    __slots__ = ("_stall_s", "octets")

    def __init__(self, connection: socket.socket, stall_s: float) -> None:
        super().__init__(connection)
        self.octets = 0
        self._stall_s = stall_s

    @property
    def segment_octets(self) -> int:
        """Give data in the largest segment that we told the other end to
        send."""
        info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_OCTETS)
        return int(struct.unpack_from("=I", info, _ADVERTISED_AT)[0])

    async def _receive_raw(self) -> bytes:
        try:
            async with asyncio.timeout(self._stall_s):
                data = await super()._receive_raw()
        except TimeoutError as error:
            if error.errno is not None:  # the kernel's ETIMEDOUT has the same class
                raise
            raise _StalledError from None
        self.octets += len(data)
        return data


class _StalledError(Exception):
    """Nothing came for too long."""


async def run(target: ProbeTarget, ask: LargeBodyAsk, address: Address, course: Course) -> LargeBodySeen:
    """Ask twice, or three times."""
    course.begin("small")
    small = await _fetch(target, ask, ask.small_path, address, course)
    course.begin("large")
    large = await _fetch(target, ask, ask.large_path, address, course)
    came = small.octets if small.whole else None
    if large.whole:
        course.end()
        return LargeBodySeen(came, large.octets, large.whole, large.segment_octets)
    course.begin("clamped")
    clamped = await _fetch(target, ask, ask.large_path, address, course, SEGMENT_OCTETS[address.version])
    course.end()
    again = clamped.octets if clamped.whole else None
    return LargeBodySeen(came, large.octets, False, large.segment_octets, again, clamped.segment_octets)


async def _fetch(
    target: ProbeTarget, ask: LargeBodyAsk, path: str, address: Address, course: Course, segment_octets: int = 0
) -> _Fetched:
    """Give the body's octets, or where it stalled those that came at all. Raises `Failed` for another status."""
    host = ask.host or target.host
    with _Watched(await connect(address, target.port, segment_octets), ask.stall_s) as stream:
        course.local_port = stream.local_port
        segment_octets = stream.segment_octets
        try:
            if ask.tls:
                await handshake(stream, client_context(ask.verify, ask.ca_file, ("http/1.1",)), host)
            await stream.send(encode_request("GET", location_of(target, host, path, tls=ask.tls), ()))
            head, buffered = await receive_head(stream)
            body = await receive_body(stream, "GET", head, buffered)
        except _StalledError:
            return _Fetched(0, stream.octets, False, segment_octets)
    if path == ask.large_path and head.status != 200:  # as a small body any will do, such as a redirect's
        raise Failed(f"status {head.status} of {path}, expected 200")
    return _Fetched(head.status, len(body), True, segment_octets)
