"""Requests over one HTTP/2 connection, one after another. Frames are the h2 library's, the stream is ours.

Source: RFC 9113. A body is kept up to a bound; what lies beyond is acknowledged, counted and let go.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError

from anycastle.io.checks.stream import Stream
from anycastle.io.checks.verdict import Failed
from anycastle.io.probe.course import Course
from anycastle.probe.kinds.http import BODY_KEPT_OCTETS

_HEAD_FIELDS_OCTETS_MAX: Final = 65_536


@dataclass(frozen=True, slots=True)
class Request:
    """A request."""

    method: str
    scheme: str
    authority: str
    path: str
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(slots=True)
class Response:
    """A response; `body` is its first octets, `body_octets` counts all."""

    status: int = 0
    fields: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    body_octets: int = 0
    ended: bool = False

    def field(self, name: str) -> str | None:
        """Give a field's value; several of one name are joined as RFC 9110 §5.3 says."""
        values = [value for key, value in self.fields if key == name.lower()]
        return ", ".join(values) if values else None


class H2Exchange:
    """One connection."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._connection = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._connection.local_settings.max_header_list_size = _HEAD_FIELDS_OCTETS_MAX
        self._connection.initiate_connection()

    async def ask(self, request: Request, course: Course | None = None) -> Response:
        """Give the response. With a course, `first_byte` and `body` are noted in it. Raises `Failed`."""
        try:
            return await self._ask(request, course)
        except ProtocolError as error:
            raise Failed(f"not HTTP/2 as it should be: {error}") from error

    async def _ask(self, request: Request, course: Course | None) -> Response:
        number = self._connection.get_next_available_stream_id()
        if course is not None:
            course.begin("first_byte")
        self._connection.send_headers(number, head_of(request), end_stream=not request.body)
        if request.body:  # of some octets: it fits the window that every connection begins with (RFC 9113 §6.9.2)
            self._connection.send_data(number, request.body, end_stream=True)
        response = Response()
        while not response.ended:
            await self._stream.send(self._connection.data_to_send())
            data = await self._stream.receive()
            if not data:
                raise Failed("the connection was closed before the response had ended")
            self._take(self._connection.receive_data(data), number, response)
            if course is not None and response.status and course.phase == "first_byte":
                course.begin("body")
        await self._stream.send(self._connection.data_to_send())
        return response

    def _take(self, events: Iterable[Any], number: int, response: Response) -> None:
        for event in events:
            match event:
                case ResponseReceived(stream_id=of) if of == number:
                    fields = [(str(name), str(value)) for name, value in event.headers]
                    response.status = int(dict(fields)[":status"])
                    response.fields = fields
                case DataReceived(stream_id=of) if of == number:
                    response.body_octets += len(event.data)
                    response.body += event.data[: BODY_KEPT_OCTETS - len(response.body)]
                    self._connection.acknowledge_received_data(event.flow_controlled_length, number)
                case StreamEnded(stream_id=of) if of == number:
                    response.ended = True
                case StreamReset(stream_id=of) if of == number:
                    raise Failed(f"the stream was reset with error {int(event.error_code)}")
                case ConnectionTerminated():
                    raise Failed(f"the server ended the connection with error {int(event.error_code or 0)}")
                case _:
                    pass


def head_of(request: Request) -> list[tuple[str, str]]:
    """Give a request's fields, those of HTTP/2 and HTTP/3 before the others (RFC 9113 §8.3.1, RFC 9114 §4.3.1)."""
    head = [
        (":method", request.method),
        (":scheme", request.scheme),
        (":authority", request.authority),
        (":path", request.path),
    ]
    given = {name.lower() for name, _ in request.fields}
    head += [("user-agent", "anycastle")] if "user-agent" not in given else []
    head += [("content-length", str(len(request.body)))] if request.body else []
    return head + [(name.lower(), value) for name, value in request.fields]
