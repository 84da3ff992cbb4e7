"""A connection of a probe, plain or TLS, with its phases noted."""

import ssl

from anycastle.io.checks.stream import Stream, connect
from anycastle.io.checks.tls import client_context, handshake
from anycastle.io.probe.course import Course
from anycastle.model.prefix import Address


async def opened(address: Address, port: int, course: Course) -> Stream:
    """Connect; the caller closes the stream. Raises `OSError`."""
    course.begin("connect")
    connection = await connect(address, port)
    course.end()
    course.local_port = connection.getsockname()[1]
    return Stream(connection)


async def secured(
    stream: Stream, server_name: str, course: Course, *, verify: bool, ca_file: str | None, alpn: tuple[str, ...] = ()
) -> ssl.SSLObject:
    """Shake hands. Raises `Failed` and `Undecided`."""
    context = client_context(verify, ca_file, alpn)
    course.begin("tls")
    tls = await handshake(stream, context, server_name)
    course.end()
    return tls
