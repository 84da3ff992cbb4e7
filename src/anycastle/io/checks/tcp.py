"""The TCP check: connect, and on request exchange a few octets."""

from typing import Final

from anycastle.io.checks.stream import Stream, connect
from anycastle.io.checks.verdict import Failed, endpoint, judged
from anycastle.model.check import CheckResult, TCPTarget

_REPLY_OCTETS_MAX: Final = 65536
_SHOWN_OCTETS: Final = 60


async def run(target: TCPTarget, timeout_s: float) -> CheckResult:
    """Connect to the target once; with `send` and `expect`, also talk to it."""
    return await judged(_attempt(target), timeout_s, endpoint(target.address, target.port))


async def _attempt(target: TCPTarget) -> str:
    connection = await connect(target.address, target.port)
    if target.send is None and target.expect is None:
        connection.close()
        return f"connected to {endpoint(target.address, target.port)}"
    with Stream(connection) as stream:
        if target.send is not None:
            await stream.send(target.send)
        if target.expect is not None:
            await _expect(stream, target.expect, endpoint(target.address, target.port))
    return f"talked to {endpoint(target.address, target.port)}"


async def _expect(stream: Stream, expected: bytes, subject: str) -> None:
    reply = b""
    while expected not in reply:
        data = await stream.receive()
        if not data:
            raise Failed(f"{subject} closed after {_shown(reply)}, expected {_shown(expected)}")
        reply += data
        if len(reply) > _REPLY_OCTETS_MAX:
            raise Failed(f"{subject} sent {len(reply)} octets without {_shown(expected)}")


def _shown(octets: bytes) -> str:
    return repr(octets[:_SHOWN_OCTETS])[1:] if octets else "nothing"
