"""One search for a path's MTU. What routers say comes to the socket's queue of errors: it takes no more than a ping.

The socket sends with Don't Fragment, and passes over the MTU that the kernel has learnt of this path
(IP_PMTUDISC_PROBE, `man 7 ip`): what was true ten minutes ago is what we ask.
"""

import asyncio
import errno
import os
import secrets
import socket
import struct
from ipaddress import IPv6Address
from types import MappingProxyType
from typing import Final, NamedTuple

from anycastle.base.ports import Instant
from anycastle.io.checks.icmp import message_of, open_echo
from anycastle.io.checks.stream import readable
from anycastle.io.probe.course import Course
from anycastle.model.prefix import Address
from anycastle.probe.kinds.mtu import TOKEN_OCTETS, MTUAsk, MTUSeen, Search, Send, data_of
from anycastle.probe.target import ProbeTarget
from anycastle.wire.icmp import ECHO_REQUEST, Echo, decode, encode_request

_LIMIT_SHARE: Final = 0.95
"""Of the probe's time limit: a search ends by itself, with what it knows."""

_PMTUDISC_PROBE: Final = 3
_IP_MTU_DISCOVER, _IP_RECVERR = 10, 11
_IPV6_MTU_DISCOVER, _IPV6_RECVERR, _IPV6_DONTFRAG = 23, 25, 62
"""Of linux/in.h and linux/in6.h; the socket module has no names for most."""

_OPTIONS: Final = MappingProxyType(
    {
        4: ((socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_PROBE), (socket.IPPROTO_IP, _IP_RECVERR, 1)),
        6: (
            (socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PMTUDISC_PROBE),
            (socket.IPPROTO_IPV6, _IPV6_DONTFRAG, 1),
            (socket.IPPROTO_IPV6, _IPV6_RECVERR, 1),
        ),
    }
)
_QUEUES: Final = ((socket.IPPROTO_IP, _IP_RECVERR), (socket.IPPROTO_IPV6, _IPV6_RECVERR))

_EXTENDED_ERROR: Final = struct.Struct("=IBBBxII")
"""errno, origin, type, code, information (the MTU), data (linux/errqueue.h); then the address of who said it."""
_LOCAL: Final = 1
_OCTETS_MAX: Final = 65_535
_ANCILLARY_OCTETS: Final = 512


class _Told(NamedTuple):
    """An error of the queue."""

    errno: int
    local: bool
    mtu_octets: int
    address: str
    quoted: bytes
    """Our ICMP message, as far as the router quotes it."""


class _Channel:
    """Sends packets of one search, and tells which answers are its own."""

    def __init__(self, sock: socket.socket, version: int, search: Search) -> None:
        self.socket = sock
        self._version = version
        self._search = search
        self._token = secrets.token_bytes(TOKEN_OCTETS)
        self._raw = sock.type & socket.SOCK_RAW == socket.SOCK_RAW
        self._identity = int.from_bytes(self._token[:2], "big")
        for level, option, value in _OPTIONS[version]:
            sock.setsockopt(level, option, value)

    def send(self, packet: Send) -> None:
        """Send a packet. Raises `OSError`."""
        data = data_of(packet.octets, self._version, self._token)
        message = encode_request(self._version, self._identity, packet.number, data)
        for _ in range(2):
            try:
                self.socket.send(message)
            except OSError as error:
                if error.errno != errno.EMSGSIZE:
                    raise
                if self.hear_errors(packet.number):
                    return
                continue  # a router's word about an earlier packet was in the way
            return

    def hear_errors(self, sending: int = -1) -> bool:
        """Take what the queue of errors has; tell whether our own kernel refused the packet. Raises `OSError`."""
        refused_here = False
        while (told := _next_error(self.socket)) is not None:
            if told.errno != errno.EMSGSIZE:
                raise OSError(told.errno, os.strerror(told.errno))
            if told.local:
                refused_here = True
                self._search.refused(sending, told.mtu_octets)
            elif (number := self._number_of(told.quoted)) is not None:
                self._search.refused(number, told.mtu_octets, told.address)
        return refused_here

    def _number_of(self, quoted: bytes) -> int | None:
        """Give the packet that an error is about: a raw socket hears of other programs' too."""
        if len(quoted) < 8 or quoted[0] != ECHO_REQUEST[self._version]:
            return None
        identity, sequence = struct.unpack_from("!HH", quoted, 4)
        return sequence if not self._raw or identity == self._identity else None

    def hear(self) -> None:
        """Take one message."""
        self.hear_errors()
        try:
            octets = self.socket.recv(_OCTETS_MAX)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise
            return
        found = decode(self._version, message_of(self.socket, self._version, octets))
        if isinstance(found, Echo) and found.reply and found.data.startswith(self._token):
            self._search.heard(found.sequence, _now())


def _next_error(sock: socket.socket) -> _Told | None:
    try:
        quoted, ancillary, _flags, _to = sock.recvmsg(_OCTETS_MAX, _ANCILLARY_OCTETS, socket.MSG_ERRQUEUE)
    except BlockingIOError:
        return None
    for level, kind, data in ancillary:
        if (level, kind) in _QUEUES and len(data) >= _EXTENDED_ERROR.size:
            code, origin, _type, _code, mtu, _data = _EXTENDED_ERROR.unpack_from(data)
            return _Told(code, origin == _LOCAL, mtu, _offender(data[_EXTENDED_ERROR.size :]), quoted)
    return _Told(errno.EMSGSIZE, False, 0, "", b"")


def _offender(address: bytes) -> str:
    """Give the address in a sockaddr; '' where it has none."""
    if len(address) < 8:
        return ""
    (family,) = struct.unpack_from("=H", address)
    if family == socket.AF_INET:
        return socket.inet_ntoa(address[4:8])
    return str(IPv6Address(address[8:24])) if family == socket.AF_INET6 and len(address) >= 24 else ""


def _now() -> Instant:
    return Instant(asyncio.get_running_loop().time())


async def run(target: ProbeTarget, ask: MTUAsk, address: Address, course: Course) -> MTUSeen:
    """Search once."""
    search = Search(ask, address.version, _now(), target.timeout_s * _LIMIT_SHARE)
    with open_echo(address) as sock:
        channel = _Channel(sock, address.version, search)
        course.begin("small")
        while True:
            for packet in search.due(_now()):
                channel.send(packet)
            if search.ended:
                break
            try:
                async with asyncio.timeout_at(search.deadline):
                    await readable(sock.fileno())
            except TimeoutError:
                continue
            channel.hear()
            if search.begun and course.phase == "small":
                course.begin("search")
    course.end()
    return search.seen()
