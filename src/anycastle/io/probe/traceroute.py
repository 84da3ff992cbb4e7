"""One Paris traceroute. Errors of routers come to a raw socket of ICMP: it takes CAP_NET_RAW."""

import asyncio
import errno
import secrets
import select
import socket
import struct
import time
from contextlib import ExitStack
from types import MappingProxyType
from typing import Final, NamedTuple

from anycastle.base.ports import Instant
from anycastle.io.checks.stream import family_of_socket, readable
from anycastle.io.checks.verdict import Undecided
from anycastle.io.probe.course import Course
from anycastle.io.probe.datagram import STAMP_SPACE, open_udp, passed_ms, stamped
from anycastle.model.prefix import Address, parse_address
from anycastle.probe.kinds.traceroute import Send, Trace, TraceAsk, TraceSeen, icmp_data, number_of_length, udp_data
from anycastle.probe.target import ProbeTarget
from anycastle.wire.icmp import (
    ECHO_REQUEST,
    TIME_EXCEEDED,
    TOO_BIG,
    UNREACHABLE,
    Echo,
    Quoted,
    behind_ip_header,
    decode,
    encode_request,
)
from anycastle.wire.tcp import ACK, RST, SYN, Segment, decode_segment, encode_syn

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

    protocol: int
    """Of what is sent, as an error quotes it."""

    def __init__(self, address: Address, stack: ExitStack) -> None:
        self.version = address.version
        self._address = address
        self.errors = stack.enter_context(_raw(address, _PROTOCOL[address.version]))
        stamped(self.errors)
        self.heard_at = [self.errors]
        """Sockets that answers come to."""
        self.local_port: int | None = None
        self.sent_ns: dict[int, int] = {}
        self._sender: socket.socket

    def send(self, probe: Send) -> None:
        """Send a probe with its time to live."""
        if self.version == 4:
            self._sender.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, probe.hop)
        else:
            self._sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, probe.hop)
        octets = self.packet(probe.number)
        self.sent_ns[probe.number] = time.time_ns()
        for _ in range(2):
            try:
                self._sender.send(octets)
            except OSError as error:
                if not _of_the_one_before(error):
                    raise
                continue
            return

    def packet(self, number: int) -> bytes:
        """Give a probe's octets."""
        raise NotImplementedError

    def number_in(self, transport: bytes) -> int | None:
        """Give the probe that an error quotes, from behind its IP header; None where it is none of ours."""
        raise NotImplementedError

    def number_of(self, message: Echo | Quoted, sender: str) -> int | None:  # noqa: ARG002  of an echo alone
        """Give the probe that an ICMP message is for; None where it is none of ours."""
        if isinstance(message, Echo) or message.destination != self._address.packed:
            return None
        return self.number_in(message.transport) if message.protocol == self.protocol else None


class _UDPChannel(_Channel):
    protocol = socket.IPPROTO_UDP

    def __init__(self, target: ProbeTarget, address: Address, stack: ExitStack) -> None:
        super().__init__(address, stack)
        self._sender = stack.enter_context(open_udp(address, target.port, target.source_port))
        self.local_port = self._sender.getsockname()[1]
        self._ends = struct.pack("!HH", self.local_port, target.port)

    def packet(self, number: int) -> bytes:
        return udp_data(number)

    def number_in(self, transport: bytes) -> int | None:
        ours = transport[:4] == self._ends
        return number_of_length(int.from_bytes(transport[4:6], "big")) if ours else None


class _ICMPChannel(_Channel):
    def __init__(self, _: ProbeTarget, address: Address, stack: ExitStack) -> None:
        super().__init__(address, stack)
        self.protocol = _PROTOCOL[address.version]
        self._sender = stack.enter_context(_raw(address, self.protocol))
        self._sender.connect((str(address), 0))
        self._identity = int.from_bytes(secrets.token_bytes(2), "big")

    def packet(self, number: int) -> bytes:
        return encode_request(self.version, self._identity, number, icmp_data(number))

    def number_in(self, transport: bytes) -> int | None:
        kind, identity, sequence = struct.unpack("!B3xHH", transport[:8])
        ours = kind == ECHO_REQUEST[self.version] and identity == self._identity
        return sequence if ours else None

    def number_of(self, message: Echo | Quoted, sender: str) -> int | None:
        if isinstance(message, Quoted):
            return super().number_of(message, sender)
        ours = message.reply and message.identity == self._identity and sender == str(self._address)
        return message.sequence if ours else None


