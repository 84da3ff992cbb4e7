"""A WebSocket on a TLS stream: whole messages of text in and out.

No compression: with it each connection keeps windows for both ways (measured in `bench/link.py`), and what is said most
is short. Our own pings are messages of the link, which show that the other end's loop runs; the WebSocket's are
answered.
"""

import asyncio
import contextlib
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, Protocol

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from anycastle.base.errors import ParseError
from anycastle.io.link.tls_stream import TLSStream
from anycastle.wire.link.limits import MESSAGE_OCTETS_MAX

PATH: Final = "/link"
OPENING_S: Final = 5.0
"""How long a server lets the opening of a WebSocket take, TLS with it, once its turn has come."""

TURN_S: Final = 15.0
"""How long a client waits for all of it: a controller that has just started lets a thousand agents wait for a turn,
and one that gave up earlier would begin again at the end of the queue."""

WORDS_MAX: Final = 500
"""Characters of a refusal that are read."""


class ChannelOwner(Protocol):
    """Who uses a channel. Nothing is called after `channel_closed`."""

    def channel_reached(self) -> None:
        """The connection is up: call `begin`, now or later."""
        ...

    def channel_opened(self) -> None:
        """Messages may be said."""
        ...

    def channel_received(self, octets: bytes) -> None:
        """Take a message."""
        ...

    def channel_blocked(self) -> None:
        """Take that nothing more should be said for now."""
        ...

    def channel_drained(self) -> None:
        """Take that more may be said."""
        ...

    def channel_closed(self, why: str) -> None:
        """Take that the channel is gone, or could not be opened."""
        ...


Admit = Callable[[TLSStream], str | None]
"""Why the other end is refused, asked once its certificate is known; None: it is not."""


class Channel:
    """One WebSocket, of a server or of a client."""

    def __init__(
        self, stream: TLSStream, protocol: ServerProtocol | ClientProtocol, owner: ChannelOwner, admit: Admit
    ) -> None:
        self.stream = stream
        stream.owner = self
        self._protocol = protocol
        self._owner: ChannelOwner | None = owner
        self._admit = admit
        self._parts: list[bytes] = []
        self._why = ""
        self._opening: asyncio.TimerHandle | None = None
        self.open = False

    @classmethod
    def of_server(cls, stream: TLSStream, owner: ChannelOwner, admit: Admit) -> "Channel":
        """Give the channel of a connection that came in."""
        return cls(stream, ServerProtocol(max_size=MESSAGE_OCTETS_MAX), owner, admit)

    @classmethod
    def of_client(cls, stream: TLSStream, host: str, owner: ChannelOwner, admit: Admit) -> "Channel":
        """Give the channel of a connection that is being made."""
        return cls(stream, ClientProtocol(parse_uri(f"wss://{host}{PATH}"), max_size=MESSAGE_OCTETS_MAX), owner, admit)

    def begin(self) -> None:
        """Begin the handshakes."""
        patience_s = TURN_S if isinstance(self._protocol, ClientProtocol) else OPENING_S
        self._opening = asyncio.get_running_loop().call_later(patience_s, self._too_slow, patience_s)
        self.stream.begin()

    def say(self, octets: bytes) -> None:
        """Send a message; what is said after the end is forgotten."""
        if self._protocol.state is OPEN:
            self._protocol.send_text(octets)
            self._flush()

    def hang(self) -> None:
        """Close once what was said is sent."""
        self._owner = None
        self._stop_timer()
        with contextlib.suppress(WebSocketException):
            if self._protocol.state is OPEN:
                self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
                self._flush()
        self.stream.close()

    # -- of the stream --------------------------------------------------------------------------------------------

    def stream_reached(self) -> None:
        """Pass it on."""
        if self._owner is not None:
            self._owner.channel_reached()

    def stream_opened(self) -> None:
        """A client asks; a server waits for the question."""
        if isinstance(self._protocol, ClientProtocol):
            refusal = self._admit(self.stream)
            if refusal is not None:
                raise ParseError(refusal)
            self._protocol.send_request(self._protocol.connect())
            self._flush()

    def stream_received(self, octets: bytes) -> None:
        """Read what came as far as it is whole."""
        self._protocol.receive_data(octets)
        for event in self._protocol.events_received():
            match event:
                case Request():
                    self._asked(event)
                case Response():
                    self._answered(event)
                case Frame():
                    self._framed(event)
            if self._owner is None:
                return
        if isinstance(self._protocol, ClientProtocol) and self._protocol.handshake_exc is not None and not self.open:
            self._why = self._why or f"no WebSocket answers: {self._protocol.handshake_exc}"
        self._flush()

    def stream_blocked(self) -> None:
        """Pass it on."""
        if self._owner is not None and self.open:
            self._owner.channel_blocked()

    def stream_drained(self) -> None:
        """Pass it on."""
        if self._owner is not None and self.open:
            self._owner.channel_drained()

    def stream_closed(self, why: str) -> None:
        """Pass it on, once."""
        self._stop_timer()
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.channel_closed(self._why or why or "the connection was closed")

    # -- the WebSocket --------------------------------------------------------------------------------------------

    def _asked(self, request: Request) -> None:
        assert isinstance(self._protocol, ServerProtocol)
        refusal = self._admit(self.stream)
        if refusal is not None:
            self._why = refusal
            response = self._protocol.reject(HTTPStatus.FORBIDDEN, f"{refusal}\n")
        elif request.path != PATH:
            response = self._protocol.reject(HTTPStatus.NOT_FOUND, f"agents ask for {PATH}\n")
        else:
            response = self._protocol.accept(request)
        self._protocol.send_response(response)
        self._flush()
        if self._protocol.state is OPEN:
            self._opened()

    def _answered(self, response: Response) -> None:
        assert isinstance(self._protocol, ClientProtocol)
        error = self._protocol.handshake_exc
        if error is None:
            self._opened()
            return
        words = (response.body or b"").decode("utf-8", "replace").strip()[:WORDS_MAX]
        self._why = f"refused: {words}" if isinstance(error, InvalidStatus) and words else f"refused: {error}"

    def _opened(self) -> None:
        self._stop_timer()
        self.open = True
        if self._owner is not None:
            self._owner.channel_opened()

    def _framed(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT | Opcode.CONT:
                self._parts.append(bytes(frame.data))
                if frame.fin:
                    octets, self._parts = b"".join(self._parts), []
                    if self._owner is not None:
                        self._owner.channel_received(octets)
            case Opcode.BINARY:
                self._protocol.fail(CloseCode.UNSUPPORTED_DATA, "only text is spoken here")
                self._why = "something else than text was said"
            case _:
                pass  # pings are answered by the protocol, and a close is

    def _flush(self) -> None:
        for octets in self._protocol.data_to_send():
            if octets:
                self.stream.write(octets)
            else:
                self.stream.close()
        if self._protocol.close_expected() and not isinstance(self._protocol, ServerProtocol):
            self.stream.close()

    def _stop_timer(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None

    def _too_slow(self, patience_s: float) -> None:
        self._why = self._why or f"not opened within {patience_s:g} s"
        self.stream.abort()
