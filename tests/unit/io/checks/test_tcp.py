import asyncio
import gc
import os
import resource
import socket
from ipaddress import ip_address

import pytest

from anycastle.io.checks.tcp import run
from anycastle.model.check import Outcome, TCPTarget
from tests.unit.io.checks.conftest import open_descriptors

LOOPBACK = ip_address("127.0.0.1")


def check(target: TCPTarget, timeout_s: float = 2.0):
    return asyncio.run(run(target, timeout_s))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.mission("C1")
def test_an_open_port_passes(serve, host: str) -> None:
    port = serve(lambda connection: None, host)
    result = check(TCPTarget(ip_address(host), port))
    assert result.outcome is Outcome.PASS
    assert str(port) in result.evidence
    assert 0 <= result.duration_s < 2


@pytest.mark.mission("C1")
def test_a_closed_port_fails_and_says_so(closed_port: int) -> None:
    result = check(TCPTarget(LOOPBACK, closed_port))
    assert (result.outcome, result.evidence) == (
        Outcome.FAIL,
        f"connection refused by 127.0.0.1:{closed_port}",
    )


def test_an_ipv6_endpoint_is_written_with_brackets() -> None:
    with socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        port = probe.getsockname()[1]
        assert check(TCPTarget(ip_address("::1"), port)).evidence == f"connection refused by [::1]:{port}"


@pytest.mark.mission("C1")
def test_silence_fails_at_the_time_limit(silent_port: int) -> None:
    result = check(TCPTarget(LOOPBACK, silent_port), 0.05)
    assert result.outcome is Outcome.FAIL
    assert result.evidence == f"no answer from 127.0.0.1:{silent_port} within 0.05 s"


def test_an_exchange_passes_when_the_expected_octets_come(serve) -> None:
    def banner(connection: socket.socket) -> None:
        assert connection.recv(100) == b"PING\r\n"
        connection.sendall(b"+PO")
        connection.sendall(b"NG\r\n")

    target = TCPTarget(LOOPBACK, serve(banner), send=b"PING\r\n", expect=b"+PONG")
    assert check(target).outcome is Outcome.PASS


def test_an_exchange_fails_when_others_come(serve) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(b"-ERR\r\n")

    result = check(TCPTarget(LOOPBACK, serve(refuse), send=b"PING\r\n", expect=b"+PONG"))
    assert result.outcome is Outcome.FAIL
    assert "'-ERR" in result.evidence
    assert "'+PONG'" in result.evidence


def test_an_endless_answer_is_cut_off(serve) -> None:
    def babble(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"x" * 65536)

    result = check(TCPTarget(LOOPBACK, serve(babble), expect=b"+PONG"))
    assert result.outcome is Outcome.FAIL
    assert "without '+PONG'" in result.evidence


def test_a_server_that_accepts_and_says_nothing_fails_at_the_time_limit(serve) -> None:
    def mute(connection: socket.socket) -> None:
        connection.recv(1)

    result = check(TCPTarget(LOOPBACK, serve(mute), expect=b"hello"), 0.05)
    assert result.outcome is Outcome.FAIL
    assert "no answer" in result.evidence


def hold_all(held: list[int]) -> None:
    while True:
        held.append(os.dup(0))


@pytest.mark.mission("C1", "F7")
def test_having_no_descriptor_is_our_failure(serve) -> None:
    port = serve(lambda connection: None)

    async def main():
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        held: list[int] = []
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        try:
            with pytest.raises(OSError, match="Too many open files"):
                hold_all(held)
            return await run(TCPTarget(LOOPBACK, port), 1.0)
        finally:
            for descriptor in held:
                os.close(descriptor)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    result = asyncio.run(main())
    assert result.outcome is Outcome.UNKNOWN
    assert "Too many open files" in result.evidence


@pytest.mark.mission("F7")
def test_being_held_up_ourselves_is_undecided(silent_port: int) -> None:
    async def main():
        check = asyncio.create_task(run(TCPTarget(LOOPBACK, silent_port), 0.05))
        await asyncio.sleep(0)
        deadline = asyncio.get_running_loop().time() + 0.4
        while asyncio.get_running_loop().time() < deadline:  # a callback that holds the loop
            pass
        return await check

    result = asyncio.run(main())
    assert result.outcome is Outcome.UNKNOWN
    assert "held up" in result.evidence


def test_a_cancelled_check_closes_its_descriptor(silent_port: int) -> None:
    async def main() -> None:
        gc.collect()  # what other tests left is not closed in between
        before = open_descriptors()
        checks = [asyncio.create_task(run(TCPTarget(LOOPBACK, silent_port), 60)) for _ in range(20)]
        await asyncio.sleep(0)
        assert open_descriptors() == before + 20
        for task in checks:
            task.cancel()
        results = await asyncio.gather(*checks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results)
        assert open_descriptors() == before

    asyncio.run(main())


@pytest.mark.mission("C1")
def test_descriptor_numbers_can_be_used_again_at_once(silent_port: int, serve) -> None:
    """A registration left in the selector would make a later check on the same number hang."""

    def slow_hello(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(b"hello")

    port = serve(slow_hello)

    async def main() -> None:
        for _ in range(50):
            timed_out = await run(TCPTarget(LOOPBACK, silent_port), 0.001)
            assert timed_out.outcome is not Outcome.PASS
            talked = await run(TCPTarget(LOOPBACK, port, send=b"x", expect=b"hello"), 5)
            assert talked.outcome is Outcome.PASS, talked

    asyncio.run(main())
