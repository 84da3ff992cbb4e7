"""One UDP echo."""

import secrets

from anycastle.io.probe.course import Course
from anycastle.io.probe.datagram import exchange, open_udp, stamped
from anycastle.model.prefix import Address
from anycastle.probe.kinds.udp import TOKEN_OCTETS, UDPAsk, UDPSeen, data_of
from anycastle.probe.target import ProbeTarget


async def run(target: ProbeTarget, ask: UDPAsk, address: Address, course: Course) -> UDPSeen:
    """Send a datagram, and wait for it to come back."""
    token = secrets.token_bytes(TOKEN_OCTETS)
    with open_udp(address, target.port, target.source_port) as channel:
        stamped(channel)
        course.local_port = channel.getsockname()[1]
        course.begin("echo")
        reply = await exchange(
            channel, data_of(ask, token), lambda octets: octets if octets.startswith(token) else None, course
        )
    return UDPSeen(len(reply))
