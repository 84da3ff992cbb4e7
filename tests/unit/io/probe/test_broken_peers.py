"""Peers that do not keep to the protocol: each way is a result with its phase, and nothing else."""

import asyncio
import socket
from collections.abc import Callable

import pytest
from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.events import RequestReceived

from anycastle.io.probe.attempt import attempt
from anycastle.model.vantage_point import VantagePoint
from anycastle.probe.kinds.dns import DNSAsk
from anycastle.probe.kinds.http import HTTPAsk
from anycastle.probe.result import FailureKind, ProbeResult
from anycastle.probe.target import Ask, ProbeTarget

Answer = Callable[[H2Connection, int], None]


def probe(ask: Ask, port: int, timeout_s: float = 5.0) -> ProbeResult:
    target = ProbeTarget("t", "127.0.0.1", port, ask, timeout_s=timeout_s)
    return asyncio.run(attempt(target, VantagePoint("here")))


def failed(result: ProbeResult) -> tuple[FailureKind, str, str]:
    assert result.failure is not None, result
    return result.failure.kind, result.failure.phase, result.failure.words


def http2(answer: Answer) -> Callable[[socket.socket], None]:
    """A server that reads a request and answers it in its own way."""

    def serve(connection: socket.socket) -> None:
        state = H2Connection(H2Configuration(client_side=False))
        state.initiate_connection()
        connection.sendall(state.data_to_send())
        while data := connection.recv(65536):
            if state.state_machine.state is ConnectionState.CLOSED:
                continue  # the client's last words, to an end that listens no more
            for event in state.receive_data(data):
                if isinstance(event, RequestReceived):
                    answer(state, event.stream_id)
            connection.sendall(state.data_to_send())

    return serve


def reset(state: H2Connection, stream: int) -> None:
    state.reset_stream(stream, 7)


def go_away(state: H2Connection, _stream: int) -> None:
    state.close_connection(11)


@pytest.mark.rfc("9113", "5.4")
@pytest.mark.parametrize(
    ("answer", "words"),
    [(reset, "the stream was reset with error 7"), (go_away, "the server ended the connection with error 11")],
)
def test_an_http2_server_that_refuses(serve, answer: Answer, words: str) -> None:
    result = probe(HTTPAsk(tls=False, version="2"), serve(http2(answer)))
    assert failed(result) == (FailureKind.PROTOCOL, "first_byte", words)


def test_an_http2_body_that_is_cut_stays_in_its_phase(serve) -> None:
    def serve_half(connection: socket.socket) -> None:
        state = H2Connection(H2Configuration(client_side=False))
        state.initiate_connection()
        connection.sendall(state.data_to_send())
        while True:
            for event in state.receive_data(connection.recv(65536)):
                if isinstance(event, RequestReceived):
                    state.send_headers(event.stream_id, [(":status", "200"), ("content-length", "9")])
                    connection.sendall(state.data_to_send())
                    state.send_data(event.stream_id, b"half")
                    connection.sendall(state.data_to_send())
                    return

    result = probe(HTTPAsk(tls=False, version="2"), serve(serve_half))
    kind, phase, _ = failed(result)
    assert kind in (FailureKind.PROTOCOL, FailureKind.RESET)  # a reset, where octets of ours were unread
    assert phase in ("first_byte", "body")  # headers and data may come in one piece, with the end


def test_an_http2_body_that_is_longer_than_it_says_is_none(serve) -> None:
    def answer(state: H2Connection, stream: int) -> None:
        state.send_headers(stream, [(":status", "200"), ("content-length", "2")])
        state.send_data(stream, b"longer", end_stream=True)

    assert failed(probe(HTTPAsk(tls=False, version="2"), serve(http2(answer))))[0] is FailureKind.PROTOCOL


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (b"", FailureKind.PROTOCOL),
        (b"not http at all\r\n\r\n", FailureKind.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", FailureKind.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", FailureKind.PROTOCOL),
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", FailureKind.CONTENT),
    ],
)
@pytest.mark.parametrize("version", ["1.1", "2"])
def test_octets_that_are_no_response(serve, octets: bytes, kind: FailureKind, version: str) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(octets)

    found = failed(probe(HTTPAsk(tls=False, version=version), serve(answer)))[0]
    # Whoever closes with octets of ours unread resets the connection, and that may come first.
    assert found in ({kind, FailureKind.RESET} if version == "1.1" else {FailureKind.PROTOCOL, FailureKind.RESET})


def framed(message: bytes) -> bytes:
    return len(message).to_bytes(2, "big") + message


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (lambda query: b"\x00", "the connection was closed before the whole answer came"),
        (lambda query: framed(query[2:])[:-1], "the connection was closed before the whole answer came"),
        (lambda query: framed(query[2:]), "the answer is not to our question"),  # the query itself
        (lambda query: framed(bytes([query[2] ^ 1]) + query[3:]), "the answer is not to our question"),
        (lambda query: framed(b""), "the answer is not to our question"),
        (
            lambda query: framed(query[2:4] + b"\x84\x00" + query[6:8] + b"\x00\x09" + query[10:]),
            "the answer cannot be decoded: ",
        ),
    ],
)
def test_a_name_server_that_answers_something_else(serve, reply: Callable[[bytes], bytes], words: str) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(reply(connection.recv(65536)))

    kind, phase, told = failed(probe(DNSAsk("example", transport="tcp"), serve(answer)))
    assert (kind, phase) == (FailureKind.PROTOCOL, "answer")
    assert told.startswith(words)


def test_a_server_that_says_nothing_more_is_a_timeout_in_that_phase(serve) -> None:
    def quiet(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.recv(65536)

    for ask, phase in (
        (DNSAsk("example", transport="tcp"), "answer"),
        (DNSAsk("example", transport="tls", verify=False), "tls"),
        (HTTPAsk(tls=False), "first_byte"),
        (HTTPAsk(tls=False, version="2"), "first_byte"),
    ):
        kind, where, _ = failed(probe(ask, serve(quiet), timeout_s=0.3))
        assert (kind, where) == (FailureKind.TIMEOUT, phase)


def test_cancelling_leaves_nothing_open(silent_port: int) -> None:
    async def main() -> None:
        target = ProbeTarget("t", "127.0.0.1", silent_port, HTTPAsk(tls=False))
        task = asyncio.create_task(attempt(target, VantagePoint("here")))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())  # the fixture counts descriptors
