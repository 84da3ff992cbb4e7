"""One ICMP echo."""

import secrets
import socket

from anycastle.io.checks.icmp import message_of, open_echo
from anycastle.io.probe.course import Course
from anycastle.io.probe.datagram import exchange, stamped
from anycastle.model.prefix import Address
from anycastle.probe.kinds.icmp import TOKEN_OCTETS, ICMPAsk, ICMPSeen, data_of
from anycastle.probe.target import ProbeTarget
from anycastle.wire.icmp import Echo, decode, encode_request


async def run(_target: ProbeTarget, ask: ICMPAsk, address: Address, course: Course) -> ICMPSeen:
    """Ping once."""
    token = secrets.token_bytes(TOKEN_OCTETS)
    request = encode_request(address.version, int.from_bytes(token[:2], "big"), 1, data_of(ask, token))
    with open_echo(address) as channel:
        stamped(channel)
        course.begin("echo")
        data = await exchange(channel, request, lambda octets: _data(channel, address.version, octets, token), course)
    return ICMPSeen(len(data))


def _data(channel: socket.socket, version: int, octets: bytes, token: bytes) -> bytes | None:
    """Give the data of our echo's reply."""
    found = decode(version, message_of(channel, version, octets))
    return found.data if isinstance(found, Echo) and found.reply and found.data.startswith(token) else None
