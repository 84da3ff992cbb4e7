import asyncio
import json
import socket
from urllib.parse import parse_qs, urlsplit

import pytest

from anycastle.io.checks.prometheus import run
from anycastle.model.check import CheckResult, Outcome, PrometheusTarget


def check(url: str, comparison: str = "<", threshold: float = 5.0, timeout_s: float = 5.0) -> CheckResult:
    return asyncio.run(run(PrometheusTarget(url, 'sum(up{job="dns"})', comparison, threshold), timeout_s))


def api(result: object, kind: str = "vector", status: int = 200):
    """The instant-query endpoint of the HTTP API, as its page describes it."""

    def handle(connection: socket.socket) -> None:
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            more = connection.recv(4096)
            if not more:
                raise ConnectionError("the client went away")
            request += more
        parts = urlsplit(request.split(b" ")[1].decode())
        assert parts.path == "/prom/api/v1/query"
        assert parse_qs(parts.query) == {"query": ['sum(up{job="dns"})']}
        body = {"status": "success", "data": {"resultType": kind, "result": result}}
        if status != 200:
            body = {"status": "error", "errorType": "bad_data", "error": "parse error"}
        octets = json.dumps(body).encode()
        connection.sendall(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(octets)) + octets)

    return handle


def sample(value: str) -> dict[str, object]:
    return {"metric": {"job": "dns"}, "value": [1763900000.1, value]}


@pytest.mark.parametrize(
    ("comparison", "passing", "failing"),
    [
        ("<", "4", "5"),
        ("<=", "5", "6"),
        ("==", "5", "4"),
        ("!=", "4", "5"),
        (">=", "5", "4"),
        (">", "+Inf", "5"),
    ],
)
@pytest.mark.mission("C1")
def test_the_value_is_compared(serve, comparison: str, passing: str, failing: str) -> None:
    good = f"http://127.0.0.1:{serve(api([sample(passing)]))}/prom/"
    assert check(good, comparison).outcome is Outcome.PASS
    bad = check(f"http://127.0.0.1:{serve(api([sample(failing)]))}/prom", comparison)
    assert (bad.outcome, bad.evidence) == (Outcome.FAIL, f"value {failing}, expected {comparison} 5")


def test_a_scalar_is_a_value(serve) -> None:
    url = f"http://127.0.0.1:{serve(api([1763900000.1, '3'], 'scalar'))}/prom"
    assert check(url).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("handler", "evidence"),
    [
        (api([]), "no data"),
        (api([sample("1"), sample("2")]), "2 series"),
        (api([sample("NaN")]), "NaN"),
        (api([], "matrix"), "matrix"),
        (api(None, "vector", 400), "status 400"),
        (api({"not": "a list"}), "not of the Prometheus query API"),
        (lambda connection: connection.recv(4096), "closed before the response"),
    ],
)
@pytest.mark.mission("F7")
def test_whatever_leaves_the_value_open_is_undecided(serve, handler, evidence: str) -> None:
    result = check(f"http://127.0.0.1:{serve(handler)}/prom")
    assert result.outcome is Outcome.UNKNOWN
    assert evidence in result.evidence


@pytest.mark.mission("F7")
def test_a_server_that_is_gone_or_silent_is_undecided(closed_port: int, silent_port: int) -> None:
    assert check(f"http://127.0.0.1:{closed_port}/prom").outcome is Outcome.UNKNOWN
    assert check(f"http://127.0.0.1:{silent_port}/prom", timeout_s=0.05).outcome is Outcome.UNKNOWN


def test_a_comparison_that_is_none_is_undecided() -> None:
    assert check("http://127.0.0.1/prom", "=<").outcome is Outcome.UNKNOWN
