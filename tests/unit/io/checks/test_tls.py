import asyncio
import socket
from ipaddress import ip_address
from pathlib import Path

import pytest

from anycastle.io.checks.tls import run
from anycastle.model.check import CheckResult, Outcome, TLSTarget

LOOPBACK = ip_address("127.0.0.1")


def check(port: int, authority, timeout_s: float = 5.0, **changes) -> CheckResult:
    settings = {"server_name": "www.example", "ca_file": str(authority.file)} | changes
    return asyncio.run(run(TLSTarget(LOOPBACK, port, **settings), timeout_s))


def wait_for_close(connection: socket.socket) -> None:
    connection.recv(1)


@pytest.mark.mission("C1")
def test_a_chain_that_verifies_passes_and_tells_the_days_left(serve, authority) -> None:
    port = serve(wait_for_close, tls=authority.server(days=90.5))
    result = check(port, authority, certificate_days_left=14)
    assert result.outcome is Outcome.PASS, result
    assert "certificate for 90 more days" in result.evidence


@pytest.mark.parametrize("verify", [True, False])
def test_a_certificate_that_ends_soon_fails(serve, authority, verify: bool) -> None:
    port = serve(wait_for_close, tls=authority.server(days=3.2))
    result = check(port, authority, verify=verify, certificate_days_left=14)
    assert result.outcome is Outcome.FAIL
    assert result.evidence == "the certificate ends in 3 days, expected 14 or more"


def test_an_ended_certificate_fails_verification(serve, authority) -> None:
    result = check(serve(wait_for_close, tls=authority.server(days=-2)), authority)
    assert result.outcome is Outcome.FAIL
    assert "certificate has expired" in result.evidence


def test_an_ended_certificate_fails_by_its_days_where_nothing_is_verified(serve, authority) -> None:
    port = serve(wait_for_close, tls=authority.server(days=-2))
    result = check(port, authority, verify=False, certificate_days_left=0)
    assert (result.outcome, result.evidence) == (Outcome.FAIL, "the certificate ended 2 days ago")


def test_a_certificate_of_another_name_fails(serve, authority) -> None:
    result = check(serve(wait_for_close, tls=authority.server(name="other.example")), authority)
    assert result.outcome is Outcome.FAIL
    assert "Hostname mismatch" in result.evidence


def test_an_unknown_authority_fails_unless_nothing_is_verified(serve, authority) -> None:
    port = serve(wait_for_close, tls=authority.server())
    refused = check(port, authority, ca_file=None)
    assert refused.outcome is Outcome.FAIL
    assert "does not verify" in refused.evidence
    assert check(port, authority, ca_file=None, verify=False).outcome is Outcome.PASS


def test_alpn_that_is_not_agreed_fails(serve, authority) -> None:
    offered = serve(wait_for_close, tls=authority.server(alpn=("h2",)))
    assert check(offered, authority, alpn=("h2", "http/1.1")).outcome is Outcome.PASS
    silent = serve(wait_for_close, tls=authority.server())
    result = check(silent, authority, alpn=("h2",))
    assert result.outcome is Outcome.FAIL
    assert "ALPN" in result.evidence


def test_a_server_without_tls_fails(serve, authority) -> None:
    result = check(serve(lambda connection: connection.sendall(b"220 mail.example\r\n")), authority)
    assert result.outcome is Outcome.FAIL
    assert "TLS handshake failed" in result.evidence


def test_a_server_that_closes_fails(serve, authority) -> None:
    result = check(serve(lambda connection: connection.recv(10000)), authority)
    assert result.outcome is Outcome.FAIL
    assert "closed during the TLS handshake" in result.evidence


def test_a_server_that_says_nothing_fails_at_the_time_limit(serve, authority) -> None:
    def mute(connection: socket.socket) -> None:
        while connection.recv(10000):
            pass

    result = check(serve(mute), authority, timeout_s=0.05)
    assert result.outcome is Outcome.FAIL
    assert "no answer" in result.evidence


def test_a_missing_or_empty_ca_file_is_our_failure(serve, authority, tmp_path: Path) -> None:
    port = serve(wait_for_close, tls=authority.server())
    missing = check(port, authority, ca_file=str(tmp_path / "none.pem"))
    assert missing.outcome is Outcome.UNKNOWN
    (tmp_path / "empty.pem").write_text("")
    empty = check(port, authority, ca_file=str(tmp_path / "empty.pem"))
    assert empty.outcome is Outcome.UNKNOWN


def test_a_ca_file_that_was_replaced_is_read_again(serve, authority, tmp_path: Path) -> None:
    port = serve(wait_for_close, tls=authority.server())
    file = tmp_path / "ca.pem"
    file.write_text("")
    assert check(port, authority, ca_file=str(file)).outcome is Outcome.UNKNOWN
    file.write_bytes(authority.file.read_bytes())
    assert check(port, authority, ca_file=str(file)).outcome is Outcome.PASS
