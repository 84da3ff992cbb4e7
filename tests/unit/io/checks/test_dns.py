import asyncio
import socket
import threading
from collections.abc import Callable
from ipaddress import ip_address

import dns.flags
import dns.message
import pytest

from anycastle.io.checks.dns import run
from anycastle.model.check import CheckResult, DNSTarget, Outcome

LOOPBACK = ip_address("127.0.0.1")


def check(port: int, name: str = "example.", timeout_s: float = 5.0, address: str = "127.0.0.1", **settings):
    return asyncio.run(run(DNSTarget(ip_address(address), name, port, **settings), timeout_s))


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.mission("C1")
def test_a_real_server_passes_with_all_expectations(nsd: int, transport: str, address: str) -> None:
    result = check(
        nsd,
        address=address,
        transport=transport,
        record_type="TXT",
        answer="pop one",
        nsid="pop1",
        identity="pop1",
        authoritative=True,
    )
    assert result.outcome is Outcome.PASS, result
    assert "NOERROR" in result.evidence


@pytest.mark.rfc("5001", "2.1")
def test_an_nsid_may_be_written_in_hexadecimal(nsd: int) -> None:
    assert check(nsd, nsid=b"pop1".hex()).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("settings", "evidence"),
    [
        ({"name": "missing.example."}, "rcode NXDOMAIN, expected NOERROR"),
        ({"name": "elsewhere.test."}, "rcode REFUSED, expected NOERROR"),
        ({"rcode": "nxdomain"}, "rcode NOERROR, expected NXDOMAIN"),
        (
            {"name": "ns.example.", "record_type": "A", "answer": "192.0.2.99"},
            "answer 192.0.2.53, expected 192.0.2.99",
        ),
        (
            {"name": "ns.example.", "record_type": "MX", "answer": "10 mail."},
            "answer empty, expected 10 mail.",
        ),
        (
            {"name": "big.example.", "record_type": "TXT", "answer": "x"},
            "the answer is truncated (TC); check it over tcp",
        ),
        ({"nsid": "pop2"}, "NSID pop1, expected pop2"),
        ({"identity": "pop2"}, "identity pop1, expected pop2"),
    ],
)
@pytest.mark.mission("C1")
def test_each_expectation_can_fail(nsd: int, settings: dict[str, str], evidence: str) -> None:
    result = check(nsd, **settings)
    assert (result.outcome, result.evidence) == (Outcome.FAIL, evidence)


def test_a_name_that_cannot_be_asked_is_our_failure(nsd: int) -> None:
    assert check(nsd, name="a..b").outcome is Outcome.UNKNOWN
    assert check(nsd, record_type="NONSENSE").outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_closed_port_fails(closed_port: int, transport: str) -> None:
    result = check(closed_port, transport=transport)
    assert (result.outcome, result.evidence) == (
        Outcome.FAIL,
        f"connection refused by 127.0.0.1:{closed_port}",
    )


def asked(reply: Callable[[bytes], list[bytes]], timeout_s: float = 5.0, **settings: object) -> CheckResult:
    """Ask a UDP server that answers each query with the datagrams that `reply` makes of it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)

        def answer() -> None:
            query, client = server.recvfrom(4096)
            for datagram in reply(query):
                server.sendto(datagram, client)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            return check(server.getsockname()[1], timeout_s=timeout_s, **settings)
        finally:
            thread.join(10)


def response_to(query: bytes, **changes: object) -> bytes:
    response = dns.message.make_response(dns.message.from_wire(query))
    for name, value in changes.items():
        setattr(response, name, value)
    return response.to_wire()


@pytest.mark.rfc("5452", "4.2", "4.3")
def test_answers_to_other_questions_are_ignored() -> None:
    def reply(query: bytes) -> list[bytes]:
        good = response_to(query)
        other_id = bytes([good[0] ^ 1]) + good[1:]
        other_name = good.replace(b"\x07example", b"\x07exbmple")
        return [b"", b"short", other_id, other_name, query, good.replace(b"example", b"eXaMpLe")]

    assert asked(reply).outcome is Outcome.PASS


def test_only_other_answers_are_silence() -> None:
    result = asked(lambda query: [bytes([query[0] ^ 1]) + response_to(query)[1:]], timeout_s=0.1)
    assert result.outcome is Outcome.FAIL
    assert "no answer" in result.evidence


def test_an_error_may_leave_the_question_out() -> None:
    result = asked(lambda query: [query[:2] + b"\x80\x01" + bytes(8)])
    assert (result.outcome, result.evidence) == (Outcome.FAIL, "rcode FORMERR, expected NOERROR")


def test_an_answer_that_cannot_be_decoded_fails() -> None:
    def reply(query: bytes) -> list[bytes]:
        good = bytearray(response_to(query))
        good[7] = 9  # nine answers that are not there
        return [bytes(good)]

    result = asked(reply)
    assert result.outcome is Outcome.FAIL
    assert "cannot be decoded" in result.evidence


def test_missing_aa_nsid_and_identity_fail() -> None:
    def plain(query: bytes) -> list[bytes]:
        return [response_to(query, flags=dns.flags.QR)]

    assert asked(plain, authoritative=True).evidence == "the answer is not authoritative (AA is not set)"
    assert asked(plain, nsid="pop1").evidence == "no NSID in the answer, expected pop1"


@pytest.mark.rfc("7766", "8")
def test_an_answer_over_tcp_may_come_in_pieces_or_be_cut(serve) -> None:
    def in_pieces(cut: int | None):
        def handle(connection: socket.socket) -> None:
            query = connection.recv(4096)[2:]
            reply = response_to(query)
            for octet in (len(reply).to_bytes(2, "big") + reply)[:cut]:
                connection.sendall(bytes([octet]))

        return handle

    assert check(serve(in_pieces(None)), transport="tcp").outcome is Outcome.PASS
    result = check(serve(in_pieces(-1)), transport="tcp")
    assert result.evidence == "the connection was closed before the whole answer came"


def test_an_answer_over_tcp_to_another_question_fails(serve) -> None:
    def handle(connection: socket.socket) -> None:
        query = connection.recv(4096)[2:]
        reply = bytes([query[0] ^ 1]) + response_to(query)[1:]
        connection.sendall(len(reply).to_bytes(2, "big") + reply)

    assert check(serve(handle), transport="tcp").evidence == "the answer is not to our question"
