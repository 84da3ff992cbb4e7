"""The ICMP check: echo requests (RFC 792, RFC 4443 §4.1), unprivileged where the kernel allows it, else raw.

The kernel numbers a datagram socket's requests itself and gives it only its own replies; a raw socket sees all ICMP
that arrives from the target. Either way an answer counts only if it carries our random token.
"""

import asyncio
import secrets
import socket
import struct
from typing import Final

from anycastle.io.checks.stream import family_of_socket, readable
from anycastle.io.checks.verdict import Failed, Undecided, judged
from anycastle.model.check import CheckResult, ICMPTarget
from anycastle.model.prefix import Address

_REQUEST: Final = {4: 8, 6: 128}
_REPLY: Final = {4: 0, 6: 129}
_PROTOCOL: Final = {4: socket.IPPROTO_ICMP, 6: socket.IPPROTO_ICMPV6}
_TOKEN_OCTETS: Final = 16
_HEADER: Final = struct.Struct("!BBHHH")
_REPLY_OCTETS_MAX: Final = 2048


async def run(target: ICMPTarget, timeout_s: float) -> CheckResult:
    """Ping the target; `count` requests share the time limit evenly."""
    return await judged(_attempt(target, timeout_s / target.count), timeout_s, str(target.address))


async def _attempt(target: ICMPTarget, patience_s: float) -> str:
    loop = asyncio.get_running_loop()
    token = secrets.token_bytes(_TOKEN_OCTETS)
    with _open(target.address) as channel:
        for sequence in range(target.count):
            sent_at = loop.time()
            channel.send(encode_request(target.address.version, token, sequence))
            try:
                async with asyncio.timeout(patience_s if sequence + 1 < target.count else None):
                    await _reply(channel, target.address.version, token)
            except TimeoutError:
                continue
            return f"{target.address} answered in {(loop.time() - sent_at) * 1000:.1f} ms"
    raise Failed(f"no answer from {target.address} to {target.count} echo requests")


def _open(address: Address) -> socket.socket:
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


def encode_request(version: int, token: bytes, sequence: int) -> bytes:
    """Give an echo request. Its checksum is right for IPv4; for IPv6 the kernel computes it."""
    identity = int.from_bytes(token[:2], "big")
    header = _HEADER.pack(_REQUEST[version], 0, 0, identity, sequence)
    checksum = _checksum(header + token) if version == 4 else 0
    return _HEADER.pack(_REQUEST[version], 0, checksum, identity, sequence) + token


def _checksum(octets: bytes) -> int:
    total: int = sum(word for (word,) in struct.iter_unpack("!H", octets))  # RFC 1071
    total = (total >> 16) + (total & 0xFFFF)
    return 0xFFFF - ((total + (total >> 16)) & 0xFFFF)


async def _reply(channel: socket.socket, version: int, token: bytes) -> None:
    while True:
        await readable(channel.fileno())
        try:
            octets = channel.recv(_REPLY_OCTETS_MAX)
        except BlockingIOError:
            continue
        if version == 4 and channel.type & socket.SOCK_RAW == socket.SOCK_RAW:
            octets = octets[(octets[0] & 0x0F) * 4 :]  # a raw IPv4 socket gives the IP header too
        if octets[:1] == bytes([_REPLY[version]]) and octets[_HEADER.size :] == token:
            return