class _TCPChannel(_Channel):
    """SYNs of one connection that never is: the kernel resets what accepts it, as it has no socket for it."""

    protocol = socket.IPPROTO_TCP

    def __init__(self, target: ProbeTarget, address: Address, stack: ExitStack) -> None:
        super().__init__(address, stack)
        self._sender = stack.enter_context(_raw(address, socket.IPPROTO_TCP))
        self._sender.connect((str(address), 0))  # segments of others are not handed to us
        stamped(self._sender)
        self.heard_at.append(self._sender)
        self._source = parse_address(self._sender.getsockname()[0].partition("%")[0])
        holder = stack.enter_context(socket.socket(family_of_socket(address), socket.SOCK_STREAM))
        holder.bind((str(self._source), 0))  # nobody else gets this port meanwhile
        self.local_port = holder.getsockname()[1]
        self._ports = self.local_port, target.port
        self._first = int.from_bytes(secrets.token_bytes(4), "big") & 0x7FFFFFFF

    def packet(self, number: int) -> bytes:
        return encode_syn(self._source.packed, self._address.packed, *self._ports, self._first + number)

    def number_in(self, transport: bytes) -> int | None:
        source_port, port, sequence = struct.unpack("!HHI", transport[:8])
        return sequence - self._first if (source_port, port) == self._ports else None

    def number_acknowledged(self, segment: Segment) -> int | None:
        """Give the probe that a segment of the target answers: it accepts (SYN), or refuses (RST)."""
        ours = (segment.port, segment.source_port) == self._ports and segment.flags & ACK
        return segment.acknowledgement - 1 - self._first if ours and segment.flags & (SYN | RST) else None


_CHANNELS: Final = MappingProxyType({"udp": _UDPChannel, "icmp": _ICMPChannel, "tcp": _TCPChannel})


async def run(target: ProbeTarget, ask: TraceAsk, address: Address, course: Course) -> TraceSeen:
    """Trace once."""
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        channel = _CHANNELS[ask.protocol](target, address, stack)
        ready = stack.enter_context(select.epoll())
        for each in channel.heard_at:
            ready.register(each, select.EPOLLIN)
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
                    await readable(ready.fileno())
            except TimeoutError:
                continue
            _hear(channel, trace)
            if isinstance(channel, _TCPChannel):
                _hear_segment(channel, trace)
        course.end()
        return trace.seen()


def _hear(channel: _Channel, trace: Trace) -> None:
    """Take one message of ICMP, if it is an answer to ours."""
    heard = _received(channel.errors, channel.version)
    message = None if heard is None else decode(channel.version, heard.octets)
    if heard is None or message is None:
        return
    reached, refused = _meaning(channel.version, message)
    _take(channel, trace, channel.number_of(message, heard.sender), heard, reached=reached, refused=refused)


def _hear_segment(channel: _TCPChannel, trace: Trace) -> None:
    """Take one segment, if the target answers us by it."""
    heard = _received(channel.heard_at[1], channel.version)
    segment = None if heard is None else decode_segment(heard.octets)
    if heard is not None and segment is not None:
        _take(channel, trace, channel.number_acknowledged(segment), heard, reached=True)


class _Heard(NamedTuple):
    octets: bytes
    """Behind the IP header."""
    sender: str
    ancillary: list[tuple[int, int, bytes]]


def _received(channel: socket.socket, version: int) -> _Heard | None:
    try:
        octets, ancillary, _flags, sender = channel.recvmsg(_OCTETS_MAX, STAMP_SPACE)
    except BlockingIOError:
        return None
    except OSError as error:
        if not _of_the_one_before(error):
            raise
        return None
    return _Heard(behind_ip_header(octets) if version == 4 else octets, str(sender[0]), ancillary)


def _take(
    channel: _Channel, trace: Trace, number: int | None, heard: _Heard, *, reached: bool, refused: str = ""
) -> None:
    if number is None or number not in channel.sent_ns:
        return
    sent_ns = channel.sent_ns[number]
    by_kernel_ms = passed_ms(sent_ns, heard.ancillary)
    rtt_ms = (time.time_ns() - sent_ns) / 1e6 if by_kernel_ms is None else by_kernel_ms
    trace.heard(number, heard.sender, max(0.0, rtt_ms), reached=reached, refused=refused)


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


def _raw(address: Address, protocol: int) -> socket.socket:
    flags = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    try:
        return socket.socket(family_of_socket(address), flags, protocol)
    except PermissionError as error:
        raise Undecided("no permission to hear routers: traceroute needs CAP_NET_RAW") from error


def _of_the_one_before(error: OSError) -> bool:
    """Tell whether a connected socket tells of an ICMP error that an earlier probe met: that is what we came for."""
    return error.errno in (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.EMSGSIZE)
