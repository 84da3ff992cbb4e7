"""One request over HTTP/3 (RFC 9114). Frames and fields are aioquic's; the connection is the probe's own."""

from typing import Final

from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.events import StreamReset

from anycastle.io.checks.verdict import Failed
from anycastle.io.probe.course import Course
from anycastle.io.probe.h2_exchange import Request, Response, head_of
from anycastle.io.probe.quic import QUICSession
from anycastle.probe.kinds.http import BODY_KEPT_OCTETS

ALPN: Final = "h3"


async def ask(session: QUICSession, request: Request, course: Course) -> Response:
    """Give the response; `first_byte` and `body` are noted. Raises `Failed`."""
    http = H3Connection(session.connection)
    course.begin("first_byte")
    stream = session.connection.get_next_available_stream_id()
    fields = [(name.encode(), value.encode()) for name, value in head_of(request)]
    http.send_headers(stream, fields, end_stream=True)
    response = Response()
    while not response.ended:
        for event in await session.events():
            if isinstance(event, StreamReset) and event.stream_id == stream:
                raise Failed(f"the stream was reset with error {event.error_code}")
            for told in http.handle_event(event):
                _take(told, stream, response)
        if response.status and course.phase == "first_byte":
            course.begin("body")
    course.end()
    if not response.status:
        raise Failed("the stream ended before the response")
    return response


def _take(event: H3Event, stream: int, response: Response) -> None:
    match event:
        case HeadersReceived(stream_id=of) if of == stream:
            _take_fields(event, response)
        case DataReceived(stream_id=of) if of == stream:
            response.body_octets += len(event.data)
            response.body += event.data[: BODY_KEPT_OCTETS - len(response.body)]
            response.ended = event.stream_ended
        case _:
            pass


def _take_fields(event: HeadersReceived, response: Response) -> None:
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers]
    response.ended = event.stream_ended
    if response.status:
        return  # trailers
    status = dict(fields).get(":status", "")
    if not (status.isascii() and status.isdigit() and len(status) == 3):
        raise Failed(f"{status[:20]!r} is no status")
    if int(status) >= 200:  # before it, a server may say that it is at work (RFC 9114 §4.1)
        response.status, response.fields = int(status), fields
