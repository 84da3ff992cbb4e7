import asyncio
import os
import shutil
import socket
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

import pytest

from anycastle.io.checks.icmp import run
from anycastle.model.check import ICMPTarget, Outcome
from anycastle.wire.icmp import encode_request


def pingable() -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP).close()
        except PermissionError:
            continue
        return True
    return False


needs_ping = pytest.mark.skipif(not pingable(), reason="needs net.ipv4.ping_group_range or CAP_NET_RAW")


@needs_ping
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.mission("C1")
def test_this_machine_answers(address: str) -> None:
    result = asyncio.run(run(ICMPTarget(ip_address(address)), 2.0))
    assert result.outcome is Outcome.PASS, result
    assert f"{address} answered in" in result.evidence


@needs_ping
def test_many_at_once_do_not_take_each_others_answers() -> None:
    async def main():
        return await asyncio.gather(*(run(ICMPTarget(ip_address("127.0.0.1")), 5.0) for _ in range(50)))

    assert {result.outcome for result in asyncio.run(main())} == {Outcome.PASS}


@pytest.fixture(scope="module")
def quiet_namespace() -> None:
    """What it takes to run in a network namespace, whose loopback can be told what to answer and who may ping."""
    if os.getuid() != 0 or shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("needs root and the programs unshare and ip")


PROGRAM = """
import asyncio, sys
from ipaddress import ip_address
from anycastle.io.checks.icmp import run
from anycastle.model.check import ICMPTarget
for address in sys.argv[2:]:
    result = asyncio.run(run(ICMPTarget(ip_address(address), count=2), float(sys.argv[1])))
    print(result.outcome.value, result.evidence, sep="|")
"""


def in_namespace(set_up: str, timeout_s: float, *addresses: str) -> list[list[str]]:
    script = f'ip link set lo up; {set_up}; exec "$0" -c "$1" {timeout_s} {" ".join(addresses)}'
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path("src").resolve())}
    finished = subprocess.run(
        ["unshare", "--net", "sh", "-ec", script, sys.executable, PROGRAM],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return [line.split("|") for line in finished.stdout.splitlines()]


def test_the_unprivileged_socket_is_used_where_the_kernel_allows_it(quiet_namespace: None) -> None:
    set_up = "echo '0 2147483647' > /proc/sys/net/ipv4/ping_group_range"
    results = in_namespace(set_up, 2.0, "127.0.0.1", "::1")
    assert [outcome for outcome, _ in results] == ["pass", "pass"], results


def test_silence_fails_after_every_request_was_sent(quiet_namespace: None) -> None:
    set_up = "echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all"
    assert in_namespace(set_up, 0.2, "127.0.0.1") == [["fail", "no answer from 127.0.0.1 within 0.2 s"]]


def test_no_route_fails(quiet_namespace: None) -> None:
    assert in_namespace("true", 0.2, "192.0.2.1") == [["fail", "no route to the network of 192.0.2.1"]]


@pytest.mark.mission("F7")
def test_without_permission_it_is_our_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.socket

    def refused(family: int = -1, kind: int = -1, protocol: int = -1, fileno: int | None = None) -> socket.socket:
        if protocol == socket.IPPROTO_ICMP:
            raise PermissionError(1, "Operation not permitted")
        return real(family, kind, protocol, fileno)

    monkeypatch.setattr(socket, "socket", refused)
    result = asyncio.run(run(ICMPTarget(ip_address("127.0.0.1")), 2.0))
    assert result.outcome is Outcome.UNKNOWN
    assert "no permission" in result.evidence


@pytest.mark.rfc("792", "echo")
@pytest.mark.rfc("1071", "1")
def test_a_request_carries_a_right_checksum() -> None:
    octets = encode_request(4, 1, 7, bytes(range(16)))
    assert octets[:2] == b"\x08\x00"
    words = [int.from_bytes(octets[i : i + 2], "big") for i in range(0, len(octets), 2)]
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF  # a receiver's sum over a sound message
