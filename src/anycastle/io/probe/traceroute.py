"""One Paris traceroute. Errors of routers come to a raw socket of ICMP: it takes CAP_NET_RAW."""

import asyncio
import errno
import secrets
import socket
import struct
import time
from contextlib import ExitStack
from types import MappingProxyType
from typing import Final

from anycastle.base.ports import Instant
from anycastle.io.checks.stream import family_of_socket, readable
from anycastle.io.checks.verdict import Undecided
from anycastle.io.probe.course import Course
from anycastle.io.probe.datagram import STAMP_SPACE, open_udp, passed_ms, stamped
from anycastle.model.prefix import Address
from anycastle.probe.kinds.traceroute import Send, Trace, TraceAsk, TraceSeen, icmp_data, number_of_length, udp_data
from anycastle.probe.target import ProbeTarget
from anycastle.wire.icmp import (
    TIME_EXCEEDED,
    TOO_BIG,
    UNREACHABLE,
    Echo,
    Quoted,
    behind_ip_header,
    decode,
    encode_request,
)

_OCTETS_MAX: Final = 2048
_LIMIT_SHARE: Final = 0.95
"""Of the probe's time limit: a trace ends by itself, with what it saw."""

_PROTOCOL: Final = MappingProxyType({4: socket.IPPROTO_ICMP, 6: socket.IPPROTO_ICMPV6})
_PORT_UNREACHABLE: Final = MappingProxyType({4: 3, 6: 4})
_REFUSALS: Final = MappingProxyType(
    {
        (4, 0): "network unreachable",
        (4, 1): "host unreachable",
        (4, 2): "protocol unreachable",
        (4, 4): "fragmentation needed",
        (4, 9): "network prohibited",
        (4, 10): "host prohibited",
        (4, 13): "administratively prohibited",
        (6, 0): "no route",
        (6, 1): "administratively prohibited",
        (6, 3): "address unreachable",
        (6, 5): "source address refused",
        (6, 6): "route rejected",
    }
)
"""Version and code of an unreachable destination (RFC 792, RFC 1812 §5.2.7.1; RFC 4443 §3.1) -> words."""


class _Channel:
    """Sends probes of one trace, and tells which answers are its own."""

    def __init__(self, ask: TraceAsk, target: ProbeTarget, address: Address, stack: ExitStack) -> None:
        self._udp = ask.protocol == "udp"
        self._address = address
        self._version = address.version
        self.errors = stack.enter_context(_raw(address))
        stamped(self.errors)
        if self._udp:
            self._sender = stack.enter_context(open_udp(address, target.port, target.source_port))
            self.local_port: int | None = self._sender.getsockname()[1]
            self._ends = struct.pack("!HH", self.local_port, target.port)
        else:
            self._sender = stack.enter_context(_raw(address))
            self._sender.connect((str(address), 0))
            self.local_port = None
            self._identity = int.from_bytes(secrets.token_bytes(2), "big")
        self.sent_ns: dict[int, int] = {}

    def send(self, probe: Send) -> None:
        """Send a probe with its time to live."""
        if self._version == 4:
            self._sender.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, probe.hop)
        else:
            self._sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, probe.hop)
        octets = udp_data(probe.number) if self._udp else self._echo(probe.number)
        self.sent_ns[probe.number] = time.time_ns()
        for _ in range(2):
            try:
                self._sender.send(octets)
            except OSError as error:
                if not _of_the_one_before(error):
                    raise
                continue
            return

    def _echo(self, number: int) -> bytes:
        return encode_request(self._version, self._identity, number, icmp_data(number))

    def number_of(self, message: Echo | Quoted, sender: str) -> int | None:
        """Give the probe that an answer is for; None where it is none of ours."""
        if isinstance(message, Echo):
            ours = message.reply and not self._udp and message.identity == self._identity
            return message.sequence if ours and sender == str(self._address) else None
        if message.destination != self._address.packed:
            return None
        if self._udp:
            if message.protocol != socket.IPPROTO_UDP or message.transport[:4] != self._ends:
                return None
            return number_of_length(int.from_bytes(message.transport[4:6], "big"))
        kind, identity, sequence = struct.unpack("!B3xHH", message.transport[:8])
        ours = message.protocol == _PROTOCOL[self._version] and kind == (8 if self._version == 4 else 128)
        return sequence if ours and identity == self._identity else None


async def run(target: ProbeTarget, ask: TraceAsk, address: Address, course: Course) -> TraceSeen:
    """Trace once."""
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        channel = _Channel(ask, target, address, stack)
        course.local_port = channel.local_port
        course.begin("trace")
        trace = Trace(ask, Instant(loop.time()), target.timeout_s * _LIMIT_SHARE)
        while True:
            for probe in trace.due(Instant(loop.time())):
                channel.send(probe)
            if trace.ended:
                break
            try:
                async with asyncio.timeout_at(trace.deadline):
                    await readable(channel.errors.fileno())
            except TimeoutError:
                continue
            _hear(channel, trace, address.version)
        course.end()
        return trace.seen()


def _hear(channel: _Channel, trace: Trace, version: int) -> None:
    """Take one message, if it is an answer to ours."""
    try:
        octets, ancillary, _flags, sender = channel.errors.recvmsg(_OCTETS_MAX, STAMP_SPACE)
    except BlockingIOError:
        return
    message = decode(version, behind_ip_header(octets) if version == 4 else octets)
    if message is None:
        return
    number = channel.number_of(message, str(sender[0]))
    if number is None or number not in channel.sent_ns:
        return
    sent_ns = channel.sent_ns[number]
    by_kernel_ms = passed_ms(sent_ns, ancillary)
    rtt_ms = (time.time_ns() - sent_ns) / 1e6 if by_kernel_ms is None else by_kernel_ms
    reached, refused = _meaning(version, message)
    trace.heard(number, str(sender[0]), max(0.0, rtt_ms), reached=reached, refused=refused)


def _meaning(version: int, message: Echo | Quoted) -> tuple[bool, str]:
    """Give whether an answer is of the target, and why a router would not go on."""
    if isinstance(message, Echo):
        return True, ""
    if message.type == TIME_EXCEEDED[version]:
        return False, ""
    if version == 6 and message.type == TOO_BIG:
        return False, "packet too big"
    if message.type == UNREACHABLE[version] and message.code == _PORT_UNREACHABLE[version]:
        return True, ""
    return False, _REFUSALS.get((version, message.code), f"unreachable, code {message.code}")


def _raw(address: Address) -> socket.socket:
    flags = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    try:
        return socket.socket(family_of_socket(address), flags, _PROTOCOL[address.version])
    except PermissionError as error:
        raise Undecided("no permission to hear routers: traceroute needs CAP_NET_RAW") from error


def _of_the_one_before(error: OSError) -> bool:
    """Tell whether a connected socket tells of an ICMP error that an earlier probe met: that is what we came for."""
    return error.errno in (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.EMSGSIZE)
