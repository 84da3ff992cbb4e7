import asyncio
import socket
from ipaddress import ip_address

import pytest

from anycastle.io.checks.http import run
from anycastle.model.check import CheckResult, HTTPTarget, Outcome

LOOPBACK = ip_address("127.0.0.1")


def check(url: str, timeout_s: float = 5.0, **settings) -> CheckResult:
    return asyncio.run(run(HTTPTarget(url, **settings), timeout_s))


def request(connection: socket.socket) -> bytes:
    octets = b""
    while not octets.endswith(b"\r\n\r\n"):
        more = connection.recv(1000)
        if not more:
            raise ConnectionError("the client went away")
        octets += more
    return octets


def answer(*parts: bytes):
    def handle(connection: socket.socket) -> None:
        request(connection)
        for part in parts:
            connection.sendall(part)

    return handle


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-PoP: fra\r\n\r\nhello"


@pytest.mark.mission("C1")
def test_the_expected_status_passes(serve) -> None:
    port = serve(answer(OK))
    result = check(f"http://127.0.0.1:{port}/health")
    assert result.outcome is Outcome.PASS
    assert result.evidence == f"status 200 from http://127.0.0.1:{port}/health"


@pytest.mark.mission("C1")
def test_another_status_fails(serve) -> None:
    port = serve(answer(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"))
    result = check(f"http://127.0.0.1:{port}/", statuses=(200, 204))
    assert (result.outcome, result.evidence) == (Outcome.FAIL, "status 503, expected 200 or 204")


@pytest.mark.rfc("9112", "3.2")
def test_the_request_names_the_urls_host_though_it_goes_to_the_given_address(serve) -> None:
    seen: list[bytes] = []

    def record(connection: socket.socket) -> None:
        seen.append(request(connection))
        connection.sendall(OK)

    port = serve(record)
    result = check(
        f"http://user:pass%20word@www.example:{port}/a/b?q=1",
        address=LOOPBACK,
        headers=(("X-Probe", "yes"), ("User-Agent", "probe/1")),
    )
    assert result.outcome is Outcome.PASS, result
    lines = seen[0].decode().split("\r\n")
    assert lines[0] == "GET /a/b?q=1 HTTP/1.1"
    assert f"Host: www.example:{port}" in lines
    assert "X-Probe: yes" in lines
    assert "Connection: close" in lines
    assert "Authorization: Basic dXNlcjpwYXNzIHdvcmQ=" in lines
    assert [line for line in lines if line.startswith("User-Agent")] == ["User-Agent: probe/1"]


@pytest.mark.parametrize("status", [200, 500])
def test_no_secret_of_the_url_enters_the_evidence(serve, closed_port: int, status: int) -> None:
    port = serve(answer(b"HTTP/1.1 %d X\r\n\r\n" % status))
    for number in (port, closed_port):
        result = check(f"http://someone:secret@127.0.0.1:{number}/?token=secret")
        assert "secret" not in result.evidence
        assert "someone" not in result.evidence


@pytest.mark.parametrize(
    "body",
    [
        (b"Content-Length: 12\r\n\r\nall ", b"is well"),
        (b"\r\nall is", b" well"),
        (b"Transfer-Encoding: chunked\r\n\r\n6\r\nall is\r\n", b"5;x=y\r\n well\r\n0\r\n\r\n"),
    ],
    ids=["length", "close", "chunked"],
)
@pytest.mark.rfc("9112", "6.3", "7.1")
def test_the_body_is_searched_however_it_is_framed(serve, body: tuple[bytes, ...]) -> None:
    def start() -> int:
        return serve(answer(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n" + body[0], *body[1:]))

    assert check(f"http://127.0.0.1:{start()}/", body_contains="is well").outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("response", "evidence"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", "not in the 2 octets of the body"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nno", "cut after 2 octets"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nno", "not a number"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "cut after 2 octets"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nab", "chunk's size"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "in the 2 octets"),
        (b"HTTP/1.1 200", "the response was cut"),
        (b"", "closed before the response"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "not an HTTP/1.1 response"),
        (b"HTTP/1.1 abc\r\n\r\n", "not an HTTP/1.1 response"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20000, "no end of the response's head"),
    ],
)
@pytest.mark.rfc("9112", "6.3", "7.1", "8")
def test_each_way_to_answer_badly_fails(serve, response: bytes, evidence: str) -> None:
    result = check(f"http://127.0.0.1:{serve(answer(response))}/", body_contains="well")
    assert result.outcome is Outcome.FAIL
    assert evidence in result.evidence


def test_a_body_without_end_is_cut_off(serve) -> None:
    def babble(connection: socket.socket) -> None:
        request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    result = check(f"http://127.0.0.1:{serve(babble)}/", body_contains="well")
    assert result.outcome is Outcome.FAIL
    assert "1048576 octets" in result.evidence


def test_head_has_no_body(serve) -> None:
    port = serve(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"))
    assert check(f"http://127.0.0.1:{port}/", method="HEAD").outcome is Outcome.PASS


def test_a_header_field_is_compared(serve) -> None:
    port = serve(answer(OK))
    url = f"http://127.0.0.1:{port}/"
    assert check(url, expect_header=("x-pop", "fra")).outcome is Outcome.PASS
    other = check(url, expect_header=("X-PoP", "ams"))
    assert (other.outcome, other.evidence) == (Outcome.FAIL, "header X-PoP is 'fra', expected 'ams'")
    missing = check(url, expect_header=("X-Other", "ams"))
    assert missing.evidence == "header X-Other is missing, expected 'ams'"


def test_silence_fails_at_the_time_limit(serve) -> None:
    port = serve(lambda connection: connection.recv(10000) and connection.recv(1))
    result = check(f"http://127.0.0.1:{port}/", 0.05)
    assert result.outcome is Outcome.FAIL
    assert "no answer from http://127.0.0.1" in result.evidence


def test_https_with_a_verified_chain_passes(serve, authority) -> None:
    port = serve(answer(OK), tls=authority.server(days=30.5))
    result = check(
        f"https://www.example:{port}/",
        address=LOOPBACK,
        ca_file=str(authority.file),
        certificate_days_left=7,
        body_contains="hello",
    )
    assert result.outcome is Outcome.PASS, result
    assert "certificate for 30 more days" in result.evidence


def test_https_fails_by_name_authority_or_days(serve, authority) -> None:
    port = serve(answer(OK), tls=authority.server(days=3.2))
    url, ca = f"https://www.example:{port}/", str(authority.file)
    by_days = check(url, address=LOOPBACK, ca_file=ca, certificate_days_left=7)
    assert by_days.evidence == "the certificate ends in 3 days, expected 7 or more"
    by_name = check(url, address=LOOPBACK, ca_file=ca, server_name="other.example")
    assert "Hostname mismatch" in by_name.evidence
    assert "does not verify" in check(url, address=LOOPBACK).evidence
    assert check(url, address=LOOPBACK, verify_tls=False).outcome is Outcome.PASS


def test_a_name_that_our_resolver_does_not_know_is_our_failure() -> None:
    result = check("http://nothing.invalid/")
    assert result.outcome is Outcome.UNKNOWN
    assert "our resolver" in result.evidence


def test_a_name_is_resolved(serve) -> None:
    assert check(f"http://localhost:{serve(answer(OK))}/").outcome is Outcome.PASS


@pytest.mark.parametrize("url", ["ftp://x/", "http://", "http://[::1", "http://x:99999/", "nonsense"])
def test_what_is_no_url_is_our_failure(url: str) -> None:
    assert check(url).outcome is Outcome.UNKNOWN
