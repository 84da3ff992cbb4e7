"""One request and its reply on a datagram socket, timed by the kernel.

Our process may be busy when the reply comes. So it is timed by the stamp that the kernel puts on it (SO_TIMESTAMPNS,
`man 7 socket`), and only the sending by our clock: a full event loop shows as a late probe, not as a slow target.
"""

import socket
import struct
import time
from collections.abc import Callable
from typing import Final, TypeVar

from anycastle.io.checks.stream import family_of_socket, readable
from anycastle.io.probe.course import Course
from anycastle.model.prefix import Address

T = TypeVar("T")

_OCTETS_MAX: Final = 65_535
_DATAGRAM: Final = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
_STAMP: Final = struct.Struct("@qq")
STAMP_SPACE: Final = socket.CMSG_SPACE(_STAMP.size)
_SO_TIMESTAMPNS: Final = 35
"""Of Linux's asm-generic/socket.h; the socket module has no name for it."""


def open_udp(address: Address, port: int, source_port: int) -> socket.socket:
    """Give a connected socket, which takes replies of this target alone. Raises `OSError`."""
    channel = socket.socket(family_of_socket(address), _DATAGRAM)
    try:
        if source_port:
            # Several targets may be asked from the one port at a time.
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            channel.bind(("" if address.version == 4 else "::", source_port))
        channel.connect((str(address), port))
    except BaseException:
        channel.close()
        raise
    return channel


def stamped(channel: socket.socket) -> None:
    """Have the kernel put a stamp on what comes."""
    channel.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)


async def exchange(channel: socket.socket, request: bytes, read: Callable[[bytes], T | None], course: Course) -> T:
    """Send, and give the first reply of which `read` makes something; others are passed over. Ends the open phase."""
    sent_ns = time.time_ns()
    channel.send(request)
    while True:
        await readable(channel.fileno())
        try:
            octets, ancillary, _flags, _from = channel.recvmsg(_OCTETS_MAX, STAMP_SPACE)
        except BlockingIOError:  # a datagram with a wrong checksum woke us
            continue
        found = read(octets)
        if found is not None:
            course.end(passed_ms(sent_ns, ancillary))
            return found


def passed_ms(sent_ns: int, ancillary: list[tuple[int, int, bytes]]) -> float | None:
    """Give milliseconds from our clock's `sent_ns` to the kernel's stamp; None where there is none."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) >= _STAMP.size:
            seconds, nanoseconds = _STAMP.unpack_from(data)
            return float(seconds * 1_000_000_000 + nanoseconds - sent_ns) / 1e6
    return None
