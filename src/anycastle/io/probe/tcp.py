"""One TCP connection."""

from anycastle.io.checks.verdict import Failed
from anycastle.io.probe.connection import opened
from anycastle.io.probe.course import Course
from anycastle.model.prefix import Address
from anycastle.probe.kinds.tcp import REPLY_OCTETS_MAX, TCPAsk, TCPSeen, shown
from anycastle.probe.target import ProbeTarget


async def run(target: ProbeTarget, ask: TCPAsk, address: Address, course: Course) -> TCPSeen:
    """Connect; with `send` or `expect`, also talk."""
    with await opened(address, target.port, course) as stream:
        if ask.send is None and ask.expect is None:
            return TCPSeen()
        course.begin("answer")
        if ask.send is not None:
            await stream.send(ask.send)
        reply = b""
        while ask.expect is not None and ask.expect not in reply:
            data = await stream.receive()
            if not data:
                raise Failed(f"{target.shown} closed after {shown(reply)}, expected {shown(ask.expect)}")
            reply += data
            if len(reply) > REPLY_OCTETS_MAX:
                break
        return TCPSeen(reply[:REPLY_OCTETS_MAX].decode("latin-1"))
