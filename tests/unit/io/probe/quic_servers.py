"""Servers over QUIC on aioquic's own: HTTP/3 with a few pages, and DNS that a real name server answers."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ProtocolNegotiated, QuicEvent, StreamDataReceived

PAGES = {"/page": b"hello from fra\n", "/large": b"x" * 3_000_000}


class HTTP3(QuicConnectionProtocol):
    """Serves pages."""

    _http: H3Connection | None = None

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, ProtocolNegotiated):
            self._http = H3Connection(self._quic)
        if self._http is not None:
            for told in self._http.handle_event(event):
                if isinstance(told, HeadersReceived):
                    self.answer(told.stream_id, dict(told.headers))

    def answer(self, stream: int, fields: dict[bytes, bytes]) -> None:
        assert self._http is not None
        path = fields[b":path"].decode()
        if path == "/reset":
            self._quic.reset_stream(stream, 0x102)
        elif path == "/end":
            self._quic.close(error_code=0x102, reason_phrase="enough")
        elif path == "/early":
            self._http.send_headers(stream, [(b":status", b"103")])
            self._page(stream, "/page")
        elif path == "/cut":
            self._quic.send_stream_data(stream, b"", end_stream=True)
        elif path == "/silent":
            return
        else:
            self._page(stream, path, head_only=fields[b":method"] == b"HEAD")
        self.transmit()

    def _page(self, stream: int, path: str, *, head_only: bool = False) -> None:
        assert self._http is not None
        body = b"" if head_only else PAGES.get(path, b"")
        status = b"200" if path in PAGES else b"404"
        self._http.send_headers(stream, [(b":status", status), (b"x-served-by", b"fra1-edge")], end_stream=not body)
        if body:
            self._http.send_data(stream, body, end_stream=True)


def dns_over_quic(answer: Callable[[bytes], bytes]) -> type[QuicConnectionProtocol]:
    """Give a server whose streams are answered by a function of what came on them."""

    class DNS(QuicConnectionProtocol):
        streams: dict[int, bytes]

        def quic_event_received(self, event: QuicEvent) -> None:
            if not isinstance(event, StreamDataReceived):
                return
            known = self.__dict__.setdefault("streams", {})
            known[event.stream_id] = known.get(event.stream_id, b"") + event.data
            if event.end_stream:
                self._quic.send_stream_data(event.stream_id, answer(known.pop(event.stream_id)), end_stream=True)
                self.transmit()

    return DNS


def forwarding(port: int) -> Callable[[bytes], bytes]:
    """Give a function that has a name server on loopback answer, over TCP."""

    def answer(framed: bytes) -> bytes:
        assert framed[2:4] == b"\0\0", "the ID is 0 (RFC 9250 §4.2.1)"
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(framed)
            reply = connection.recv(65_536)
            while len(reply) < 2 or len(reply) < 2 + int.from_bytes(reply[:2], "big"):
                reply += connection.recv(65_536)
        return reply

    return answer


@contextmanager
def serving(protocol: type[QuicConnectionProtocol], alpn: str, certificate: Path) -> Iterator[int]:
    """Serve on loopback; gives the port."""
    configuration = QuicConfiguration(is_client=False, alpn_protocols=[alpn])
    configuration.load_cert_chain(certificate, certificate)
    started, ports = threading.Event(), []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def main() -> None:
        server = await serve("127.0.0.1", 0, configuration=configuration, create_protocol=protocol)
        ports.append(server._transport.get_extra_info("sockname")[1])
        started.set()
        await stop.wait()
        server.close()

    def run() -> None:
        loop.run_until_complete(main())
        loop.run_until_complete(asyncio.sleep(0))  # the transport closes its socket now
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert started.wait(10)
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
