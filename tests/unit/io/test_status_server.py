import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import pytest

from anycastle.base.errors import WorldError
from anycastle.io import status_server
from anycastle.io.status_server import Page, Question, StatusServer


def served(body: Callable[[int], Awaitable[None]]) -> None:
    async def run() -> None:
        pages = {
            "/readyz": lambda accept: Page(b"not yet\n", HTTPStatus.SERVICE_UNAVAILABLE),
            "/metrics": lambda accept: Page(accept.encode(), content_type="text/x"),
        }
        server = StatusServer(pages, "127.0.0.1", 0)
        port = await server.start()
        try:
            await body(port)
        finally:
            await server.close()

    asyncio.run(run())


async def say(port: int, octets: bytes) -> bytes:
    """Give the answer; a connection that is reset gave none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(octets)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("request_head", "first_line", "rest"),
    [
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\nACCEPT:  text/y\r\n\r\n", b"HTTP/1.1 200 OK", b"text/y"),
        (b"GET /metrics?x=1 HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK", b""),
        (b"GET /readyz HTTP/1.1\r\n\r\n", b"HTTP/1.1 503 Service Unavailable", b"not yet\n"),
        (b"GET /else HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 Not Found", b"there is: /readyz /metrics\n"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"HTTP/1.1 405 Method Not Allowed", b"only GET\n"),
        (b"HEAD /readyz HTTP/1.1\r\n\r\n", b"HTTP/1.1 503 Service Unavailable", b""),
        (b"\x00\xff\r\n\r\n", b"HTTP/1.1 405 Method Not Allowed", b"only GET\n"),
    ],
)
def test_each_request_has_its_answer(request_head: bytes, first_line: bytes, rest: bytes) -> None:
    async def body(port: int) -> None:
        answer = await say(port, request_head)
        head, _, content = answer.partition(b"\r\n\r\n")
        assert head.split(b"\r\n")[0] == first_line
        assert content == rest

    served(body)


def test_a_head_too_long_or_never_ended_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status_server, "REQUEST_TIMEOUT_S", 0.1)

    async def body(port: int) -> None:
        assert await say(port, b"GET /metrics HTTP/1.1\r\n") == b""
        assert await say(port, b"x" * 100_000) == b""
        assert b"200" in await say(port, b"GET /metrics HTTP/1.1\r\n\r\n")

    served(body)


def test_more_connections_than_are_served_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status_server, "CONNECTIONS_MAX", 2)

    async def body(port: int) -> None:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        while b"200" in await say(port, b"GET /metrics HTTP/1.1\r\n\r\n"):
            pass  # the idle ones have not been taken up yet
        for _, writer in idle:
            writer.close()
        while b"200" not in await say(port, b"GET /metrics HTTP/1.1\r\n\r\n"):
            pass

    served(body)


def test_a_port_that_is_taken_is_said() -> None:
    async def body(port: int) -> None:
        with pytest.raises(WorldError, match=f"127.0.0.1:{port} cannot be served"):
            await StatusServer({}, "127.0.0.1", port).start()

    served(body)


@pytest.mark.parametrize(
    ("request_head", "first_line", "rest"),
    [
        (b"GET /ask?a=1&b=x%20y&a=2 HTTP/1.1\r\nX-Y: z\r\n\r\n", b"HTTP/1.1 200 OK", b"[('a', '2'), ('b', 'x y')] z"),
        (b"GET /ask HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK", b"[] None"),
        (b"GET /else HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 Not Found", b"there is: /page /ask\n"),
    ],
)
def test_an_answer_reads_what_is_asked_and_takes_its_time(request_head: bytes, first_line: bytes, rest: bytes) -> None:
    async def answer(question: Question) -> Page:
        await asyncio.sleep(0)
        return Page(f"{sorted(question.parameters.items())} {question.fields.get('x-y')}".encode())

    async def run() -> bytes:
        server = StatusServer({"/page": lambda accept: Page(b"")}, "127.0.0.1", 0, {"/ask": answer})
        port = await server.start()
        try:
            return await say(port, request_head)
        finally:
            await server.close()

    head, _, content = asyncio.run(run()).partition(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == first_line
    assert content == rest
