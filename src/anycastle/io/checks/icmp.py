"""The ICMP check: echo requests (RFC 792, RFC 4443 §4.1), unprivileged where the kernel allows it, else raw.

The kernel numbers a datagram socket's requests itself and gives it only its own replies; a raw socket sees all ICMP
that arrives from the target. Either way an answer counts only if it carries our random token.
"""

import asyncio
import secrets
import socket
from typing import Final

from anycastle.io.checks.stream import family_of_socket, readable
from anycastle.io.checks.verdict import Failed, Undecided, judged
from anycastle.model.check import CheckResult, ICMPTarget
from anycastle.model.prefix import Address
from anycastle.wire.icmp import Echo, behind_ip_header, decode, encode_request

_PROTOCOL: Final = {4: socket.IPPROTO_ICMP, 6: socket.IPPROTO_ICMPV6}
_TOKEN_OCTETS: Final = 16
_REPLY_OCTETS_MAX: Final = 2048


async def run(target: ICMPTarget, timeout_s: float) -> CheckResult:
    """Ping the target; `count` requests share the time limit evenly."""
    return await judged(_attempt(target, timeout_s / target.count), timeout_s, str(target.address))


async def _attempt(target: ICMPTarget, patience_s: float) -> str:
    loop = asyncio.get_running_loop()
    token = secrets.token_bytes(_TOKEN_OCTETS)
    with open_echo(target.address) as channel:
        for sequence in range(target.count):
            sent_at = loop.time()
            identity = int.from_bytes(token[:2], "big")
            channel.send(encode_request(target.address.version, identity, sequence, token))
            try:
                async with asyncio.timeout(patience_s if sequence + 1 < target.count else None):
                    await _reply(channel, target.address.version, token)
            except TimeoutError:
                continue
            return f"{target.address} answered in {(loop.time() - sent_at) * 1000:.1f} ms"
    raise Failed(f"no answer from {target.address} to {target.count} echo requests")


def open_echo(address: Address) -> socket.socket:
    """Give a socket for echo requests to one address. Raises `Undecided` where none is allowed, and `OSError`."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        flags = kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        try:
            channel = socket.socket(family_of_socket(address), flags, _PROTOCOL[address.version])
        except PermissionError:
            continue
        try:
            channel.connect((str(address), 0))
        except BaseException:
            channel.close()
            raise
        return channel
    raise Undecided("no permission to ping: set net.ipv4.ping_group_range or grant CAP_NET_RAW")


def message_of(channel: socket.socket, version: int, octets: bytes) -> bytes:
    """Give the ICMP message in what was received: a raw IPv4 socket gives the IP header too."""
    raw = version == 4 and channel.type & socket.SOCK_RAW == socket.SOCK_RAW
    return behind_ip_header(octets) if raw else octets


async def _reply(channel: socket.socket, version: int, token: bytes) -> None:
    while True:
        await readable(channel.fileno())
        try:
            octets = channel.recv(_REPLY_OCTETS_MAX)
        except BlockingIOError:
            continue
        found = decode(version, message_of(channel, version, octets))
        if isinstance(found, Echo) and found.reply and found.data == token:
            return
